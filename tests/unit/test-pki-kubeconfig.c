/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "pki/kubeconfig.h"
#include "pki/pem.h"

/* Base64 and kubeconfigs: what is written comes back, what kubectl makes of it too, and nothing else. */

static void test_base64(void **state) {
        static const char *const vectors[][2] = {
                /* RFC 4648 section 10 */
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
        };
        static const char *const bad[] = { "Z",    "Zg",    "Zg=",    "Zg===", "Z===",     "====", "Zh==",
                                           "Zm9=", " Zg==", "Zg==\n", "Zm\n9", "Zg==Zg==", "Zm9-", "Zm9_" };

        for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
                _cleanup_buffer_ Buffer text = BUFFER_NULL, data = BUFFER_NULL;

                base64_encode(vectors[i][0], strlen(vectors[i][0]), &text);
                assert_string_equal(buffer_str(&text), vectors[i][1]);
                assert_int_equal(base64_decode(vectors[i][1], strlen(vectors[i][1]), &data), 0);
                assert_string_equal(buffer_str(&data), vectors[i][0]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                Buffer data = BUFFER_NULL;

                assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &data), -EINVAL);
                assert_null(data.data);
        }
}

static void test_base64_sizes(void **state) {
        _cleanup_free_ char *bytes = xmalloc(10000);

        for (size_t i = 0; i < 10000; i++)
                bytes[i] = (char) (i * 7919 >> 3);
        for (size_t n = 0; n < 10000; n += n < 100 ? 1 : 997) {
                _cleanup_buffer_ Buffer text = BUFFER_NULL, data = BUFFER_NULL;

                base64_encode(bytes, n, &text);
                assert_int_equal(text.size, (n + 2) / 3 * 4);
                assert_int_equal(base64_decode(buffer_str(&text), text.size, &data), 0);
                assert_int_equal(data.size, n);
                if (n > 0)
                        assert_memory_equal(data.data, bytes, n);
        }
}

static void set(Buffer *b, const char *text) {
        buffer_add_str(b, text);
}

static Kubeconfig example(void) {
        Kubeconfig k = {
                .cluster = xstrdup("pi"),
                .server = xstrdup("https://[fd00::10]:6443"),
                .user = xstrdup("system:kube-scheduler"),
        };

        set(&k.ca, "the CA\n");
        set(&k.certificate, "the certificate\n");
        set(&k.key, "the key\n");
        return k;
}

static const char written[] = "apiVersion: \"v1\"\n"
                              "kind: \"Config\"\n"
                              "clusters:\n"
                              "- name: \"pi\"\n"
                              "  cluster:\n"
                              "    server: \"https://[fd00::10]:6443\"\n"
                              "    certificate-authority-data: \"dGhlIENBCg==\"\n"
                              "contexts:\n"
                              "- name: \"system:kube-scheduler@pi\"\n"
                              "  context:\n"
                              "    cluster: \"pi\"\n"
                              "    user: \"system:kube-scheduler\"\n"
                              "current-context: \"system:kube-scheduler@pi\"\n"
                              "users:\n"
                              "- name: \"system:kube-scheduler\"\n"
                              "  user:\n"
                              "    client-certificate-data: \"dGhlIGNlcnRpZmljYXRlCg==\"\n"
                              "    client-key-data: \"dGhlIGtleQo=\"\n";

static void assert_example(const Kubeconfig *k) {
        assert_string_equal(k->cluster, "pi");
        assert_string_equal(k->server, "https://[fd00::10]:6443");
        assert_string_equal(k->user, "system:kube-scheduler");
        assert_string_equal(buffer_str(&k->ca), "the CA\n");
        assert_string_equal(buffer_str(&k->certificate), "the certificate\n");
        assert_string_equal(buffer_str(&k->key), "the key\n");
}

static void test_write(void **state) {
        _cleanup_(kubeconfig_done) Kubeconfig k = example(), read = KUBECONFIG_NULL;
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        Error *e = NULL;

        kubeconfig_write(&k, &text);
        assert_string_equal(buffer_str(&text), written);
        assert_success(kubeconfig_parse("a", text.data, text.size, &read, &e), e, 0);
        assert_example(&read);
}

/* Names that YAML could take for something else. */
static void test_odd_names(void **state) {
        static const char *const names[] = { "no",
                                             "1.30",
                                             "~",
                                             "a: b",
                                             "- x",
                                             "#",
                                             "\"",
                                             "'",
                                             "k\303\266ln",
                                             "{a}",
                                             "*x",
                                             "a\\b",
                                             "client-key-data:" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(kubeconfig_done) Kubeconfig k = example(), read = KUBECONFIG_NULL;
                _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
                Error *e = NULL;

                freep(&k.cluster);
                freep(&k.user);
                k.cluster = xstrdup(names[i]);
                k.user = xstrdup(names[i]);
                kubeconfig_write(&k, &text);
                assert_success(kubeconfig_parse("a", text.data, text.size, &read, &e), e, 0);
                assert_string_equal(read.cluster, names[i]);
                assert_string_equal(read.user, names[i]);
        }
}

