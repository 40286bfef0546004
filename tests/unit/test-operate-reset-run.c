/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What reset takes from a cluster that serves, over three members that exist in memory only.
 *
 * Wraps: host_look store_file etcd_survey plan_forget_served
 */

#include "tests/unit/unit.h"

#include "etcd/survey.h"
#include "host/pool.h"
#include "operate/reset.h"
#include "plan/served.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/plan-fixture.h"

#define N 4

typedef struct World {
        Node nodes[N];
        Cluster cluster;
        bool down[N], busy[N], unreachable[N], mute[N], answers[N];
        const char *identity; /* that the nodes say they are of; NULL: they were installed by hand */
        int unseen;           /* it serves, and that is why this machine cannot ask it; 0: it can */
        int dies;             /* this one does while somebody is asked; -1: none */
        int falls;            /* this one, while the first node is taken; -1: none */
        bool taken;           /* it does not fall, but is somebody else's from then on */
        bool comes;           /* another one does */
        bool force;
        bool keeps; /* leadership */
        bool keeps_data;
        const char *stops_at; /* Ctrl-C, with this deed */
        volatile int stopped;
        Buffer log, told;
        ErrorList errors;
} World;

static World world;

static void world_log(const char *deed, const Node *node) {
        buffer_addf(&world.log, "%s%s%s%s", world.log.size > 0 ? ", " : "", deed, node ? " " : "",
                    node ? node->name : "");
        if (world.stops_at && endswith(buffer_str(&world.log), world.stops_at))
                world.stopped = 1;
}

static size_t count_up(void) {
        size_t n = 0;

        for (size_t i = 0; i < 3; i++)
                n += !world.down[i];
        return n;
}

static int fake_serving(const ProbeContext *c, bool *ret, Error **reterr) {
        if (world.unseen)
                return error_set(reterr, ERROR_UNAVAILABLE, world.unseen, "cannot be asked");
        *ret = count_up() >= 2;
        return 0;
}

static int fake_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                      Error **reterr) {
        size_t left = count_up();

        for (size_t i = 0; i < n_nodes; i++)
                left -= nodes[i]->index < 3 && !world.down[nodes[i]->index];
        if (left >= 2 && !world.unseen)
                probe_result_set(ret, PROBE_READY, "goes on with %zu", left);
        else
                probe_result_set(ret, PROBE_FAILED, "%zu would be left", left);
        return 0;
}

static int fake_plan(const PlanContext *c, Plan *p, Error **reterr) {
        plan_add_file(p, "store", "conf", "/etc/store", 0644, "x", "w");
        return 0;
}

static int fake_hand_over(const ProbeContext *c, const Node *node, Error **reterr) {
        if (world.keeps)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "nobody else leads");
        world_log("led without", node);
        return 0;
}

static int fake_set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        world_log("aside", node);
        return 0;
}

static int fake_bring_back(const ProbeContext *c, Error **reterr) {
        world_log("back", NULL);
        return 0;
}

static const Component store = {
        .name = "store",
        .roles = ROLE_ETCD | ROLE_LOADBALANCER,
        .plan = fake_plan,
        .serving = fake_serving,
        .spare = fake_spare,
        .hand_over = fake_hand_over,
        .set_aside = fake_set_aside,
        .bring_back = fake_bring_back,
};
static const Component *const fakes[] = { &store, NULL };

int fake_host(const Node *node, const char *what, Error **reterr) {
        _cleanup_free_ char *deed = xasprintf("locked %s", node->name);

        if (!streq(what, "lock"))
                return world.unreachable[node->index] ?
                               error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host") :
                               0;
        if (world.busy[node->index])
                return error_set(reterr, ERROR_TEMPORARY, EBUSY, "in use by somebody");
        if (world.mute[node->index])
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "the node does not answer");
        if (!strstr(buffer_str(&world.log), deed)) /* whoever has a lock is not asked for it again */
                world_log("locked", node);
        return 0;
}

