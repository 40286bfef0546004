/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/fake-clock.h"
#include "tests/unit/no-sync.h"
#include "tests/unit/unit.h"

#include "cli/components.h"
#include "common/clock.h"
#include "common/process.h"
#include "operate/served.h"
#include "tests/unit/plan-fixture.h"

/*
 * What a node shows, against a real store: by handshakes that are played, and by what the node has of it on loopback.
 *
 * Wraps: http_show
 */

typedef struct World {
        UnitDir *dir;
        Node nodes[3];
        Cluster cluster;
        Store *store;
        StoreRequests requests;
        Buffer asked;       /* the ports, and whether something was shown in turn */
        const char *other;  /* the address at which another certificate is shown, or NULL */
        const char *handed; /* what of the store the processes on loopback have; NULL: their own */
        unsigned stopped;   /* so many questions find that they do not run */
} World;

static World *world;

void fake_meanwhile(void) {}

static void add_file(const char *path, Buffer *ret) {
        const Buffer *pem;

        assert_int_equal(store_file(world->store, path, &pem, NULL), 0);
        buffer_add(ret, pem->data, pem->size);
}

int __wrap_http_show(const char *address, const HttpTrust *shown, uint64_t timeout_usec, Buffer *ret,
                     Error **reterr);
int __wrap_http_show(const char *address, const HttpTrust *shown, uint64_t timeout_usec, Buffer *ret,
                     Error **reterr) {
        const char *path = strstr(address, ":2379") ? "nodes/c0/pki/etcd/server.crt" :
                           strstr(address, ":2380") ? "nodes/c0/pki/etcd/peer.crt" :
                                                      "nodes/c0/pki/apiserver.crt";

        assert_int_equal(shown->certificate != NULL, shown->key != NULL);
        buffer_addf(&world->asked, "%s%s ", address, shown->key ? "+" : "");
        add_file(streq_null(world->other, address) ? "nodes/c1/pki/apiserver.crt" : path, ret);
        return 0;
}

static int exec(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const char *own = strstr(script, "H_NAME='scheduler.crt'\n") ? "nodes/c0/pki/scheduler.crt" :
                                                                       "nodes/c0/pki/controller-manager.crt";

        buffer_addf(&world->asked, "copy ");
        if (world->stopped > 0)
                world->stopped--;
        else
                add_file(world->handed ?: own, ret);
        return 0;
}

static int setup(void **state) {
        World *w = xnew(World, 1);

        world = w;
        *state = w;
        if (unit_dir_setup((void**) &w->dir) < 0)
                return -1;
        w->cluster = fixture_cluster(w->nodes);
        store_requests_for(components, &w->cluster, &w->requests);
        if (store_open(w->dir->path, &w->store, NULL) < 0)
                return -1;
        return store_generate(w->store, w->requests.requests, w->requests.n_requests, clock_realtime(), NULL,
                              NULL, NULL) == 1 ?
                       0 :
                       -1;
}

static int teardown(void **state) {
        World *w = *state;

        store_free(w->store);
        store_requests_done(&w->requests);
        buffer_done(&w->asked);
        (void) unit_dir_teardown((void**) &w->dir);
        free(w);
        return 0;
}

static int check(bool late, Error **reterr) {
        ProbeContext probes = probe_context(&world->cluster, world->store, NULL);

        buffer_clear(&world->asked);
        if (!late)
                probes.exec = exec;
        return served_check(&probes, components, world->nodes, reterr);
}

static void test_all(void **state) {
        _cleanup_error_ Error *error = NULL;

        assert_success(check(/* late= */ false, &error), error, 0);
        assert_string_equal(buffer_str(&world->asked),
                            "10.77.0.20:2379+ 10.77.0.20:2380+ 10.77.0.20:6443 copy copy ");
        /* without a way to the node what is on loopback is not looked at */
        assert_success(check(/* late= */ true, &error), error, 0);
        assert_string_equal(buffer_str(&world->asked), "10.77.0.20:2379+ 10.77.0.20:2380+ 10.77.0.20:6443 ");
}

static void assert_refused(int errnum, const char *text) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(check(/* late= */ false, &error), -errnum);
        assert_contains(error->message, text);
}

static void test_other(void **state) {
        world->other = "10.77.0.20:6443";
        assert_refused(EKEYREJECTED,
                       "kube-apiserver shows another certificate at 10.77.0.20:6443 than it was given");
        world->other = NULL;
        world->handed = "nodes/c1/pki/apiserver.crt";
        assert_refused(EKEYREJECTED, "shows another certificate at 10.77.0.20:10257");
        world->stopped = 1000;
        assert_refused(ENOENT, "c0: kube-controller-manager.service does not run");
}

/* A leader that loses its lease ends itself, and systemd starts it again: that is no reason to stop a rollout. */
static void test_away_for_a_moment(void **state) {
        _cleanup_error_ Error *error = NULL;

        world->stopped = 5;
        assert_success(check(/* late= */ false, &error), error, 0);
        assert_int_equal(world->stopped, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_all, setup, teardown),
                cmocka_unit_test_setup_teardown(test_other, setup, teardown),
                cmocka_unit_test_setup_teardown(test_away_for_a_moment, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