/* After "kubectl config set-context --current --namespace=kube-system". */
static void test_kubectl(void **state) {
        static const char text[] = "apiVersion: v1\n"
                                   "clusters:\n"
                                   "- cluster:\n"
                                   "    certificate-authority-data: dGhlIENBCg==\n"
                                   "    server: https://[fd00::10]:6443\n"
                                   "  name: pi\n"
                                   "contexts:\n"
                                   "- context:\n"
                                   "    cluster: pi\n"
                                   "    namespace: kube-system\n"
                                   "    user: system:kube-scheduler\n"
                                   "  name: system:kube-scheduler@pi\n"
                                   "current-context: system:kube-scheduler@pi\n"
                                   "kind: Config\n"
                                   "preferences: {}\n"
                                   "users:\n"
                                   "- name: system:kube-scheduler\n"
                                   "  user:\n"
                                   "    client-certificate-data: dGhlIGNlcnRpZmljYXRlCg==\n"
                                   "    client-key-data: dGhlIGtleQo=\n";
        _cleanup_(kubeconfig_done) Kubeconfig read = KUBECONFIG_NULL;
        Error *e = NULL;

        assert_success(kubeconfig_parse("a", text, strlen(text), &read, &e), e, 0);
        assert_example(&read);
}

static void refuse(const char *text, size_t size, const char *why) {
        Kubeconfig k = KUBECONFIG_NULL;
        Error *e = NULL;

        assert_int_equal(kubeconfig_parse("admin.conf", text, size, &k, &e), -EBADMSG);
        assert_non_null(e);
        assert_int_equal(e->kind, ERROR_CONFIG);
        assert_contains(e->message, "admin.conf:");
        assert_contains(e->message, why);
        assert_null(k.cluster);
        assert_null(k.key.data);
        error_free(e);
}

/* The text with one part replaced. */
static void refuse_changed(const char *old, const char *new, const char *why) {
        const char *where = strstr(written, old);
        _cleanup_free_ char *text = NULL;

        assert_non_null(where);
        text = xasprintf("%.*s%s%s", (int) (where - written), written, new, where + strlen(old));
        refuse(text, strlen(text), why);
}

static void test_refused(void **state) {
        _cleanup_buffer_ Buffer deep = BUFFER_NULL;

        refuse("", 0, "is empty");
        refuse("hello", 5, "no client-key-data");
        refuse(written, strlen(written) / 2, "no client-key-data");
        refuse(written, strlen(written) - 8, "is not base64 on one line");
        refuse_changed("\"v1\"", "\"v2\"", "apiVersion is \"v2\", not \"v1\"");
        refuse_changed("\"Config\"", "\"Secret\"", "kind is \"Secret\"");
        refuse_changed("\"Config\"", "{ a: b }", "kind is \"\"");
        refuse_changed("contexts:", "other:", "contexts is not a list");
        refuse_changed("- name: \"pi\"", "- name: \"other\"\n- name: \"pi\"", "holds 2 clusters");
        refuse_changed("    user: \"sys", "    user: \"",
                       "contexts.0.context.user is \"tem:kube-scheduler\"");
        refuse_changed("current-context: \"sys", "current-context: \"", "current-context is");
        refuse_changed("dGhlIENBCg==", "dGhlIENBCg=", "certificate-authority-data is not base64");
        refuse_changed("client-certificate-data", "client-certificate",
                       "has no users.0.user.client-certificate-data");
        refuse_changed(
                "client-key-data: ", "client-key-data: client-key-data: ", "is not base64 on one line");
        refuse_changed("    client-key-data: ", "    client-key-data: x\n    client-key-data: ",
                       "more than one client-key-data");
        refuse_changed("dGhlIGtleQo=", "dGhl\n      IGtleQo=", "is not base64 on one line");
        refuse_changed("    client-key-data", "client-key-data", "admin.conf:");
        refuse_changed("kind:", "kind", "admin.conf:3:1");
        refuse_changed("kind:", "apiVersion: v1\nkind:", "admin.conf:2:1: a key is given twice");
        refuse_changed("\"Config\"", "&a \"Config\"", "anchors and tags");
        refuse_changed("\"Config\"", "*a", "aliases and tags");
        refuse_changed("\"Config\"", "!!str Config", "anchors and tags");
        refuse_changed("\"Config\"", "\"Con\\0fig\"", "not text");
        refuse_changed("\"pi\"", "\"\377\"", "admin.conf: ");
        refuse_changed("apiVersion", "---\na: b\n---\napiVersion", "not one plain YAML document");
        refuse_changed("\"Config\"", "[[[[[[[[[[[[[[[[[[[[[[", "nested too deeply");

        set(&deep, written);
        buffer_add_str(&deep, "x: ");
        for (unsigned i = 0; i < 100000; i++)
                buffer_add_char(&deep, '[');
        refuse(deep.data, deep.size, "nested too deeply");
        for (unsigned i = 0; i < 200000; i++)
                buffer_add_char(&deep, '[');
        refuse(deep.data, deep.size, "too large");
}

/* Cut anywhere, it is refused; and no byte flipped makes it crash. */
static void test_cut_and_flipped(void **state) {
        char text[sizeof(written)];

        for (size_t n = 0; n < strlen(written) - 1; n++) {
                Kubeconfig k = KUBECONFIG_NULL;

                assert_int_equal(kubeconfig_parse("a", written, n, &k, NULL), -EBADMSG);
        }
        for (size_t i = 0; i < strlen(written); i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;

                        memcpy(text, written, sizeof(written));
                        text[i] = (char) (text[i] ^ (1 << bit));
                        (void) kubeconfig_parse("a", text, strlen(written), &k, NULL);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base64),          cmocka_unit_test(test_base64_sizes),
                cmocka_unit_test(test_write),           cmocka_unit_test(test_odd_names),
                cmocka_unit_test(test_kubectl),         cmocka_unit_test(test_refused),
                cmocka_unit_test(test_cut_and_flipped),
        };

        return cmocka_run_group_tests_name("pki-kubeconfig", tests, NULL, NULL);
}
