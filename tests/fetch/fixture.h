/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/digest.h"
#include "fetch/fetch.h"
#include "tests/fetch/make.h"
#include "tests/fetch/server.h"

/* What the tests of fetch_run() share: what is served and asked, and what must hold of the cache afterwards. */

#define VERSION MAKE_KUBERNETES
#define ETCD MAKE_ETCD
#define SIZE 200000

static TestServer server;
static char *cache, *ca;
static unsigned retries = 3;
static uint64_t stall_usec = USEC_PER_SEC;
static uint64_t connect_usec = USEC_PER_SEC;
/* What a test wants besides. The programs are nobody's release, so the mirror's word has to be enough. */
static FetchOptions more = { .accept_mirror = true };

static const FetchRequest apiserver = { "kube-apiserver", ORIGIN_KUBERNETES, VERSION, "arm64" };
static const FetchRequest all[] = {
        { "kube-apiserver", ORIGIN_KUBERNETES, VERSION, "arm64" },
        { "kubectl", ORIGIN_KUBERNETES, VERSION, "arm64" },
        { "kubectl", ORIGIN_KUBERNETES, VERSION, "amd64" },
        { "etcd", ORIGIN_ETCD, ETCD, "arm64" },
        { "etcdctl", ORIGIN_ETCD, ETCD, "arm64" },
        { "etcdctl", ORIGIN_ETCD, ETCD, "arm64" }, /* twice is once */
};

/* --- what is served --- */

static inline void put_kubernetes(const char *name, const char *architecture, const Buffer *program) {
        _cleanup_free_ char *path = xasprintf("release/" VERSION "/bin/linux/%s/%s", architecture, name),
                            *sum = xasprintf("%s.sha256", path);
        char hex[SHA256_HEX_SIZE];

        sha256_hex(program->data, program->size, hex);
        server_put(&server, path, program->data, program->size);
        server_put(&server, sum, hex, strlen(hex));
}

static inline void put_etcd(const MakeEntry *entries, size_t n_entries) {
        _cleanup_buffer_ Buffer archive = BUFFER_NULL, sums = BUFFER_NULL;
        char hex[SHA256_HEX_SIZE];

        make_archive(&archive, entries, n_entries);
        sha256_hex(archive.data, archive.size, hex);
        buffer_addf(&sums, "%064d  etcd-" ETCD "-linux-amd64.tar.gz\n%s  etcd-" ETCD "-linux-arm64.tar.gz",
                    0, hex);
        server_put(&server, "etcd/" ETCD "/etcd-" ETCD "-linux-arm64.tar.gz", archive.data, archive.size);
        server_put(&server, "etcd/" ETCD "/SHA256SUMS", sums.data, sums.size);
}

static inline void put_all(unsigned seed) {
        _cleanup_buffer_ Buffer program = BUFFER_NULL, etcd = BUFFER_NULL, etcdctl = BUFFER_NULL;

        make_program(&program, EM_AARCH64, seed, SIZE);
        put_kubernetes("kube-apiserver", "arm64", &program);
        make_program(&program, EM_AARCH64, seed + 1, SIZE + 1);
        put_kubernetes("kubectl", "arm64", &program);
        make_program(&program, EM_X86_64, seed + 2, SIZE + 2);
        put_kubernetes("kubectl", "amd64", &program);

        make_program(&etcd, EM_AARCH64, seed + 3, SIZE + 3);
        make_program(&etcdctl, EM_AARCH64, seed + 4, SIZE + 4);
        put_etcd((MakeEntry[]){ { "etcd-" ETCD "-linux-arm64/", 'd', NULL, 0 },
                                { "etcd-" ETCD "-linux-arm64/README.md", '-', "read me", 7 },
                                { "etcd-" ETCD "-linux-arm64/etcdctl", '-', etcdctl.data, etcdctl.size },
                                { "etcd-" ETCD "-linux-arm64/etcd", '-', etcd.data, etcd.size } },
                 4);
}

/* --- what is asked --- */

typedef struct Seen {
        Buffer notes;
        unsigned n_progress, n_cached;
        uint64_t done, total;
        bool finished;
} Seen;

static inline void see_progress(void *userdata, const FetchProgress *p) {
        Seen *seen = userdata;

        seen->n_progress++;
        if (p->name) {
                seen->n_cached += p->cached;
                assert_true(p->total == 0 || p->done <= p->total);
                return;
        }
        seen->done = p->done;
        seen->total = p->total;
        seen->finished = p->finished;
}

static inline void see_note(void *userdata, const char *text) {
        Seen *seen = userdata;

        buffer_addf(&seen->notes, "%s\n", text);
}

