/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole files between here and a node, of any size: etcd's snapshots. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/fs.h"
#include "common/parse.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

#define PIECE_SIZE (64 * 1024)
#define STALL_USEC (60 * USEC_PER_SEC)

static int examine_source(const char *source, PutFile *f, char hex[static SHA256_HEX_SIZE], Error **reterr) {
        _cleanup_close_ int fd = open(source, O_RDONLY | O_CLOEXEC);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, errno, "%s: cannot be read", source);
        r = sha256_hex_file(fd, hex);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot be read", source);
        f->size = (uint64_t) st.st_size;
        f->sha256 = hex;
        return 0;
}

/**
 * host_send() - put a file of this machine on the node
 * @h:          the host, which was looked at before
 * @source:     the file here
 * @path:       where to, absolute; in a directory that is there. It belongs to root, with mode 0600
 * @sha256:     what it has to be, hex, or NULL: whatever it is
 * @progress:   told of the bytes sent, or NULL
 * @userdata:   for it
 * @reterr:     what went wrong; the file is old or new then
 *
 * Return: 0 or a negative errno.
 */
int host_send(Host *h, const char *source, const char *path, const char *sha256,
              void (*progress)(void *userdata, uint64_t done, uint64_t total), void *userdata,
              Error **reterr) {
        const HostPut put = { .progress = progress, .userdata = userdata };
        _cleanup_free_ char *name = xasprintf("send %s", path), *directory = fs_path_dirname(path + 1);
        char hex[SHA256_HEX_SIZE];
        PutFile file = { .path = path, .mode = 0600, .owner = "root:root", .source = (char*) source };
        PutOrders orders = { .files = &file, .n_files = 1 };
        int r;

        r = examine_source(source, &file, hex, reterr);
        if (r < 0)
                return r;
        if (sha256 && !streq(sha256, hex))
                return error_set(reterr, ERROR_VERIFY, ESTALE, "%s: has changed since it was examined",
                                 source);
        strv_add(&orders.sync_directories, directory);
        r = put_run(h, name, &orders, &put, reterr);
        strv_free(orders.sync_directories);
        return r;
}

static int receive_piece(int from, char *piece, size_t wanted) {
        struct pollfd p = { .fd = from, .events = POLLIN };
        ssize_t n;

        for (;;) {
                if (poll(&p, 1, (int) (STALL_USEC / USEC_PER_MSEC)) == 0)
                        return -ETIMEDOUT;
                n = recv(from, piece, wanted < PIECE_SIZE ? wanted : PIECE_SIZE, MSG_DONTWAIT);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        continue;
                return n < 0 ? -errno : n == 0 ? -ECONNRESET : (int) n;
        }
}

static void piece_freep(char **piece) {
        explicit_bzero(*piece, PIECE_SIZE);
        free(*piece);
}

static int receive_all(const Host *h, Process *p, const char *path, int fd, uint64_t size, Error **reterr) {
        _cleanup_(piece_freep) char *piece = xmalloc(PIECE_SIZE);
        int r, n;

        for (uint64_t left = size; left > 0; left -= (uint64_t) n) {
                if (h->cancelled && *h->cancelled)
                        return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "%s: stopped while receiving",
                                         path);
                n = receive_piece(process_fd(p), piece, left < PIECE_SIZE ? (size_t) left : PIECE_SIZE);
                if (n < 0)
                        return error_set(reterr, ERROR_UNAVAILABLE, -n, "%s: the connection broke off",
                                         path);
                r = fd_write_all(fd, piece, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "what comes from %s cannot be written", path);
        }
        return 0;
}

/**
 * host_receive() - get a file of the node
 * @h:          the host
 * @path:       the file there, absolute
 * @limit:      bytes that it may have
 * @fd:         where it is written to
 * @reterr:     what went wrong; part of it may have been written
 *
 * For a file that nobody changes meanwhile: the bytes that it had at the beginning are read.
 *
 * Return: 0 or a negative errno.
 */
int host_receive(Host *h, const char *path, uint64_t limit, int fd, Error **reterr) {
        _cleanup_(process_freep) Process *p = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL, line = BUFFER_NULL;
        _cleanup_free_ char *name = xasprintf("receive %s", path);
        uint64_t size;
        int r;

        shell_add_variable(&text, "H_PATH", path + (*path == '/'));
        buffer_add_str(&text, EMBED_RECEIVE_SH);
        r = channel_start(h, &(Script) { .name = name, .text = buffer_str(&text) }, &p, reterr);
        if (r < 0)
                return r;
        r = channel_read_line(p, STALL_USEC, &line);
        if (r <= 0 || parse_uint64(buffer_str(&line), 0, UINT64_MAX, &size) < 0) {
                r = error_set(reterr, ERROR_IO, ENOENT, "%s: cannot be read there", path);
                error_detail(reterr, "%s\n", process_errors(p));
                return r;
        }
        if (size > limit)
                return error_set(reterr, ERROR_VERIFY, EFBIG,
                                 "%s: has %" PRIu64 " bytes there, not more than %" PRIu64 " are expected",
                                 path, size, limit);
        return receive_all(h, p, path, fd, size, reterr);
}
