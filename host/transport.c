/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a node is reached: the argv that stands before a script
 *
 * ssh is the user's ssh with the user's configuration: ports, keys, agents, jump hosts and the trust in host
 * keys are theirs. What is set here only keeps a program from being treated like a person, and shares one
 * connection per node: the first channel of a run becomes the master of all later ones (ControlMaster=auto),
 * which therefore take 10 ms instead of a quarter of a second, and a master that died is replaced by the
 * next. It goes away with the run, or by itself soon after a run that was killed. Its socket is this run's
 * own, as another run on the same node at the same time must be able to end without ending ours; only
 * masters that are to stay for the next run have a name that it will find. Those end by themselves, some
 * time after their last channel or with the connection. What is left of one that was killed, or whose node
 * has gone, does not keep the next run from connecting: ssh unlinks a socket at which nobody answers, and
 * connects anew when a master turns out to be dead before it has opened the channel.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/fs.h"
#include "host/host-internal.h"

#define CONNECT_TIMEOUT_SEC 10u

/* Without a channel for so many seconds, a master goes away: one of this run only, and one for the next. */
#define PERSIST "60"
#define PERSIST_KEPT "600"

/* ssh -o ControlPath=DIRECTORY/%C: a slash, 40 hex digits, and ssh's own suffix while it makes the socket */
#define SOCKET_NAME_SIZE (1 + 40 + 17)

/*
 * The first thing that runs as root. It takes no more of its input than it is told, as the rest belongs to
 * the script: read(1) of a shell takes byte by byte from what it cannot seek, dd takes one block. Lines
 * before the mark are skipped: a password that sudo did not want is one. Made so that any login shell passes
 * it on as it is: no '!' (csh), nothing but single quotes around it.
 */
#define BOOT                                                                    \
        "while read -r m n; do case $m in hardway-script) break;; esac; done; " \
        "eval \"$(dd bs=\"$n\" count=1 iflag=fullblock 2>/dev/null)\""

/* Both in English, whatever the node speaks: their messages are understood by failure.c. -k: ask even if
 * asked a moment ago, so that the password is always taken. */
#define SUDO "env LC_ALL=C sudo -n sh -c "
#define SUDO_PASSWORD "env LC_ALL=C sudo -k -S -p \"\" sh -c "

/* Where ssh's configuration decides who logs in, the node has to find out whether that is root. */
#define ROOT_OR(sudo) \
        "sh -c 'if [ \"$(id -u)\" = 0 ]; then exec sh -c \"$1\"; fi; exec " sudo "\"$1\"' sh '" BOOT "'"

/* --- the directory of the sockets --- */

/* Somebody else could have made it, in /tmp: then they would see, and lead, our connections. */
static int control_check(const char *path, Error **reterr) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return error_set_errno(reterr, errno, "cannot use %s", path);
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
                return error_set(reterr, ERROR_PERMISSION, EPERM,
                                 "%s has to be a directory of ours that is closed to others", path);
        return 0;
}

static char* control_default(void) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (runtime && runtime[0] == '/' && strlen(runtime) < 40)
                return xasprintf("%s/hardway", runtime);
        return geteuid() == 0 ? xstrdup("/run/hardway-ssh") :
                                xasprintf("/tmp/hardway-%u", (unsigned) geteuid());
}

/*
 * Where the next run finds the master: ssh's own digest of where the connection goes. A host key that stands
 * in the cluster file is a part of the name, as a connection to who had another one is no longer good.
 */
static char* kept_socket(const Host *h) {
        _cleanup_free_ char *line = NULL;
        char address[INET_TEXT_SIZE], sha256[SHA256_HEX_SIZE];

        if (!h->node->ssh.host_key)
                return xasprintf("%s/%%C", h->control);
        line = xasprintf("%s %u %s %s", inet_address_format(&h->node->address, address), h->node->ssh.port,
                         h->node->ssh.user ?: "", h->node->ssh.host_key);
        sha256_hex(line, strlen(line), sha256);
        return xasprintf("%s/%.40s", h->control, sha256);
}

