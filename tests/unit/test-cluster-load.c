/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <time.h>

#include "cluster/cluster.h"
#include "cluster/fields.h"
#include "cluster/write.h"

/*
 * What is wrong is looked at in tests/golden/errors; here is what comes out of what is right, and what
 * reading costs.
 */

#define HEAD            \
        "cluster: pi\n" \
        "endpoint: { address: 192.168.3.240 }\n"

#define NODES                                                                   \
        "nodes:\n"                                                              \
        "  - { name: c0, address: 192.168.3.251, roles: [controller] }\n"       \
        "  - { name: c1, address: 192.168.3.252, roles: [controller] }\n"       \
        "  - { name: c2, address: 192.168.3.253, roles: [controller, etcd] }\n" \
        "  - { name: lb0, address: 192.168.3.241, roles: loadbalancer }\n"      \
        "  - { name: lb1, address: 192.168.3.242, roles: [loadbalancer] }\n"

static Cluster* load(const char *text) {
        Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;
        int r;

        r = cluster_load_text("hardway.yaml", text, strlen(text), &c, &errors);
        for (size_t i = 0; i < errors.n_errors; i++)
                print_error("unexpected: %s\n", errors.errors[i]->message);
        assert_int_equal(errors.n_errors, 0);
        assert_int_equal(r, 0);
        assert_non_null(c);
        error_list_done(&errors);
        return c;
}

/* All messages, one per line; the caller frees. */
static char* problems(const char *path, const char *text, size_t size) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;

        assert_int_equal(cluster_load_text(path, text, size, &c, &errors), -EINVAL);
        assert_null(c);
        assert_true(errors.n_errors > 0);
        for (size_t i = 0; i < errors.n_errors; i++) {
                assert_int_equal(errors.errors[i]->kind, ERROR_CONFIG);
                buffer_addf(&out, "%s\n", errors.errors[i]->message);
        }
        error_list_done(&errors);
        return buffer_take(&out);
}

/* What the endpoint is follows from who has which role. */
static void test_endpoint_kinds(void **state) {
        static const struct {
                const char *text, *url;
                EndpointKind kind;
        } rows[] = {
                { HEAD NODES, "https://192.168.3.240:6443", ENDPOINT_VIP },
                { "cluster: pi\nnodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n",
                  "https://10.0.0.1:6443", ENDPOINT_CONTROLLER },
                { "cluster: pi\napiserver: { port: 9443 }\nendpoint: { address: 10.0.0.1, names: [k8s] }\n"
                  "nodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n",
                  "https://10.0.0.1:9443", ENDPOINT_CONTROLLER },
                { "cluster: pi\nendpoint: { address: 10.0.0.9, port: 443 }\n"
                  "nodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n",
                  "https://10.0.0.9:443", ENDPOINT_FOREIGN },
                { "cluster: pi\nendpoint: { address: 10.0.0.9, external: true }\n"
                  "nodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n",
                  "https://10.0.0.9:6443", ENDPOINT_FOREIGN },
                { "cluster: pi\nendpoint: { names: [k8s.home.lan, k8s] }\n"
                  "nodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n",
                  "https://k8s.home.lan:6443", ENDPOINT_FOREIGN },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(cluster_freep) Cluster *c = load(rows[i].text);
                _cleanup_free_ char *url = cluster_endpoint_url(c);

                assert_int_equal(c->endpoint.kind, rows[i].kind);
                assert_string_equal(url, rows[i].url);
        }
}

/* A VIP for which no node got the role looks like somebody else's load balancer, unless that is said. */
static void test_forgotten_role(void **state) {
        static const char nodes[] = "nodes:\n  - { name: c0, address: 10.0.0.1, roles: [controller] }\n"
                                    "  - { name: c1, address: 10.0.0.2, roles: [controller] }\n"
                                    "  - { name: c2, address: 10.0.0.3, roles: [controller] }\n";
        static const char *const quiet[] = { "{ address: 10.0.0.9, external: true }",
                                             "{ names: [k8s.home.lan] }" };
        _cleanup_free_ char *text = xasprintf("cluster: pi\nendpoint: { address: 10.0.0.9 }\n%s", nodes);
        _cleanup_(cluster_freep) Cluster *c = load(text);

        assert_int_equal(c->warnings.n_errors, 1);
        assert_contains(
                c->warnings.errors[0]->message,
                "hardway.yaml:2:22: endpoint.address: no node is a loadbalancer, so 10.0.0.9 has to be");
        assert_contains(c->warnings.errors[0]->message, "(external: true says so)");
        for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
                _cleanup_free_ char *other = xasprintf("cluster: pi\nendpoint: %s\n%s", quiet[i], nodes);
                _cleanup_(cluster_freep) Cluster *said = load(other);

                assert_int_equal(said->warnings.n_errors, 0);
        }
}

