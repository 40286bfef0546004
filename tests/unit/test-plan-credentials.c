/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/buffer.h"
#include "tests/unit/plan-fixture.h"

/*
 * The store is replaced: it holds every file but those that begin with "lacking".
 * Wraps: store_file store_fingerprint
 */
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
int __wrap_store_fingerprint(Store *s, const char *path, const char **ret, Error **reterr);

static Buffer content;
static const char *identity; /* what secrets/identity holds */

int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        if (startswith(path, "lacking"))
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is not in the store", path);
        if (startswith(path, "broken"))
                return error_set(reterr, ERROR_IO, EIO, "%s cannot be read", path);
        buffer_done(&content);
        if (identity && streq(path, "secrets/identity"))
                buffer_add_str(&content, identity);
        else
                buffer_addf(&content, "content of %s\n", path);
        *ret = &content;
        return 0;
}

int __wrap_store_fingerprint(Store *s, const char *path, const char **ret, Error **reterr) {
        *ret = "f1";
        return 0;
}

static void names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        certificate_profile_add_dns(profile, node ? node->name : "no node");
}

static const Credential api_credentials[] = {
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "apiserver",
          .issuer = "ca",
          .common_name = "kube-apiserver",
          .usage = USAGE_SERVER,
          .names = names,
          .why = "w" },
        { .type = STORE_CA,
          .scope = PER_CLUSTER,
          .name = "ca",
          .common_name = "kubernetes",
          .usage = USAGE_CA,
          .why = "w" },
        { .type = STORE_KUBECONFIG,
          .scope = PER_CLUSTER,
          .name = "admin",
          .issuer = "ca",
          .common_name = "kubernetes-admin",
          .organization = "admins",
          .usage = USAGE_CLIENT,
          .server_is_endpoint = true,
          .why = "w" },
        { .type = STORE_KEY_PAIR, .scope = PER_CLUSTER, .name = "sa", .why = "w" },
        { .type = STORE_SECRET,
          .scope = PER_CLUSTER,
          .name = "secrets/identity",
          .secret_size = 16,
          .secret_hex = true },
        { .type = STORE_KUBECONFIG,
          .scope = PER_NODE,
          .name = "scheduler",
          .issuer = "ca",
          .common_name = "system:kube-scheduler",
          .usage = USAGE_CLIENT,
          .why = "w" },
};
static const Credential etcd_credentials[] = {
        { .type = STORE_CA,
          .scope = PER_CLUSTER,
          .name = "etcd/ca",
          .common_name = "etcd-ca",
          .usage = USAGE_CA,
          .why = "w" },
        { .type = STORE_CA,
          .scope = PER_CLUSTER,
          .name = "ca",
          .common_name = "kubernetes",
          .usage = USAGE_CA,
          .why = "w" },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "etcd/server",
          .issuer = "etcd/ca",
          .usage = USAGE_SERVER | USAGE_CLIENT,
          .names = names,
          .why = "w" },
};

static const Component api = {
        .name = "api",
        .roles = ROLE_CONTROLLER,
        .rank = 20,
        .credentials = api_credentials,
        .n_credentials = ARRAY_SIZE(api_credentials),
};
static const Component etcd = {
        .name = "etcd",
        .roles = ROLE_ETCD,
        .rank = 10,
        .credentials = etcd_credentials,
        .n_credentials = ARRAY_SIZE(etcd_credentials),
};
static const Component *const table[] = { &api, &etcd, NULL };

static const StoreRequest* find(const StoreRequests *r, const char *name) {
        for (size_t i = 0; i < r->n_requests; i++)
                if (streq(r->requests[i].name, name))
                        return r->requests + i;
        fail_msg("no request %s", name);
        return NULL;
}

static void test_requests(void **state) {
        static const char *const wanted[] = {
                "ca",
                "etcd/ca",
                "admin",
                "sa",
                "secrets/identity",
                "nodes/c0/pki/apiserver",
                "nodes/c0/scheduler",
                "nodes/c0/pki/etcd/server",
                "nodes/c1/pki/apiserver",
                "nodes/c1/scheduler",
                "nodes/c1/pki/etcd/server",
        };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const StoreRequest *request;
        StoreRequests r;

        store_requests_for(table, &c, &r);
        assert_int_equal(r.n_requests, ARRAY_SIZE(wanted));
        for (size_t i = 0; i < r.n_requests; i++)
                assert_string_equal(r.requests[i].name, wanted[i]);

        request = find(&r, "ca");
        assert_null(request->issuer);
        assert_int_equal(request->profile.days, 3650);
        assert_string_equal(request->key_type, "ec:p256");

        request = find(&r, "nodes/c1/pki/etcd/server");
        assert_string_equal(request->profile.common_name, "c1"); /* the node's, where none is given */
        assert_string_equal(request->profile.dns_names[0], "c1");
        assert_int_equal(request->profile.days, 365);
        assert_int_equal(request->profile.usage, USAGE_SERVER | USAGE_CLIENT);

        request = find(&r, "admin");
        assert_string_equal(request->server, "https://10.77.0.10:9000");
        assert_string_equal(request->cluster, "test");
        assert_string_equal(request->user, "kubernetes-admin");
        assert_string_equal(request->profile.organization, "admins");
        assert_string_equal(find(&r, "nodes/c0/scheduler")->server, "https://10.77.0.20:6443");

        request = find(&r, "secrets/identity");
        assert_null(request->key_type);
        assert_int_equal(request->size, 16);
        assert_true(request->hex);
        store_requests_done(&r);
        assert_int_equal(r.n_requests, 0);
}

