/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections of look.sh's answer that make up the Facts. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "host/look-internal.h"
#include "plan/made.h"
#include "plan/taken.h"

static void set_text(char **field, const char *value) {
        free(*field);
        *field = xstrdup(value);
}

/* --- packages, tools, systemd --- */

/* NAME STATUS */
static int package_line(LookParser *p, char *line) {
        char *name = look_word(&line), *status = look_word(&line);

        if (!status)
                return look_bad(p, "dpkg-query", name ? name : "");
        if (streq(status, "installed"))
                strv_add(&p->observation->packages, name);
        return 0;
}

int look_packages(LookParser *p, char *text, size_t size) {
        return look_each_line(p, text, package_line);
}

static int tool_line(LookParser *p, char *line) {
        if (streq(line, "apt-get"))
                p->facts->has_apt = true;
        else
                return look_bad(p, "tools", line);
        return 0;
}

int look_tools(LookParser *p, char *text, size_t size) {
        p->facts->has_apt = false;
        return look_each_line(p, text, tool_line);
}

/* "systemd 252 (252.39-1~deb12u1)", or "systemd 252.so"; systemctl prints another line behind it */
int look_systemd(LookParser *p, char *text, size_t size) {
        const char *version = startswith(text, "systemd ");
        _cleanup_free_ char *number = NULL;

        if (!version)
                return look_bad(p, "systemd's version", text);
        number = xstrndup(version, strspn(version, "0123456789"));
        if (parse_unsigned(number, 1, 100000, &p->facts->systemd_version) < 0)
                return look_bad(p, "systemd's version", text);
        return 0;
}

/* --- files --- */

static int machine_id(LookParser *p, const char *line) {
        set_text(&p->facts->machine_id, line);
        return 0;
}

static int hostname(LookParser *p, const char *line) {
        set_text(&p->facts->hostname, line);
        return 0;
}

/* Looked at when the host's own name is known. */
static int name_service(LookParser *p, const char *line) {
        char *all = xasprintf("%s%s\n", p->hosts ? p->hosts : "", line);

        free(p->hosts);
        p->hosts = all;
        return 0;
}

/* "LABEL:      123 kB" */
static int kilobytes(LookParser *p, const char *line, const char *label, uint64_t *ret) {
        const char *value = startswith(line, label);
        _cleanup_free_ char *number = NULL;
        uint64_t n;

        if (!value)
                return 0;
        value += strspn(value, " \t");
        number = xstrndup(value, strspn(value, "0123456789"));
        if (parse_uint64(number, 0, UINT64_MAX / 1024, &n) < 0)
                return look_bad(p, label, line);
        *ret = n * 1024;
        return 1;
}

static int meminfo(LookParser *p, const char *line) {
        int r = kilobytes(p, line, "MemTotal:", &p->facts->memory);

        return r < 0 ? r : 0;
}

static int smaps(LookParser *p, const char *line) {
        uint64_t size = 0;
        int r = kilobytes(p, line, "KernelPageSize:", &size);

        if (r > 0 && size <= 1024 * 1024)
                p->facts->page_size = (unsigned) size;
        return r < 0 ? r : 0;
}

static int cgroup_controllers(LookParser *p, const char *line) {
        _cleanup_strv_ Strv controllers = strv_split(line, " ");

        p->facts->cgroup_memory = strv_contains(controllers, "memory");
        return 0;
}

static int cpuinfo(LookParser *p, const char *line) {
        _cleanup_strv_ Strv flags = strv_split(line, " \t:");

        p->facts->has_aes = strv_contains(flags, "aes");
        return 0;
}

static const struct {
        const char *path;
        int (*line)(LookParser *p, const char *line);
} files[] = {
        { "etc/machine-id", machine_id },      { "etc/hosts", name_service },
        { "etc/nsswitch.conf", name_service }, { "/proc/sys/kernel/hostname", hostname },
        { "/proc/meminfo", meminfo },          { "/proc/cpuinfo", cpuinfo },
        { "/proc/self/smaps", smaps },         { "/sys/fs/cgroup/cgroup.controllers", cgroup_controllers },
};

/* run/hardway/UNIT.loaded */
static bool loaded_line(LookParser *p, const char *path, const char *line) {
        const char *name = startswith(path, "run/hardway/");
        _cleanup_free_ char *unit = NULL;
        ObservedUnit *u;
        char *all;

        if (!name || !endswith(name, ".loaded"))
                return false;
        unit = xstrndup(name, strlen(name) - strlen(".loaded"));
        u = look_unit(p, unit);
        if (u) {
                all = xasprintf("%s%s\n", u->loaded ? u->loaded : "", line);
                free(u->loaded);
                u->loaded = all;
        }
        return true;
}

/* var/lib/hardway/NAME-identity. What a run of hardway recorded goes before it. */
static bool mark_line(LookParser *p, const char *path, const char *line) {
        if (!startswith(path, "var/lib/hardway/") || !endswith(path, "-identity"))
                return false;
        if (!p->observation->identity && *line)
                p->observation->identity = xstrdup(line);
        return true;
}

/* What was there before hardway came: a line that is not understood could be of a file that has to come back. */
static int taken_line_of(LookParser *p, const char *line) {
        _cleanup_strv_ Strv words = NULL;

        if (taken_parse(line, &words) < 0)
                return look_bad(p, "/var/lib/hardway/taken", line);
        strv_add(&p->observation->taken, line);
        return 0;
}