/* Other defaults than of IPv4; and both families, that of the nodes first. */
static void test_families(void **state) {
        _cleanup_(cluster_freep) Cluster *six =
                load("cluster: pi\nnodes:\n  - { name: c0, address: \"fd77::1\", roles: [controller] }\n");
        _cleanup_(cluster_freep) Cluster *both = load(
                HEAD
                "network: { pods: [10.1.0.0/16, fd01::/48], services: [10.2.0.0/16, fd02::/112] }\n" NODES);
        _cleanup_free_ char *pods = inet_network_to_string(&six->pods[0]);
        _cleanup_free_ char *services = inet_network_to_string(&six->services[0]);
        _cleanup_free_ char *url = cluster_endpoint_url(six);
        InetAddress address;
        char text[INET_TEXT_SIZE];

        assert_string_equal(pods, "fd00:10:244::/48");
        assert_string_equal(services, "fd00:10:96::/112");
        assert_string_equal(url, "https://[fd77::1]:6443");
        assert_int_equal(both->n_pods, 2);
        assert_int_equal(both->n_services, 2);
        cluster_service_address(both, 1, &address);
        assert_string_equal(inet_address_format(&address, text), "fd02::1");
}

/* etcd's own hosts, and controllers that are members only if they say so. */
static void test_members(void **state) {
        static const char text[] =
                HEAD "nodes:\n"
                     "  - { name: c0, address: 192.168.3.251, roles: [controller, etcd, loadbalancer] }\n"
                     "  - { name: c1, address: 192.168.3.252, roles: [controller, loadbalancer] }\n"
                     "  - { name: e0, address: 192.168.3.231, roles: [etcd] }\n"
                     "  - { name: e1, address: 192.168.3.232, roles: [etcd] }\n";
        _cleanup_(cluster_freep) Cluster *c = load(text);

        assert_int_equal(c->nodes[0].roles, ROLE_CONTROLLER | ROLE_ETCD | ROLE_LOADBALANCER);
        assert_int_equal(c->nodes[1].roles, ROLE_CONTROLLER | ROLE_LOADBALANCER);
        assert_int_equal(cluster_count(c, ROLE_ETCD), 3);
        assert_true(cluster_shares_port(c, &c->nodes[1]));
        assert_false(cluster_shares_port(c, &c->nodes[2]));
}

