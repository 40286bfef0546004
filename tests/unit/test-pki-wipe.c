/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-fixture.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/fs.h"
#include "pki/kubeconfig.h"

/*
 * No private key is left in memory once the store is closed: all of what is writable in this process is
 * searched for each key, as number and as text.
 *
 * What is searched for must not be in memory itself: another process looks it up and hands it over masked.
 * Where the sanitizers are, freed memory is kept aside and is not what it is in the real program; there the
 * test only runs its course.
 */

#define MASK 0x5a
#define NEEDLE_SIZE 16
#define NEEDLES_MAX 512

#if defined(__SANITIZE_ADDRESS__)
#define SEARCH false
#else
#define SEARCH true
#endif

typedef struct Needle {
        char what[96];
        unsigned char masked[NEEDLE_SIZE];
} Needle;

static Needle needles[NEEDLES_MAX];
static size_t n_needles;

static void needle_add(FILE *out, const char *what, const char *how, const unsigned char *bytes) {
        Needle n = {};

        snprintf(n.what, sizeof(n.what), "%s, %s", what, how);
        for (size_t i = 0; i < NEEDLE_SIZE; i++)
                n.masked[i] = bytes[i] ^ MASK;
        assert_int_equal(fwrite(&n, sizeof(n), 1, out), 1);
}

/* The number, as files and as OpenSSL have it, and the text in which it stands in PEM. */
static void look_up_key(FILE *out, const char *what, const Buffer *pem) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        unsigned char number[32], reversed[32];
        const char *line;
        BIGNUM *bn = NULL;

        assert_int_equal(key_from_pem(what, pem->data, pem->size, &key, NULL), 0);
        assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &bn), 1);
        assert_int_equal(BN_bn2binpad(bn, number, sizeof(number)), sizeof(number));
        BN_free(bn);
        for (size_t i = 0; i < sizeof(number); i++)
                reversed[i] = number[sizeof(number) - 1 - i];
        needle_add(out, what, "number", number + 8);
        needle_add(out, what, "number in memory's order", reversed + 8);

        /* Of an EC key on P-256 in PKCS#8 the number begins with byte 36, that is at digit 48. */
        line = strchr(pem->data, '\n') + 1;
        needle_add(out, what, "PEM", (const unsigned char *) line + 48);
}

static void look_up_kubeconfig(FILE *out, const char *what, const Buffer *text) {
        static const char member[] = "client-key-data: \"";
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        const char *value = strstr(text->data, member);

        assert_non_null(value);
        assert_int_equal(kubeconfig_parse(what, text->data, text->size, &k, NULL), 0);
        look_up_key(out, what, &k.key);
        /* Behind "-----BEGIN PRIVATE KEY-----\n" and 51 digits, in groups of three. */
        needle_add(out, what, "base64 of PEM", (const unsigned char *) value + strlen(member) + 104);
}

static void look_up_all(const char *directory, const Requests *r, FILE *out) {
        _cleanup_(store_freep) Store *s = NULL;

        assert_int_equal(store_open(directory, &s, NULL), 0);
        for (size_t i = 0; i < r->n; i++) {
                _cleanup_strv_ Strv files = store_request_files(r->list + i);

                STRV_FOREACH(file, files) {
                        const Buffer *data = NULL;

                        assert_int_equal(store_file(s, *file, &data, NULL), 0);
                        if (endswith(*file, ".key"))
                                look_up_key(out, *file, data);
                        else if (endswith(*file, ".conf"))
                                look_up_kubeconfig(out, *file, data);
                        else if (startswith(*file, "secrets/"))
                                needle_add(out, *file, "text", (const unsigned char *) data->data);
                }
        }
}

static void look_up(const char *directory, const Requests *r) {
        int pipes[2], status;
        FILE *in;
        pid_t child;

        assert_int_equal(pipe(pipes), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                FILE *out = fdopen(pipes[1], "w");

                look_up_all(directory, r, out);
                _exit(fclose(out) == 0 ? 0 : 1);
        }
        (void) close(pipes[1]);
        in = fdopen(pipes[0], "r");
        for (n_needles = 0;
             n_needles < NEEDLES_MAX && fread(needles + n_needles, sizeof(Needle), 1, in) == 1;)
                n_needles++;
        (void) fclose(in);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(n_needles > 0 && n_needles < NEEDLES_MAX);
}

/* Compared byte by byte, so that the key is not put together for it. */
static bool is_at(const volatile unsigned char *p, const Needle *n) {
        for (size_t i = 0; i < NEEDLE_SIZE; i++)
                if ((p[i] ^ MASK) != n->masked[i])
                        return false;
        return true;
}

