/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taking members from service: defragmenting and replacing, over members that exist in memory only.
 *
 * Wraps: etcd_survey etcd_defragment etcd_health etcd_status etcd_alarms etcd_transfer_leadership
 * Wraps: etcd_member_remove install_run install_judge etcd_identity
 */

#include "tests/unit/unit.h"

#include "common/clock.h"
#include "operate/defrag.h"
#include "operate/hold.h"
#include "operate/replace.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/plan-fixture.h"

#define N 3

typedef struct World {
        Node nodes[N];
        Cluster cluster;
        EtcdState states[N];
        bool learner[N], listed[N];
        bool busy[N], unreachable[N];
        const char *free_kib;                                       /* on c2's disk */
        bool data, leftover, force, stays_learner, balanced, stays; /* it cannot be stopped */
        bool dry_run;
        bool full, fills; /* a disk: before, or in the course of it */
        size_t leader;
        unsigned n_surveys;
        int dies_at;          /* this member does, when something is done for the first time; -1: none */
        const char *stops_at; /* the deed after which somebody wants to stop; or NULL */
        volatile int stopped;
        Buffer log;
        Error *error;
} World;

static World world;

static void world_log(const char *deed, uint64_t id) {
        buffer_addf(&world.log, "%s%s", world.log.size > 0 ? ", " : "", deed);
        if (id >= 100)
                buffer_addf(&world.log, " c%d", (int) (id - 100));
        if (world.stops_at && endswith(buffer_str(&world.log), world.stops_at))
                world.stopped = 1;
}

static void somebody_dies(void) {
        if (world.dies_at >= 0)
                world.states[world.dies_at] = ETCD_AWAY;
        world.dies_at = -1;
}

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);
int __wrap_etcd_defragment(const EtcdEndpoint *e, uint64_t timeout_usec, Error **reterr);
int __wrap_etcd_health(const EtcdEndpoint *e, bool serializable, char **ret_reason, Error **reterr);
int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr);
int __wrap_etcd_alarms(const EtcdEndpoint *e, EtcdAlarmed **ret, size_t *ret_n, Error **reterr);
int __wrap_etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr);
int __wrap_etcd_member_remove(const EtcdEndpoint *e, uint64_t id, Error **reterr);
int __wrap_install_run(const InstallRequest *request, InstallResult *ret, ErrorList *errors);
int __wrap_install_judge(const InstallRequest *request, ErrorList *errors);
char* __wrap_etcd_identity(Store *store);

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        EtcdSurvey s = { .cluster = c->cluster, .agreed = true, .quorum = 2 };

        world.n_surveys++;
        s.sights = xnew(EtcdSight, N);
        s.list.members = xnew(EtcdMember, N);
        for (size_t i = 0; i < N; i++) {
                EtcdMember *m = s.list.members + s.list.n_members;
                EtcdSight *sight = s.sights + s.n_sights++;

                *sight = (EtcdSight) { .node = world.nodes + i, .state = world.states[i] };
                sight->peer.endpoint.url = world.nodes[i].name;
                sight->answers = sight->state == ETCD_HEALTHY || sight->state == ETCD_STRANGER;
                sight->status = (EtcdStatus) { .member_id = 100 + i,
                                              .db_size = 100 << 20,
                                              .db_size_in_use = 50 << 20,
                                              .leader = 100 + world.leader };
                if (!world.listed[i])
                        continue;
                *m = (EtcdMember) { .id = 100 + i,
                                   .name = xstrdup(world.nodes[i].name),
                                   .learner = world.learner[i] };
                m->peer_urls = NULL;
                strv_add(&m->peer_urls, "https://10.77.0.20:2380");
                sight->member = m;
                s.list.n_members++;
                s.n_voters += !world.learner[i];
                s.n_healthy += !world.learner[i] && sight->state == ETCD_HEALTHY;
        }
        s.n_up = s.n_healthy;
        *ret = s;
        return 0;
}

static uint64_t id_of(const EtcdEndpoint *e) {
        return 100 + (uint64_t) (e->url[1] - '0');
}

int __wrap_etcd_defragment(const EtcdEndpoint *e, uint64_t timeout_usec, Error **reterr) {
        world_log("defragmented", id_of(e));
        somebody_dies();
        return 0;
}

int __wrap_etcd_health(const EtcdEndpoint *e, bool serializable, char **ret_reason, Error **reterr) {
        return 1;
}

int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr) {
        *ret = (EtcdStatus) { .db_size = 1 };
        return 0;
}

int __wrap_etcd_alarms(const EtcdEndpoint *e, EtcdAlarmed **ret, size_t *ret_n, Error **reterr) {
        assert_false(world.learner[id_of(e) - 100]);
        *ret = NULL;
        *ret_n = 0;
        return 0;
}