static void test_defaults(void **state) {
        _cleanup_(cluster_freep) Cluster *c = load(HEAD NODES);
        _cleanup_free_ char *vip = inet_address_to_string(&c->endpoint.address);
        _cleanup_free_ char *pods = inet_network_to_string(&c->pods[0]);
        _cleanup_free_ char *services = inet_network_to_string(&c->services[0]);
        _cleanup_free_ char *url = cluster_endpoint_url(c);
        _cleanup_free_ char *node_url = cluster_apiserver_url(c, &c->nodes[1]);
        _cleanup_free_ char *service = NULL;
        char text[VERSION_TEXT_SIZE];
        InetAddress a;

        assert_string_equal(c->path, "hardway.yaml");
        assert_string_equal(c->name, "pi");
        assert_string_equal(version_format(&c->kubernetes, text), "v1.36.3");
        assert_string_equal(version_format(&c->etcd, text), "v3.6.16");
        assert_int_equal(c->endpoint.kind, ENDPOINT_VIP);
        assert_string_equal(vip, "192.168.3.240");
        assert_int_equal(c->endpoint.port, 6443);
        assert_int_equal(c->endpoint.vrrp_id, 240);
        assert_int_equal(c->endpoint.prefix_length, 32);
        assert_null(c->endpoint.interface);
        assert_int_equal(strv_length(c->endpoint.names), 0);
        assert_int_equal(c->apiserver_port, 6443);
        assert_string_equal(pods, "10.244.0.0/16");
        assert_string_equal(services, "10.96.0.0/16");
        assert_int_equal(c->n_pods, 1);
        assert_int_equal(c->n_services, 1);
        assert_string_equal(c->domain, "cluster.local");
        assert_int_equal(c->certificates.key_type, KEY_EC_P256);
        assert_int_equal(c->certificates.ca_days, 3650);
        assert_int_equal(c->certificates.days, 365);
        assert_int_equal(c->snapshots.every_hours, 12);
        assert_int_equal(c->snapshots.keep, 6);
        assert_string_equal(c->snapshots.directory, "/var/lib/etcd-snapshots");
        assert_int_equal(strv_length(c->mirrors), 0);
        assert_int_equal(c->n_extra_flags, 0);
        assert_int_equal(c->warnings.n_errors, 0);
        assert_null(c->etcd_even);
        assert_int_equal(c->timings.vrrp_advert_msec, 100);
        assert_int_equal(c->timings.etcd_election_msec, 1000);

        assert_string_equal(url, "https://192.168.3.240:6443");
        assert_string_equal(node_url, "https://192.168.3.252:6443");
        cluster_service_address(c, 0, &a);
        service = inet_address_to_string(&a);
        assert_string_equal(service, "10.96.0.1");
        cluster_service_address(c, 1, &a);
        assert_int_equal(a.family, AF_UNSPEC);
}

static void test_nodes(void **state) {
        _cleanup_(cluster_freep) Cluster *c = load(HEAD NODES);

        assert_int_equal(c->n_nodes, 5);
        assert_int_equal(cluster_count(c, ROLE_CONTROLLER), 3);
        assert_int_equal(cluster_count(c, ROLE_ETCD), 3);
        assert_int_equal(cluster_count(c, ROLE_LOADBALANCER), 2);
        assert_int_equal(cluster_count(c, ROLE_LOADBALANCER | ROLE_ETCD), 5);
        assert_ptr_equal(cluster_find_node(c, "lb0"), &c->nodes[3]);
        assert_null(cluster_find_node(c, "lb"));

        for (size_t i = 0; i < c->n_nodes; i++) {
                assert_int_equal(c->nodes[i].index, i);
                assert_int_equal(c->nodes[i].architecture, ARCH_ARM64);
                assert_false(c->nodes[i].local);
                assert_null(c->nodes[i].ssh.user);
                assert_null(c->nodes[i].ssh.host_key);
                assert_int_equal(c->nodes[i].ssh.port, 0);
        }
}

#define HOST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2QTp3xOnUvTf+5cMTNbF0tyxP1Xk0WmbtnJkOt6o0x"