/* One that is not understood says of no directory that it is hardway's, so that it stays. */
static bool made_line_of(LookParser *p, const char *path, const char *line) {
        _cleanup_strv_ Strv words = NULL;

        if (!streq(path, "var/lib/hardway/directories"))
                return false;
        if (streq(line, MADE_WHOLE))
                p->observation->made_whole = true;
        else if (made_parse(line, &words) >= 0)
                strv_add(&p->observation->made, line);
        return true;
}

/* One blank between the numbers of a value, as people write it, where the kernel has a tab. */
static bool sysctl_line(LookParser *p, const char *path, const char *line) {
        STRV_FOREACH(key, p->request->sysctls) {
                _cleanup_free_ char *expected = sysctl_path(*key), *value = NULL;
                _cleanup_strv_ Strv words = NULL;

                if (!streq(expected, path))
                        continue;
                words = strv_split(line, " \t");
                value = strv_join(words, " ");
                strv_addf(&p->observation->sysctls, "%s=%s", *key, value);
                return true;
        }
        return false;
}

/* "PATH:LINE", as grep -H prints it; none of the paths has a colon */
static int file_line(LookParser *p, char *line) {
        char *text = strchr(line, ':');

        if (!text)
                return look_bad(p, "grep", line);
        *text++ = 0;
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (streq(files[i].path, line))
                        return files[i].line(p, text);
        if (streq(line, "var/lib/hardway/taken"))
                return taken_line_of(p, text);
        if (loaded_line(p, line, text) || mark_line(p, line, text) || made_line_of(p, line, text) ||
            sysctl_line(p, line, text))
                return 0;
        return look_bad(p, "grep", line);
}

static bool has_word(const char *text, const char *word) {
        _cleanup_strv_ Strv words = strv_split(text, " \t\n");

        return strv_contains(words, word);
}

int look_files(LookParser *p, char *text, size_t size) {
        int r;

        p->facts->cgroup_memory = p->facts->has_aes = false;
        r = look_each_line(p, text, file_line);
        if (r >= 0 && p->hosts)
                p->facts->name_resolves =
                        has_word(p->hosts, p->facts->hostname) || has_word(p->hosts, "myhostname");
        return r;
}

/**
 * sysctl_path() - the file of a sysctl
 * @key:        "net.ipv4.ip_forward", or with slashes, "net/ipv4/conf/eth0.1/forwarding": sysctl(8) takes
 *              both
 *
 * Return: its path without the leading slash; the caller frees it.
 */
char* sysctl_path(const char *key) {
        char *path = xasprintf("proc/sys/%s", key);
        size_t first = strcspn(key, "./");

        if (key[first] == '.')
                for (char *c = path + strlen("proc/sys/"); *c; c++)
                        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
        return path;
}

/* --- machine --- */

/* e_machine of elf(5) */
static Architecture elf_architecture(unsigned e_machine) {
        return e_machine == 0x3e ? ARCH_AMD64 : e_machine == 0xb7 ? ARCH_ARM64 : _ARCH_INVALID;
}

/* uname -m, and the first 20 bytes of a program in hex */
int look_machine(LookParser *p, char *text, size_t size) {
        _cleanup_strv_ Strv words = strv_split(text, " \n");
        Architecture kernel;
        uint8_t e[20];

        if (strv_length(words) != 1 + sizeof(e))
                return look_bad(p, "uname and od", words && words[0] ? words[0] : "");
        kernel = architecture_from_string(words[0]);
        for (size_t i = 0; i < sizeof(e); i++)
                if (parse_hex(words[i + 1], e + i, 1) < 0)
                        return look_bad(p, "od", words[i + 1]);
        p->facts->architecture = kernel;
        p->facts->userland_matches =
                kernel >= 0 && e[4] == 2 /* 64 bit */ && elf_architecture(e[18] | e[19] << 8) == kernel;
        return 0;
}

/* --- disk, clock --- */

/* BLOCKS BLOCKSIZE PATH: the tightest file system counts */
static int disk_line(LookParser *p, char *line) {
        char *blocks = look_word(&line), *block_size = look_word(&line);
        uint64_t n, size, free_bytes;

        if (!block_size || parse_uint64(blocks, 0, UINT64_MAX, &n) < 0 ||
            parse_uint64(block_size, 1, UINT32_MAX, &size) < 0 ||
            __builtin_mul_overflow(n, size, &free_bytes))
                return look_bad(p, "stat -f", blocks ? blocks : "");
        free_bytes = free_bytes > 0 ? free_bytes : 1; /* full is not the same as not known */
        if (p->facts->disk_free == 0 || free_bytes < p->facts->disk_free)
                p->facts->disk_free = free_bytes;
        return 0;
}

int look_disk(LookParser *p, char *text, size_t size) {
        p->facts->disk_free = 0;
        return look_each_line(p, text, disk_line);
}

static int clock_line(LookParser *p, char *line) {
        uint64_t seconds;

        if (streq(line, "yes") || streq(line, "no")) {
                p->facts->clock_synchronized = streq(line, "yes");
                return 0;
        }
        if (parse_uint64(line, 0, INT64_MAX, &seconds) < 0)
                return look_bad(p, "date", line);
        p->facts->clock = (int64_t) seconds;
        return 0;
}

int look_clock(LookParser *p, char *text, size_t size) {
        p->facts->clock_synchronized = false;
        return look_each_line(p, text, clock_line);
}
