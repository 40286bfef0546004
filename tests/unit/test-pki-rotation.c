/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-kills.h"

#include "pki/kubeconfig.h"
#include "pki/pem.h"

/*
 * A CA or key pair that is replaced, in the store: what its paths mean in each phase, what is issued anew, and that a
 * kill before any of the calls that give or take a name leaves a store with which the rotation goes on.
 */

typedef struct Fixture {
        UnitDir *dir;
        Requests requests;
        Store *store;
        unsigned reissued;
        Strv names; /* of those */
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
        strv_free(f->names);
        free(f);
        return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int64_t own_now(void) {
        return clock_realtime();
}

static void report(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                   int64_t expires) {
        Fixture *f = userdata;

        assert_int_not_equal(outcome, STORE_MADE);
        if (outcome == STORE_REISSUED)
                strv_add(&f->names, request->name);
}

/* How many were issued anew. */
static size_t generate(Fixture *f) {
        Error *e = NULL;
        int r;

        f->names = strv_free(f->names);
        r = store_generate(f->store, f->requests.list, f->requests.n, pki_now(), report, f, &e);
        if (r < 0)
                fail_msg("%s", e->message);
        return strv_length(f->names);
}

static const StoreRequest* request_of(Fixture *f, const char *name) {
        for (size_t i = 0; i < f->requests.n; i++)
                if (streq(f->requests.list[i].name, name))
                        return f->requests.list + i;
        fail_msg("no request %s", name);
        return NULL;
}

static void begin(Fixture *f, const char *name) {
        Error *e = NULL;

        assert_success(store_rotation_begin(f->store, request_of(f, name), pki_now(), &e), e, 0);
}

static void advance(Fixture *f, RotationPhase phase) {
        Error *e = NULL;

        assert_success(store_rotation_advance(f->store, phase, &e), e, 0);
}

static void end(Fixture *f) {
        Error *e = NULL;

        assert_success(store_rotation_end(f->store, &e), e, 0);
}

static const char* file(Fixture *f, const char *path) {
        const Buffer *data = NULL;
        Error *e = NULL;

        assert_success(store_file(f->store, path, &data, &e), e, 0);
        return buffer_str(data);
}

/* Of a file as it lies there; the caller frees. */
static char* on_disk(Fixture *f, const char *name) {
        Buffer data = BUFFER_NULL;

        assert_int_equal(fs_read(f->dir->fd, name, 1 << 20, &data, NULL), 0);
        return buffer_take(&data);
}

static bool is_there(Fixture *f, const char *path) {
        return faccessat(f->dir->fd, path, F_OK, 0) == 0;
}

static void assert_issuer(Fixture *f, const char *leaf, const char *ca_pem) {
        _cleanup_(X509_freep) X509 *x = NULL, *ca = NULL;
        const char *pem = file(f, leaf);

        assert_int_equal(certificate_from_pem("leaf", pem, strlen(pem), &x, NULL), 0);
        assert_int_equal(certificate_from_pem("ca", ca_pem, strlen(ca_pem), &ca, NULL), 0);
        assert_int_equal(X509_verify(x, X509_get0_pubkey(ca)), 1);
}

/* The paths of the entry: what signs, what is trusted; and so it lies on the disk. */
static void assert_meaning(Fixture *f, const char *name, const char *ending, const char *key,
                           const char *signing, const char *trusted) {
        _cleanup_free_ char *key_path = xasprintf("%s.key", name),
                            *trust_path = xasprintf("%s.%s", name, ending);
        _cleanup_free_ char *signing_path = streq(name, "etcd/ca") ?
                                                    xstrdup("etcd/signing-ca.crt") :
                                                    xasprintf("signing-%s.%s", name, ending);
        _cleanup_free_ char *key_file = xasprintf("pki/%s", key_path),
                            *trust_file = xasprintf("pki/%s", trust_path);
        _cleanup_free_ char *key_there = on_disk(f, key_file), *trust_there = on_disk(f, trust_file);

        assert_string_equal(file(f, key_path), key);
        assert_string_equal(file(f, signing_path), signing);
        assert_string_equal(file(f, trust_path), trusted);
        assert_string_equal(key_there, key);
        assert_string_equal(trust_there, trusted);
}

static void test_no_rotation(void **state) {
        Fixture *f = *state;
        Rotation rotation = {};
        _cleanup_free_ char *there = on_disk(f, "pki/etcd/ca.crt");

        assert_int_equal(store_rotation(f->store, &rotation, NULL), 0);
        assert_string_equal(file(f, "etcd/signing-ca.crt"), there);
        assert_string_equal(file(f, "etcd/ca.crt"), there);
}

typedef struct Both {
        char *old_key, *old, *new_key, *new, *both;
} Both;

static Both read_both(Fixture *f, const char *ending) {
        _cleanup_free_ char *old = xasprintf("pki/rotation/old.%s", ending),
                            *new = xasprintf("pki/rotation/new.%s", ending);
        Both b = { on_disk(f, "pki/rotation/old.key"), on_disk(f, old), on_disk(f, "pki/rotation/new.key"),
                   on_disk(f, new), NULL };

        b.both = xasprintf("%s%s", b.old, b.new);
        return b;
}

static void both_done(Both *b) {
        free(b->old_key);
        free(b->old);
        free(b->new_key);
        free(b->new);
        free(b->both);
}

#define N_KUBECONFIGS 4 /* admin, super-admin, controller-manager, scheduler */
#define N_OF_CA (N_KUBECONFIGS + 2)

static void test_ca(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = on_disk(f, "pki/ca.crt"), *after = NULL,
                            *etcd = on_disk(f, "pki/etcd/ca.crt");
        _cleanup_(both_done) Both b = {};
        _cleanup_(rotation_done) Rotation rotation = {};
        struct stat st;

        begin(f, "ca");
        assert_int_equal(store_rotation(f->store, &rotation, NULL), 1);
        assert_string_equal(rotation.name, "ca");
        assert_int_equal(rotation.phase, ROTATION_TRUST);
        assert_int_equal(rotation.since, pki_now());
        b = read_both(f, "crt");
        assert_string_equal(b.old, before);
        assert_string_not_equal(b.old, b.new);
        assert_int_equal(fstatat(f->dir->fd, "pki/rotation/new.key", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);

        assert_int_equal(generate(f), N_KUBECONFIGS); /* they trust both from now on */
        assert_meaning(f, "ca", "crt", b.old_key, b.old, b.both);
        assert_issuer(f, "nodes/c0/pki/apiserver.crt", b.old);
        assert_string_equal(file(f, "etcd/ca.crt"), etcd);
        assert_int_equal(generate(f), 0);

        advance(f, ROTATION_REISSUE);
        assert_int_equal(generate(f), N_OF_CA);
        assert_false(strv_contains(f->names, "nodes/c0/pki/etcd/server"));
        assert_meaning(f, "ca", "crt", b.new_key, b.new, b.both);
        assert_issuer(f, "nodes/c0/pki/apiserver.crt", b.new);
        assert_int_equal(generate(f), 0);

        advance(f, ROTATION_FINISH);
        assert_int_equal(generate(f), N_KUBECONFIGS);
        assert_meaning(f, "ca", "crt", b.new_key, b.new, b.new);
        assert_int_equal(generate(f), 0);

        end(f);
        assert_meaning(f, "ca", "crt", b.new_key, b.new, b.new);
        assert_int_equal(generate(f), 0);
        assert_false(is_there(f, "pki/rotation"));
        after = on_disk(f, "pki/ca.crt");
        assert_string_equal(after, b.new);
}

/* The kubeconfig of a phase holds what is trusted in it. */
static void test_kubeconfig(void **state) {
        Fixture *f = *state;
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        const char *text;

        begin(f, "ca");
        (void) generate(f);
        text = file(f, "admin.conf");
        assert_int_equal(kubeconfig_parse("admin.conf", text, strlen(text), &k, NULL), 0);
        assert_string_equal(buffer_str(&k.ca), file(f, "ca.crt"));
}

static char* retired_file(Fixture *f, const char *name, const char *ending) {
        _cleanup_free_ char *date = clock_format_iso(pki_now());

        for (char *p = date; *p; p++)
                if (*p == ':')
                        *p = '.';
        return xasprintf("pki/retired/%s-%s.%s", name, date, ending);
}

static void test_etcd_ca(void **state) {
        Fixture *f = *state;
        _cleanup_(both_done) Both b = {};
        _cleanup_free_ char *retired = retired_file(f, "etcd-ca", "crt"),
                            *key = retired_file(f, "etcd-ca", "key");
        _cleanup_free_ char *old = NULL, *old_key = NULL;

        begin(f, "etcd/ca");
        b = read_both(f, "crt");
        assert_int_equal(generate(f), 0);
        assert_meaning(f, "etcd/ca", "crt", b.old_key, b.old, b.both);
        advance(f, ROTATION_REISSUE);
        assert_int_equal(generate(f), 4);
        assert_issuer(f, "nodes/c0/pki/etcd/peer.crt", b.new);
        advance(f, ROTATION_FINISH);
        assert_int_equal(generate(f), 0);
        end(f);
        assert_int_equal(generate(f), 0);
        old = on_disk(f, retired);
        old_key = on_disk(f, key);
        assert_string_equal(old, b.old);
        assert_string_equal(old_key, b.old_key);
}

static void test_service_accounts(void **state) {
        Fixture *f = *state;
        _cleanup_(both_done) Both b = {};

        begin(f, "sa");
        b = read_both(f, "pub");
        assert_int_equal(generate(f), 0);
        assert_meaning(f, "sa", "pub", b.old_key, b.old, b.both);
        advance(f, ROTATION_REISSUE);
        assert_int_equal(generate(f), 0);
        assert_meaning(f, "sa", "pub", b.new_key, b.new, b.both);
        advance(f, ROTATION_FINISH);
        assert_int_equal(generate(f), 0);
        assert_meaning(f, "sa", "pub", b.new_key, b.new, b.new);
        end(f);
        assert_meaning(f, "sa", "pub", b.new_key, b.new, b.new);
        assert_int_equal(generate(f), 0);
}

static void test_refused(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        assert_failure(store_rotation_advance(f->store, ROTATION_REISSUE, &e), e, ERROR_INTERNAL, EINVAL);
        assert_failure(store_rotation_end(f->store, &e), e, ERROR_INTERNAL, EINVAL);
        begin(f, "ca");
        assert_failure(store_rotation_begin(f->store, request_of(f, "sa"), pki_now(), &e), e, ERROR_CONFIG,
                       EEXIST);
        assert_failure(store_rotation_advance(f->store, ROTATION_FINISH, &e), e, ERROR_INTERNAL, EINVAL);
        assert_failure(store_rotation_end(f->store, &e), e, ERROR_INTERNAL, EINVAL);

        assert_int_equal(unlinkat(f->dir->fd, "pki/rotation/new.crt", 0), 0);
        assert_failure(store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e),
                       e, ERROR_CONFIG, ENOENT);
}

static void test_nothing_made(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        assert_int_equal(fs_remove_tree(f->dir->fd, "pki", NULL), 0);
        assert_failure(store_rotation_begin(f->store, request_of(f, "ca"), pki_now(), &e), e, ERROR_CONFIG,
                       ENOENT);
        assert_false(is_there(f, "pki/rotation/state"));
}

static void test_bad_state(void **state) {
        static const char *const texts[] = {
                "",
                "{",
                "{}",
                "[]",
                "{\"name\":\"../x\",\"phase\":\"trust\",\"since\":1}",
                "{\"name\":\"/x\",\"phase\":\"trust\",\"since\":1}",
                "{\"name\":\"ca\",\"phase\":\"Trust\",\"since\":1}",
                "{\"name\":\"ca\",\"phase\":\"trust\",\"since\":\"1\"}",
                "{\"name\":\"ca\",\"phase\":\"trust\",\"since\":-1}",
                "{\"name\":\"ca\",\"phase\":\"trust\",\"since\":1,\"x\":1}",
        };
        Fixture *f = *state;

        begin(f, "ca");
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                Error *e = NULL;

                assert_true(fs_write(f->dir->fd, "pki/rotation/state", texts[i], strlen(texts[i]), 0644, 0,
                                     NULL) >= 0);
                assert_failure(
                        store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e),
                        e, ERROR_CONFIG, EBADMSG);
        }
}