static void test_everything(void **state) {
        _cleanup_(cluster_freep) Cluster *c =
                load("# a comment\n---\n"
                     "cluster: pi\nkubernetes: 1.37.1\netcd: v3.7.2\narch: x86_64\n"
                     "endpoint:\n  address: 192.168.3.240\n  port: 9000\n  names: [k8s.home.lan, k8s]\n"
                     "  vrrp_id: 7\n  interface: eth1\n  prefix: 24\n"
                     "apiserver: { port: 8443 }\n"
                     "network: { pods: [10.20.0.0/15], services: 10.30.0.0/20, domain: home.lan }\n"
                     "ssh: { user: pi, port: 2222 }\n"
                     "profile: { network: wifi, disk: sdcard }\n"
                     "certificates:\n  key: rsa:3072\n  ca_days: 1000\n  days: 30\n"
                     "  extra_sans: [api.example.com, \"*.example.com\", 10.9.9.9, 2001:DB8::1]\n"
                     "snapshots: { every: 2d, keep: 30, directory: /srv/etcd }\n"
                     "mirrors: [https://mirror.example.com/k8s, file:///srv/mirror]\n"
                     "extra-args:\n  kube-apiserver: { v: 4, \"profiling\": \"\", audit-log-maxage: 30 }\n"
                     "  etcd:\n    pre-vote:\n"
                     "nodes:\n"
                     "  - name: c0\n    address: 192.168.3.251\n    roles: [controller]\n    local: true\n"
                     "  - name: c1\n    address: 192.168.3.252\n    roles: [controller]\n    arch: arm64\n"
                     "    interface: end0\n    ssh: { user: root, host_key: " HOST_KEY " }\n"
                     "  - { name: c2, address: 192.168.3.253, roles: [controller], ssh: { port: 23 } }\n"
                     "  - { name: lb0, address: 192.168.3.241, roles: [loadbalancer] }\n"
                     "  - { name: lb1, address: 192.168.3.242, roles: [loadbalancer] }\n...\n");
        const ExtraFlags *e = cluster_extra_flags(c, "kube-apiserver");
        const Node *n = c->nodes;
        char text[VERSION_TEXT_SIZE];

        assert_string_equal(version_format(&c->kubernetes, text), "v1.37.1");
        assert_string_equal(version_format(&c->etcd, text), "v3.7.2");
        assert_int_equal(c->endpoint.port, 9000);
        assert_int_equal(c->endpoint.vrrp_id, 7);
        assert_int_equal(c->endpoint.prefix_length, 24);
        assert_string_equal(c->endpoint.interface, "eth1");
        assert_string_equal(c->endpoint.names[1], "k8s");
        assert_int_equal(c->apiserver_port, 8443);
        assert_int_equal(c->pods[0].prefix_length, 15);
        assert_string_equal(c->domain, "home.lan");
        assert_int_equal(c->network_profile, NETWORK_WIFI);
        assert_int_equal(c->disk_profile, DISK_SDCARD);
        assert_int_equal(c->timings.haproxy_fall, 3);
        assert_int_equal(c->timings.etcd_ready_sec, 10);
        assert_int_equal(c->certificates.key_type, KEY_RSA_3072);
        assert_string_equal(c->certificates.extra_sans[3], "2001:db8::1");
        assert_string_equal(c->mirrors[1], "file:///srv/mirror");
        assert_int_equal(c->snapshots.every_hours, 48);
        assert_int_equal(c->snapshots.keep, 30);
        assert_string_equal(c->snapshots.directory, "/srv/etcd");

        assert_int_equal(e->n_flags, 3);
        assert_string_equal(e->flags[0].name, "v");
        assert_string_equal(e->flags[0].value, "4");
        assert_string_equal(e->flags[1].value, "");
        assert_int_equal(e->flags[2].line, 26);
        assert_null(cluster_extra_flags(c, "etcd")->flags[0].value);
        assert_null(cluster_extra_flags(c, "kube-scheduler"));

        assert_true(n[0].local);
        assert_null(n[0].ssh.user);
        assert_int_equal(n[0].architecture, ARCH_AMD64);
        assert_int_equal(n[1].architecture, ARCH_ARM64);
        assert_string_equal(n[1].interface, "end0");
        assert_string_equal(n[1].ssh.user, "root");
        assert_int_equal(n[1].ssh.port, 2222);
        assert_string_equal(n[1].ssh.host_key, HOST_KEY);
        assert_string_equal(n[2].ssh.user, "pi");
        assert_int_equal(n[2].ssh.port, 23);
}

static void test_byte_order_mark(void **state) {
        _cleanup_(cluster_freep) Cluster *c = load("\xef\xbb\xbf" HEAD NODES);

        assert_string_equal(c->name, "pi");
}