static int control_prepare(Host *h, Error **reterr) {
        struct sockaddr_un address;
        uint32_t run;
        int r;

        h->control =
                h->options.control_directory ? xstrdup(h->options.control_directory) : control_default();
        if (strlen(h->control) + SOCKET_NAME_SIZE > sizeof(address.sun_path))
                return error_set(reterr, ERROR_CONFIG, ENAMETOOLONG,
                                 "%s is too long for the sockets of ssh: %zu characters at most", h->control,
                                 sizeof(address.sun_path) - SOCKET_NAME_SIZE);
        if (getrandom(&run, sizeof(run), 0) != sizeof(run))
                abort(); /* cannot happen for so few bytes, see getrandom(2) */
        h->socket = h->options.keep_master ? kept_socket(h) : xasprintf("%s/run-%08x", h->control, run);
        r = fs_mkdir_parents(AT_FDCWD, h->control, 0700, reterr);
        return r < 0 ? r : control_check(h->control, reterr);
}

/*
 * A host key that stands in the cluster file is the only one that is good: known_hosts of our own, in which
 * it belongs to every name, as the node may be known to ssh by an address, an alias or a port. Named by its
 * content, so that no two runs disagree.
 */
static int known_hosts_prepare(Host *h, Error **reterr) {
        _cleanup_free_ char *line = NULL;
        char sha256[SHA256_HEX_SIZE];
        int r;

        if (!h->node->ssh.host_key)
                return 0;
        line = xasprintf("* %s\n", h->node->ssh.host_key);
        sha256_hex(line, strlen(line), sha256);
        h->known_hosts = xasprintf("%s/known_hosts-%.16s", h->control, sha256);
        r = fs_write(AT_FDCWD, h->known_hosts, line, strlen(line), 0600, FS_NO_SYNC, reterr);
        return r < 0 ? r : 0;
}

/**
 * transport_prepare() - what is needed before the first channel
 * @h:          the host; control and known_hosts are filled in
 * @reterr:     says what is in the way
 *
 * Return: 0, or a negative errno.
 */
int transport_prepare(Host *h, Error **reterr) {
        int r;

        if (h->node->local) {
                if (geteuid() != 0 && !*h->root)
                        return error_set(reterr, ERROR_PERMISSION, EPERM,
                                         "is this machine: hardway has to run as root here");
                return 0;
        }
        r = control_prepare(h, reterr);
        return r < 0 ? r : known_hosts_prepare(h, reterr);
}

/* --- argv --- */

/* Whatever ssh's configuration says of other hosts: this one has its key from the cluster file alone. */
static void add_pin(const Host *h, Strv *argv) {
        static const char *const options[] = {
                "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=none", "KnownHostsCommand=none",
                "VerifyHostKeyDNS=no",       "UpdateHostKeys=no",
        };

        strv_addf(argv, "-oUserKnownHostsFile=\"%s\"", h->known_hosts);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                strv_addf(argv, "-o%s", options[i]);
}

static void add_options(const Host *h, Strv *argv) {
        static const char *const options[] = {
                "BatchMode=yes",           "RemoteCommand=none", "RequestTTY=no",
                "ClearAllForwardings=yes", "ForwardAgent=no",    "ForwardX11=no",
                "PermitLocalCommand=no",   "LogLevel=INFO",      "ServerAliveInterval=5",
                "ServerAliveCountMax=3",
        };

        strv_add(argv, "-T");
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                strv_addf(argv, "-o%s", options[i]);
        strv_addf(argv, "-oConnectTimeout=%u", CONNECT_TIMEOUT_SEC);
        if (h->known_hosts)
                add_pin(h, argv);
}

static void add_target(const Host *h, Strv *argv) {
        char address[INET_TEXT_SIZE];

        if (h->node->ssh.user)
                strv_addf(argv, "-l%s", h->node->ssh.user);
        if (h->node->ssh.port > 0)
                strv_addf(argv, "-p%u", h->node->ssh.port);
        strv_add(argv, "--");
        strv_add(argv, inet_address_format(&h->node->address, address));
}

static Strv ssh_argv(const Host *h) {
        Strv argv = strv_new("ssh", NULL);

        add_options(h, &argv);
        return argv;
}

static const char* remote_command(const Host *h) {
        const char *user = h->node->ssh.user;

        if (user && streq(user, "root"))
                return "sh -c '" BOOT "'";
        if (user)
                return h->password ? SUDO_PASSWORD "'" BOOT "'" : SUDO "'" BOOT "'";
        return h->password ? ROOT_OR(SUDO_PASSWORD) : ROOT_OR(SUDO);
}