int __wrap_etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr) {
        world_log("leads", target);
        world.leader = (size_t) target - 100;
        return 0;
}

int __wrap_etcd_member_remove(const EtcdEndpoint *e, uint64_t id, Error **reterr) {
        world_log("out", id);
        world.listed[id - 100] = false;
        return 0;
}

int fake_host(const Node *node, const char *what, Error **reterr) {
        bool lock = streq(what, "lock");

        if (!lock && world.unreachable[node->index])
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host");
        if (lock && world.busy[node->index])
                return error_set(reterr, ERROR_TEMPORARY, EBUSY, "in use by somebody");
        if (lock)
                world_log("locked", 100 + node->index);
        return 0;
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (strstr(script, "whose etcd data is there?"))
                buffer_addf(ret, "%s%send\n", world.data ? "member\nmark abcd\n" : "",
                            world.leftover ? "replaced\n" : "");
        else if (strstr(script, "does an apiserver run?"))
                buffer_add_str(ret, world.data ? "active\n" : "inactive\n");
        else if (strstr(script, "the new member works")) {
                world_log("cleared", 0);
                world.leftover = false;
        } else if (strstr(script, "nothing of the old member runs")) {
                if (world.stays)
                        return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host");
                world_log("stopped", 100 + node->index);
                world.leftover = true;
        } else
                fail_msg("%s", script);
        return 0;
}

static int refuse(const char *text, ErrorList *errors) {
        Error *error = NULL;
        int r = error_set(&error, ERROR_IO, ENOSPC, "%s", text);

        error_list_take(errors, error);
        return r;
}

int __wrap_install_judge(const InstallRequest *request, ErrorList *errors) {
        assert_ptr_equal(request->hosts, &fake_pool);
        assert_int_equal(request->n_nodes, 1);
        return world.full ? refuse("c1: 300 MB are needed on its disk", errors) : 0;
}

int __wrap_install_run(const InstallRequest *request, InstallResult *ret, ErrorList *errors) {
        world_log("installed", 100 + request->nodes[0]->index);
        assert_ptr_equal(request->hosts, &fake_pool); /* the locks are kept, and not asked for once more */
        *ret = (InstallResult) {};
        if (world.fills)
                return refuse("c1: no space left on device", errors);
        if (!world.listed[request->nodes[0]->index]) {
                world.listed[request->nodes[0]->index] = true;
                world.states[request->nodes[0]->index] = ETCD_HEALTHY;
                world.learner[request->nodes[0]->index] = world.stays_learner;
        }
        return 0;
}

char* __wrap_etcd_identity(Store *store) {
        return xstrdup("abcd");
}

void fake_meanwhile(void) {}

static int setup(void **state) {
        static char names[N][3] = { "c0", "c1", "c2" };

        world = (World) { .dies_at = -1, .data = false };
        world.cluster = (Cluster) { .path = (char*) "hardway.yaml", .nodes = world.nodes, .n_nodes = N };
        for (size_t i = 0; i < N; i++) {
                world.nodes[i] =
                        (Node) { .name = names[i], .index = i, .roles = ROLE_CONTROLLER | ROLE_ETCD };
                (void) inet_address_parse("10.77.0.20", &world.nodes[i].address);
                world.listed[i] = true;
        }
        return 0;
}

static int teardown(void **state) {
        buffer_done(&world.log);
        world.error = error_free(world.error);
        return 0;
}

static int set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        world_log("aside", 100 + node->index);
        return 0;
}

static int bring_back(const ProbeContext *c, Error **reterr) {
        world_log("back", 0);
        return 0;
}

static const Component balancer = { .name = "balancer", .set_aside = set_aside, .bring_back = bring_back };

static int tell_room(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_contains(script, "data='/var/lib/etcd'\n");
        assert_contains(script, "df -Pk \"$data/member\"");
        buffer_add_str(ret, node == world.nodes + 2 && world.free_kib ? world.free_kib : "9000000");
        return 0;
}

static int defrag(void) {
        static const Component *const components[] = { &balancer, NULL };
        const ProbeContext probes = { .cluster = &world.cluster, .exec = tell_room };
        const DefragRequest request = {
                .probes = &probes,
                .components = components,
                .hosts = (HostPool*) &world,
                .holder = "me",
                .all = true,
                .cancelled = &world.stopped,
        };

        world.error = error_free(world.error);
        return defrag_run(&request, &world.error);
}

static void test_defrag(void **state) {
        assert_success(defrag(), world.error, 0);
        assert_string_equal(buffer_str(&world.log),
                            "locked c0, locked c1, locked c2, aside c1, defragmented c1, back, "
                            "aside c2, defragmented c2, back, leads c1, aside c0, defragmented c0, back");
        assert_int_equal(world.n_surveys, 4);
}