static void test_even(void **state) {
        static const char text[] = HEAD "nodes:\n"
                                        "  - { name: c0, address: 192.168.3.251, roles: [controller] }\n"
                                        "  - { name: c1, address: 192.168.3.252, roles: [controller] }\n"
                                        "  - { name: lb0, address: 192.168.3.241, roles: [loadbalancer] }\n";
        _cleanup_(cluster_freep) Cluster *c = NULL;
        _cleanup_free_ char *refused = problems("f", text, strlen(text));
        UnitDir *d = *state;
        _cleanup_free_ char *path = xasprintf("%s/hardway.yaml", d->path);
        Error *error = NULL;
        ErrorList errors = ERROR_LIST_NULL;

        assert_string_equal(
                refused,
                "f:4:3: nodes: an even number of etcd members (2) survives no more failures than 1 do: "
                "make it 1 or 3 controllers\n");

        assert_success(fs_write(AT_FDCWD, path, text, strlen(text), 0644, 0, &error), error, 1);
        assert_int_equal(cluster_load(path, CLUSTER_LOAD_SERVING, &c, &errors), 0);
        assert_int_equal(errors.n_errors, 0);
        assert_int_equal(c->warnings.n_errors, 2);
        assert_contains(c->warnings.errors[0]->message, "hardway.yaml:4:3: nodes: an even number");
        assert_contains(c->warnings.errors[1]->message, "one load balancer");
        assert_failure(cluster_check_first_install(c, &error), error, ERROR_CONFIG, EINVAL);
}

static void test_warnings(void **state) {
        _cleanup_(cluster_freep) Cluster *c =
                load(HEAD "etcd: v3.6.11\n"
                          "extra-args:\n"
                          "  kube-apiserver: { apiserver-count: 3, endpoint-reconciler-type: lease }\n"
                          "  etcd: { experimental-peer-skip-client-san-verification: true }\n" NODES);

        assert_int_equal(c->warnings.n_errors, 3);
        assert_string_equal(
                c->warnings.errors[0]->message,
                "hardway.yaml:3:7: etcd: v3.6.11 has known security holes; use v3.6.14 or newer");
        assert_string_equal(
                c->warnings.errors[1]->message,
                "hardway.yaml:5:21: extra-args.kube-apiserver.apiserver-count: --apiserver-count is "
                "deprecated: drop it: the lease reconciler counts by itself");
        assert_non_null(startswith(c->warnings.errors[2]->message, "hardway.yaml:6:11: "));
        assert_int_equal(cluster_check_first_install(c, NULL), 0);
}