/* --- CAs of one's own --- */

#define MAKE_INTERMEDIATE                                                                                                    \
        "cd %s && exec >/dev/null 2>&1 && umask 077 && printf '[r]\\nbasicConstraints=critical,CA:TRUE\\nkeyUsage=critical," \
        "keyCertSign\\nsubjectKeyIdentifier=hash\\n[i]\\nbasicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,"   \
        "digitalSignature,keyCertSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' >ext.cnf && "           \
        "for n in root own; do openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $n.key -out "     \
        "$n.csr -subj /CN=$n; done && openssl x509 -req -in root.csr -signkey root.key -days 3000 -extfile ext.cnf "         \
        "-extensions r -out root.crt && openssl x509 -req -in own.csr -CA root.crt -CAkey root.key -CAcreateserial "         \
        "-days 3000 -extfile ext.cnf -extensions i -out own.crt"

/* A store with an intermediate CA, made with the openssl command. Times are those of this machine. */
static void import_own(Fixture *f, bool with_key) {
        _cleanup_free_ char *command = xasprintf(MAKE_INTERMEDIATE, f->dir->path);
        _cleanup_buffer_ Buffer certificate = BUFFER_NULL, chain = BUFFER_NULL;
        _cleanup_buffer_secret_ Buffer key = BUFFER_NULL;
        CaImport from = { .certificate_name = "own.crt",
                          .key_name = "own.key",
                          .chain_name = "root.crt",
                          .certificate = &certificate,
                          .key = with_key ? &key : NULL,
                          .chain = &chain };
        Error *e = NULL;

        assert_int_equal(fs_remove_tree(f->dir->fd, "pki", NULL), 0);
        assert_int_equal(unlinkat(f->dir->fd, "admin.conf", 0), 0);
        assert_int_equal(unlinkat(f->dir->fd, "super-admin.conf", 0), 0);
        assert_int_equal(system(command), 0);
        assert_int_equal(fs_read(f->dir->fd, "own.crt", 1 << 16, &certificate, NULL), 0);
        assert_int_equal(fs_read(f->dir->fd, "own.key", 1 << 16, &key, NULL), 0);
        assert_int_equal(fs_read(f->dir->fd, "root.crt", 1 << 16, &chain, NULL), 0);
        assert_success(store_import_ca(f->store, f->requests.list, f->requests.n, "ca", &from, own_now(),
                                       false, &e),
                       e, 1);
        assert_true(store_generate(f->store, f->requests.list, f->requests.n, own_now(), NULL, NULL, &e) >=
                    0);
}