/* The new database would fill the disk under the old one. */
static void test_defrag_wants_room(void **state) {
        world.free_kib = "180000"; /* 50 MiB are in use */
        assert_int_equal(defrag(), -ENOSPC);
        assert_string_equal(
                world.error->message,
                "c2: 187 MB are needed for the new database beside the old one, 184 MB are free");
        assert_int_equal(error_exit_code(world.error), 74);
        assert_contains(buffer_str(&world.log), "defragmented c1, back");
        assert_null(strstr(buffer_str(&world.log), "aside c2"));

        world.free_kib = "190000";
        assert_success(defrag(), world.error, 0);
}

/* A member on a host of its own has no apiserver beside it, and every apiserver knows the others. */
static void test_defrag_of_external_etcd(void **state) {
        for (size_t i = 0; i < N; i++)
                world.nodes[i].roles = ROLE_ETCD;
        assert_success(defrag(), world.error, 0);
        assert_contains(buffer_str(&world.log), "defragmented c0");
        assert_null(strstr(buffer_str(&world.log), "aside"));
}

/* One that came back with the data of before a restore answers, and is none of the cluster's. */
static void test_defrag_leaves_strangers_alone(void **state) {
        world.states[1] = ETCD_STRANGER;
        world.listed[1] = false;
        assert_success(defrag(), world.error, 0);
        assert_contains(buffer_str(&world.log), "defragmented c2");
        assert_null(strstr(buffer_str(&world.log), "defragmented c1"));
}

/* Another one dies while the first is at it: a second one would cost the quorum. */
/* It refuses to be defragmented, and to say which alarms there are. */
static void test_defrag_leaves_learners_alone(void **state) {
        world.learner[0] = true;
        world.leader = 1;
        assert_success(defrag(), world.error, 0);
        assert_contains(buffer_str(&world.log), "defragmented c2");
        assert_contains(buffer_str(&world.log), "defragmented c1");
        assert_null(strstr(buffer_str(&world.log), "defragmented c0"));
}

static void test_defrag_stops(void **state) {
        world.dies_at = 0;
        world.leader = 2;
        assert_int_equal(defrag(), -EAGAIN);
        assert_contains(world.error->message, "c0 is not healthy");
        assert_non_null(strstr(buffer_str(&world.log), "defragmented c0"));
        assert_null(strstr(buffer_str(&world.log), "defragmented c1"));
}

static void test_defrag_wants_all_locks(void **state) {
        world.busy[2] = true;
        assert_int_equal(defrag(), -EBUSY);
        assert_string_equal(world.error->message, "c2: in use by somebody");
        assert_null(strstr(buffer_str(&world.log), "defragmented"));
        world.busy[2] = false;
        world.unreachable[1] = true;
        assert_int_equal(defrag(), -EHOSTUNREACH);
}

/* The member in hand is ended with, and seen to be well. */
static void test_defrag_is_stopped(void **state) {
        world.stops_at = "defragmented c1";
        assert_int_equal(defrag(), -ECANCELED);
        assert_string_equal(world.error->message, "stopped as asked, before c2");
        assert_string_equal(buffer_str(&world.log),
                            "locked c0, locked c1, locked c2, aside c1, defragmented c1, back");
}

static int ask(void *userdata, const char *what, Error **reterr) {
        world_log("asked", 0);
        somebody_dies();
        return 0;
}

static int replace(size_t i) {
        static const Component *const none[] = { NULL };
        static const Component *const one[] = { &balancer, NULL };
        const Node *all[] = { world.nodes, world.nodes + 1, world.nodes + 2 };
        ErrorList errors = ERROR_LIST_NULL;
        ReplaceRequest request = {
                .node = world.nodes + i,
                .confirm = ask,
                .force = world.force,
                .install = {
                        .cluster = &world.cluster,
                        .components = world.balanced ? one : none,
                        .nodes = all,
                        .n_nodes = N,
                        .holder = "me",
                        .cancelled = &world.stopped,
                        .dry_run = world.dry_run,
                },
        };
        int r;

        r = replace_run(&request, &errors);
        world.error = error_free(world.error);
        if (errors.n_errors > 0)
                world.error = TAKE_PTR(errors.errors[0]);
        errors.n_errors = 0;
        error_list_done(&errors);
        return r;
}

static void test_replace(void **state) {
        world.states[1] = ETCD_AWAY;
        assert_success(replace(1), world.error, 0);
        assert_string_equal(
                buffer_str(&world.log),
                "asked, locked c0, locked c1, locked c2, stopped c1, out c1, installed c1, cleared");
}

/* Between the look and the answer another one dies: what was looked at does not count any more. */
static void test_replace_looks_again(void **state) {
        world.states[1] = ETCD_AWAY;
        world.dies_at = 2;
        assert_int_equal(replace(1), -EAGAIN);
        assert_contains(world.error->message, "no quorum");
        assert_string_equal(buffer_str(&world.log), "asked, locked c0, locked c1, locked c2");
}

