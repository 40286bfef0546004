/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/receive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "etcd/snapshot.h"

/**
 * receive_file_limited() - bring a file of a node here
 * @host:       the node
 * @source:     the file there, absolute
 * @path:       where to; replaces what is there
 * @limit:      bytes that it may have: there is room for so many
 * @check:      looks at what arrived before it gets its name, or NULL
 * @reterr:     it cannot be had, is not good, or cannot be written
 *
 * Return: 0 or a negative errno.
 */
int receive_file_limited(Host *host, const char *source, const char *path, uint64_t limit,
                         int (*check)(const char *part, Error **reterr), Error **reterr) {
        _cleanup_free_ char *part = xasprintf("%s.part", path);
        _cleanup_close_ int fd = -EBADF, lock = -EBADF;
        int r;

        fd = etcd_snapshot_part(AT_FDCWD, path, part, &lock);
        if (fd < 0)
                return error_set_errno(reterr, fd, "%s: cannot be made", part);
        r = host_receive(host, source, limit, fd, reterr);
        if (r >= 0 && fsync(fd) < 0)
                r = error_set_errno(reterr, errno, "%s: cannot be synced", part);
        if (r >= 0 && check)
                r = check(part, reterr);
        if (r >= 0 && rename(part, path) < 0)
                r = error_set_errno(reterr, errno, "%s: cannot be renamed", part);
        if (r < 0) {
                (void) unlink(part);
                return r;
        }
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}

int receive_file(Host *host, const char *source, const char *path,
                 int (*check)(const char *part, Error **reterr), Error **reterr) {
        return receive_file_limited(host, source, path, UINT64_MAX, check, reterr);
}
