/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/no-sync.h"
#include "tests/unit/pki-fixture.h"

#include <ftw.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "pki/kubeconfig.h"

/*
 * The store of a whole cluster: made, kept, issued again, refused. Kills and full disks: test-pki-faults.c.
 */

typedef struct Seen {
        unsigned kept, made, reissued;
        char *reissued_name, *why; /* the last of them */
} Seen;

static void seen_done(Seen *s) {
        free(s->reissued_name);
        free(s->why);
        *s = (Seen) {};
}

static void report(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
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

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        if (unit_dir_setup((void**) &f->dir) < 0)
                return -1;
        f->requests = requests_for(3, "ec:p256");
        *state = f;
        return store_open(f->dir->path, &f->store, NULL);
}

static int teardown(void **state) {
        Fixture *f = *state;

        store_free(f->store);
        requests_done(&f->requests);
        seen_done(&f->seen);
        (void) unit_dir_teardown((void**) &f->dir);
        free(f);
        return 0;
}

static int generate_at(Fixture *f, int64_t now, Error **reterr) {
        seen_done(&f->seen);
        return store_generate(f->store, f->requests.list, f->requests.n, now, report, &f->seen, reterr);
}

static void generate(Fixture *f, int wanted) {
        Error *e = NULL;

        assert_success(generate_at(f, pki_now(), &e), e, wanted);
        assert_int_equal(f->seen.kept + f->seen.made + f->seen.reissued, f->requests.n);
}

static StoreRequest* request_of(Fixture *f, const char *name) {
        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, name))
                        return f->requests.list + i;
        fail_msg("no request %s", name);
        return NULL;
}

static char* path_of(Fixture *f, const char *path) {
        return store_path(f->store, path);
}

static void read_file(Fixture *f, const char *path, Buffer *ret) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_int_equal(fs_read(AT_FDCWD, name, 1 << 20, ret, NULL), 0);
}

static void write_file(Fixture *f, const char *path, const void *data, size_t size) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_true(fs_write(AT_FDCWD, name, data, size, 0600, FS_NO_SYNC, NULL) >= 0);
}

static void remove_file(Fixture *f, const char *path) {
        _cleanup_free_ char *name = path_of(f, path);

        assert_int_equal(unlink(name), 0);
}

/* Everything in the directory, names, modes and bytes, as one digest. */
static Digest *tree;

static int tree_add(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        _cleanup_free_ char *line = xasprintf("%s %o", path, st->st_mode);
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;

        if (endswith(path, "/.lock"))
                return 0;
        digest_add_str(tree, line);
        if (type == FTW_F && fs_read(AT_FDCWD, path, 1 << 20, &data, NULL) >= 0)
                digest_add(tree, data.data, data.size);
        return 0;
}

static char* tree_digest(Fixture *f) {
        char *hex;

        tree = digest_new("SHA256");
        assert_int_equal(nftw(f->dir->path, tree_add, 16, FTW_PHYS), 0);
        hex = digest_hex(tree);
        tree = digest_free(tree);
        return hex;
}

/* Reading order of a directory may change when a file in it is replaced; nothing else may. */
static void assert_untouched(Fixture *f, const char *before) {
        _cleanup_free_ char *after = tree_digest(f);

        assert_string_equal(after, before);
}

static int check_mode(const char *path, const struct stat *st, int type, struct FTW *ftw) {
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

static void test_made(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = NULL;
        unsigned fds = unit_count_fds();
        mode_t mask = umask(0);

        generate(f, 1);
        umask(mask);
        assert_int_equal(f->seen.made, f->requests.n);
        assert_int_equal(nftw(f->dir->path, check_mode, 16, FTW_PHYS), 0);
        assert_int_equal(unit_count_fds(), fds);

        before = tree_digest(f);
        generate(f, 0);
        assert_int_equal(f->seen.kept, f->requests.n);
        assert_untouched(f, before);
}

/* Every type of key, and a CA of another type than what it signs. */
static void test_key_types(void **state) {
        static const char *const types[] = { "ec:p384", "rsa:2048" };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                StoreRequest *q;

                requests_done(&f->requests);
                f->requests = requests_for(1, types[i]);
                q = request_of(f, "etcd/ca");
                free(q->key_type);
                q->key_type = xstrdup("ec:p256");
                generate(f, 1);
                generate(f, 0);
                assert_int_equal(f->seen.kept, f->requests.n);
                assert_int_equal(fs_remove_tree(f->dir->fd, "pki", NULL), 0);
                assert_int_equal(fs_remove_tree(f->dir->fd, "secrets", NULL), 0);
                remove_file(f, "admin.conf");
                remove_file(f, "super-admin.conf");
        }
}