static void generate_own(Fixture *f, size_t wanted) {
        Error *e = NULL;
        int r;

        f->names = strv_free(f->names);
        r = store_generate(f->store, f->requests.list, f->requests.n, own_now(), report, f, &e);
        if (r < 0)
                fail_msg("%s", e->message);
        assert_int_equal(strv_length(f->names), wanted);
}

static size_t count_certificates(const char *text) {
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, "BEGIN CERTIFICATE")); p++)
                n++;
        return n;
}

/* As long as servers may show the old one, whoever insists on a root is given that, too. */
static void test_intermediate(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        import_own(f, true);
        assert_int_equal(count_certificates(file(f, "ca.bundle")), 2);
        assert_success(store_rotation_begin(f->store, request_of(f, "ca"), own_now(), &e), e, 0);
        generate_own(f, N_KUBECONFIGS);
        assert_int_equal(count_certificates(file(f, "ca.crt")), 2);
        assert_int_equal(count_certificates(file(f, "ca.bundle")), 3);
        assert_int_equal(count_certificates(file(f, "nodes/c0/pki/apiserver.crt")), 2);
        generate_own(f, 0);

        advance(f, ROTATION_REISSUE);
        generate_own(f, N_OF_CA);
        assert_int_equal(count_certificates(file(f, "nodes/c0/pki/apiserver.crt")), 1);
        assert_int_equal(count_certificates(file(f, "ca.bundle")), 3);
        assert_true(store_ca_has_chain(f->store, "ca"));
        generate_own(f, 0);

        advance(f, ROTATION_FINISH);
        generate_own(f, N_KUBECONFIGS);
        assert_int_equal(count_certificates(file(f, "ca.bundle")), 1);
        assert_false(store_ca_has_chain(f->store, "ca"));
        end(f);
        generate_own(f, 0);
        assert_false(is_there(f, "pki/ca.chain"));
        assert_int_equal(count_certificates(file(f, "ca.bundle")), 1);
}

