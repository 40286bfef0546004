/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ending a connection that ssh keeps open for its later channels (ControlMaster)
 *
 * `ssh -O exit` does it, and is what is done where this does not work. It is one more program for each node,
 * at the end of each run; on five nodes that is a tenth of all the time that a run takes which has nothing
 * to change. So the master is told over its socket, as that program would tell it. The protocol is that of
 * OpenSSH's PROTOCOL.mux, version 4 (OpenSSH 5.9 and later): messages with their length before them, all
 * numbers of 32 bits in network order. Either side says hello first.
 */

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/host-internal.h"

#define MUX_MSG_HELLO 0x00000001U
#define MUX_C_TERMINATE 0x10000005U
#define MUX_S_OK 0x80000001U
#define MUX_VERSION 4U

#define REQUEST_ID 1U

/* A hello may be followed by the names of extensions; there are none as yet. */
#define MESSAGE_MAX 1024U

#define ANSWER_TIMEOUT_SEC 1

static int master_connect(const char *path) {
        struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_SEC };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
            (int) sizeof(address.sun_path))
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
            connect(fd, (struct sockaddr*) &address, sizeof(address)) == 0)
                return fd;
        (void) close(fd);
        return -ENOTCONN;
}

/* The first two numbers behind the length of the next message: its type and what belongs to it. */
static int read_message(int fd, uint32_t ret[static 2]) {
        uint32_t size, words[MESSAGE_MAX / sizeof(uint32_t)];

        if (recv(fd, &size, sizeof(size), MSG_WAITALL) != sizeof(size))
                return -EPROTO;
        size = be32toh(size);
        if (size < 2 * sizeof(uint32_t) || size > sizeof(words) ||
            recv(fd, words, size, MSG_WAITALL) != (ssize_t) size)
                return -EPROTO;
        ret[0] = be32toh(words[0]);
        ret[1] = be32toh(words[1]);
        return 0;
}

static int expect(int fd, uint32_t type, uint32_t word) {
        uint32_t got[2];
        int r;

        r = read_message(fd, got);
        if (r < 0)
                return r;
        return got[0] == type && got[1] == word ? 0 : -EPROTO;
}

static int ask(int fd) {
        const uint32_t text[] = {
                htobe32(2 * sizeof(uint32_t)), htobe32(MUX_MSG_HELLO),   htobe32(MUX_VERSION),
                htobe32(2 * sizeof(uint32_t)), htobe32(MUX_C_TERMINATE), htobe32(REQUEST_ID),
        };
        int r;

        if (send(fd, text, sizeof(text), MSG_NOSIGNAL) != sizeof(text))
                return -EPROTO;
        r = expect(fd, MUX_MSG_HELLO, MUX_VERSION);
        return r < 0 ? r : expect(fd, MUX_S_OK, REQUEST_ID);
}

/**
 * master_end() - have a master of ssh end its connection
 * @path:       its socket
 *
 * Return: 0 if it has said that it will, or a negative errno: nobody is there, or it speaks otherwise.
 */
int master_end(const char *path) {
        int fd, r;

        fd = master_connect(path);
        if (fd < 0)
                return fd;
        r = ask(fd);
        (void) close(fd);
        return r;
}