/* Nobody carries etcd: nothing of it is asked for. */
static void test_unused_component(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        StoreRequests r;

        nodes[0].roles = nodes[1].roles = ROLE_LOADBALANCER;
        store_requests_for(table, &c, &r);
        assert_int_equal(r.n_requests, 0);
        store_requests_done(&r);
}

static int add_credential(PlanContext *c, Plan *p, const char *name, bool with_key, Error **reterr) {
        return plan_add_credential(c, p, &api, name, with_key, "api.service", reterr);
}

static void test_add_credential(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        _cleanup_(plan_freep) Plan *p = plan_new(&c, nodes);
        _cleanup_error_ Error *error = NULL;
        PlanContext context = { .cluster = &c, .node = nodes, .store = (Store*) &content };
        const PlanItem *item;

        plan_add_unit(p, "api", "api.service", fixture_unit("x"), "w");
        plan_add_unit(p, "etcd", "etcd.service", fixture_unit("x"), "w");
        assert_success(add_credential(&context, p, "apiserver", true, &error), error, 0);
        assert_success(add_credential(&context, p, "ca", false, &error), error, 0);
        assert_success(add_credential(&context, p, "sa", true, &error), error, 0);
        assert_success(add_credential(&context, p, "scheduler", false, &error), error, 0);
        /* of another component: the file is there, and becomes its input, too */
        assert_success(plan_add_credential(&context, p, &etcd, "ca", false, "etcd.service", &error), error,
                       0);
        assert_success(plan_finish(p, &error), error, 0);
        assert_false(p->incomplete);

        item = plan_find(p, "api/apiserver.crt");
        assert_string_equal(item->path, "/etc/kubernetes/pki/apiserver.crt");
        assert_string_equal(buffer_str(&item->content), "content of nodes/c0/pki/apiserver.crt\n");
        assert_int_equal(item->mode, 0644);
        assert_false(item->secret);
        item = plan_find(p, "api/apiserver.key");
        assert_int_equal(item->mode, 0600);
        assert_true(item->secret);
        assert_string_equal(item->fingerprint, "f1");
        assert_string_equal(plan_find(p, "api/scheduler.conf")->path, "/etc/kubernetes/scheduler.conf");
        assert_true(plan_find(p, "api/scheduler.conf")->secret);
        assert_string_equal(plan_find(p, "api/sa.pub")->path, "/etc/kubernetes/pki/sa.pub");
        assert_string_equal(plan_find(p, "api/sa.key")->path, "/etc/kubernetes/pki/sa.key");
        assert_null(plan_find(p, "api/ca.key"));
        assert_null(plan_find(p, "etcd/ca.crt"));
        assert_true(plan_item_is_input_of(plan_find(p, "api/ca.crt"), "api.service"));
        assert_true(plan_item_is_input_of(plan_find(p, "api/ca.crt"), "etcd.service"));
        buffer_done(&content);
}

static void test_unknown_credential(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        _cleanup_(plan_freep) Plan *p = plan_new(&c, nodes);
        PlanContext context = { .cluster = &c, .node = nodes };
        Error *error = NULL;
        int r;

        r = add_credential(&context, p, "nothing", true, &error);
        assert_failure(r, error, ERROR_INTERNAL, EINVAL);
        r = add_credential(&context, p, "secrets/identity", true, &error);
        assert_failure(r, error, ERROR_INTERNAL, EINVAL);
        assert_int_equal(p->n_items, 0);
}

static int add_file(Store *store, Plan *p, const char *path, Error **reterr) {
        PlanContext context = { .cluster = p->cluster, .node = p->node, .store = store };

        return plan_add_store_file(&context, p, "api", path, path, "/etc/x", NULL, "w", reterr);
}

static void test_missing(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        static const char *const lacking[] = { "lacking.key", "sa.key" };

        /* a store that lacks the file, and no store at all */
        for (int i = 0; i < 2; i++) {
                _cleanup_(plan_freep) Plan *p = plan_new(&c, nodes);
                _cleanup_error_ Error *error = NULL;
                Store *store = i == 0 ? (Store*) &content : NULL;

                assert_success(add_file(store, p, lacking[i], &error), error, 0);
                assert_success(plan_finish(p, &error), error, 0);
                assert_true(p->incomplete);
                assert_contains(p->missing[0], lacking[i]);
                assert_contains(plan_find_path(p, "/etc/x")->fingerprint, lacking[i]);
        }
}

static void test_broken_store(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        _cleanup_(plan_freep) Plan *p = plan_new(&c, nodes);
        Error *error = NULL;
        int r = add_file((Store*) &content, p, "broken.crt", &error);

        assert_failure(r, error, ERROR_IO, EIO);
}

static void test_identity(void **state) {
        static const struct {
                const char *content, *wanted;
        } cases[] = {
                { "0123abCD", "0123abCD" },
                { "0123\n", "0123" },
                { "0123; reboot\n", "0123" },
                { "", NULL },
                { "\n", NULL },
                { "; reboot", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_error_ Error *error = NULL;
                _cleanup_free_ char *text = NULL;

                identity = cases[i].content;
                if (cases[i].wanted) {
                        assert_success(plan_identity((Store*) &content, &text, &error), error, 0);
                        assert_string_equal(text, cases[i].wanted);
                } else {
                        assert_int_equal(plan_identity((Store*) &content, &text, &error), -EBADMSG);
                        assert_null(text);
                }
        }
        identity = NULL;
        assert_int_equal(plan_identity(NULL, NULL, NULL), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),       cmocka_unit_test(test_unused_component),
                cmocka_unit_test(test_add_credential), cmocka_unit_test(test_unknown_credential),
                cmocka_unit_test(test_missing),        cmocka_unit_test(test_broken_store),
                cmocka_unit_test(test_identity),
        };

        return cmocka_run_group_tests_name("plan-credentials", tests, NULL, NULL);
}
