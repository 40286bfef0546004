/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/process.h"

/*
 * The misbehaving server (tests/fetch/server.py) for unit tests: started once per program, found by name of
 * port
 *
 * Everything here ends the test program when it fails: a test that cannot have its server has nothing to
 * say.
 */

#define SERVER_PORTS_MAX 16

typedef struct TestServer {
        Process *process;
        char directory[64]; /* ours, removed at the end: pki/ and root/ */
        struct {
                char name[32];
                unsigned port;
        } ports[SERVER_PORTS_MAX];
        size_t n_ports;
} TestServer;

static inline void server_must(bool ok, const char *what) {
        if (ok)
                return;
        fprintf(stderr, "test server: %s failed\n", what);
        exit(1);
}

static inline char* server_path(const TestServer *s, const char *name) {
        return xasprintf("%s/%s", s->directory, name);
}

static inline void server_start(TestServer *s) {
        _cleanup_free_ char *program = NULL, *pki = NULL, *root = NULL;
        const char *data = getenv("TEST_DATA_DIR") ?: "tests/unit/data"; /* which need not exist */
        FILE *output;
        int fd;

        *s = (TestServer) { .directory = "/tmp/hardway-server-XXXXXX" };
        server_must(mkdtemp(s->directory), "mkdtemp");
        server_must(endswith(data, "unit/data"), "finding server.py");
        program = xasprintf("%.*sfetch/server.py", (int) (strlen(data) - strlen("unit/data")), data);
        pki = server_path(s, "pki");
        root = server_path(s, "root");
        server_must(mkdir(root, 0755) >= 0, "mkdir");

        server_must(process_start((char *[]){ (char*) "python3", program, pki, root, NULL },
                                  PROCESS_PIPES | PROCESS_INHERIT_STDERR, &s->process, NULL) >= 0,
                    "starting python3");
        fd = dup(process_output_fd(s->process));
        output = fdopen(fd, "r");
        server_must(output, "fdopen");
        while (s->n_ports < SERVER_PORTS_MAX &&
               fscanf(output, "%31s %u", s->ports[s->n_ports].name, &s->ports[s->n_ports].port) == 2) {
                if (streq(s->ports[s->n_ports].name, "ready"))
                        break;
                s->n_ports++;
        }
        server_must(s->n_ports > 0, "server.py");
        (void) fclose(output);
}

static inline void server_stop(TestServer *s) {
        process_free(s->process);
        (void) fs_remove_tree(AT_FDCWD, s->directory, NULL);
}

static inline unsigned server_port(const TestServer *s, const char *name) {
        for (size_t i = 0; i < s->n_ports; i++)
                if (streq(s->ports[i].name, name))
                        return s->ports[i].port;
        server_must(false, name);
        return 0;
}

/* "https://127.0.0.1:PORT" and the path, which begins with a slash or is empty. */
static inline char* server_url(const TestServer *s, const char *name, const char *path) {
        return xasprintf("%s://127.0.0.1:%u%s", streq(name, "plain") ? "http" : "https",
                         server_port(s, name), path);
}

/* A file of the server's PKI, such as "ca.crt". */
static inline void server_pki(const TestServer *s, const char *name, Buffer *ret) {
        _cleanup_free_ char *path = xasprintf("%s/pki/%s", s->directory, name);

        server_must(fs_read(AT_FDCWD, path, 64 * 1024, ret, NULL) >= 0, path);
}

/* Puts a file below the root that is served. */
static inline void server_put(const TestServer *s, const char *name, const void *data, size_t size) {
        _cleanup_free_ char *path = xasprintf("%s/root/%s", s->directory, name);
        _cleanup_free_ char *parent = fs_path_dirname(path);

        server_must(fs_mkdir_parents(AT_FDCWD, parent, 0755, NULL) >= 0, parent);
        server_must(fs_write(AT_FDCWD, path, data, size, 0644, FS_NO_SYNC, NULL) >= 0, path);
}