static void test_every_key_is_another(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv seen = NULL;

        generate(f, 1);
        for (size_t i = 0; i < f->requests.n; i++) {
                const StoreRequest *q = f->requests.list + i;
                _cleanup_free_ char *path =
                        xasprintf("%s%s", q->name, q->type == STORE_KUBECONFIG ? ".conf" : ".key");
                const char *fingerprint = NULL;

                if (q->type == STORE_SECRET)
                        continue;
                assert_int_equal(store_fingerprint(f->store, path, &fingerprint, NULL), 0);
                assert_int_equal(strlen(fingerprint), 64);
                assert_false(strv_contains(seen, fingerprint));
                strv_add(&seen, fingerprint);
        }
}

/* One thing changed in the request: exactly that entry is issued again, with a new key. */
static void expect_reissued(Fixture *f, const char *name, const char *why) {
        _cleanup_buffer_ Buffer ca = BUFFER_NULL, ca_after = BUFFER_NULL;

        read_file(f, "ca.key", &ca);
        generate(f, 1);
        read_file(f, "ca.key", &ca_after);
        assert_string_equal(buffer_str(&ca), buffer_str(&ca_after));
        assert_int_equal(f->seen.reissued, 1);
        assert_int_equal(f->seen.made, 0);
        assert_string_equal(f->seen.reissued_name, name);
        assert_string_equal(f->seen.why, why);
        generate(f, 0);
}

static void test_reissued(void **state) {
        Fixture *f = *state;
        StoreRequest *q;

        generate(f, 1);
        q = request_of(f, "nodes/c1/pki/apiserver");
        certificate_profile_add_dns(&q->profile, "lb.home.lan");
        expect_reissued(f, q->name, "lacks the name lb.home.lan");

        q = request_of(f, "nodes/c2/pki/etcd/peer");
        q->profile.n_addresses--;
        expect_reissued(f, q->name, "still has the name ::1");

        q = request_of(f, "nodes/c0/pki/etcd/server");
        free(q->key_type);
        q->key_type = xstrdup("ec:p384");
        expect_reissued(f, q->name, "its key is ec:p256, not ec:p384");

        q = request_of(f, "nodes/c0/scheduler");
        free(q->server);
        q->server = xstrdup("https://10.77.0.20:7443");
        expect_reissued(f, q->name, "points at https://10.77.0.20:6443, not https://10.77.0.20:7443");

        q = request_of(f, "admin");
        free(q->cluster);
        q->cluster = xstrdup("other");
        expect_reissued(f, q->name, "is of the cluster pi, not other");

        remove_file(f, "nodes/c0/pki/apiserver.key");
        expect_reissued(f, "nodes/c0/pki/apiserver", "its key was missing");
        remove_file(f, "nodes/c0/pki/apiserver.crt");
        expect_reissued(f, "nodes/c0/pki/apiserver", "its certificate was missing");
        remove_file(f, "sa.pub");
        expect_reissued(f, "sa", "its public half was missing");
        remove_file(f, "nodes/c1/scheduler.conf");
        generate(f, 1);
        assert_int_equal(f->seen.made, 1);
}

static void test_renewed(void **state) {
        Fixture *f = *state;
        Error *e = NULL;
        const char *fingerprint = NULL, *after = NULL;

        generate(f, 1);
        assert_int_equal(store_fingerprint(f->store, "nodes/c0/pki/apiserver.key", &fingerprint, NULL), 0);
        assert_success(generate_at(f, pki_now() + 334 * SEC_PER_DAY, &e), e, 0);
        assert_success(generate_at(f, pki_now() + 336 * SEC_PER_DAY, &e), e, 1);
        assert_int_equal(f->seen.reissued, f->requests.n - 6); /* CAs, sa and two secrets stay */
        assert_string_equal(f->seen.why, "expires in 29 days");
        assert_int_equal(store_fingerprint(f->store, "nodes/c0/pki/apiserver.key", &after, NULL), 0);
        assert_string_not_equal(fingerprint, after);
        assert_success(generate_at(f, pki_now() + 2000 * SEC_PER_DAY, &e), e, 1);
        assert_contains(f->seen.why, "has expired on ");

        /* In the last days of the CA that is said, and in the end nothing goes. */
        assert_success(generate_at(f, pki_now() + 3640 * SEC_PER_DAY, &e), e, 1);
        assert_success(generate_at(f, pki_now() + 3640 * SEC_PER_DAY + 60, &e), e, 0);
        assert_string_equal(f->seen.why, "expires in 9 days: rotate it");
        assert_failure(generate_at(f, pki_now() + 3650 * SEC_PER_DAY, &e), e, ERROR_CONFIG, EKEYEXPIRED);
}

