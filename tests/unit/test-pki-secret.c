/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A secret of several lines, and one that is replaced in the store: what its path means in each phase, that a kill before any
 * of the calls that give or take a name leaves a store with which the rotation goes on, and that an old one can be taken back.
 */

#include "tests/unit/pki-kills.h"

#include "pki/secret.h"

#define NAME "secrets/encryption-key"

typedef struct Fixture {
        UnitDir *dir;
        Requests requests;
        Store *store;
} Fixture;

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        countdown = 0;
        *state = f;
        return make_store(1, &f->dir, &f->requests, &f->store);
}

static int teardown(void **state) {
        Fixture *f = *state;

        unmake_store(f->dir, &f->requests, f->store);
        free(f);
        return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void generate(Fixture *f) {
        Error *e = NULL;

        assert_success(store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e),
                       e, 0);
}

static const StoreRequest* request(Fixture *f) {
        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, NAME))
                        return f->requests.list + i;
        fail();
        return NULL;
}

static void begin(Fixture *f) {
        Error *e = NULL;

        assert_success(store_rotation_begin(f->store, request(f), pki_now(), &e), e, 0);
}

static void advance(Fixture *f, RotationPhase phase) {
        Error *e = NULL;

        assert_success(store_rotation_advance(f->store, phase, &e), e, 0);
}

