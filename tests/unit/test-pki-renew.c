/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-kills.h"

#include "common/parse.h"
#include "pki/key-internal.h"

/*
 * Renewal in the store: chosen ones are made anew, the old ones kept until they are settled or put back; and the same
 * when the process is killed before any of the calls that give or take a name, or asked to stop at any key.
 *
 * Wraps: key_maker_generate
 */

static volatile int cancelled;
static unsigned n_keys; /* until somebody presses Ctrl-C; 0: nobody does */

int __real_key_maker_generate(KeyMaker *m, const char *type, EVP_PKEY **ret, Error **reterr);
int __wrap_key_maker_generate(KeyMaker *m, const char *type, EVP_PKEY **ret, Error **reterr);
int __wrap_key_maker_generate(KeyMaker *m, const char *type, EVP_PKEY **ret, Error **reterr) {
        if (n_keys > 0 && --n_keys == 0)
                cancelled = SIGINT;
        return __real_key_maker_generate(m, type, ret, reterr);
}

typedef struct Fixture {
        UnitDir *dir;
        Requests requests;
        Store *store;
        unsigned reissued;
} Fixture;

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        countdown = 0;
        *state = f;
        return make_store(2, &f->dir, &f->requests, &f->store);
}

static int teardown(void **state) {
        Fixture *f = *state;

        unmake_store(f->dir, &f->requests, f->store);
        free(f);
        return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void report(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                   int64_t expires) {
        Fixture *f = userdata;

        f->reissued += outcome == STORE_REISSUED;
}

static bool choose_c0(void *userdata, const StoreRequest *request, StoreOutcome outcome, int64_t expires) {
        assert_true(expires > pki_now());
        return startswith(request->name, "nodes/c0/") != NULL;
}

static bool choose_all(void *userdata, const StoreRequest *request, StoreOutcome outcome, int64_t expires) {
        return true;
}

static bool choose_unfit(void *userdata, const StoreRequest *request, StoreOutcome outcome,
                         int64_t expires) {
        return outcome != STORE_KEPT;
}

static int renew(Fixture *f, StoreRenewFlags flags, StoreChoice choice, Error **reterr) {
        f->reissued = 0;
        return store_renew(f->store, f->requests.list, f->requests.n, pki_now(), flags, choice, report, f,
                           reterr);
}

static void assert_renew(Fixture *f, StoreChoice choice, int wanted) {
        Error *e = NULL;

        assert_success(renew(f, 0, choice, &e), e, wanted);
}

static Strv unproven(Fixture *f) {
        return store_unproven(f->store, f->requests.list, f->requests.n);
}

/* What stands for a file of the store, read anew. */
static char* fingerprint(Fixture *f, const char *path) {
        _cleanup_(store_freep) Store *s = NULL;
        const char *text = NULL;

        assert_int_equal(store_open(f->dir->path, &s, NULL), 0);
        assert_int_equal(store_fingerprint(s, path, &text, NULL), 0);
        return xstrdup(text);
}

static void assert_all_fit(Fixture *f) {
        _cleanup_(store_freep) Store *s = NULL;
        Error *e = NULL;

        assert_int_equal(store_open(f->dir->path, &s, NULL), 0);
        assert_success(store_examine(s, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e), e, 0);
}

static bool is_there(Fixture *f, const char *path) {
        return faccessat(f->dir->fd, path, F_OK, 0) == 0;
}

#define C0_KEY "nodes/c0/pki/apiserver.key"
#define C1_KEY "nodes/c1/pki/apiserver.key"
#define N_PER_NODE 9

static void test_chosen(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = fingerprint(f, C0_KEY), *other = fingerprint(f, C1_KEY);
        _cleanup_free_ char *ca = fingerprint(f, "ca.key"),
                            *conf = fingerprint(f, "nodes/c0/scheduler.conf");
        _cleanup_free_ char *after = NULL, *other_after = NULL, *ca_after = NULL, *conf_after = NULL;
        _cleanup_strv_ Strv names = NULL;
        struct stat st;

        assert_int_equal(renew(f, STORE_RENEW_DRY_RUN, choose_c0, NULL), 1);
        assert_int_equal(f->reissued, N_PER_NODE);
        assert_false(is_there(f, "pki/.previous"));
        assert_renew(f, choose_c0, 1);
        assert_int_equal(f->reissued, N_PER_NODE);

        after = fingerprint(f, C0_KEY);
        other_after = fingerprint(f, C1_KEY);
        ca_after = fingerprint(f, "ca.key");
        conf_after = fingerprint(f, "nodes/c0/scheduler.conf");
        assert_string_not_equal(before, after);
        assert_string_not_equal(conf, conf_after);
        assert_string_equal(other, other_after);
        assert_string_equal(ca, ca_after);
        assert_all_fit(f);

        names = unproven(f);
        assert_int_equal(strv_length(names), N_PER_NODE);
        assert_int_equal(fstatat(f->dir->fd, "pki/.previous/" C0_KEY, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(fstatat(f->dir->fd, "pki/.previous/nodes", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_settled(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv names = NULL, rest = NULL, one = strv_new("nodes/c0/pki/apiserver", NULL);
        _cleanup_free_ char *after = NULL, *again = NULL;

        assert_renew(f, choose_all, 1);
        after = fingerprint(f, C0_KEY);
        assert_int_equal(store_settle(f->store, f->requests.list, f->requests.n, one, NULL), 0);
        names = unproven(f);
        assert_int_equal(strv_length(names), 2 * N_PER_NODE + 2 - 1);
        assert_false(is_there(f, "pki/.previous/" C0_KEY));
        assert_int_equal(store_settle(f->store, f->requests.list, f->requests.n, names, NULL), 0);
        rest = unproven(f);
        assert_null(rest);
        assert_false(is_there(f, "pki/.previous"));
        again = fingerprint(f, C0_KEY);
        assert_string_equal(after, again);
}

static void test_put_back(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = fingerprint(f, C0_KEY), *conf = fingerprint(f, "admin.conf");
        _cleanup_free_ char *back = NULL, *conf_back = NULL, *other = NULL, *other_after = NULL;
        _cleanup_strv_ Strv names = strv_new("nodes/c0/pki/apiserver", "admin", NULL), rest = NULL;
        const Buffer *lent;
        struct stat st;

        assert_renew(f, choose_all, 1);
        other = fingerprint(f, C1_KEY);
        assert_int_equal(store_file(f->store, "nodes/c0/pki/apiserver.crt", &lent, NULL), 0);
        assert_int_equal(store_revert(f->store, f->requests.list, f->requests.n, names, NULL), 0);

        back = fingerprint(f, C0_KEY);
        conf_back = fingerprint(f, "admin.conf");
        other_after = fingerprint(f, C1_KEY);
        assert_string_equal(before, back);
        assert_string_equal(conf, conf_back);
        assert_string_equal(other, other_after);
        assert_all_fit(f);
        assert_false(is_there(f, "pki/.pending"));
        assert_int_equal(fstatat(f->dir->fd, "pki/nodes/c0/pki/apiserver.crt", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        rest = unproven(f);
        assert_int_equal(strv_length(rest), 2 * N_PER_NODE + 2 - 2);
}

/* What is unproven is not made once more, whatever is chosen; the rest of the choice is. */
static void test_gone_on_with(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = fingerprint(f, C0_KEY), *once = NULL, *twice = NULL, *back = NULL;
        _cleanup_strv_ Strv names = NULL;

        assert_renew(f, choose_c0, 1);
        once = fingerprint(f, C0_KEY);
        assert_renew(f, choose_all, 1);
        assert_int_equal(f->reissued, N_PER_NODE + 2);
        twice = fingerprint(f, C0_KEY);
        assert_string_equal(once, twice);

        names = unproven(f);
        assert_int_equal(store_revert(f->store, f->requests.list, f->requests.n, names, NULL), 0);
        back = fingerprint(f, C0_KEY);
        assert_string_equal(before, back);
}

/* Ctrl-C amid the keys: those that are made are unproven, and who goes on makes the others, and none twice. */
static void test_stopped(void **state) {
        static const unsigned n_all = 2 * N_PER_NODE + 2;
        Fixture *f = *state;
        Error *e = NULL;

        store_set_cancelled(f->store, &cancelled);
        for (unsigned k = 1; k <= n_all; k += n_all / 2 - 1) {
                _cleanup_strv_ Strv some = NULL, all = NULL, rest = NULL;

                n_keys = k;
                assert_failure(renew(f, 0, choose_all, &e), e, ERROR_TEMPORARY, ECANCELED);
                cancelled = 0;
                some = unproven(f);
                assert_int_equal(strv_length(some), k - 1);
                assert_int_equal(is_there(f, "pki/.previous/" C1_KEY), k > 1);
                assert_all_fit(f);

                assert_renew(f, choose_unfit, k > 1);
                assert_int_equal(f->reissued, k > 1 ? n_all - (k - 1) : 0);
                all = unproven(f);
                assert_int_equal(strv_length(all), k > 1 ? n_all : 0);
                assert_success(store_settle(f->store, f->requests.list, f->requests.n, all, &e), e, 0);
                rest = unproven(f);
                assert_null(rest);
                assert_false(is_there(f, "pki/.previous"));
        }
}

static void test_nothing_chosen(void **state) {
        Fixture *f = *state;

        assert_renew(f, choose_unfit, 0);
        assert_false(is_there(f, "pki/.previous"));
}

static void test_unfit_only(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv names = NULL;

        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, "nodes/c1/pki/apiserver"))
                        certificate_profile_add_dns(&f->requests.list[i].profile, "more.home.lan");
        assert_renew(f, choose_unfit, 1);
        names = unproven(f);
        assert_int_equal(strv_length(names), 1);
        assert_string_equal(names[0], "nodes/c1/pki/apiserver");
}

static void test_nothing_made(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        assert_int_equal(fs_remove_tree(f->dir->fd, "pki", NULL), 0);
        assert_int_equal(fs_remove_tree(f->dir->fd, "admin.conf", NULL), 0);
        assert_int_equal(fs_remove_tree(f->dir->fd, "super-admin.conf", NULL), 0);
        assert_failure(renew(f, 0, choose_all, &e), e, ERROR_CONFIG, ENOENT);
}

/* A clock before this program's own making: refused, and nothing is left behind. */
static void test_clock(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = fingerprint(f, C0_KEY), *after = NULL;
        _cleanup_strv_ Strv names = NULL;
        Error *e = NULL;

        assert_true(store_renew(f->store, f->requests.list, f->requests.n, clock_build_date() - SEC_PER_DAY,
                                0, choose_all, NULL, f, &e) < 0);
        e = error_free(e);
        names = unproven(f);
        assert_null(names);
        after = fingerprint(f, C0_KEY);
        assert_string_equal(before, after);
}

/* The number of what the store holds now. */
static unsigned edition(Fixture *f) {
        _cleanup_free_ char *text = store_edition(f->store), *number = NULL;
        bool newer;
        unsigned n = 0;

        assert_non_null(text);
        assert_true(store_knows_edition(f->store, text, &newer));
        assert_int_equal(strlen(strchr(text, ' ')), 17);
        number = xstrndup(text, strcspn(text, " "));
        assert_int_equal(parse_unsigned(number, 1, 3000, &n), 0);
        return n;
}

/* Each change of what nodes are given is an edition, and nothing else is. */
static void test_editions(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv names = NULL;
        _cleanup_(rotation_done) Rotation rotation = {};
        const StoreRequest *sa = NULL;
        Error *e = NULL;

        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, "sa"))
                        sa = f->requests.list + i;
        assert_int_equal(edition(f), 1);
        assert_int_equal(
                store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, NULL), 0);
        assert_renew(f, choose_unfit, 0);
        assert_int_equal(renew(f, STORE_RENEW_DRY_RUN, choose_all, NULL), 1);
        assert_int_equal(edition(f), 1);

        assert_renew(f, choose_c0, 1);
        assert_int_equal(edition(f), 2);
        names = unproven(f);
        assert_success(store_revert(f->store, f->requests.list, f->requests.n, names, &e), e, 0);
        assert_int_equal(edition(f), 3); /* a node may have what is taken back */
        assert_success(store_revert(f->store, f->requests.list, f->requests.n, names, &e), e, 0);
        assert_int_equal(edition(f), 3);
        assert_renew(f, choose_c0, 1);
        assert_success(store_settle(f->store, f->requests.list, f->requests.n, names, &e), e, 0);
        assert_int_equal(edition(f), 4);

        assert_success(store_rotation_begin(f->store, sa, pki_now(), &e), e, 0);
        assert_int_equal(edition(f), 5);
        for (unsigned n = 6;
             store_rotation(f->store, &rotation, NULL) > 0 && rotation.phase != ROTATION_FINISH; n++) {
                assert_renew(f, choose_unfit, 0); /* what lies under the usual names is written again */
                assert_success(store_rotation_advance(f->store, rotation.phase + 1, &e), e, 0);
                assert_int_equal(edition(f), n);
                rotation_done(&rotation);
        }
}

/* Of two copies of a directory each knows what it came from, and none what the other has become. */
static void test_copies(void **state) {
        static const char first[] = "1 0123456789abcdef";
        Fixture *f = *state;
        _cleanup_buffer_ Buffer history = BUFFER_NULL, left = BUFFER_NULL;
        bool newer = false;

        assert_true(store_knows_edition(f->store, NULL, &newer)); /* of before */
        assert_false(store_knows_edition(f->store, first, &newer));
        assert_false(newer);
        assert_false(store_knows_edition(f->store, "2 0123456789abcdef", &newer));
        assert_true(newer);
        for (size_t i = 0; i < 3; i++) {
                static const char *const odd[] = { "", "-1 x", "99999999999999999999 x" };

                assert_false(store_knows_edition(f->store, odd[i], &newer));
                assert_false(newer);
        }

        /* only so much of a long history is kept, and what is older than that is no other copy's */
        for (unsigned i = 1; i <= 2000; i++)
                buffer_addf(&history, "%u 0123456789abcdef\n", i);
        assert_true(fs_write(f->dir->fd, "pki/history", history.data, history.size, 0644, 0, NULL) >= 0);
        assert_renew(f, choose_c0, 1);
        assert_int_equal(edition(f), 2001);
        assert_int_equal(fs_read(f->dir->fd, "pki/history", 64 * 1024, &left, NULL), 0);
        assert_non_null(startswith(buffer_str(&left), "2 0123456789abcdef\n3 "));
        assert_true(store_knows_edition(f->store, first, &newer));
}

/* --- killed --- */

typedef void (*Deed)(Fixture *f);

static void deed_renew(Fixture *f) {
        (void) renew(f, 0, choose_all, NULL);
}

static Strv all_names(const Fixture *f) {
        Strv names = NULL;

        for (size_t i = 0; i < f->requests.n; i++)
                strv_add(&names, f->requests.list[i].name);
        return names;
}

static void deed_settle(Fixture *f) {
        _cleanup_strv_ Strv names = all_names(f);

        (void) store_settle(f->store, f->requests.list, f->requests.n, names, NULL);
}

static void deed_revert(Fixture *f) {
        _cleanup_strv_ Strv names = all_names(f);

        (void) store_revert(f->store, f->requests.list, f->requests.n, names, NULL);
}

/* As another process would see it. */
static void store_forget_all(Fixture *f) {
        store_free(f->store);
        assert_int_equal(store_open(f->dir->path, &f->store, NULL), 0);
}

static unsigned count_calls(Fixture *f, Deed deed) {
        int status;
        int fds[2];
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
                count = 0;
                deed(f);
                _exit(write(fds[1], &count, sizeof(count)) == sizeof(count) ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read(fds[0], &count, sizeof(count)), sizeof(count));
        close(fds[0]);
        close(fds[1]);
        return count;
}

static void killed(Fixture *f, Deed deed, unsigned at) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                countdown = at;
                deed(f);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* pki gen can use what is there, and a renewal ends with all as it should be. */
static void assert_usable(Fixture *f, const char *ca) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *ca_after = NULL;
        Error *e = NULL;
        int r;

        r = store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e);
        if (r < 0)
                fail_msg("%s", e->message);
        assert_all_fit(f);
        assert_true(renew(f, 0, choose_unfit, &e) >= 0);
        names = unproven(f);
        assert_success(store_settle(f->store, f->requests.list, f->requests.n, names, &e), e, 0);
        assert_all_fit(f);
        assert_false(is_there(f, "pki/.previous"));
        ca_after = fingerprint(f, "ca.key");
        assert_string_equal(ca, ca_after);
}

static unsigned step(void) {
        const char *tier = getenv("HARDWAY_TEST_TIER");

        return tier && streq(tier, "long") ? 1 : 7;
}

static void test_killed(void **state) {
        static const struct {
                Deed before, deed;
        } rows[] = { { NULL, deed_renew }, { deed_renew, deed_settle }, { deed_renew, deed_revert } };
        Fixture *f = *state;
        _cleanup_free_ char *ca = fingerprint(f, "ca.key");

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                unsigned n;

                if (rows[i].before)
                        rows[i].before(f);
                n = count_calls(f, rows[i].deed);
                store_forget_all(f);
                assert_true(n > 20);
                assert_usable(f, ca);
                for (unsigned k = 1; k <= n; k += step()) {
                        if (rows[i].before)
                                rows[i].before(f);
                        killed(f, rows[i].deed, k);
                        store_forget_all(f);
                        assert_usable(f, ca);
                }
        }
}

/* A renewal that was cut short anywhere and is put back: each entry is one of the two, and whole. */
static void test_killed_and_put_back(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = fingerprint(f, C1_KEY);
        unsigned n = count_calls(f, deed_renew);

        store_forget_all(f);
        deed_revert(f);
        for (unsigned k = 1; k <= n; k += step()) {
                _cleanup_free_ char *after = NULL;
                _cleanup_strv_ Strv rest = NULL;

                killed(f, deed_renew, k);
                store_forget_all(f);
                deed_revert(f);
                rest = unproven(f);
                assert_null(rest);
                after = fingerprint(f, C1_KEY);
                assert_string_equal(before, after);
        }
        assert_all_fit(f);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                test(test_chosen),         test(test_settled),
                test(test_put_back),       test(test_gone_on_with),
                test(test_nothing_chosen), test(test_unfit_only),
                test(test_nothing_made),   test(test_clock),
                test(test_killed),         test(test_killed_and_put_back),
                test(test_editions),       test(test_copies),
                test(test_stopped),
        };

        return cmocka_run_group_tests_name("pki-renew", tests, NULL, NULL);
}
