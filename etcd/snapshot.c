/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots: from a member to a file, whole or not at all
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "etcd/snapshot-stream.h"
#include "etcd/snapshot.h"

#define STALL (30 * USEC_PER_SEC)

static int sink(void *userdata, const void *data, size_t size, Error **reterr) {
        return snapshot_stream_take(userdata, data, size, reterr);
}

static int stream_to(const EtcdEndpoint *e, SnapshotStream *s, Error **reterr) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *url = xasprintf("%s/v3/maintenance/snapshot", e->url);
        const HttpRequest request = {
                .method = "POST",
                .url = url,
                .body = "{}",
                .body_size = 2,
                .stall_usec = STALL,
                .sink = sink,
                .userdata = s,
        };
        int r;

        r = http_request(e->http, &request, &response, reterr);
        if (r < 0)
                return r;
        if (response.status != 200)
                return http_response_error(&response, &request, reterr);
        r = snapshot_stream_end(s, reterr);
        if (r < 0)
                return r;
        if (fsync(s->fd) < 0)
                return error_set_errno(reterr, errno, "%s: cannot be synced", s->name);
        return 0;
}

/**
 * etcd_snapshot() - save a member's data to a file
 * @e:          the member
 * @dir_fd:     what path is relative to
 * @path:       the file; replaced if it is there
 * @check:      looks at what arrived before it gets its name, or NULL
 * @progress:   called for each piece, or NULL; total is what etcd announces
 * @userdata:   for both
 * @ret_size:   bytes of the file, or NULL
 * @reterr:     what went wrong; nothing is left behind then
 *
 * Return: 0 or a negative errno.
 */
int etcd_snapshot(const EtcdEndpoint *e, int dir_fd, const char *path, EtcdSnapshotCheck check,
                  EtcdSnapshotProgress progress, void *userdata, uint64_t *ret_size, Error **reterr) {
        _cleanup_free_ char *part = xasprintf("%s.part", path);
        _cleanup_(snapshot_stream_done) SnapshotStream s;
        _cleanup_close_ int lock = -EBADF;
        int r;

        snapshot_stream_init(&s, part);
        s.progress = progress;
        s.userdata = userdata;

        s.fd = etcd_snapshot_part(dir_fd, path, part, &lock);
        if (s.fd < 0)
                return error_set_errno(reterr, s.fd, "%s: cannot be made", part);
        r = stream_to(e, &s, reterr);
        if (r >= 0 && check)
                r = check(userdata, part, reterr);
        if (r >= 0 && renameat(dir_fd, part, dir_fd, path) < 0)
                r = error_set_errno(reterr, errno, "%s: cannot be renamed", part);
        if (r < 0) {
                (void) unlinkat(dir_fd, part, 0);
                return r;
        }
        r = fs_sync_dir_of(dir_fd, path, reterr);
        if (r < 0)
                return r;
        if (ret_size)
                *ret_size = s.size;
        return 0;
}