/* The numbers of its lines, as the store gives them and as they lie on the disk: "1 2"; the caller frees. */
static char* numbers(Fixture *f) {
        _cleanup_buffer_ Buffer there = BUFFER_NULL;
        Buffer out = BUFFER_NULL;
        _cleanup_(secret_done) Secret secret = {};
        const Buffer *content;
        Error *e = NULL;
        struct stat st;

        assert_success(store_file(f->store, NAME, &content, &e), e, 0);
        assert_success(secret_parse(NAME, content->data, content->size, &secret, &e), e, 0);
        assert_true(secret_has_size(&secret, 32));
        assert_int_equal(fs_read(f->dir->fd, NAME, 1 << 16, &there, NULL), 0);
        assert_int_equal(strncmp(buffer_str(&there), buffer_str(content), content->size), 0);
        assert_true(there.size <= content->size + 1);
        assert_int_equal(fstatat(f->dir->fd, NAME, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        for (size_t i = 0; i < secret.n_lines; i++)
                buffer_addf(&out, "%s%u", i > 0 ? " " : "", secret.lines[i].number);
        return buffer_take(&out);
}

static void assert_numbers(Fixture *f, const char *wanted) {
        _cleanup_free_ char *found = numbers(f);

        assert_string_equal(found, wanted);
}

static char* text_of(Fixture *f, unsigned number) {
        _cleanup_(secret_done) Secret secret = {};
        const Buffer *content;

        assert_int_equal(store_file(f->store, NAME, &content, NULL), 0);
        assert_int_equal(secret_parse(NAME, content->data, content->size, &secret, NULL), 0);
        assert_non_null(secret_find(&secret, number));
        return xstrdup(secret_find(&secret, number)->text);
}

static void rotate(Fixture *f) {
        Error *e = NULL;

        begin(f);
        generate(f);
        advance(f, ROTATION_REISSUE);
        generate(f);
        advance(f, ROTATION_FINISH);
        generate(f);
        assert_success(store_rotation_end(f->store, &e), e, 0);
}

static void test_lines(void **state) {
        static const char *const bad[] = {
                "",        "\n",   "YQ==\n\n",   "1 YQ==",         "0 YQ==",    "x YQ==",
                "2  YQ==", "2 \n", "YQ==\nYg==", "2 YQ==\n2 Yg==", "YQ==\r\n2",
        };
        _cleanup_(secret_done) Secret s = {};
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        Error *e = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                bool read = secret_parse("x", bad[i], strlen(bad[i]), &s, NULL) >= 0;

                assert_false(read && secret_has_size(&s, 1));
                secret_done(&s);
        }
        assert_failure(secret_parse("x", "YQ==\nYg==", 9, &s, &e), e, ERROR_CONFIG, EBADMSG);
        assert_failure(secret_parse("x", "YQ==\0", 5, &s, &e), e, ERROR_CONFIG, EBADMSG);
        assert_success(secret_parse("x", "12 YQ==\nYg==\n", 13, &s, &e), e, 0);
        assert_int_equal(s.n_lines, 2);
        assert_int_equal(s.lines[0].number, 12);
        assert_string_equal(s.lines[0].text, "YQ==");
        assert_int_equal(s.lines[1].number, 1);
        assert_true(secret_has_size(&s, 1));
        assert_false(secret_has_size(&s, 2));
        assert_null(secret_find(&s, 2));
        secret_write_line(1, "Yg==", &out);
        secret_write_line(7, "YQ==", &out);
        assert_string_equal(buffer_str(&out), "Yg==7 YQ==");
}

static void test_phases(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *old = text_of(f, 1), *new = NULL, *last = NULL, *before = NULL;
        const char *fingerprint;
        Error *e = NULL;

        assert_int_equal(store_fingerprint(f->store, NAME, &fingerprint, NULL), 0);
        before = xstrdup(fingerprint);
        begin(f);
        generate(f);
        assert_numbers(f, "1 2"); /* all can read both, the old one writes */
        assert_int_equal(store_fingerprint(f->store, NAME, &fingerprint, NULL), 0);
        assert_string_not_equal(fingerprint, before); /* so that whoever reads it is restarted */
        new = text_of(f, 2);
        assert_string_not_equal(old, new);
        generate(f);

        advance(f, ROTATION_REISSUE);
        generate(f);
        assert_numbers(f, "2 1");
        advance(f, ROTATION_FINISH);
        generate(f);
        assert_numbers(f, "2");
        assert_success(store_rotation_end(f->store, &e), e, 0);
        assert_numbers(f, "2");
        last = text_of(f, 2);
        assert_string_equal(last, new);
        generate(f);
        assert_int_equal(faccessat(f->dir->fd, "pki/rotation", F_OK, 0), -1);

        rotate(f);
        assert_numbers(f, "3");
}

static void test_refused(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *key = text_of(f, 1), *last = xasprintf("%u %s", SECRET_NUMBER_MAX, key);
        Error *e = NULL;

        assert_true(fs_write(f->dir->fd, NAME, last, strlen(last), 0600, 0, NULL) >= 0);
        assert_failure(store_rotation_begin(f->store, request(f), pki_now(), &e), e, ERROR_CONFIG, ERANGE);
        assert_true(fs_write(f->dir->fd, NAME, key, strlen(key), 0600, 0, NULL) >= 0);

        begin(f);
        assert_failure(store_rotation_begin(f->store, request(f), pki_now(), &e), e, ERROR_CONFIG, EEXIST);
        assert_int_equal(unlinkat(f->dir->fd, "pki/rotation/old.key", 0), 0);
        assert_failure(store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e),
                       e, ERROR_CONFIG, ENOENT);
}

static void test_taken_back(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *first = text_of(f, 1), *again = NULL;
        _cleanup_free_ char *edition = NULL, *later = NULL;
        Error *e = NULL;

        assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 1);
        assert_numbers(f, "1");
        assert_success(store_secret_readmit(f->store, request(f), 2, false, &e), e, 0);
        rotate(f);
        edition = store_edition(f->store);
        assert_success(store_secret_readmit(f->store, request(f), 1, true, &e), e, 2);
        assert_numbers(f, "2");
        assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 2);
        assert_numbers(f, "2 1");
        again = text_of(f, 1);
        assert_string_equal(again, first);
        later = store_edition(f->store);
        assert_string_not_equal(edition, later); /* an older copy of the directory does not take it away */
        generate(f);
        assert_numbers(f, "2 1");

        /* the next one takes the place of both, and both are kept */
        rotate(f);
        assert_numbers(f, "3");
        assert_success(store_secret_readmit(f->store, request(f), 2, false, &e), e, 2);
        assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 2);
        assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 1);
        assert_numbers(f, "3 2 1");

        begin(f);
        assert_success(store_secret_readmit(f->store, request(f), 2, false, &e), e, 1);
        assert_success(store_secret_readmit(f->store, request(f), 9, false, &e), e, 0);
        generate(f);
        advance(f, ROTATION_REISSUE);
        generate(f);
        assert_numbers(f, "4 3 2 1");
        advance(f, ROTATION_FINISH);
        generate(f);
        assert_numbers(f, "4");
        assert_success(store_secret_readmit(f->store, request(f), 9, false, &e), e, 0);
        assert_success(store_secret_readmit(f->store, request(f), 2, true, &e), e, 2);
        assert_numbers(f, "4");
        assert_success(store_secret_readmit(f->store, request(f), 2, false, &e), e, 2);
        assert_numbers(f, "4 3 2 1"); /* as in the phase before, with which the rotation goes on */
}