int __wrap_plan_forget_served(Store *s, Error **reterr);
int __wrap_plan_forget_served(Store *s, Error **reterr) {
        assert_ptr_equal(s, &world);
        world_log("served is forgotten", NULL);
        return 0;
}

int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr);
int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr) {
        *ret = xnew(Observation, 1);
        (*ret)->identity = xstrdup_null(world.identity);
        return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        (void) pthread_mutex_lock(&mutex);
        world_log("reset", node);
        if (world.falls >= 0)
                (world.taken ? world.busy : world.down)[world.falls] = true;
        (void) pthread_mutex_unlock(&mutex);
        return 0;
}

int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer identity = { .data = (char*) "0125ab\n", .size = 7 };

        *ret = &identity;
        return 0;
}

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);
int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        *ret = (EtcdSurvey) { .sights = xnew(EtcdSight, 3), .n_sights = 3 };
        for (size_t i = 0; i < 3; i++)
                ret->sights[i] = (EtcdSight) { .node = world.nodes + i,
                                              .state = world.down[i]    ? ETCD_AWAY :
                                                       world.answers[i] ? ETCD_UNHEALTHY :
                                                                          ETCD_WAITING,
                                              .answers = world.answers[i] };
        return 0;
}

static int ask(void *userdata, const char *text, Error **reterr) {
        world_log("asked", NULL);
        buffer_clear(&world.told);
        buffer_add_str(&world.told, text);
        if (world.dies >= 0)
                world.down[world.dies] = true;
        if (world.comes)
                world.down[0] = world.down[1] = false;
        return 0;
}

static int reset_both(const Node *a, const Node *b) {
        const Node *const nodes[] = { a, b };
        const ResetRequest request = {
                .cluster = &world.cluster,
                .components = fakes,
                .store = (Store*) &world,
                .nodes = nodes,
                .n_nodes = b ? 2 : 1,
                .holder = "me",
                .force = world.force,
                .keep_data = world.keeps_data,
                .confirm = ask,
                .cancelled = &world.stopped,
        };

        error_list_done(&world.errors);
        world.errors = ERROR_LIST_NULL;
        buffer_clear(&world.log);
        return reset_run(&request, &world.errors);
}

static int reset(const Node *node) {
        return reset_both(node, NULL);
}

static int setup(void **state) {
        static char names[N][4] = { "c0", "c1", "c2", "lb0" };
        Node unused[3];

        world = (World) { .cluster = fixture_cluster(unused), .dies = -1, .falls = -1, .identity = "0125ab" };
        world.cluster.nodes = world.nodes;
        world.cluster.n_nodes = N;
        for (size_t i = 0; i < N; i++)
                world.nodes[i] = (Node) { .name = names[i],
                                         .index = i,
                                         .roles = i < 3 ? ROLE_CONTROLLER | ROLE_ETCD : ROLE_LOADBALANCER };
        return 0;
}

static int teardown(void **state) {
        error_list_done(&world.errors);
        buffer_done(&world.log);
        buffer_done(&world.told);
        return 0;
}

static void test_one_of_three(void **state) {
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_string_equal(
                buffer_str(&world.log),
                "locked c0, locked c1, locked c2, locked lb0, asked, led without c2, aside c2, reset c2, back");

        /* a load balancer takes no member away: nobody has to keep off the others */
        assert_int_equal(reset(world.nodes + 3), 0);
        assert_string_equal(
                buffer_str(&world.log),
                "locked c0, locked c1, locked c2, locked lb0, asked, led without lb0, aside lb0, reset lb0, back");
}

/* The disk of another one dies while the person reads. */
static void test_looks_again(void **state) {
        world.dies = 1;
        assert_int_equal(reset(world.nodes + 2), -EBUSY);
        assert_string_equal(buffer_str(&world.log), "locked c0, locked c1, locked c2, locked lb0, asked");
        assert_contains(world.errors.errors[0]->message, "cannot do without: 1 would be left");

        world.down[1] = false;
        world.force = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.log), "asked, reset c2");
}

