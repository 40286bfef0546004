/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/store-fixture.h"

/* The store of a whole cluster: made, kept, issued again */

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

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_made),     test(test_key_types), test(test_every_key_is_another),
                test(test_reissued), test(test_renewed),   test(test_clock),
                test(test_examine),  test(test_grows),     test(test_insane),
        };

        return cmocka_run_group_tests_name("pki-store", tests, NULL, NULL);
}