/* A snapshot of long ago is restored while another one is being replaced. */
static void test_taken_back_amid_a_rotation(void **state) {
        static const char *const wanted[] = { "2 1 3", "3 2 1", "3 2 1" };
        Fixture *f = *state;
        Error *e = NULL;

        for (RotationPhase p = ROTATION_TRUST; p <= ROTATION_FINISH; p++) {
                _cleanup_(rotation_done) Rotation now = {};

                rotate(f);
                assert_numbers(f, "2");
                begin(f);
                for (RotationPhase q = ROTATION_TRUST; q < p; q++)
                        advance(f, q + 1);
                assert_success(store_secret_readmit(f->store, request(f), 1, true, &e), e, 2);
                assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 2);
                assert_numbers(f, wanted[p]);
                assert_success(store_secret_readmit(f->store, request(f), 1, false, &e), e, 1);
                assert_int_equal(store_rotation(f->store, &now, NULL), 1);
                assert_int_equal(now.phase, p == ROTATION_FINISH ? ROTATION_REISSUE : p);

                (void) teardown(state);
                assert_int_equal(setup(state), 0);
                f = *state;
        }
}

/* --- killed --- */

/* One whole rotation from wherever it stands, as the command would go on with it. */
static void go_on(Fixture *f) {
        for (;;) {
                _cleanup_(rotation_done) Rotation rotation = {};

                if (store_rotation(f->store, &rotation, NULL) == 0) {
                        if (store_rotation_begin(f->store, request(f), pki_now(), NULL) < 0)
                                return;
                        rotation.phase = ROTATION_TRUST;
                }
                (void) store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL,
                                      NULL);
                if (rotation.phase == ROTATION_FINISH)
                        break;
                if (store_rotation_advance(f->store, rotation.phase + 1, NULL) < 0)
                        return;
        }
        (void) store_rotation_end(f->store, NULL);
}

static void go_on_as_another(Fixture *f, unsigned at) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                countdown = at;
                go_on(f);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static unsigned current(Fixture *f) {
        _cleanup_free_ char *all = numbers(f);

        return (unsigned) strtoul(all, NULL, 10);
}

static void test_killed(void **state) {
        Fixture *f = *state;
        unsigned n;

        count = 0;
        go_on(f);
        n = count;
        assert_true(n > 10);
        for (unsigned k = 1; k <= n; k++) {
                unsigned before = current(f);

                go_on_as_another(f, k);
                store_free(f->store);
                assert_int_equal(store_open(f->dir->path, &f->store, NULL), 0);
                generate(f);
                if (faccessat(f->dir->fd, "pki/rotation/state", F_OK, 0) == 0 || current(f) == before)
                        go_on(f);
                assert_int_equal(faccessat(f->dir->fd, "pki/rotation/state", F_OK, 0), -1);
                assert_int_equal(current(f), before + 1); /* never two steps, nor back */
                assert_int_equal(store_secret_readmit(f->store, request(f), before, true, NULL), 2);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                test(test_phases),
                test(test_refused),
                test(test_taken_back),
                test(test_taken_back_amid_a_rotation),
                test(test_killed),
        };

        return cmocka_run_group_tests_name("pki-secret", tests, NULL, NULL);
}
