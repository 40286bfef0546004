/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * For arm64 hosts only. qemu's user emulation refuses clone() with a flag for a new namespace (EINVAL), unless it
 * makes a thread. systemd clones so, into a new mount namespace, to put together a unit's credentials, and no unit
 * with LoadCredential= would start. But qemu has fork() and it has unshare(), which one after the other do the same.
 *
 * Preloaded into the host's first process alone: what it starts does not inherit this.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES                                                                                   \
        ((unsigned long) (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUSER | \
                          CLONE_NEWCGROUP))

typedef long (*SyscallFunc)(long number, ...);

long syscall(long number, ...) {
        static SyscallFunc original;
        unsigned long namespaces = 0;
        unsigned long a[6];
        va_list ap;
        long r;

        va_start(ap, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(ap, unsigned long);
        va_end(ap);

        if (!original)
                original = (SyscallFunc) dlsym(RTLD_NEXT, "syscall");

        if (number == SYS_clone && !(a[0] & CLONE_VM)) {
                namespaces = a[0] & NAMESPACES;
                a[0] &= ~NAMESPACES;
        }

        r = original(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (namespaces && r == 0 && unshare((int) namespaces) < 0)
                /* the parent cannot be told why any more, but that it failed */
                _exit(1);

        return r;
}
