/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-faults.h"

/*
 * A CA of one's own, asked and answered, when things go wrong: killed before each rename, disk full at each write, two
 * at once. The same command, given again, finishes the work.
 */

static EVP_PKEY *ca_key;
static Buffer ca_pem, ca_key_pem;
static X509 *ca_x;

#define ANSWERS_MAX 16
static Buffer answers[ANSWERS_MAX];
static size_t n_answers;

static int group_setup(void **state) {
        _cleanup_(certificate_profile_done) CertificateProfile p = profile_new("Example", USAGE_CA, 3000);

        return key_generate("ec:p256", &ca_key, NULL) < 0 ||
               certificate_issue(&p, ca_key, NULL, NULL, pki_now(), &ca_x, NULL) < 0 ||
               certificate_to_pem(ca_x, &ca_pem, NULL) < 0 || key_to_pem(ca_key, &ca_key_pem, NULL) < 0;
}

static int group_teardown(void **state) {
        for (size_t i = 0; i < ANSWERS_MAX; i++)
                buffer_done(answers + i);
        EVP_PKEY_free(ca_key);
        X509_free(ca_x);
        buffer_done(&ca_pem);
        buffer_wipe(&ca_key_pem);
        return 0;
}

/* One command, with a store of its own, as another process would have. */
typedef int (*Act)(Store *s, const Requests *requests, Error **reterr);

static int act_keyless(Store *s, const Requests *requests, Error **reterr) {
        const CaImport from = { .certificate_name = "own.crt", .certificate = &ca_pem };

        return store_import_ca(s, requests->list, requests->n, "ca", &from, pki_now(), false, reterr);
}

static int act_with_key(Store *s, const Requests *requests, Error **reterr) {
        const CaImport from = {
                .certificate_name = "own.crt",
                .key_name = "own.key",
                .certificate = &ca_pem,
                .key = &ca_key_pem,
        };

        return store_import_ca(s, requests->list, requests->n, "ca", &from, pki_now(), false, reterr);
}

static int act_generate(Store *s, const Requests *requests, Error **reterr) {
        return store_generate(s, requests->list, requests->n, pki_now(), NULL, NULL, reterr);
}

static int act_csr(Store *s, const Requests *requests, Error **reterr) {
        return store_csr(s, requests->list, requests->n, pki_now(), false, NULL, NULL, reterr);
}

static int act_import(Store *s, const Requests *requests, Error **reterr) {
        StoreAnswer list[ANSWERS_MAX];
        ErrorList errors = ERROR_LIST_NULL;
        int r;

        for (size_t i = 0; i < n_answers; i++)
                list[i] = (StoreAnswer) { .name = "answer.crt", .pem = answers + i };
        r = store_import(s, requests->list, requests->n, list, n_answers, pki_now(), false, NULL, NULL,
                         &errors);
        if (r < 0) {
                (void) error_propagate(reterr, errors.errors[0]);
                errors.errors[0] = NULL;
        }
        error_list_done(&errors);
        return r;
}

static int run_act(const UnitDir *d, const Requests *requests, Act act, Error **reterr) {
        _cleanup_(store_freep) Store *s = NULL;
        int r = store_open(d->path, &s, reterr);

        return r < 0 ? r : act(s, requests, reterr);
}

static void must(const UnitDir *d, const Requests *requests, Act act) {
        Error *e = NULL;

        if (run_act(d, requests, act, &e) < 0)
                fail_msg("%s", e->message);
}

/* Whether it was killed: false if it came to its end before. */
static bool run_killed(const UnitDir *d, const Requests *requests, Act act, unsigned at) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                fault = FAULT_KILL;
                countdown = at;
                (void) run_act(d, requests, act, NULL);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status);
}

/* Whether it failed for want of room. */
static bool run_full(const UnitDir *d, const Requests *requests, Act act, unsigned at) {
        Error *e = NULL;
        int r;

        fault = FAULT_WRITE;
        countdown = at;
        r = run_act(d, requests, act, &e);
        fault = FAULT_NONE;
        if (r >= 0)
                return false;
        assert_failure(r, e, ERROR_IO, ENOSPC);
        return true;
}

/* What the owner of the CA does with the requests. */
static void sign_all(const UnitDir *d, const Requests *requests) {
        n_answers = 0;
        for (size_t i = 0; i < requests->n; i++) {
                _cleanup_free_ char *path = xasprintf("pki/requests/%s.key", requests->list[i].name);
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
                _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
                _cleanup_(X509_freep) X509 *x = NULL;

                if (fs_read_optional(d->fd, path, KEY_SIZE_MAX, &pem, NULL) <= 0)
                        continue;
                assert_true(n_answers < ANSWERS_MAX);
                assert_int_equal(key_from_pem(path, pem.data, pem.size, &key, NULL), 0);
                assert_int_equal(certificate_issue(&requests->list[i].profile, key, ca_x, ca_key, pki_now(),
                                                   &x, NULL),
                                 0);
                buffer_clear(answers + n_answers);
                assert_int_equal(certificate_to_pem(x, answers + n_answers, NULL), 0);
                n_answers++;
        }
        assert_int_equal(n_answers, 6);
}

static void assert_finished(const UnitDir *d, const Requests *requests) {
        Error *e = NULL;

        assert_success(run_act(d, requests, act_generate, &e), e, 0);
        assert_success(run_act(d, requests, act_csr, &e), e, 0);
        assert_int_equal(count_left_over(d), 0);
        assert_int_equal(faccessat(d->fd, "pki/.pending", F_OK, 0), -1);
        assert_int_equal(faccessat(d->fd, "pki/requests/nodes/c0/pki/apiserver.key", F_OK, 0), -1);
}

