/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/macro.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * freep() - cleanup of _cleanup_free_
 * @pointer:    address of a pointer variable of any type
 */
void freep(void *pointer) {
        void *p;

        /*
         * Not *(void**) pointer: the variable has another type than void*, and the compiler may rely on
         * that.
         */
        memcpy(&p, pointer, sizeof(p));
        free(p);
        memset(pointer, 0, sizeof(p));
}

/**
 * safe_close() - close a descriptor and keep errno
 * @fd:         a descriptor, or negative for none
 *
 * Not for descriptors that were written to and whose error matters: those are synced first.
 *
 * Return: -EBADF, to be assigned to the variable that held the descriptor.
 */
int safe_close(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -EBADF;
}

/**
 * closep() - cleanup of _cleanup_close_
 * @fd:         address of the variable; negative values mean none
 */
void closep(int *fd) {
        *fd = safe_close(*fd);
}
