/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Secrets written anew: each of all pages is touched, what is in them never asked for, and what goes wrong is named.
 *
 * Wraps: http_request
 */

#include "tests/unit/unit.h"

#include "controlplane/secrets.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"

static struct {
        const char *down;    /* the address of an apiserver that does not answer, or NULL */
        unsigned conflicts;  /* so many times somebody else was first */
        const char *refused; /* a secret that cannot be written, or NULL */
        const char *leases;  /* of apiservers; NULL: none */
        const char *first;   /* the first page */
        unsigned touched;    /* requests that were made for secrets */
} world;

#define ITEM(namespace, name, version)                                    \
        "{\"metadata\":{\"namespace\":\"" namespace "\",\"name\":\"" name \
                                                    "\",\"resourceVersion\":\"" version "\"}}"
#define PAGE(more, items) "{\"metadata\":{\"continue\":\"" more "\"},\"items\":[" items "]}"

static int answer(HttpResponse *ret, long status, const char *text) {
        *ret = (HttpResponse) { .status = status };
        buffer_add_str(&ret->body, text);
        return 0;
}

static int answer_patch(const HttpRequest *q, HttpResponse *ret) {
        assert_string_equal(q->content_type, "application/merge-patch+json");
        assert_string_equal(q->body, "{}");
        world.touched++;
        if (strstr(q->url, "/default/secrets/gone?"))
                return answer(ret, 404, "{\"message\":\"not found\"}");
        if (world.refused && strstr(q->url, world.refused))
                return answer(ret, 500, "{\"message\":\"a webhook said no\"}");
        if (world.conflicts > 0) {
                world.conflicts--;
                return answer(ret, 409, "{\"message\":\"the object has been modified\"}");
        }
        /* the one of version 7 is as it should be already */
        return answer(ret, 200, ITEM("x", "x", "7"));
}

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr) {
        *ret = (HttpResponse) {};
        if (world.down && strstr(q->url, world.down))
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "refused");
        if (strstr(q->url, "/leases?labelSelector="))
                return answer(ret, 200, world.leases ?: PAGE("", ""));
        assert_non_null(strstr(q->accept, "PartialObjectMetadata")); /* what is in a secret stays there */
        if (q->method)
                return answer_patch(q, ret);
        if (strstr(q->url, "&continue=abc"))
                return answer(ret, 200, PAGE("", ITEM("kube-system", "c.d", "7")));
        assert_non_null(strstr(q->url, "/api/v1/secrets?limit="));
        return answer(ret, 200, world.first);
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
        assert_string_equal(credential, "super-admin");
}

static int rewrite(SecretsRewritten *ret, Error **reterr) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const ProbeContext context = { .cluster = &c };

        world.touched = 0;
        return secrets_rewrite(&context, ret, reterr);
}

static void test_all_pages(void **state) {
        SecretsRewritten done;
        Error *e = NULL;

        world.first = PAGE("abc", ITEM("default", "a", "5") "," ITEM("default", "gone", "6"));
        assert_success(rewrite(&done, &e), e, 0);
        assert_int_equal(done.n_secrets, 2);
        assert_int_equal(done.n_written, 1);
        assert_int_equal(world.touched, 3);

        world.first = PAGE("", "");
        assert_success(rewrite(&done, &e), e, 0);
        assert_int_equal(done.n_secrets, 0);
}

static void test_others_at_work(void **state) {
        SecretsRewritten done;
        Error *e = NULL;

        world.first = PAGE("", ITEM("default", "a", "5"));
        world.conflicts = 2;
        assert_success(rewrite(&done, &e), e, 0);
        assert_int_equal(done.n_written, 1);
        world.conflicts = 1000;
        assert_int_equal(rewrite(&done, NULL), -EEXIST);
        world.conflicts = 0;
}

static void test_another_apiserver(void **state) {
        SecretsRewritten done;
        Error *e = NULL;

        world.first = PAGE("", ITEM("default", "a", "5"));
        world.down = "//10.77.0.20:";
        assert_success(rewrite(&done, &e), e, 0);
        assert_int_equal(done.n_written, 1);
        world.down = "//10.77.0.2";
        assert_failure(rewrite(&done, &e), e, ERROR_UNAVAILABLE, ECONNREFUSED);
        world.down = NULL;
}

#define LEASE(host, at)                                                 \
        "{\"metadata\":{\"labels\":{\"kubernetes.io/hostname\":\"" host \
        "\"}},\"spec\":{\"renewTime\":\"2026-11-25T" at ".123456Z\"}}"

/* An apiserver that nobody counts would go on to write with the old key. */
static void test_one_too_many(void **state) {
        SecretsRewritten done;
        Error *e = NULL;

        world.first = PAGE("", ITEM("default", "a", "5"));
        world.leases =
                PAGE("", LEASE("c0", "16:47:00") "," LEASE("c1", "16:46:58") "," LEASE("old", "16:44:00"));
        assert_success(rewrite(&done, &e), e, 0);
        assert_int_equal(world.touched, 1);
        world.leases =
                PAGE("", LEASE("c0", "16:47:00") "," LEASE("c1", "16:46:58") "," LEASE("old", "16:46:59"));
        assert_int_equal(rewrite(&done, &e), -EBUSY);
        assert_contains(e->message,
                        "3 apiservers are at work (c0, c1, old), and the cluster file has 2 controllers");
        e = error_free(e);
        assert_int_equal(world.touched, 0);
        world.leases = NULL;
}

static void test_named(void **state) {
        SecretsRewritten done;
        Error *e = NULL;

        world.first = PAGE("abc", ITEM("default", "a", "5") "," ITEM("default", "b", "6"));
        world.refused = "/default/secrets/b?";
        assert_int_equal(rewrite(&done, &e), -EIO);
        assert_contains(e->message, "secret default/b: ");
        assert_contains(e->message, "a webhook said no");
        e = error_free(e);
        world.refused = NULL;

        world.first = PAGE("", ITEM("../x", "a", "5"));
        assert_failure(rewrite(&done, &e), e, ERROR_UNAVAILABLE, EPROTO);
        world.first = "{}";
        assert_failure(rewrite(&done, &e), e, ERROR_UNAVAILABLE, EPROTO);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_pages),
                cmocka_unit_test(test_others_at_work),
                cmocka_unit_test(test_another_apiserver),
                cmocka_unit_test(test_one_too_many),
                cmocka_unit_test(test_named),
        };

        return cmocka_run_group_tests_name("controlplane-secrets", tests, NULL, NULL);
}