static inline void seen_done(Seen *seen) {
        buffer_done(&seen->notes);
}

static inline int run_on(const FetchRequest *requests, size_t n, Lock *lock, Seen *seen, const char *mirror,
                         const char *mirror2, Error **reterr) {
        char *mirrors[] = { (char*) mirror, (char*) mirror2, NULL };
        const FetchOptions options = {
                .mirrors = mirrors,
                .cache = cache,
                .ca_bundle = ca,
                .progress = seen ? see_progress : NULL,
                .note = seen ? see_note : NULL,
                .userdata = seen,
                .retries = retries,
                .backoff_usec = 10 * USEC_PER_MSEC,
                .connect_timeout_usec = connect_usec,
                .stall_usec = stall_usec,
                .update_lock = more.update_lock,
                .accept_mirror = more.accept_mirror,
                .pins = more.pins,
                .n_pins = more.n_pins,
                .trust = more.trust,
                .papers = more.papers,
                .deadline_usec = more.deadline_usec,
        };

        return fetch_run(requests, n, &options, lock, reterr);
}

/* The apiserver alone, from https://127.0.0.1:PORT and the path. */
static inline int run_path(const char *port, const char *path, Lock *lock, Seen *seen, Error **reterr) {
        _cleanup_free_ char *url = server_url(&server, port, path);

        return run_on(&apiserver, 1, lock, seen, url, NULL, reterr);
}

static inline Lock* lock_empty(void) {
        Lock *l = NULL;

        assert_int_equal(lock_parse("hardway.lock", "{\"format\":1,\"artifacts\":[]}", 27, &l, NULL), 0);
        return l;
}

/* --- what must hold --- */

static inline unsigned n_files(const char *path) {
        unsigned n = 0;
        DIR *d = opendir(path);

        for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                _cleanup_free_ char *inner = xasprintf("%s/%s", path, e->d_name);

                if (e->d_name[0] == '.')
                        continue;
                n += e->d_type == DT_DIR ? n_files(inner) : 1;
        }
        if (d)
                (void) closedir(d);
        return n;
}

static inline unsigned n_in(const char *name) {
        _cleanup_free_ char *path = xasprintf("%s/%s", cache, name);

        return n_files(path);
}

/* Each file in the cache is what its name says, and can be run; each pin of the lock is there. */
static inline void assert_cache_right(const Lock *lock) {
        for (size_t i = 0; i < lock_count(lock); i++) {
                const LockEntry *e = lock_nth(lock, i);
                _cleanup_free_ char *path = fetch_cache_path(cache, e);
                _cleanup_error_ Error *error = NULL;
                struct stat st;

                if (fetch_verify_cached(cache, e, &error) < 0)
                        fail_msg("%s", error->message);
                assert_int_equal(stat(path, &st), 0);
                assert_int_equal(st.st_mode & 07777, 0755);
                assert_int_equal(st.st_size, e->size);
        }
        assert_int_equal(n_in("partial"), 0);
}

static inline void cache_clear(void) {
        assert_int_equal(fs_remove_tree(AT_FDCWD, cache, NULL), 0);
}

/*
 * The apiserver cannot be had from there; nothing is in the cache, nothing is pinned, and a good run after it
 * completes.
 */
static inline void assert_fails(const char *port, const char *path, int errnum, ErrorKind kind,
                                const char *words) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_error_ Error *error = NULL;
        int r;

        cache_clear();
        r = run_path(port, path, lock, NULL, &error);
        if (r >= 0)
                fail_msg("%s: no error", path);
        if (r != -errnum || error->kind != kind || !strstr(error->message, words) ||
            !strstr(error->message, "kube-apiserver " VERSION " arm64: "))
                fail_msg("%s: %d %d: %s", path, r, error->kind, error->message);
        /* What is wrong is thrown away; what is not yet whole may be gone on with. */
        assert_int_equal(n_in("sha256"), 0);
        assert_true(n_in("partial") <= (kind == ERROR_VERIFY ? 0 : 2));
        assert_int_equal(lock_count(lock), 0);

        assert_int_equal(run_path("good", "", lock, NULL, NULL), 0);
        assert_int_equal(lock_count(lock), 1);
        assert_cache_right(lock);
}

/* Of a whole group of tests, as cmocka wants them. */
static inline int fixture_start(void **state) {
        server_start(&server);
        cache = server_path(&server, "cache");
        ca = server_path(&server, "pki/ca.crt");
        put_all(1);
        return 0;
}

static inline int fixture_stop(void **state) {
        server_stop(&server);
        free(cache);
        free(ca);
        return 0;
}
