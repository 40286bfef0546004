/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ftw.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "tests/unit/no-sync.h"
#include "tests/unit/pki-fixture.h"

/* The store of a whole cluster, and what making it has reported. Kills and full disks: test-pki-faults.c. */

typedef struct Seen {
        unsigned kept, made, reissued;
        char *reissued_name, *why; /* the last of them */
} Seen;

static inline void seen_done(Seen *s) {
        free(s->reissued_name);
        free(s->why);
        *s = (Seen) {};
}

static inline void report(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                          int64_t expires) {
        Seen *s = userdata;
        bool certified = request->type != STORE_KEY_PAIR && request->type != STORE_SECRET;

        assert_true(certified && outcome != STORE_MADE ? expires > pki_now() : certified || expires == 0);
        s->kept += outcome == STORE_KEPT;
        s->made += outcome == STORE_MADE;
        s->reissued += outcome == STORE_REISSUED;
        if (outcome == STORE_REISSUED)
                assert_non_null(why);
        if (why) {
                freep(&s->why);
                freep(&s->reissued_name);
                s->why = xstrdup(why);
                s->reissued_name = xstrdup(request->name);
        }
}

typedef struct Fixture {
        UnitDir *dir;
        Requests requests;
        Store *store;
        Seen seen;
} Fixture;

static inline int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        if (unit_dir_setup((void**) &f->dir) < 0)
                return -1;
        f->requests = requests_for(3, "ec:p256");
        *state = f;
        return store_open(f->dir->path, &f->store, NULL);
}

static inline int teardown(void **state) {
        Fixture *f = *state;

        store_free(f->store);
        requests_done(&f->requests);
        seen_done(&f->seen);
        (void) unit_dir_teardown((void**) &f->dir);
        free(f);
        return 0;
}

static inline int generate_at(Fixture *f, int64_t now, Error **reterr) {
        seen_done(&f->seen);
        return store_generate(f->store, f->requests.list, f->requests.n, now, report, &f->seen, reterr);
}

static inline void generate(Fixture *f, int wanted) {
        Error *e = NULL;

        assert_success(generate_at(f, pki_now(), &e), e, wanted);
        assert_int_equal(f->seen.kept + f->seen.made + f->seen.reissued, f->requests.n);
}

static inline StoreRequest* request_of(Fixture *f, const char *name) {
        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, name))
                        return f->requests.list + i;
        fail_msg("no request %s", name);
        return NULL;
}

static inline char* path_of(Fixture *f, const char *path) {
        return store_path(f->store, path);
}

static inline void read_file(Fixture *f, const char *path, Buffer *ret) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_int_equal(fs_read(AT_FDCWD, name, 1 << 20, ret, NULL), 0);
}

static inline void write_file(Fixture *f, const char *path, const void *data, size_t size) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_true(fs_write(AT_FDCWD, name, data, size, 0600, FS_NO_SYNC, NULL) >= 0);
}

static inline void remove_file(Fixture *f, const char *path) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_int_equal(unlink(name), 0);
}

/* Everything in the directory, names, modes and bytes, as one digest. */
static Digest *tree;

static inline int tree_add(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        _cleanup_free_ char *line = xasprintf("%s %o", path, st->st_mode);
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;

        if (endswith(path, "/.lock"))
                return 0;
        digest_add_str(tree, line);
        if (type == FTW_F && fs_read(AT_FDCWD, path, 1 << 20, &data, NULL) >= 0)
                digest_add(tree, data.data, data.size);
        return 0;
}

static inline char* tree_digest(Fixture *f) {
        char *hex;

        tree = digest_new("SHA256");
        assert_int_equal(nftw(f->dir->path, tree_add, 16, FTW_PHYS), 0);
        hex = digest_hex(tree);
        tree = digest_free(tree);
        return hex;
}

/* Reading order of a directory may change when a file in it is replaced; nothing else may. */
static inline void assert_untouched(Fixture *f, const char *before) {
        _cleanup_free_ char *after = tree_digest(f);

        assert_string_equal(after, before);
}

static inline int check_mode(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        mode_t mode = st->st_mode & 07777;

        if (ftw->level == 0)
                return 0;
        if (type == FTW_D)
                assert_int_equal(mode, 0700);
        else if (endswith(path, ".crt") || endswith(path, ".pub"))
                assert_int_equal(mode, 0644);
        else
                assert_int_equal(mode, 0600);
        assert_null(strstr(path, ".#"));
        return 0;
}

typedef void (*Spoiler)(Buffer *b);

static inline void swap_files(Fixture *f, const char *a, const char *b) {
        _cleanup_buffer_secret_ Buffer first = BUFFER_NULL, second = BUFFER_NULL;

        read_file(f, a, &first);
        read_file(f, b, &second);
        write_file(f, a, second.data, second.size);
        write_file(f, b, first.data, first.size);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