/* What replaces a list of ours, and has not in it what guards the cluster. */
static void test_weak_flags(void **state) {
        static const struct {
                const char *flags, *warning; /* NULL: none */
        } cases[] = {
                { "enable-admission-plugins: PodNodeSelector",
                  "enable-admission-plugins: without NodeRestriction: a kubelet may" },
                { "enable-admission-plugins: 'PodNodeSelector,NodeRestriction'", NULL },
                { "enable-admission-plugins: [ PodNodeSelector, NodeRestriction ]", NULL },
                { "disable-admission-plugins: [ PodNodeSelector, NodeRestriction ]",
                  "disable-admission-plugins: with NodeRestriction: " },
                { "disable-admission-plugins: PodNodeSelector", NULL },
                { "authorization-mode: 'Node,RBAC,AlwaysAllow'",
                  "authorization-mode: with AlwaysAllow: whoever" },
                { "authorization-mode: Node", "authorization-mode: without RBAC: roles mean nothing" },
                { "authorization-mode: RBAC", "authorization-mode: without Node: kubelets" },
                { "authorization-mode: 'Node,RBAC'", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *text =
                        xasprintf(HEAD "extra-args:\n  kube-apiserver:\n    %s\n" NODES, cases[i].flags);
                _cleanup_(cluster_freep) Cluster *c = load(text);

                assert_int_equal(c->warnings.n_errors, cases[i].warning ? 1 : 0);
                if (cases[i].warning)
                        assert_contains(c->warnings.errors[0]->message, cases[i].warning);
        }
}

static void test_unreadable(void **state) {
        Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;

        assert_int_equal(cluster_load("/nowhere/hardway.yaml", 0, &c, &errors), -ENOENT);
        assert_null(c);
        assert_int_equal(errors.n_errors, 1);
        assert_int_equal(errors.errors[0]->kind, ERROR_CONFIG);
        assert_contains(errors.errors[0]->message, "/nowhere/hardway.yaml");
        assert_contains(errors.errors[0]->detail, "hardway init");
        error_list_done(&errors);
}

/* Without a path, messages begin with the key: so `hardway init` can speak of flags. */
static void test_without_path(void **state) {
        static const char text[] = "cluster: pi\nendpoint: { address: 1.2.3 }\n" NODES;
        _cleanup_free_ char *p = problems(NULL, text, strlen(text));

        assert_string_equal(p, "endpoint.address: '1.2.3' is not an IP address\n");
}

/* Repeats s n times. */
static void add_repeated(Buffer *b, const char *s, size_t n) {
        while (n-- > 0)
                buffer_add_str(b, s);
}

/*
 * What could take long: each is refused in less than a second, and with no more messages than a person
 * reads.
 */
static void test_hostile(void **state) {
        static const struct {
                const char *head, *repeated;
                size_t n;
        } rows[] = {
                { "", "[", 200 * 1024 },
                { "cluster: ", "[", 250 * 1024 },
                { "", "{", 200 * 1024 },
                { "", "{a: ", 60 * 1024 },
                { "", "- ", 120 * 1024 },
                { "", "? ", 120 * 1024 },
                { "", "- [", 80 * 1024 },
                { "a: ", "\"", 200 * 1024 },
                { "", "a: 1\n", 50 * 1024 },
                { "", "%TAG !a! x\n", 20 * 1024 },
                { "", "&a ", 80 * 1024 },
                { "a: [", "&a x, ", 40 * 1024 },
                { "a: [", "x,", 120 * 1024 },
                { "endpoint: { names: [", "x,", 120 * 1024 },
                { "nodes: [", "a,", 120 * 1024 },
                { "extra-args: {", "a,", 120 * 1024 },
                { "extra-args: { etcd: {", "a,", 120 * 1024 },
                { "x: ", "y", 250 * 1024 },
                { "? ", "y", 250 * 1024 },
                { "# ", "c", 250 * 1024 },
                { "x: |\n", " y\n", 80 * 1024 },
                { "", "\n", 250 * 1024 },
                { "", "--- \n", 50 * 1024 },
                { "a: !", "!", 200 * 1024 },
                { "", "!<a> ", 50 * 1024 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                _cleanup_free_ char *p = NULL;
                clock_t start = clock(); /* of this processor: the machine may be busy */

                buffer_add_str(&b, rows[i].head);
                add_repeated(&b, rows[i].repeated, rows[i].n);
                assert_true(b.size <= CLUSTER_FILE_SIZE_MAX);
                p = problems("f", b.data, b.size);
                assert_true(strlen(p) < 16 * 1024);
                if (clock() - start > CLOCKS_PER_SEC)
                        fail_msg("row %zu took %ld ms", i, (long) (clock() - start) * 1000 / CLOCKS_PER_SEC);
        }
}

static void test_size(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *p = NULL;

        add_repeated(&b, "#", CLUSTER_FILE_SIZE_MAX + 1);
        p = problems("f", b.data, b.size);
        assert_string_equal(p, "f: larger than 256 KiB\n");
}

/* What becomes one user's own must not be anybody else's. */
static void test_own_directory(void **state) {
        static const struct {
                const char *text;
                bool good;
        } rows[] = {
                { "/srv/etcd", true },
                { "/var/lib/etcd-snapshots", true },
                { "/mnt/disk/snapshots", true },
                { "/opt/snapshots", true },
                { "/srv", false },
                { "/", false },
                { "/var/lib", false },
                { "/var/lib/etcd", false },
                { "/var/lib/etcd/x", false },
                { "/etc/kubernetes", false },
                { "/home/pi", false },
                { "/usr/local", false },
                { "/tmp/x", false },
                { "/opt/hardway", false },
                { "/srv/../etc", false },
                { "srv/etcd", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *path = NULL, *problem = field_own_directory(rows[i].text, &path);

                if (!problem != rows[i].good)
                        fail_msg("%s: %s", rows[i].text, problem ? problem : "was taken");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_endpoint_kinds),
                cmocka_unit_test(test_nodes),
                cmocka_unit_test(test_everything),
                cmocka_unit_test(test_byte_order_mark),
                unit_test_in_dir(test_even),
                cmocka_unit_test(test_warnings),
                cmocka_unit_test(test_forgotten_role),
                cmocka_unit_test(test_weak_flags),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_without_path),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_own_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