static bool choose_all(void *userdata, const StoreRequest *request, StoreOutcome outcome, int64_t expires) {
        return true;
}

static void test_key_elsewhere(void **state) {
        Fixture *f = *state;
        Error *e = NULL;

        import_own(f, false);
        assert_failure(store_rotation_begin(f->store, request_of(f, "ca"), own_now(), &e), e, ERROR_CONFIG,
                       ENOKEY);
        assert_false(is_there(f, "pki/rotation/state"));
        assert_failure(store_renew(f->store, f->requests.list, f->requests.n, own_now(), 0, choose_all, NULL,
                                   NULL, &e),
                       e, ERROR_CONFIG, ENOKEY);
        assert_false(is_there(f, "pki/.previous"));
}

static int ask(void *userdata, const char *what, bool new, char **ret, Error **reterr) {
        unsigned *n = userdata;

        (*n)++;
        *ret = xstrdup("correct horse");
        return 0;
}

/* The new key is under the passphrase of the old one, or it would lie about in clear, and go to the nodes. */
static void test_under_a_passphrase(void **state) {
        Fixture *f = *state;
        unsigned n_asked = 0;

        store_set_passphrase(f->store, ask, &n_asked);
        store_protect(f->store, "ca");
        (void) generate(f);
        store_free(f->store);
        assert_int_equal(store_open(f->dir->path, &f->store, NULL), 0);
        store_set_passphrase(f->store, ask, &n_asked);
        assert_true(store_ca_key_stays(f->store, "ca"));

        for (RotationPhase p = ROTATION_TRUST; p <= ROTATION_FINISH; p++) {
                if (p == ROTATION_TRUST)
                        begin(f, "ca");
                else
                        advance(f, p);
                (void) generate(f);
                assert_non_null(strstr(file(f, "ca.key"), "ENCRYPTED"));
                assert_true(store_ca_key_stays(f->store, "ca"));
        }
        end(f);
        assert_int_equal(generate(f), 0);
        assert_non_null(strstr(file(f, "ca.key"), "ENCRYPTED"));
        assert_true(n_asked > 0);
}