static void test_clock(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        assert_failure(generate_at(f, clock_build_date() - 1, &e), e, ERROR_TEMPORARY, ETIME);
        assert_int_equal(faccessat(f->dir->fd, "pki/ca.key", F_OK, 0), -1);
        assert_int_equal(faccessat(f->dir->fd, "secrets/identity", F_OK, 0), -1);
        generate(f, 1);
        assert_failure(generate_at(f, pki_now() - 2 * 3600, &e), e, ERROR_TEMPORARY, ETIME);
}

static void test_examine(void **state) {
        Fixture *f = *state;
        Error *e = NULL;
        Seen seen = {};

        assert_success(
                store_examine(f->store, f->requests.list, f->requests.n, pki_now(), report, &seen, &e), e,
                1);
        assert_int_equal(unit_count_entries(f->dir->path), 0);
        seen_done(&seen);
        generate(f, 1);
        assert_success(
                store_examine(f->store, f->requests.list, f->requests.n, pki_now(), report, &seen, &e), e,
                0);
        assert_int_equal(seen.kept, f->requests.n);
        seen_done(&seen);
}

/* A hardway that knows a further credential, or a cluster with a node more. */
static void test_grows(void **state) {
        Fixture *f = *state;

        requests_done(&f->requests);
        f->requests = requests_for(1, "ec:p256");
        generate(f, 1);
        requests_add_node(&f->requests, 3, 4);
        generate(f, 1);
        assert_int_equal(f->seen.made, 9);
        assert_int_equal(f->seen.reissued, 0);
}

/* What would make another cluster of it must not happen on the side. */
static void test_identity(void **state) {
        static const char *const lost[][3] = {
                { "ca.key", NULL, "pki/ca.key is missing" },
                { "ca.key", "ca.crt", "pki/ca.crt is missing, although admin.conf has been made" },
                { "ca.crt", NULL, "pki/ca.crt is missing" },
                { "etcd/ca.key", "etcd/ca.crt", "pki/etcd/ca.crt is missing" },
                { "sa.key", NULL, "pki/sa.key is missing" },
                { "sa.key", "sa.pub", "pki/sa.key is missing" },
                { "secrets/encryption-key", NULL, "secrets/encryption-key is missing" },
                { "secrets/identity", NULL, "secrets/identity is missing" },
        };
        Fixture *f = *state;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
                _cleanup_buffer_secret_ Buffer first = BUFFER_NULL, second = BUFFER_NULL;
                _cleanup_free_ char *before = NULL;
                Error *e = NULL;

                read_file(f, lost[i][0], &first);
                remove_file(f, lost[i][0]);
                if (lost[i][1]) {
                        read_file(f, lost[i][1], &second);
                        remove_file(f, lost[i][1]);
                }
                before = tree_digest(f);
                assert_int_equal(generate_at(f, pki_now(), &e), -ENOENT);
                assert_int_equal(e->kind, ERROR_CONFIG);
                assert_contains(e->message, lost[i][2]);
                assert_contains(e->message, "backup");
                error_free(e);
                assert_untouched(f, before);
                write_file(f, lost[i][0], first.data, first.size);
                if (lost[i][1])
                        write_file(f, lost[i][1], second.data, second.size);
        }
        generate(f, 0);
}

/* Before anything is issued by it, a CA's key without certificate is what a killed run left, or a key of one's own. */
static void test_lone_ca_key(void **state) {
        Fixture *f = *state;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL, after = BUFFER_NULL;

        assert_int_equal(key_generate("rsa:2048", &key, NULL), 0);
        assert_int_equal(key_to_pem(key, &pem, NULL), 0);
        assert_int_equal(fs_mkdir_parents(f->dir->fd, "pki", 0700, NULL), 1);
        write_file(f, "ca.key", pem.data, pem.size);
        generate(f, 1);
        read_file(f, "ca.key", &after);
        assert_string_equal(pem.data, after.data);
        generate(f, 0);
}