/**
 * transport_has_aes() - does this machine's processor have AES instructions?
 */
bool transport_has_aes(void) {
#if defined(__x86_64__)
        unsigned a, b, c, d;

        /* Not __builtin_cpu_supports(), for which each start of the program would ask for all there is. */
        return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AES);
#elif defined(__aarch64__)
        return getauxval(AT_HWCAP) & (1 << 3); /* HWCAP_AES of asm/hwcap.h */
#else
        return false;
#endif
}

/**
 * transport_setting() - what the user's ssh has been told for this node
 * @h:          the host
 * @name:       of the setting, in small letters, see ssh -G
 *
 * Return: its value, or NULL. The caller frees it.
 */
char* transport_setting(const Host *h, const char *name) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_free_ char *begin = xasprintf("\n%s ", name);
        _cleanup_strv_ Strv argv = ssh_argv(h);
        const char *line;

        strv_add(&argv, "-G");
        add_target(h, &argv);
        if (process_run(argv, NULL, 5 * USEC_PER_SEC, &result, NULL) < 0 || result.status != 0)
                return NULL;
        line = strstr(buffer_str(&result.out), begin);
        if (!line)
                return NULL;
        line += strlen(begin);
        return xstrndup(line, strcspn(line, "\n"));
}

/* The same with aes128-gcm first, or NULL where the user's configuration does not allow it. */
static char* fast_ciphers(const Host *h) {
        static const char fast[] = "aes128-gcm@openssh.com";
        _cleanup_free_ char *configured = transport_setting(h, "ciphers");
        _cleanup_strv_ Strv all = configured ? strv_split(configured, ",") : NULL, ordered = NULL;

        if (!strv_contains(all, fast))
                return NULL;
        strv_add(&ordered, fast);
        STRV_FOREACH(cipher, all)
                if (!streq(*cipher, fast))
                        strv_add(&ordered, *cipher);
        return strv_join(ordered, ",");
}

static void add_connection(const Host *h, TransportFlags flags, Strv *argv) {
        _cleanup_free_ char *ciphers = flags & TRANSPORT_FAST_CIPHER ? fast_ciphers(h) : NULL;

        if (ciphers) {
                /* what is encrypted how is settled when a connection begins, so this one is not shared */
                strv_add(argv, "-oControlPath=none");
                strv_addf(argv, "-oCiphers=%s", ciphers);
                return;
        }
        strv_addf(argv, "-oControlPath=%s", h->socket);
        strv_add(argv, "-oControlMaster=auto");
        strv_addf(argv, "-oControlPersist=%s", h->options.keep_master ? PERSIST_KEPT : PERSIST);
}

/**
 * transport_argv() - the command that has a script run as root on the node
 * @h:          the host
 * @flags:      TRANSPORT_FAST_CIPHER for a large transfer
 *
 * Return: the argv; its input is described in host-internal.h. The caller frees it.
 */
Strv transport_argv(Host *h, TransportFlags flags) {
        Strv argv;

        h->connected = true;
        if (h->node->local)
                return strv_new("sh", "-c", BOOT, NULL);
        argv = ssh_argv(h);
        add_connection(h, flags, &argv);
        add_target(h, &argv);
        strv_add(&argv, remote_command(h));
        return argv;
}

/**
 * transport_argv_alone() - the command that connects, does nothing, and shares its connection with nobody
 * @h:          the host
 *
 * Return: the argv. The caller frees it.
 */
Strv transport_argv_alone(const Host *h) {
        Strv argv = ssh_argv(h);

        strv_add(&argv, "-oControlPath=none");
        add_target(h, &argv);
        strv_add(&argv, "true");
        return argv;
}

/**
 * transport_close() - end the master connection, unless it is to stay
 * @h:          the host
 */
void transport_close(Host *h) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_strv_ Strv argv = NULL;

        if (h->node->local || !h->connected || h->options.keep_master || access(h->socket, F_OK) < 0)
                return;
        if (master_end(h->socket) >= 0)
                return;
        argv = ssh_argv(h);
        strv_addf(&argv, "-oControlPath=%s", h->socket);
        strv_add(&argv, "-Oexit");
        add_target(h, &argv);
        /* one that has gone already is as good */
        (void) process_run(argv, NULL, 5 * USEC_PER_SEC, &result, NULL);
}
