/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-faults.h"

/*
 * The store when things go wrong: killed before any of its system calls that change names, disk full at any write, a
 * rename that fails, two runs at once. Whatever happens, the next run can use what is there, and no CA is lost.
 */

/* One run with a store of its own, as another process would have. */
static int generate(const UnitDir *d, const Requests *requests, int64_t now, Error **reterr) {
        _cleanup_(store_freep) Store *s = NULL;
        int r;

        r = store_open(d->path, &s, reterr);
        if (r < 0)
                return r;
        return store_generate(s, requests->list, requests->n, now, NULL, NULL, reterr);
}

static void generate_killed(const UnitDir *d, const Requests *requests, int64_t now, unsigned at) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                fault = FAULT_KILL;
                countdown = at;
                (void) generate(d, requests, now, NULL);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void generate_faulty(const UnitDir *d, const Requests *requests, int64_t now, Fault what, unsigned at,
                            int errnum) {
        Error *e = NULL;

        fault = what;
        countdown = at;
        assert_failure(generate(d, requests, now, &e), e, ERROR_IO, errnum);
        fault = FAULT_NONE;
}

/* The next run succeeds, the one after has nothing to do, and nothing is left over. */
static void assert_usable(const UnitDir *d, const Requests *requests, int64_t now) {
        Error *e = NULL;
        int r = generate(d, requests, now, &e);

        if (r < 0)
                fail_msg("%s", e->message);
        assert_success(generate(d, requests, now, &e), e, 0);
        assert_int_equal(count_left_over(d), 0);
        assert_int_equal(faccessat(d->fd, "pki/.pending", F_OK, 0), -1);
}

static unsigned count_renames(const UnitDir *d, const Requests *requests, int64_t now) {
        count = 0;
        assert_int_equal(generate(d, requests, now, NULL), 1);
        return count;
}

static void test_killed_first_run(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(2, "ec:p256");
        unsigned n = count_renames(d, &requests, pki_now());

        assert_true(n > 40);
        for (unsigned i = 1; i <= n; i += i < 12 ? 1 : step()) {
                clean(d);
                generate_killed(d, &requests, pki_now(), i);
                assert_usable(d, &requests, pki_now());
        }
        requests_done(&requests);
}

static void ca_fingerprint(const UnitDir *d, char ret[static 65]) {
        _cleanup_(store_freep) Store *s = NULL;
        const char *fingerprint = NULL;

        assert_int_equal(store_open(d->path, &s, NULL), 0);
        assert_int_equal(store_fingerprint(s, "ca.key", &fingerprint, NULL), 0);
        memcpy(ret, fingerprint, 65);
}

/* All certificates are due: half of them are new when the run dies. And dies again, at another point. */
static void test_killed_renewal(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(2, "ec:p256");
        int64_t now = pki_now();
        char before[65], after[65];
        unsigned n;

        assert_int_equal(generate(d, &requests, now, NULL), 1);
        ca_fingerprint(d, before);
        now += 350 * SEC_PER_DAY;
        n = count_renames(d, &requests, now);
        for (unsigned i = 1; i <= n; i += step()) {
                now += 350 * SEC_PER_DAY;
                if (now > pki_now() + 3000 * SEC_PER_DAY) {
                        clean(d);
                        now = pki_now();
                        assert_int_equal(generate(d, &requests, now, NULL), 1);
                        ca_fingerprint(d, before);
                        now += 350 * SEC_PER_DAY;
                }
                generate_killed(d, &requests, now, i);
                if (i % 2 && i > 3 && i + 6 < n)
                        generate_killed(d, &requests, now, 1 + i % 3);
                assert_usable(d, &requests, now);
                ca_fingerprint(d, after);
                assert_string_equal(before, after);
        }
        requests_done(&requests);
}

static void test_rename_fails(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");
        unsigned n = count_renames(d, &requests, pki_now());

        for (unsigned i = 1; i <= n; i += step()) {
                clean(d);
                generate_faulty(d, &requests, pki_now(), FAULT_RENAME, i, EIO);
                assert_usable(d, &requests, pki_now());
        }
        requests_done(&requests);
}

/* Nothing has a name yet when the disk is full: all is as it was. */
static void test_disk_full(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(1, "ec:p256");
        int64_t now = pki_now();
        char before[65], after[65];

        for (unsigned i = 1; i <= 28; i += step()) {
                generate_faulty(d, &requests, now, FAULT_WRITE, i, ENOSPC);
                assert_int_equal(faccessat(d->fd, "pki/ca.key", F_OK, 0), -1);
                assert_int_equal(count_left_over(d), 0);
        }
        assert_usable(d, &requests, now);
        ca_fingerprint(d, before);

        now += 350 * SEC_PER_DAY;
        for (unsigned i = 1; i <= 18; i += step()) {
                generate_faulty(d, &requests, now, FAULT_WRITE, i, ENOSPC);
                /* Yesterday's store is whole. */
                assert_int_equal(generate(d, &requests, pki_now(), NULL), 0);
        }
        assert_usable(d, &requests, now);
        ca_fingerprint(d, after);
        assert_string_equal(before, after);
        requests_done(&requests);
}

/* Whoever comes second is told, and nothing is done twice. */
static void test_two_at_once(void **state) {
        UnitDir *d = *state;
        Requests requests = requests_for(3, "ec:p256");

        for (unsigned round = 0; round < 5; round++) {
                unsigned done = 0, busy = 0;
                pid_t pids[4];

                clean(d);
                for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
                        pids[i] = fork();
                        if (pids[i] == 0) {
                                Error *e = NULL;
                                int r = generate(d, &requests, pki_now(), &e);

                                if (r >= 0)
                                        _exit(r);
                                _exit(r == -EBUSY && e->kind == ERROR_TEMPORARY ? 2 : 3);
                        }
                }
                for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
                        int status;

                        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                        assert_true(WIFEXITED(status));
                        assert_int_not_equal(WEXITSTATUS(status), 3);
                        done += WEXITSTATUS(status) == 1;
                        busy += WEXITSTATUS(status) == 2;
                }
                assert_int_equal(done, 1);
                assert_true(busy <= 3);
                assert_usable(d, &requests, pki_now());
        }
        requests_done(&requests);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_killed_first_run), unit_test_in_dir(test_killed_renewal),
                unit_test_in_dir(test_rename_fails),     unit_test_in_dir(test_disk_full),
                unit_test_in_dir(test_two_at_once),
        };

        return cmocka_run_group_tests_name("pki-faults", tests, NULL, NULL);
}