/* What did not serve when the question was put does when it is answered. */
static void test_begins_to_serve(void **state) {
        world.down[0] = world.down[1] = true;
        world.comes = true;
        world.down[2] = true;
        assert_int_equal(reset(world.nodes), -EBUSY);
        assert_string_equal(buffer_str(&world.log), "locked c0, asked, locked c1, locked c2, locked lb0");
}

/* Then an installation begins anew, although the cluster has served; while a member has its data it does not. */
static void test_all_members(void **state) {
        world.nodes[2].roles = ROLE_LOADBALANCER;
        world.down[0] = world.down[1] = world.down[2] = true;
        world.keeps_data = true;
        assert_int_equal(reset_both(world.nodes, world.nodes + 1), 0);
        assert_null(strstr(buffer_str(&world.log), "forgotten"));
        world.keeps_data = false;
        assert_int_equal(reset_both(world.nodes + 1, world.nodes + 2), 0);
        assert_null(strstr(buffer_str(&world.log), "forgotten"));
        assert_int_equal(reset_both(world.nodes, world.nodes + 1), 0);
        assert_true(endswith(buffer_str(&world.log), ", served is forgotten"));
}

/* Nothing serves, so nobody is harmed; but what it has may be all that is left. */
static void test_reset_of_the_survivor(void **state) {
        world.down[0] = world.down[1] = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.told),
                        "2 other members do not answer: what is on c2 may be the only copy");
        /* started without a quorum, it gives no snapshot */
        assert_null(strstr(buffer_str(&world.told), "snapshot FILE"));
        assert_contains(buffer_str(&world.told), "hardway etcd restore --survivor c2 ");
        world.answers[2] = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.told), "hardway etcd snapshot FILE --node c2");

        /* of two, the one that has an answer */
        assert_int_equal(reset_both(world.nodes, world.nodes + 2), 0);
        assert_contains(buffer_str(&world.told), "1 other member does not answer: what is on c0 and c2");
        assert_contains(buffer_str(&world.told), "hardway etcd snapshot FILE --node c2");
        world.answers[2] = false;
        assert_int_equal(reset_both(world.nodes, world.nodes + 2), 0);
        assert_contains(buffer_str(&world.told), "hardway etcd restore --survivor c2 ");

        /* a load balancer has nothing of it */
        assert_int_equal(reset(world.nodes + 3), 0);
        assert_null(strstr(buffer_str(&world.told), "only copy"));
}

static void test_others_at_work(void **state) {
        world.busy[1] = true;
        assert_int_equal(reset(world.nodes + 2), -EBUSY);
        assert_string_equal(world.errors.errors[0]->message, "c1: in use by somebody");
        assert_string_equal(buffer_str(&world.log), "locked c0");

        /* nobody is at work on one that is switched off */
        world.busy[1] = false;
        world.unreachable[1] = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        world.unreachable[2] = true;
        assert_int_equal(reset(world.nodes + 2), -EHOSTUNREACH);

        /* one that was reached, and has no memory left for one more process, may have somebody at work */
        world.unreachable[1] = world.unreachable[2] = false;
        world.mute[1] = true;
        buffer_clear(&world.log);
        assert_int_equal(reset(world.nodes + 2), -ETIMEDOUT);
        assert_null(strstr(buffer_str(&world.log), "reset"));
}

static void test_unseen(void **state) {
        static const int reasons[] = { EHOSTUNREACH, EKEYEXPIRED };

        for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
                world.unseen = reasons[i];
                assert_int_equal(reset(world.nodes + 2), -EBUSY);
                assert_contains(world.errors.errors[0]->message,
                                "the cluster serves, and cannot do without");
                assert_null(strstr(buffer_str(&world.log), "asked"));
        }
}