typedef void (*Spoiler)(Buffer *b);

static void spoil_empty(Buffer *b) {
        buffer_clear(b);
}

static void spoil_truncate(Buffer *b) {
        b->size /= 2;
}

static void spoil_double(Buffer *b) {
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;

        buffer_add(&copy, b->data, b->size);
        buffer_add(b, copy.data, copy.size);
}

static void spoil_garbage(Buffer *b) {
        buffer_clear(b);
        buffer_add(b, "\x30\x82\x01\x00 DER", 8);
}

static void spoil_middle(Buffer *b) {
        b->data[b->size / 2] = b->data[b->size / 2] == 'A' ? 'B' : 'A';
        b->data[b->size / 3] = '!';
}

/* Every file, every kind of damage: the error names the file and nothing at all is touched. */
static void test_bad_files(void **state) {
        static const char *const files[] = {
                "ca.crt",
                "ca.key",
                "etcd/ca.crt",
                "sa.key",
                "sa.pub",
                "nodes/c0/pki/apiserver.crt",
                "nodes/c2/pki/etcd/peer.key",
                "nodes/c1/scheduler.conf",
                "admin.conf",
                "secrets/identity",
                "secrets/encryption-key",
        };
        static const Spoiler spoilers[] = { spoil_empty, spoil_truncate, spoil_double, spoil_garbage,
                                            spoil_middle };
        Fixture *f = *state;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                for (size_t k = 0; k < ARRAY_SIZE(spoilers); k++) {
                        _cleanup_buffer_secret_ Buffer good = BUFFER_NULL, bad = BUFFER_NULL;
                        _cleanup_free_ char *before = NULL;
                        Error *e = NULL;

                        read_file(f, files[i], &good);
                        buffer_add(&bad, good.data, good.size);
                        spoilers[k](&bad);
                        write_file(f, files[i], bad.data, bad.size);
                        before = tree_digest(f);
                        assert_int_equal(generate_at(f, pki_now(), &e), -EBADMSG);
                        assert_int_equal(e->kind, ERROR_CONFIG);
                        assert_contains(e->message, files[i]);
                        assert_contains(e->message, f->dir->path);
                        error_free(e);
                        assert_untouched(f, before);
                        write_file(f, files[i], good.data, good.size);
                }
        generate(f, 0);
}

static void swap_files(Fixture *f, const char *a, const char *b) {
        _cleanup_buffer_secret_ Buffer first = BUFFER_NULL, second = BUFFER_NULL;

        read_file(f, a, &first);
        read_file(f, b, &second);
        write_file(f, a, second.data, second.size);
        write_file(f, b, first.data, first.size);
}

static void test_wrong_files(void **state) {
        static const char *const swaps[][3] = {
                { "ca.key", "etcd/ca.key", "pki/ca.key: does not belong to" },
                { "nodes/c0/pki/apiserver.key", "nodes/c1/pki/apiserver.key",
                  "remove both to have them made again" },
                { "nodes/c0/pki/apiserver.key", "nodes/c0/pki/apiserver.crt",
                  "apiserver.crt: holds a PRIVATE KEY where" },
                { "sa.pub", "sa.key", "pki/sa.key: holds a PUBLIC KEY where" },
                { "ca.crt", "admin.conf", "pki/ca.crt: is not PEM" },
        };
        Fixture *f = *state;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
                _cleanup_free_ char *before = NULL;
                Error *e = NULL;

                swap_files(f, swaps[i][0], swaps[i][1]);
                before = tree_digest(f);
                assert_int_equal(generate_at(f, pki_now(), &e), -EBADMSG);
                assert_contains(e->message, swaps[i][2]);
                error_free(e);
                assert_untouched(f, before);
                swap_files(f, swaps[i][0], swaps[i][1]);
        }

        /* A leaf in the place of a CA. */
        {
                static const char *const from[] = { "nodes/c0/pki/apiserver.crt",
                                                    "nodes/c0/pki/apiserver.key" };
                static const char *const to[] = { "ca.crt", "ca.key" };
                Error *e = NULL;

                for (unsigned i = 0; i < 2; i++)
                        swap_files(f, from[i], to[i]);
                assert_int_equal(generate_at(f, pki_now(), &e), -EBADMSG);
                assert_contains(e->message, "pki/ca.crt: is not the certificate of a CA");
                error_free(e);
        }
}