/* --- killed --- */

static void make_all(Fixture *f) {
        (void) store_generate(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, NULL);
}

/* One whole rotation from wherever it stands, as the command would go on with it. */
static void go_on(Fixture *f, const char *name) {
        for (;;) {
                _cleanup_(rotation_done) Rotation rotation = {};

                if (store_rotation(f->store, &rotation, NULL) == 0) {
                        if (store_rotation_begin(f->store, request_of(f, name), pki_now(), NULL) < 0)
                                return;
                        rotation.phase = ROTATION_TRUST;
                }
                make_all(f);
                if (rotation.phase == ROTATION_FINISH)
                        break;
                if (store_rotation_advance(f->store, rotation.phase + 1, NULL) < 0)
                        return;
        }
        (void) store_rotation_end(f->store, NULL);
}

static void go_on_as_another(Fixture *f, const char *name, unsigned at) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                countdown = at;
                go_on(f, name);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (at > 0)
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static unsigned step(void) {
        const char *tier = getenv("HARDWAY_TEST_TIER");

        return tier && streq(tier, "long") ? 1 : 7;
}

static void test_killed(void **state) {
        Fixture *f = *state;
        unsigned n;

        count = 0;
        go_on(f, "ca");
        n = count;
        assert_true(n > 30);
        for (unsigned k = 1; k <= n; k += step()) {
                _cleanup_free_ char *before = on_disk(f, "pki/ca.crt"), *after = NULL;
                Error *e = NULL;

                go_on_as_another(f, "ca", k);
                store_free(f->store);
                assert_int_equal(store_open(f->dir->path, &f->store, NULL), 0);
                (void) generate(f);

                /* The last step is done, or there is one to go on with. */
                if (is_there(f, "pki/rotation/state") || k < n / 2)
                        go_on(f, "ca");
                assert_false(is_there(f, "pki/rotation/state"));
                assert_success(
                        store_examine(f->store, f->requests.list, f->requests.n, pki_now(), NULL, NULL, &e),
                        e, 0);
                after = on_disk(f, "pki/ca.crt");
                assert_string_not_equal(before, after);
                assert_issuer(f, "nodes/c0/pki/apiserver.crt", after);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                test(test_no_rotation),        test(test_ca),
                test(test_kubeconfig),         test(test_etcd_ca),
                test(test_service_accounts),   test(test_refused),
                test(test_nothing_made),       test(test_bad_state),
                test(test_intermediate),       test(test_key_elsewhere),
                test(test_under_a_passphrase), test(test_killed),
        };

        return cmocka_run_group_tests_name("pki-rotation", tests, NULL, NULL);
}