/* Nobody notices that a node goes, and so one goes after the other. */
static void test_drains_in_turn(void **state) {
        assert_int_equal(reset_both(world.nodes + 2, world.nodes + 3), 0);
        assert_contains(buffer_str(&world.log), "asked, led without c2, aside c2, reset c2, back, "
                                                "led without lb0, aside lb0, reset lb0, back");

        /* nothing is drained where nothing is left */
        world.force = true;
        assert_int_equal(reset_both(world.nodes + 1, world.nodes + 2), 0);
        assert_null(strstr(buffer_str(&world.log), "led without"));
        assert_null(strstr(buffer_str(&world.log), "aside"));
}

/* The first one took its time: by then nobody counts on what was so before. */
static void test_counts_again_in_between(void **state) {
        world.falls = 0;
        assert_int_equal(reset_both(world.nodes + 3, world.nodes + 2), -EBUSY);
        assert_true(endswith(buffer_str(&world.log), "asked, led without lb0, aside lb0, reset lb0, back"));
        assert_string_equal(world.errors.errors[0]->message,
                            "the cluster serves, and cannot do without: 1 would be left");

        /* this machine was asleep, and another one began to work on c0 */
        world.down[0] = false;
        world.taken = true;
        assert_int_equal(reset_both(world.nodes + 3, world.nodes + 2), -EBUSY);
        assert_true(endswith(buffer_str(&world.log), "reset lb0, back"));
        assert_string_equal(world.errors.errors[0]->message, "c0: in use by somebody");
}

/* What was installed by the script of hardway plan does not say whose it is, and serves like any other. */
static void test_installed_by_hand(void **state) {
        world.identity = NULL;
        assert_int_equal(reset_both(world.nodes + 1, world.nodes + 2), -EBUSY);
        assert_contains(world.errors.errors[0]->message, "cannot do without: 1 would be left");
        assert_null(strstr(buffer_str(&world.log), "asked"));
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.log), "asked, led without c2, aside c2, reset c2, back");

        /* what is another cluster's takes nothing from this one */
        world.identity = "theirs";
        world.force = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.log), "asked, reset c2");
}

static void test_cannot_be_drained(void **state) {
        world.keeps = true;
        assert_int_equal(reset_both(world.nodes + 2, world.nodes + 3), -ETIMEDOUT);
        assert_string_equal(world.errors.errors[0]->message, "c2: store: nobody else leads");
        assert_contains(world.errors.errors[0]->detail, "Nothing was removed from it.");
        assert_string_equal(buffer_str(&world.log),
                            "locked c0, locked c1, locked c2, locked lb0, asked, back");

        world.force = true;
        assert_int_equal(reset(world.nodes + 2), 0);
        assert_contains(buffer_str(&world.log), "asked, aside c2, reset c2, back");
}

static void test_stopped(void **state) {
        world.stops_at = "aside c2";
        assert_int_equal(reset_both(world.nodes + 2, world.nodes + 3), -ECANCELED);
        assert_string_equal(world.errors.errors[0]->message, "c2: stopped as asked; nothing was removed");
        assert_contains(buffer_str(&world.log), "asked, led without c2, aside c2, back");
        assert_null(strstr(buffer_str(&world.log), "reset"));

        /* the one in hand is ended with */
        world.stopped = 0;
        world.stops_at = "reset c2";
        assert_int_equal(reset_both(world.nodes + 2, world.nodes + 3), -ECANCELED);
        assert_string_equal(world.errors.errors[0]->message, "lb0: stopped as asked; nothing was removed");
        assert_true(endswith(buffer_str(&world.log), "reset c2, back, back"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_of_three, setup, teardown),
                cmocka_unit_test_setup_teardown(test_looks_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_begins_to_serve, setup, teardown),
                cmocka_unit_test_setup_teardown(test_all_members, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reset_of_the_survivor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_others_at_work, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unseen, setup, teardown),
                cmocka_unit_test_setup_teardown(test_drains_in_turn, setup, teardown),
                cmocka_unit_test_setup_teardown(test_counts_again_in_between, setup, teardown),
                cmocka_unit_test_setup_teardown(test_installed_by_hand, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cannot_be_drained, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
        };

        return cmocka_run_group_tests_name("reset-run", tests, NULL, NULL);
}