/* Another CA in place, with its key: what it issues is issued again. */
static void test_ca_replaced(void **state) {
        Fixture *f = *state;

        generate(f, 1);
        swap_files(f, "ca.key", "etcd/ca.key");
        swap_files(f, "ca.crt", "etcd/ca.crt");
        generate(f, 1);
        assert_int_equal(f->seen.reissued, 3 * 8 + 2); /* all but the front proxy's clients */
        generate(f, 0);
}

static void test_modes(void **state) {
        static const char *const files[] = { "pki/ca.key", "secrets/identity", "admin.conf",
                                             "pki/nodes/c0/scheduler.conf" };
        Fixture *f = *state;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                assert_int_equal(fchmodat(f->dir->fd, files[i], 0644, 0), 0);
        assert_int_equal(fchmodat(f->dir->fd, "pki", 0755, 0), 0);
        assert_int_equal(fchmodat(f->dir->fd, "secrets", 0755, 0), 0);
        generate(f, 0);
        assert_string_equal(f->seen.why, "its mode was 0644");
        assert_int_equal(nftw(f->dir->path, check_mode, 16, FTW_PHYS), 0);
}

/* What a user or kubectl does to admin.conf does not make it ours to throw away. */
static void test_kubeconfig_edited(void **state) {
        Fixture *f = *state;
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL, more = BUFFER_NULL;
        _cleanup_free_ char *before = NULL;
        const char *where;
        Error *e = NULL;

        generate(f, 1);
        read_file(f, "admin.conf", &text);
        where = strstr(text.data, "current-context");
        buffer_add(&more, text.data, (size_t) (where - text.data));
        buffer_add_str(&more, "preferences: {}\n");
        buffer_add_str(&more, where);
        write_file(f, "admin.conf", more.data, more.size);
        generate(f, 0);

        buffer_clear(&more);
        buffer_add(&more, text.data, (size_t) (where - text.data));
        buffer_add_str(&more, "- name: other\n  context: { cluster: a, user: b }\n");
        buffer_add_str(&more, where);
        write_file(f, "admin.conf", more.data, more.size);
        before = tree_digest(f);
        assert_int_equal(generate_at(f, pki_now(), &e), -EBADMSG);
        assert_contains(e->message, "holds 2 contexts, hardway writes one");
        error_free(e);
        assert_untouched(f, before);
}

static void test_secret_edited(void **state) {
        Fixture *f = *state;
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        const Buffer *lent = NULL;

        generate(f, 1);
        read_file(f, "secrets/identity", &text);
        assert_int_equal(text.size, 32);
        buffer_add_char(&text, '\n');
        write_file(f, "secrets/identity", text.data, text.size);
        generate(f, 0);
        assert_int_equal(store_file(f->store, "secrets/identity", &lent, NULL), 0);
        assert_int_equal(lent->size, 32);
        assert_int_equal(store_file(f->store, "secrets/encryption-key", &lent, NULL), 0);
        assert_int_equal(lent->size, 44);
}

static void test_file(void **state) {
        Fixture *f = *state;
        const Buffer *first = NULL, *again = NULL;
        _cleanup_buffer_secret_ Buffer copy = BUFFER_NULL;
        const char *a = NULL, *b = NULL;
        Error *e = NULL;

        assert_failure(store_file(f->store, "ca.crt", &first, &e), e, ERROR_CONFIG, ENOENT);
        generate(f, 1);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &first, &e), e, 0);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &again, &e), e, 0);
        assert_ptr_equal(first, again);
        buffer_add(&copy, first->data, first->size);

        /* What was lent keeps its bytes when the file is replaced. */
        remove_file(f, "nodes/c0/pki/apiserver.crt");
        generate(f, 1);
        assert_string_equal(buffer_str(first), copy.data);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &again, &e), e, 0);
        assert_string_not_equal(buffer_str(again), copy.data);

        /* Fingerprints say the same as the file, and nothing about the secret in it. */
        assert_success(store_fingerprint(f->store, "secrets/identity", &a, &e), e, 0);
        assert_success(store_fingerprint(f->store, "secrets/encryption-key", &b, &e), e, 0);
        assert_string_not_equal(a, b);
        assert_success(store_fingerprint(f->store, "ca.crt", &a, &e), e, 0);
        assert_success(store_fingerprint(f->store, "admin.conf", &a, &e), e, 0);
        assert_failure(store_fingerprint(f->store, "none.conf", &a, &e), e, ERROR_CONFIG, ENOENT);
        write_file(f, "nodes/c2/pki/apiserver.key", "x", 1);
        assert_failure(store_fingerprint(f->store, "nodes/c2/pki/apiserver.key", &a, &e), e, ERROR_CONFIG,
                       EBADMSG);
}