static void until_asked(const UnitDir *d, const Requests *requests) {
        clean(d);
        must(d, requests, act_keyless);
        must(d, requests, act_generate);
        must(d, requests, act_csr);
        sign_all(d, requests);
}

/* Nothing is ever made for half a CA. */
static void test_import_ca(void **state) {
        static const Act acts[] = { act_keyless, act_with_key };
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");

        for (size_t a = 0; a < ARRAY_SIZE(acts); a++) {
                unsigned at = 1;

                for (;; at++) {
                        _cleanup_buffer_ Buffer kept = BUFFER_NULL;
                        Error *e = NULL;
                        bool killed;

                        clean(d);
                        killed = run_killed(d, &requests, acts[a], at);
                        if (killed && at > 2) {
                                assert_failure(run_act(d, &requests, act_generate, &e), e, ERROR_CONFIG,
                                               ENOENT);
                        }
                        must(d, &requests, acts[a]);
                        must(d, &requests, act_generate);
                        assert_int_equal(fs_read(d->fd, "pki/ca.crt", KEY_SIZE_MAX, &kept, NULL), 0);
                        assert_string_equal(kept.data, ca_pem.data);
                        assert_int_equal(count_left_over(d), 0);
                        if (!killed)
                                break;
                }
                assert_int_equal(at, 4); /* edition; certificate; key or mark */
                clean(d);
                for (at = 1; run_full(d, &requests, acts[a], at); at++)
                        assert_int_equal(faccessat(d->fd, "pki/ca.crt", F_OK, 0), -1);
                assert_true(at > 2);
        }
        requests_done(&requests);
}

static void test_csr(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");
        bool killed = true;

        for (unsigned at = 1; killed; at++) {
                clean(d);
                must(d, &requests, act_keyless);
                must(d, &requests, act_generate);
                killed = run_killed(d, &requests, act_csr, at);
                assert_true(killed || at == 13); /* key and request of six */
                must(d, &requests, act_csr);
                assert_int_equal(count_left_over(d), 0);
                sign_all(d, &requests);
                must(d, &requests, act_import);
                assert_finished(d, &requests);
        }
        requests_done(&requests);
}

static void test_import(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");
        bool killed = true;

        for (unsigned at = 1; killed; at++) {
                until_asked(d, &requests);
                killed = run_killed(d, &requests, act_import, at);
                assert_true(killed || at > 6);
                must(d, &requests, act_import);
                assert_finished(d, &requests);
        }
        requests_done(&requests);
}

/* The same where there are pairs in use that are replaced: each works until its answer has come. */
static void test_replace(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");
        bool killed = true;

        for (unsigned at = 1; killed; at++) {
                until_asked(d, &requests);
                must(d, &requests, act_import);
                for (size_t i = 0; i < requests.n; i++)
                        if (requests.list[i].issuer && streq(requests.list[i].issuer, "ca")) {
                                _cleanup_free_ char *name = xasprintf("at-%u", at);

                                certificate_profile_add_dns(&requests.list[i].profile, name);
                        }
                must(d, &requests, act_csr);
                sign_all(d, &requests);
                killed = run_killed(d, &requests, act_import, at);
                must(d, &requests, act_import);
                assert_finished(d, &requests);
        }
        requests_done(&requests);
}

static void test_disk_full(void **state) {
        static const Act acts[] = { act_csr, act_import };
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");

        for (size_t a = 0; a < ARRAY_SIZE(acts); a++) {
                unsigned at = 1;

                until_asked(d, &requests);
                if (acts[a] == act_csr)
                        assert_int_equal(fs_remove_tree(d->fd, "pki/requests", NULL), 0);
                for (; run_full(d, &requests, acts[a], at); at++) {
                        assert_int_equal(count_left_over(d), 0);
                        assert_int_equal(faccessat(d->fd, "pki/nodes/c0/pki/apiserver.crt", F_OK, 0), -1);
                }
                assert_true(at > 6);
                if (acts[a] == act_csr) {
                        sign_all(d, &requests);
                        must(d, &requests, act_import);
                }
                assert_finished(d, &requests);
        }
        requests_done(&requests);
}

/* One does it, the others are told who is at work. */
static void test_two_at_once(void **state) {
        static const Act acts[] = { act_csr, act_import, act_generate, act_keyless };
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");

        for (unsigned round = 0; round < 8; round++) {
                pid_t pids[ARRAY_SIZE(acts)];

                until_asked(d, &requests);
                for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
                        pids[i] = fork();
                        if (pids[i] == 0) {
                                Error *e = NULL;
                                int r = run_act(d, &requests, acts[i], &e);

                                _exit(r >= 0 || (r == -EBUSY && e->kind == ERROR_TEMPORARY) ? 0 : 1);
                        }
                }
                for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
                        int status;

                        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                        assert_int_equal(status, 0);
                }
                must(d, &requests, act_import);
                assert_finished(d, &requests);
        }
        requests_done(&requests);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_import_ca), unit_test_in_dir(test_csr),
                unit_test_in_dir(test_import),    unit_test_in_dir(test_replace),
                unit_test_in_dir(test_disk_full), unit_test_in_dir(test_two_at_once),
        };

        return cmocka_run_group_tests_name("pki-own-faults", tests, group_setup, group_teardown);
}