static size_t search(const unsigned char *begin, const unsigned char *end, bool complain) {
        size_t found = 0;

        for (const unsigned char *p = begin; p + NEEDLE_SIZE <= end; p++)
                for (size_t i = 0; i < n_needles; i++)
                        if ((p[0] ^ MASK) == needles[i].masked[0] && is_at(p, needles + i)) {
                                if (complain)
                                        print_error("left in memory: %s\n", needles[i].what);
                                found++;
                        }
        return found;
}

static size_t search_all(bool complain) {
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512], access[8], name[256];
        size_t found = 0;

        assert_non_null(maps);
        while (SEARCH && fgets(line, sizeof(line), maps)) {
                unsigned long begin, end;

                *name = '\0';
                if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &begin, &end, access, name) < 3 ||
                    strncmp(access, "rw", 2) != 0 || startswith(name, "[v"))
                        continue;
                found += search((const unsigned char *) begin, (const unsigned char *) end, complain);
        }
        (void) fclose(maps);
        return found;
}

static Requests requests;
static char directory[] = "/tmp/hardway-wipe-XXXXXX";

static int setup(void **state) {
        requests = requests_for(1, "ec:p256");
        return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state) {
        requests_done(&requests);
        return fs_remove_tree(AT_FDCWD, directory, NULL);
}

static void generate(Store *s) {
        _cleanup_error_ Error *error = NULL;

        if (store_generate(s, requests.list, requests.n, pki_now(), NULL, NULL, &error) < 0)
                fail_msg("%s", error->message);
}

/* Making them leaves nothing; this also shows that the search finds what is there. */
static void test_made(void **state) {
        _cleanup_(store_freep) Store *s = NULL;
        const Buffer *key = NULL;

        assert_int_equal(store_open(directory, &s, NULL), 0);
        generate(s);
        s = store_free(s);
        look_up(directory, &requests);
        assert_int_equal(search_all(true), 0);

        assert_int_equal(store_open(directory, &s, NULL), 0);
        assert_int_equal(store_file(s, "ca.key", &key, NULL), 0);
        assert_true(!SEARCH || search_all(false) > 0);
        s = store_free(s);
        assert_int_equal(search_all(true), 0);
}

/* Looked at, lent, handed out for TLS, fingerprinted, issued with: and closed. */
static void test_used(void **state) {
        _cleanup_(store_freep) Store *s = NULL;
        StoreItems items = {};

        assert_int_equal(store_open(directory, &s, NULL), 0);
        generate(s);
        assert_int_equal(store_inspect(s, requests.list, requests.n, pki_now(), &items, NULL), 0);
        store_items_done(&items);
        for (size_t i = 0; i < requests.n; i++) {
                const StoreRequest *q = requests.list + i;
                _cleanup_strv_ Strv files = store_request_files(q);
                const Buffer *a = NULL, *b = NULL;
                const char *fingerprint;

                STRV_FOREACH(file, files)
                        assert_int_equal(store_fingerprint(s, *file, &fingerprint, NULL), 0);
                if (q->type == STORE_CERTIFICATE || q->type == STORE_KUBECONFIG)
                        assert_int_equal(store_credential(s, q->name, &a, &b, NULL), 0);
        }
        s = store_free(s);
        assert_int_equal(search_all(true), 0);
}

static int give_passphrase(void *userdata, const char *file, bool new, char **ret, Error **reterr) {
        *ret = xstrdup("correct horse");
        return 0;
}

/* Keys under a passphrase, once opened, go as the others do; and so does the passphrase. */
static void test_protected(void **state) {
        static const unsigned char masked[NEEDLE_SIZE] = { 'c' ^ MASK, 'o' ^ MASK, 'r' ^ MASK, 'r' ^ MASK,
                                                           'e' ^ MASK, 'c' ^ MASK, 't' ^ MASK, ' ' ^ MASK,
                                                           'h' ^ MASK, 'o' ^ MASK, 'r' ^ MASK, 's' ^ MASK,
                                                           'e' ^ MASK, MASK };
        _cleanup_free_ char *file = xasprintf("%s/pki/nodes/c0/pki/apiserver.crt", directory);
        _cleanup_(store_freep) Store *s = NULL;

        assert_int_equal(store_open(directory, &s, NULL), 0);
        store_set_passphrase(s, give_passphrase, NULL);
        store_protect(s, "ca");
        generate(s);
        s = store_free(s);
        assert_int_equal(unlink(file), 0);

        assert_int_equal(store_open(directory, &s, NULL), 0);
        store_set_passphrase(s, give_passphrase, NULL);
        generate(s);
        s = store_free(s);
        needles[0] = (Needle) { .what = "the passphrase" };
        memcpy(needles[0].masked, masked, sizeof(masked));
        assert_int_equal(search_all(true), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_made),
                cmocka_unit_test(test_used),
                cmocka_unit_test(test_protected),
        };

        return cmocka_run_group_tests_name("pki-wipe", tests, setup, teardown);
}