static void test_credential(void **state) {
        static const char *const names[] = { "nodes/c0/pki/etcd/healthcheck-client", "super-admin",
                                             "nodes/c1/scheduler" };
        Fixture *f = *state;
        const Buffer *certificate = NULL, *key = NULL, *again = NULL;
        Error *e = NULL;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(X509_freep) X509 *x = NULL;
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *k = NULL;

                assert_success(store_credential(f->store, names[i], &certificate, &key, &e), e, 0);
                assert_success(certificate_from_pem("c", certificate->data, certificate->size, &x, &e), e,
                               0);
                assert_success(key_from_pem("k", key->data, key->size, &k, &e), e, 0);
                assert_true(certificate_has_key(x, k));
                assert_success(store_credential(f->store, names[i], &again, &key, &e), e, 0);
                assert_ptr_equal(certificate, again);
        }

        assert_int_equal(store_credential(f->store, "none", &certificate, &key, &e), -ENOENT);
        assert_contains(e->message, "none.conf is missing");
        e = error_free(e);
        assert_int_equal(store_credential(f->store, "nodes/c9/pki/apiserver", &certificate, &key, &e),
                         -ENOENT);
        assert_contains(e->message, "apiserver.crt is missing");
        e = error_free(e);
        swap_files(f, "nodes/c2/pki/apiserver.key", "nodes/c1/pki/apiserver.key");
        assert_failure(store_credential(f->store, "nodes/c2/pki/apiserver", &certificate, &key, &e), e,
                       ERROR_CONFIG, EBADMSG);
}

/* Where the CA is an intermediate one, its certificate follows, and is part of what is shown. */
static void test_credential_chain(void **state) {
        Fixture *f = *state;
        _cleanup_buffer_ Buffer ca = BUFFER_NULL, leaf = BUFFER_NULL;
        const Buffer *certificate = NULL, *key = NULL;
        Error *e = NULL;

        generate(f, 1);
        assert_int_equal(fs_read(f->dir->fd, "pki/nodes/c0/pki/apiserver.crt", KEY_SIZE_MAX, &leaf, NULL),
                         0);
        assert_int_equal(fs_read(f->dir->fd, "pki/ca.crt", KEY_SIZE_MAX, &ca, NULL), 0);
        buffer_add(&leaf, ca.data, ca.size);
        assert_int_equal(fs_write(f->dir->fd, "pki/nodes/c0/pki/apiserver.crt", leaf.data, leaf.size, 0644,
                                  FS_NO_SYNC, NULL),
                         1);
        f->store = store_free(f->store);
        assert_success(store_open(f->dir->path, &f->store, &e), e, 0);
        assert_success(store_credential(f->store, "nodes/c0/pki/apiserver", &certificate, &key, &e), e, 0);
        assert_string_equal(buffer_str(certificate), buffer_str(&leaf));
}

/* Nodes stay, whatever is asked for later; also where their certificates say that they are. */
static void test_nodes(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv names = NULL;
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;
        _cleanup_free_ char *joined = NULL, *address = NULL;
        Error *e = NULL;

        assert_null(store_nodes(f->store));
        generate(f, 1);
        requests_done(&f->requests);
        f->requests = requests_for(1, "ec:p256");
        generate(f, 1);
        names = store_nodes(f->store);
        joined = strv_join(names, " ");
        assert_string_equal(joined, "c0 c1 c2");

        assert_success(store_addresses(f->store, "nodes/c2/pki/etcd/server.crt", &p, &e), e, 0);
        assert_int_equal(p.n_addresses, 3);
        address = inet_address_to_string(p.addresses);
        assert_string_equal(address, "10.77.0.22");
        assert_failure(store_addresses(f->store, "nodes/c3/pki/etcd/server.crt", &p, &e), e, ERROR_CONFIG,
                       ENOENT);
}

