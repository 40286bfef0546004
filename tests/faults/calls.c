/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which calls change something, and what they are about. */

#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/alloc.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define OF_FD(name, kind, flags) \
        { #name, SYS_##name, kind, flags, 0, -1, -1, -1, -1 }
#define OF_PATH(name, kind, flags, dir, path) \
        { #name, SYS_##name, kind, flags, -1, dir, path, -1, -1 }

const CallType call_types[] = {
        OF_FD(write, CALL_OTHER, CALL_DATA),
        OF_FD(writev, CALL_OTHER, CALL_DATA),
        OF_FD(pwrite64, CALL_OTHER, CALL_DATA),
        OF_FD(sendto, CALL_OTHER, CALL_DATA),
        { "copy_file_range", SYS_copy_file_range, CALL_OTHER, CALL_DATA, 2, -1, -1, -1, -1 },
        OF_FD(fallocate, CALL_OTHER, CALL_DATA),
        OF_FD(ftruncate, CALL_OTHER, CALL_CHANGE | CALL_IN_PLACE),
        OF_FD(fsync, CALL_OTHER, CALL_SYNC),
        OF_FD(fdatasync, CALL_OTHER, CALL_SYNC),
        OF_FD(syncfs, CALL_SYNC_ALL, CALL_SYNC),
        OF_FD(fchmod, CALL_OTHER, CALL_CHANGE | CALL_IN_PLACE),
        OF_FD(fchown, CALL_OTHER, CALL_CHANGE | CALL_IN_PLACE),
        OF_PATH(openat, CALL_OPEN, CALL_NAME, 0, 1),
        OF_PATH(mkdirat, CALL_CREATE, CALL_NAME, 0, 1),
        OF_PATH(symlinkat, CALL_CREATE, CALL_NAME, 1, 2),
        OF_PATH(linkat, CALL_CREATE, CALL_NAME, 2, 3),
        { "renameat", SYS_renameat, CALL_RENAME, CALL_CHANGE, -1, 2, 3, 0, 1 },
        { "renameat2", SYS_renameat2, CALL_RENAME, CALL_CHANGE, -1, 2, 3, 0, 1 },
        OF_PATH(unlinkat, CALL_UNLINK, CALL_CHANGE, 0, 1),
        OF_PATH(fchmodat, CALL_OTHER, CALL_CHANGE, 0, 1),
        OF_PATH(fchownat, CALL_OTHER, CALL_CHANGE, 0, 1),
#ifdef SYS_open /* machines with a past */
        OF_PATH(open, CALL_OPEN, CALL_NAME, -1, 0),
        OF_PATH(creat, CALL_OPEN, CALL_NAME, -1, 0),
        OF_PATH(mkdir, CALL_CREATE, CALL_NAME, -1, 0),
        OF_PATH(symlink, CALL_CREATE, CALL_NAME, -1, 1),
        OF_PATH(link, CALL_CREATE, CALL_NAME, -1, 1),
        { "rename", SYS_rename, CALL_RENAME, CALL_CHANGE, -1, -1, 1, -1, 0 },
        OF_PATH(unlink, CALL_UNLINK, CALL_CHANGE, -1, 0),
        OF_PATH(rmdir, CALL_OTHER, CALL_CHANGE, -1, 0),
        OF_PATH(chmod, CALL_OTHER, CALL_CHANGE, -1, 0),
        OF_PATH(chown, CALL_OTHER, CALL_CHANGE, -1, 0),
        OF_PATH(lchown, CALL_OTHER, CALL_CHANGE, -1, 0),
#endif
};
const size_t n_call_types = ARRAY_SIZE(call_types);

/* --- the filter --- */

typedef struct Filter {
        struct sock_filter code[128];
        unsigned short n;
} Filter;

static void add(Filter *f, unsigned short code, unsigned k, unsigned char yes, unsigned char no) {
        f->code[f->n++] = (struct sock_filter) BPF_JUMP(code, k, yes, no);
}

/* A file that is only opened for reading, or for writing as it is, changes nothing yet. */
static void add_type(Filter *f, const CallType *t) {
        bool flags_matter = t->kind == CALL_OPEN && (t->number == SYS_openat || t->path == 0);
        unsigned argument = t->number == SYS_openat ? 2 : 1;

#ifdef SYS_creat
        flags_matter = flags_matter && t->number != SYS_creat;
#endif
        if (!flags_matter) {
                add(f, BPF_JMP | BPF_JEQ | BPF_K, (unsigned) t->number, 0, 1);
                add(f, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
                return;
        }
        add(f, BPF_JMP | BPF_JEQ | BPF_K, (unsigned) t->number, 0, 4);
        add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * argument, 0, 0);
        add(f, BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, 0, 1);
        add(f, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
        add(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int calls_listen(void) {
        Filter f = {};
        struct sock_fprog program = { .filter = f.code };

        add(&f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        add(&f, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
        add(&f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        add(&f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        for (size_t i = 0; i < n_call_types; i++)
                add_type(&f, call_types + i);
        add(&f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        program.len = f.n;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -1;
        return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                             &program);
}

/* --- what a call is about --- */

static void read_link(const char *link, char *ret, size_t size) {
        ssize_t n = readlink(link, ret, size - 1);

        ret[n > 0 ? n : 0] = '\0';
}

/* A string of the process that waits; nobody else of it is expected to change it. */
static void read_string(pid_t pid, unsigned long long address, char *ret, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];
        ssize_t n;

        *ret = '\0';
        (void) snprintf(path, sizeof(path), "/proc/%d/mem", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : pread(fd, ret, size - 1, (off_t) address);
        ret[n > 0 ? n : 0] = '\0';
}

/* The directory that a relative name begins at; the root directory is "". */
static void read_base(pid_t pid, int fd, char *ret, size_t size) {
        char link[64];

        if (fd == AT_FDCWD)
                (void) snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
        else
                (void) snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
        read_link(link, ret, size);
        if (streq(ret, "/"))
                *ret = '\0';
}

static void read_name(const struct seccomp_notif *request, int dir, int path, char ret[static 4096]) {
        pid_t pid = (pid_t) request->pid;
        char name[2048], base[2000];

        read_string(pid, request->data.args[path], name, sizeof(name));
        if (*name == '/') {
                (void) snprintf(ret, 4096, "%s", name);
                return;
        }
        read_base(pid, dir < 0 ? AT_FDCWD : (int) request->data.args[dir], base, sizeof(base));
        (void) snprintf(ret, 4096, "%s/%s", base, startswith(name, "./") ? name + 2 : name);
}

static bool lasts(const char *path) {
        static const char *const others[] = { "/run/", "/tmp/", "/proc/", "/dev/", "/sys/" };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (strncmp(path, others[i], strlen(others[i])) == 0)
                        return false;
        return *path == '/';
}

void call_read(const struct seccomp_notif *request, Call *ret) {
        *ret = (Call) { .pid = (pid_t) request->pid };
        for (size_t i = 0; i < n_call_types; i++)
                if (call_types[i].number == request->data.nr)
                        ret->type = call_types + i;
        if (ret->type->fd >= 0) {
                int fd = (int) request->data.args[ret->type->fd];

                (void) snprintf(ret->open_file, sizeof(ret->open_file), "/proc/%d/fd/%d", ret->pid, fd);
                read_link(ret->open_file, ret->path, sizeof(ret->path));
        } else
                read_name(request, ret->type->dir, ret->type->path, ret->path);
        if (ret->type->kind == CALL_OPEN)
                ret->writes = request->data.args[ret->type->path + 1] & O_ACCMODE;
        if (ret->type->from >= 0)
                read_name(request, ret->type->from_dir, ret->type->from, ret->from);
        ret->on_disk = lasts(ret->path);
}

bool call_meets(const Call *call, int errnum) {
        CallFlags flags = call->type->flags;
        bool makes = (flags & CALL_NAME) && access(call->path, F_OK) < 0;

        if (!call->on_disk)
                return false;
        switch (errnum) {
        case ENOSPC: /* no blocks are left, and no inodes */
                return makes || (flags & CALL_DATA);
        case EDQUOT: /* no inodes */
                return makes;
        case EROFS:
                return makes || call->writes || (flags & CALL_CHANGE);
        case EACCES:
                return (flags & (CALL_NAME | CALL_CHANGE)) && !(flags & CALL_IN_PLACE);
        case EIO:
                return flags & (CALL_DATA | CALL_SYNC);
        default:
                return false;
        }
}