static void test_replace_wants_all_locks(void **state) {
        world.states[1] = ETCD_AWAY;
        world.busy[0] = true;
        assert_int_equal(replace(1), -EBUSY);
        assert_string_equal(buffer_str(&world.log), "asked");
        /* nobody is at work on one that is switched off, unless it is the one */
        world.busy[0] = false;
        world.unreachable[1] = true;
        assert_int_equal(replace(1), -EHOSTUNREACH);
        assert_null(strstr(buffer_str(&world.log), "stopped"));
}

/* Killed when the new member voted already: the same command finishes it, and stops nothing. */
static void test_replace_finishes(void **state) {
        world.data = world.leftover = true;
        assert_success(replace(1), world.error, 0);
        assert_string_equal(buffer_str(&world.log),
                            "asked, locked c0, locked c1, locked c2, installed c1, cleared");
        buffer_clear(&world.log);
        assert_int_equal(replace(1), -EBUSY);
        assert_contains(world.error->message, "is healthy: there is nothing to replace");
        assert_string_equal(buffer_str(&world.log), "");
}

/* What speaks against it is asked before anything is stopped or taken out; what nobody could know comes with the way on. */
static void test_replace_asks_first(void **state) {
        world.states[1] = ETCD_AWAY;
        world.full = world.dry_run = true;
        assert_int_equal(replace(1), -ENOSPC);
        assert_string_equal(buffer_str(&world.log), "");
        world.dry_run = false;
        assert_int_equal(replace(1), -ENOSPC);
        assert_string_equal(buffer_str(&world.log), "asked, locked c0, locked c1, locked c2");
        assert_contains(world.error->detail,
                        "nothing was changed. When that is mended: hardway etcd replace c1");

        world.full = false;
        world.fills = true;
        buffer_clear(&world.log);
        assert_int_equal(replace(1), -ENOSPC);
        assert_true(endswith(buffer_str(&world.log), "stopped c1, out c1, installed c1"));
        assert_contains(world.error->detail, "The old member of c1 is stopped and out of the list");
        assert_contains(world.error->detail, "goes on from here: hardway etcd replace c1");

        world.fills = false;
        buffer_clear(&world.log);
        assert_success(replace(1), world.error, 0);
        assert_true(endswith(buffer_str(&world.log), "stopped c1, installed c1, cleared"));
}

/* While the leader can be asked to, before it is stopped. */
static void test_replace_hands_over(void **state) {
        world.data = true;
        world.force = true;
        world.leader = 1;
        assert_success(replace(1), world.error, 0);
        assert_string_equal(
                buffer_str(&world.log),
                "asked, locked c0, locked c1, locked c2, leads c0, stopped c1, out c1, installed c1, "
                "cleared");
}

/* What an installation believes is not what the list says. */
static void test_replace_looks_at_the_list(void **state) {
        world.states[1] = ETCD_AWAY;
        world.stays_learner = true;
        assert_int_equal(replace(1), -EAGAIN);
        assert_string_equal(world.error->message, "c1: the new member does not vote yet: learner");
        assert_null(strstr(buffer_str(&world.log), "cleared"));
}

/* However it fails, no load balancer goes on sparing an apiserver that may run. */
static void test_replace_brings_back(void **state) {
        world.data = world.force = world.balanced = world.stays = true;
        assert_int_equal(replace(1), -EHOSTUNREACH);
        assert_string_equal(buffer_str(&world.log),
                            "asked, locked c0, locked c1, locked c2, aside c1, back");

        world.stays = false;
        world.stays_learner = true;
        buffer_clear(&world.log);
        assert_int_equal(replace(1), -EAGAIN);
        assert_true(endswith(buffer_str(&world.log), "aside c1, stopped c1, out c1, installed c1, back"));
}

/* While nothing of the old member is stopped, there is a way back. */
static void test_replace_is_stopped(void **state) {
        world.data = world.force = world.balanced = true;
        world.stops_at = "locked c1";
        assert_int_equal(replace(1), -ECANCELED);
        assert_string_equal(world.error->message, "stopped as asked; the member of c1 is as it was");
        assert_string_equal(buffer_str(&world.log), "asked, locked c0, locked c1, locked c2");

        world.stops_at = "aside c1";
        world.stopped = 0;
        buffer_clear(&world.log);
        assert_int_equal(replace(1), -ECANCELED);
        assert_string_equal(buffer_str(&world.log),
                            "asked, locked c0, locked c1, locked c2, aside c1, back");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_defrag, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_wants_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_is_stopped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_of_external_etcd, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_brings_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_is_stopped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_stops, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_leaves_strangers_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_leaves_learners_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defrag_wants_all_locks, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_looks_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_wants_all_locks, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_finishes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_asks_first, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_hands_over, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_looks_at_the_list, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