static char* addresses_of(Fixture *f, const char *path) {
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;
        _cleanup_strv_ Strv words = NULL;
        Error *e = NULL;

        assert_success(store_addresses(f->store, path, &p, &e), e, 0);
        for (size_t i = 0; i < p.n_addresses; i++) {
                _cleanup_free_ char *word = inet_address_to_string(p.addresses + i);

                strv_add(&words, word);
        }
        return strv_join(words, " ");
}

/* Where somebody was is known after it is given another address, and however often. One that got more has given up
 * none. */
static void test_former_addresses(void **state) {
        static const char name[] = "nodes/c1/pki/etcd/server", path[] = "nodes/c1/pki/etcd/server.crt";
        Fixture *f = *state;
        _cleanup_free_ char *moved = NULL, *again = NULL, *often = NULL;
        Error *e = NULL;
        struct stat st;

        generate(f, 1);
        certificate_profile_add_dns(&request_of(f, name)->profile, "more");
        generate(f, 1);
        assert_int_equal(faccessat(f->dir->fd, "pki/former", F_OK, 0), -1);

        (void) inet_address_parse("10.77.0.31", request_of(f, name)->profile.addresses);
        generate(f, 1);
        assert_int_equal(f->seen.reissued, 1);
        moved = addresses_of(f, path);
        assert_string_equal(moved, "10.77.0.31 127.0.0.1 ::1 10.77.0.21");
        assert_int_equal(fstatat(f->dir->fd, "pki/former/nodes/c1/pki/etcd/server.crt", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);

        (void) inet_address_parse("10.77.0.41", request_of(f, name)->profile.addresses);
        generate(f, 1);
        generate(f, 0);
        again = addresses_of(f, path);
        assert_string_equal(again, "10.77.0.41 127.0.0.1 ::1 10.77.0.31 10.77.0.21");

        /* nothing is there any more */
        assert_success(store_forget_former(f->store, path, &e), e, 0);
        assert_success(store_forget_former(f->store, path, &e), e, 0);
        assert_int_equal(faccessat(f->dir->fd, "pki/former/nodes/c1/pki/etcd/server.crt", F_OK, 0), -1);

        /* the oldest are forgotten */
        for (unsigned i = 51; i < 60; i++) {
                _cleanup_free_ char *address = xasprintf("10.77.0.%u", i);

                (void) inet_address_parse(address, request_of(f, name)->profile.addresses);
                generate(f, 1);
        }
        often = addresses_of(f, path);
        assert_string_equal(often, "10.77.0.59 127.0.0.1 ::1 10.77.0.58 10.77.0.57 10.77.0.56 10.77.0.55 "
                                   "10.77.0.54 10.77.0.53 10.77.0.52 10.77.0.51");
}

static void test_insane(void **state) {
        static const char *const names[] = { "", "/etc/passwd", "../ca", "a/../b" };
        Fixture *f = *state;
        Error *e = NULL;
        StoreRequest *q;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                q = request_of(f, i == 0 ? "sa" : names[i - 1]);
                free(q->name);
                q->name = xstrdup(names[i]);
                assert_failure(generate_at(f, pki_now(), &e), e, ERROR_INTERNAL, EINVAL);
        }
        requests_done(&f->requests);
        f->requests = requests_for(1, "ec:p256");
        q = request_of(f, "admin");
        free(q->issuer);
        q->issuer = xstrdup("no-ca");
        assert_failure(generate_at(f, pki_now(), &e), e, ERROR_INTERNAL, EINVAL);
        requests_done(&f->requests);
        f->requests = requests_for(1, "ec:p999");
        assert_failure(generate_at(f, pki_now(), &e), e, ERROR_INTERNAL, EINVAL);
        assert_failure(store_open("/nonexistent/x", &f->store, &e), e, ERROR_IO, ENOENT);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                test(test_made),
                test(test_key_types),
                test(test_every_key_is_another),
                test(test_reissued),
                test(test_renewed),
                test(test_clock),
                test(test_examine),
                test(test_grows),
                test(test_identity),
                test(test_lone_ca_key),
                test(test_bad_files),
                test(test_wrong_files),
                test(test_ca_replaced),
                test(test_modes),
                test(test_kubeconfig_edited),
                test(test_secret_edited),
                test(test_file),
                test(test_credential),
                test(test_credential_chain),
                test(test_nodes),
                test(test_former_addresses),
                test(test_insane),
        };

        return cmocka_run_group_tests_name("pki-store", tests, NULL, NULL);
}
