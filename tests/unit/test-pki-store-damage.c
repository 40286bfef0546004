/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/store-fixture.h"

/* What is lost, damaged, mixed up or edited in a store: refused, or made again, and never another cluster on the side */

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

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_identity),          test(test_lone_ca_key),   test(test_bad_files),
                test(test_wrong_files),       test(test_ca_replaced),   test(test_modes),
                test(test_kubeconfig_edited), test(test_secret_edited),
        };

        return cmocka_run_group_tests_name("pki-store-damage", tests, NULL, NULL);
}
