/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "plan/store-fit.h"
#include "tests/unit/install-fixture.h"

/*
 * The rollout over fake nodes.
 * Wraps: host_pool_new host_pool_take host_pool_give host_pool_free host_look host_lock host_unlock host_put
 * Wraps: host_record host_pool_reach
 * Wraps: host_bus host_read host_explain_unit unit_bus_daemon_reload unit_bus_enable unit_bus_job
 * Wraps: unit_bus_nudge
 * Wraps: unit_bus_wait unit_bus_reset_failed unit_bus_state store_file probe_client http_client_free
 * Wraps: http_json http_request clock_usec clock_sleep host_pool_exec store_find_misfits
 */

World world;

void world_log(const Node *node, const char *deed) {
        (void) pthread_mutex_lock(&world.mutex);
        buffer_addf(&world.log, "%s%s %s", world.log.size > 0 ? ", " : "", node->name, deed);
        if (world.cancel_at && streq(world.cancel_at, deed))
                world.cancelled = 1;
        (void) pthread_mutex_unlock(&world.mutex);
}

/* --- the component: a service that needs two of three controllers --- */

static FakeNode* fake_of(const Node *node) {
        return &world.fakes[node->index];
}

static bool works(const Node *node) {
        const FakeNode *f = fake_of(node);

        return f->running && !f->broken && !(f->dislikes && streq(f->running, f->dislikes));
}

static size_t n_working(void) {
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, &world.cluster, ROLE_CONTROLLER)
                n += works(node);
        return n;
}

static int fake_plan(const PlanContext *c, Plan *p, Error **reterr) {
        PlanItem *unit = plan_add_unit(p, "alpha", "alpha.service", fixture_unit("alpha"), "w"), *conf;

        if (world.binary) {
                PlanItem *binary = plan_add(p, PLAN_BINARY, "alpha", "binary", "w");

                binary->path = xstrdup(world.binary);
                binary->owner = xstrdup("root:root");
                binary->mode = 0755;
        }
        unit->unit.drop_in = (c->node->roles & ROLE_LOADBALANCER) != 0;
        plan_unit_listens(unit, 7000);
        conf = plan_add_file(p, "alpha", "conf", "/etc/alpha", 0644, world.wanted, "w");
        conf->reload = world.peers;
        plan_item_input_of(conf, "alpha.service");
        if (c->node->roles & ROLE_CONTROLLER)
                plan_add_object(p, "alpha", "object", "/api/x", json_pack("{ss}", "says", "wanted"), "w");
        return 0;
}

static int fake_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        size_t n = n_working();

        world.fakes[node->index].n_asked++;
        if (world.fakes[node->index].stalls > 0) {
                world.fakes[node->index].stalls--;
                probe_result_set(ret, PROBE_WAITING, "no answer in time");
        } else if (!works(node))
                probe_result_set(ret, PROBE_WAITING, "not up");
        else if (n < 2)
                probe_result_set(ret, PROBE_BLOCKED, "%zu of 3", n);
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

static int fake_serving(const ProbeContext *c, bool *ret, Error **reterr) {
        if (world.unseen)
                return error_set(reterr, ERROR_UNAVAILABLE, world.unseen, "it serves, and cannot be asked");
        *ret = n_working() >= 2;
        return 0;
}

static int fake_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        world_log(node, "gate");
        world.n_ill[node->index] = c->n_ill;
        probe_result_set(ret, world.gate_closed ? PROBE_WAITING : PROBE_READY, "a member is away");
        return 0;
}

static int fake_settle(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        probe_result_set(ret, PROBE_READY, NULL);
        if (world.joined != node)
                return 0;
        world_log(node, "settled");
        world.joined = NULL;
        world.gate_closed = false;
        return 0;
}

static int fake_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        *ret = fake_of(node)->leads;
        return 0;
}

static int fake_hand_over(const ProbeContext *c, const Node *node, Error **reterr) {
        if (fake_of(node)->leads)
                world_log(node, "hands-over");
        return 0;
}

/* Of a component that stands in front of the controllers */
static int fake_set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        if (node->roles & ROLE_LOADBALANCER)
                return 0;
        world_log(node, "aside");
        world.aside = node;
        return 0;
}

static int fake_bring_back(const ProbeContext *c, Error **reterr) {
        if (!world.aside)
                return 0;
        if (world.bring_back_fails)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "lb0: it does not answer");
        world_log(world.aside, "back");
        world.aside = NULL;
        return 0;
}

static int fake_before_rollout(const ProbeContext *c, Error **reterr) {
        world_log(world.nodes, "snapshot");
        return 0;
}

static int fake_leavers(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr) {
        world.asked_members++;
        if (world.leaver)
                strv_add(world.leaver_works ? ret_working : ret_lost, world.leaver);
        return world.leaver != NULL;
}

static int fake_prune(const ProbeContext *c, bool working, Strv *ret_notes, Error **reterr) {
        world.asked_members++;
        if (!world.leaver || (world.leaver_works && !working))
                return 0;
        world_log(world.nodes, "prune");
        world.leaver = NULL;
        return 1;
}

static Component alpha = {
        .name = "alpha",
        .unit = "alpha.service",
        .roles = ROLE_CONTROLLER | ROLE_LOADBALANCER,
        .rank = 10,
        .plan = fake_plan,
        .ready = fake_ready,
        .serving = fake_serving,
        .gate = fake_gate,
        .settle = fake_settle,
        .leads = fake_leads,
        .hand_over = fake_hand_over,
        .set_aside = fake_set_aside,
        .bring_back = fake_bring_back,
        .before_rollout = fake_before_rollout,
        .leavers = fake_leavers,
        .prune = fake_prune,
};

/* Of a component that stops with alpha's unit */
static int fake_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                      Error **reterr) {
        assert_int_equal(n_nodes, 1);
        if (world.irreplaceable)
                probe_result_set(ret, PROBE_FAILED, "none would be left");
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

static const Component beta = { .name = "beta", .unit = "alpha.service", .rank = 20, .spare = fake_spare };
const Component *const fake_components[] = { &alpha, &beta, NULL };

/* --- the nodes --- */

HostPool* __wrap_host_pool_new(const Cluster *cluster, const HostOptions *options);
int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
void __wrap_host_pool_give(HostPool *p, const Node *node);
HostPool* __wrap_host_pool_free(HostPool *p);
int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr);
void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret);
int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr);
int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr);
void __wrap_host_unlock(Host *h);
int __wrap_host_put(Host *h, const HostPut *put, Error **reterr);
int __wrap_host_record(Host *h, const Plan *plan, const char *identity, Error **reterr);
int __wrap_host_bus(Host *h, UnitBus **ret, Error **reterr);
int __wrap_host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr);
int __wrap_host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr);
int __wrap_unit_bus_daemon_reload(UnitBus *b, Error **reterr);
int __wrap_unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr);
int __wrap_unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr);
int __wrap_unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr);
int __wrap_unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr);
int __wrap_unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr);
int __wrap_unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr);
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr);
HttpClient* __wrap_http_client_free(HttpClient *c);
int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
uint64_t __wrap_clock_usec(void);
int __wrap_store_find_misfits(Store *store, const Component *const *components, const Cluster *cluster,
                              int64_t when, StoreMisfits *ret, Error **reterr);
void __wrap_clock_sleep(uint64_t usec);

static const Node* node_of(const void *host) {
        return &world.nodes[(const FakeNode*) host - world.fakes];
}

HostPool* __wrap_host_pool_new(const Cluster *cluster, const HostOptions *options) {
        return (HostPool*) &world;
}

int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        if (fake_of(node)->unreachable) {
                fake_of(node)->n_missed++;
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "ssh: no route");
        }
        *ret = (Host*) fake_of(node);
        return 0;
}

void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret) {
        for (size_t i = 0; i < n_nodes; i++)
                if (fake_of(nodes[i])->unreachable)
                        (void) error_set(&ret[i], ERROR_UNAVAILABLE, EHOSTUNREACH, "ssh: no route");
}

void __wrap_host_pool_give(HostPool *p, const Node *node) {}

HostPool* __wrap_host_pool_free(HostPool *p) {
        return NULL;
}

int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (fake_of(node)->mute)
                return error_set(reterr, ERROR_UNAVAILABLE, EPIPE, "%s: ssh: connection lost", node->name);
        assert_contains(script, "H_NAMES='");
        buffer_add_str(ret, fake_of(node)->answer ? fake_of(node)->answer : "");
        return 0;
}

static void observe_file(const FakeNode *f, const PlanItem *item, Observation *o) {
        bool right = f->put && (streq(f->put, world.wanted) || (world.peers && item->type == PLAN_UNIT));
        ObservedPath *found;

        if (!item->path)
                return;
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        found = o->paths + o->n_paths++;
        *found = (ObservedPath) { .path = xstrdup(item->path), .type = OBSERVED_FILE, .mode = item->mode };
        if (item->type == PLAN_DIRECTORY)
                found->type = OBSERVED_DIRECTORY;
        else if (!f->put)
                found->type = OBSERVED_ABSENT;
        if (f->loose && item->type == PLAN_FILE)
                found->mode |= 0022;
        found->owner = xstrdup_null(item->owner);
        /* the unit carries the digest of the configuration, so it changes along */
        found->sha256 = xstrdup(right ? item->sha256 ? item->sha256 : "" : "other");
        found->stamp = xstrdup("stamp");
}

static void add_applied(Observation *o, const char *path, const char *sha256) {
        o->applied = xrealloc(o->applied, o->n_applied + 1, sizeof(AppliedFile));
        o->applied[o->n_applied++] = (AppliedFile) { .path = xstrdup(path),
                                                    .sha256 = xstrdup_null(sha256),
                                                    .stamp = xstrdup("stamp") };
}

static void observe_retired(const FakeNode *f, Observation *o) {
        add_applied(o, f->retires, "00");
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        o->paths[o->n_paths++] = (ObservedPath) { .path = xstrdup(f->retires),
                                                 .type = OBSERVED_FILE,
                                                 .sha256 = xstrdup("00") };
}

static void observe_unit(const FakeNode *f, const PlanItem *item, Observation *o) {
        bool right = f->running && (world.peers || streq(f->running, world.wanted));

        o->units = xnew(ObservedUnit, 1);
        o->n_units = 1;
        o->units[0] = (ObservedUnit) {
                .name = xstrdup("alpha.service"),
                .load_state = xstrdup(f->put ? "loaded" : "not-found"),
                .active_state = xstrdup(f->running ? "active" : "inactive"),
                .file_state = xstrdup(f->put ? "enabled" : ""),
                .inputs = xstrdup_null(right ? item->unit.inputs : f->running),
                .main_pid = f->running ? 7 : 0,
        };
}

/* What a reload takes in */
static void observe_loaded(const FakeNode *f, const PlanItem *item, Observation *o) {
        if (world.peers && o->n_units > 0 && f->running && streq(f->running, world.wanted))
                o->units[0].loaded = xasprintf("%s  %s\n", item->sha256, item->path);
}

int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr) {
        const FakeNode *f = (const FakeNode*) h;
        Observation *o = xnew(Observation, 1);

        for (size_t i = 0; i < plan->n_items; i++) {
                const PlanItem *item = plan->items[i];

                observe_file(f, item, o);
                if (item->type == PLAN_UNIT)
                        observe_unit(f, item, o);
                if (f->recorded && (item->type == PLAN_UNIT || item->type == PLAN_FILE))
                        add_applied(o, item->path, item->sha256);
        }
        for (size_t i = 0; i < plan->n_items; i++)
                if (plan->items[i]->reload)
                        observe_loaded(f, plan->items[i], o);
        if (f->has_binary)
                add_applied(o, world.binary, "00");
        if (f->applied)
                add_applied(o, f->applied, "00");
        if (f->had_binary)
                add_applied(o, world.binary, "00");
        if (f->retires)
                observe_retired(f, o);
        if (f->recorded || f->identity)
                o->identity = xstrdup(f->identity ? f->identity : "0125ab");
        facts_default(&world.cluster, node_of(f), ret_facts);
        ret_facts->architecture = f->architecture;
        ret_facts->clock_offset = f->clock_offset;
        if (f->listener)
                strv_add(&ret_facts->listening, f->listener);
        *ret = o;
        return 0;
}

int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr) {
        if (((FakeNode*) h)->busy)
                return error_set(reterr, ERROR_TEMPORARY, EBUSY, "in use by somebody");
        if (((FakeNode*) h)->refuses)
                return error_set(reterr, ERROR_PERMISSION, EACCES, "does not let us in");
        if (((FakeNode*) h)->starved)
                return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "Cannot fork");
        ((FakeNode*) h)->locked = true;
        (void) pthread_mutex_lock(&world.mutex);
        for (size_t i = 0; world.meanwhile && i < 5; i++) {
                world.fakes[i].put = world.meanwhile;
                world.fakes[i].running = world.meanwhile;
                world.fakes[i].recorded = true;
        }
        world.meanwhile = NULL;
        (void) pthread_mutex_unlock(&world.mutex);
        return 0;
}

void __wrap_host_unlock(Host *h) {
        ((FakeNode*) h)->locked = false;
}

int __wrap_host_put(Host *h, const HostPut *put, Error **reterr) {
        FakeNode *f = (FakeNode*) h;

        if (f->full)
                return error_set(reterr, ERROR_IO, ENOSPC, "no space left");
        f->put = world.wanted;
        f->loose = false;
        f->retires = NULL;
        world_log(node_of(h), "put");
        return 0;
}

int __wrap_host_record(Host *h, const Plan *plan, const char *identity, Error **reterr) {
        assert_string_equal(identity, "0125ab");
        ((FakeNode*) h)->recorded = true;
        world_log(node_of(h), "record");
        return 0;
}

int __wrap_host_bus(Host *h, UnitBus **ret, Error **reterr) {
        *ret = (UnitBus*) h;
        return 0;
}

int __wrap_host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        const FakeNode *f = (const FakeNode*) h;

        buffer_add_str(ret, f->put ? f->put : "");
        return 0;
}

int __wrap_host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr) {
        *ret = xasprintf("%s: its last words\n", unit);
        return 0;
}

int __wrap_unit_bus_daemon_reload(UnitBus *b, Error **reterr) {
        return 0;
}

int __wrap_unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr) {
        if (!enable && ((FakeNode*) b)->purged)
                return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: systemd knows no such unit",
                                 units[0]);
        return 0;
}

int __wrap_unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        FakeNode *f = (FakeNode*) b;

        if (job == UNIT_STOP) {
                assert_string_equal(unit, world.retired);
                if (f->purged)
                        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: systemd knows no such unit",
                                         unit);
                world_log(node_of(b), "stop");
                return 0;
        }
        world_log(node_of(b), job == UNIT_START ? "start" : job == UNIT_RESTART ? "restart" : "reload");
        f->running = f->put;
        f->leads = false;
        world.gate_closed = world.gate_closed || streq_null(world.closes_gate, node_of(b)->name);
        return 0;
}

int __wrap_unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        return __wrap_unit_bus_job(b, job, unit, reterr);
}

int __wrap_unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr) {
        if (((FakeNode*) b)->job_fails)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "restart of alpha.service: it failed");
        return 0;
}

int __wrap_unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr) {
        return 0;
}

int __wrap_unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr) {
        FakeNode *f = (FakeNode*) b;

        *ret = (UnitState) { .active_state = xstrdup(f->job_fails ? "failed" : "active"),
                            .n_restarts = f->n_restarts };
        f->n_restarts += f->dying;
        return 0;
}

int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer identity = { .data = (char*) "0125ab\n", .size = 7 };

        *ret = &identity;
        return 0;
}

/* --- the API --- */

int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr) {
        *ret = (HttpClient*) &world;
        return 0;
}

HttpClient* __wrap_http_client_free(HttpClient *c) {
        return NULL;
}

int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr) {
        if (world.api_down || n_working() < 2)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "refused");
        if (endswith(url, "/version"))
                *ret = json_pack("{ss}", "gitVersion", "v1.36.3");
        else if (world.object)
                *ret = json_pack("{ss,ss}", "says", world.object, "more", "x");
        else
                return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "not found");
        return 0;
}

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        if (world.api_down || n_working() < 2)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "refused");
        assert_string_equal(request->method, "PATCH");
        assert_string_equal(request->content_type, "application/apply-patch+yaml");
        assert_contains(request->url, "/api/x?fieldManager=hardway&force=true");
        world.object = "wanted";
        *ret = (HttpResponse) { .status = 201 };
        return 0;
}

/* Every thread has a time of its own: else those that sleep would make time fly for one that has yet to
 * run. */
static __thread uint64_t now = 1;

/* The store is none. */
int __wrap_store_find_misfits(Store *store, const Component *const *components, const Cluster *cluster,
                              int64_t when, StoreMisfits *ret, Error **reterr) {
        *ret = (StoreMisfits) {};
        return 0;
}

uint64_t __wrap_clock_usec(void) {
        return now;
}

void __wrap_clock_sleep(uint64_t usec) {
        now += usec;
        (void) usleep(50);
}

/* --- running --- */

static int setup(void **state) {
        static char names[5][4] = { "c0", "c1", "c2", "lb0", "lb1" };
        Node unused[3];

        world = (World) { .cluster = fixture_cluster(unused), .wanted = "one" };
        (void) pthread_mutex_init(&world.mutex, NULL);
        world.cluster.nodes = world.nodes;
        world.cluster.n_nodes = 5;
        for (size_t i = 0; i < 5; i++) {
                world.nodes[i] = (Node) { .name = names[i], .index = i, .architecture = ARCH_ARM64 };
                world.nodes[i].roles = i < 3 ? ROLE_CONTROLLER | ROLE_ETCD : ROLE_LOADBALANCER;
                (void) inet_address_parse("10.77.0.20", &world.nodes[i].address);
                world.fakes[i].architecture = ARCH_ARM64;
        }
        return 0;
}

static int teardown(void **state) {
        install_result_done(&world.result);
        error_list_done(&world.errors);
        buffer_done(&world.log);
        return 0;
}

#define install_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int run_request(const Node *const *nodes, size_t n_nodes, bool dry_run) {
        static const HostOptions host = {};
        InstallRequest request = {
                .cluster = &world.cluster,
                .store = (Store*) &world,
                .components = fake_components,
                .nodes = nodes,
                .n_nodes = n_nodes,
                .cache = "/nonexistent",
                .host = &host,
                .hosts = world.lends ? (HostPool*) &world : NULL,
                .holder = "the test",
                .dry_run = dry_run,
                .cancelled = &world.cancelled,
                .proof = world.proof,
                .leavers = world.leavers,
                .ignore = (char *const *) world.ignore,
        };

        alpha.peers = world.peers;
        install_result_done(&world.result);
        error_list_done(&world.errors);
        buffer_clear(&world.log);
        return install_run(&request, &world.result, &world.errors);
}

static int run_all(void) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes, 5, false);
}

static int run_some(size_t first, size_t n) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes + first, n, false);
}

/* A cluster that serves and is as planned; a change of world.wanted is then rolled out. */
static void make_serving(void) {
        for (size_t i = 0; i < 5; i++) {
                world.fakes[i].put = world.wanted;
                world.fakes[i].running = world.wanted;
                world.fakes[i].recorded = true;
        }
        world.object = "wanted";
}

static size_t count_of(const char *deed) {
        size_t n = 0;

        for (const char *p = buffer_str(&world.log); (p = strstr(p, deed)); p++)
                n++;
        return n;
}

static void assert_outcomes(InstallOutcome c0, InstallOutcome c1, InstallOutcome c2) {
        assert_int_equal(world.result.nodes[0].outcome, c0);
        assert_int_equal(world.result.nodes[1].outcome, c1);
        assert_int_equal(world.result.nodes[2].outcome, c2);
}

static void assert_error(size_t i, const char *text) {
        assert_true(i < world.errors.n_errors);
        assert_contains(world.errors.errors[i]->message, text);
}

static void test_first_installation(void **state) {
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.errors.n_errors, 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(count_of("put"), 5);
        assert_int_equal(count_of("record"), 5);
        assert_int_equal(count_of("start"), 5);
        assert_int_equal(count_of("gate"), 0);
        assert_true(world.result.changed);
        assert_false(world.result.serving);
        assert_string_equal(world.result.version, "v1.36.3");
        assert_string_equal(world.object, "wanted");
        assert_int_equal(world.result.n_items, 3 * 4 + 2 * 3);
}

static void test_nothing_to_change(void **state) {
        make_serving();
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_UNCHANGED, INSTALL_UNCHANGED);
        assert_string_equal(buffer_str(&world.log), "");
        assert_null(world.result.version);
}

static int run_dry(size_t n) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes, n, true);
}

/* A healthy instance that is not in the cluster file: it may be an old copy of that file. */
static void test_leaver_that_works(void **state) {
        make_serving();
        world.wanted = "new";
        world.leaver = "c9";
        world.leaver_works = true;
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), -EEXIST);
        assert_error(0, "alpha: c9 is healthy, and not in the cluster file");
        assert_contains(world.errors.errors[0]->detail, "hardway install --yes");
        assert_string_equal(buffer_str(&world.log), "");
        assert_false(world.fakes[0].put == world.wanted);

        /* a part of the nodes takes nobody out, and neither does a run about something else */
        assert_int_equal(run_some(0, 1), 0);
        world.leavers = LEAVERS_STAY;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("prune"), 0);

        world.leavers = LEAVERS_GO;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("prune"), 1);
        assert_true(world.result.changed);
        assert_null(world.leaver);
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
}

static void test_leaver_is_shown(void **state) {
        make_serving();
        assert_int_equal(run_dry(5), 0);
        assert_false(world.result.changed);
        world.leaver = "c9";
        assert_int_equal(run_dry(4), 0);
        assert_null(world.result.leavers);
        assert_int_equal(run_dry(5), 0);
        assert_true(world.result.changed);
        assert_string_equal(world.result.leavers[0], "alpha: c9, not in the cluster file");
        world.leaver_works = true;
        assert_int_equal(run_dry(5), 0);
        assert_contains(world.result.leavers[0], "with --yes only");
        assert_string_equal(buffer_str(&world.log), "");
        world.leaver_works = false;
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c0 prune");
}

/* Who finds nothing to change asks once who is in the cluster: that is a good part of what such a run takes. */
static void test_members_are_asked_once(void **state) {
        make_serving();
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.asked_members, 1);
        world.wanted = "new";
        world.asked_members = 0;
        assert_int_equal(run_all(), 0);
        assert_true(world.asked_members > 1);
}

/* One that is lost and not in the cluster file is a voter all the same: it goes before one that works is
 * stopped, not after. */
static void test_leaver_goes_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.leaver = "c9";
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 prune, c0 gate"));
        assert_int_equal(count_of("prune"), 1);

        world.wanted = "three";
        world.leaver = "c9";
        assert_int_equal(run_some(0, 2), 0);
        assert_int_equal(count_of("prune"), 0);
}

static void test_lost_object(void **state) {
        make_serving();
        world.object = NULL;
        assert_int_equal(run_all(), 0);
        assert_true(world.result.changed);
        assert_string_equal(world.object, "wanted");
        assert_string_equal(buffer_str(&world.log), "");
        world.object = "edited";
        assert_int_equal(run_all(), 0);
        assert_string_equal(world.object, "wanted");
}

/* Killed between put and record: the node is as planned, and now knows it. */
static void test_lost_record(void **state) {
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
        assert_string_equal(buffer_str(&world.log), "c1 record");
}

/* Killed between put and restart: the process gives it away. */
static void test_lost_restart(void **state) {
        make_serving();
        world.fakes[1].running = "older";
        assert_int_equal(run_all(), 0);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_CHANGED, INSTALL_UNCHANGED);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 record, c1 aside, c1 restart, c1 back, c1 gate");
}

static void test_one_of_three(void **state) {
        assert_int_equal(run_some(0, 1), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_WAITS);
        assert_string_equal(world.result.nodes[0].waits_for, "alpha: 1 of 3");
        assert_null(world.result.version);

        /* again: nothing to do, and it still waits */
        assert_int_equal(run_some(0, 1), 0);
        assert_false(world.result.changed);
        assert_string_equal(world.result.nodes[0].waits_for, "alpha: 1 of 3");

        /* a second one makes the quorum */
        assert_int_equal(run_some(1, 1), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_CHANGED);
        assert_null(world.result.nodes[0].waits_for);
        assert_string_equal(world.result.version, "v1.36.3");
}

/* Two chosen nodes wait for each other, not for a third. */
static void test_two_of_three(void **state) {
        assert_int_equal(run_some(0, 2), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_CHANGED);
        assert_int_equal(world.result.nodes[1].outcome, INSTALL_CHANGED);
}

/* Who waits for nodes that have failed does not wait for its own limit, and is not broken itself. */
static void test_two_of_three_fail(void **state) {
        world.fakes[0].broken = world.fakes[1].broken = true;
        assert_int_equal(run_all(), -ETIMEDOUT);
        assert_outcomes(INSTALL_BROKEN, INSTALL_BROKEN, INSTALL_WAITS);
        for (size_t i = 2; i < 5; i++)
                assert_string_equal(world.result.nodes[i].waits_for, "alpha: 1 of 3");
}

static void test_one_by_one(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].leads = true;
        world.fakes[3].leads = true;
        assert_int_equal(run_all(), 0);
        assert_true(world.result.serving);
        assert_string_equal(
                buffer_str(&world.log),
                "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, "
                "c2 gate, c2 put, c2 record, c2 aside, c2 restart, c2 back, c2 gate, "
                "c0 gate, c0 put, c0 record, c0 hands-over, c0 aside, c0 restart, c0 back, c0 gate, "
                "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, "
                "lb0 gate, lb0 put, lb0 record, lb0 hands-over, lb0 restart, lb0 gate");
}

/* The others have to have told it that they are there, or it would lead as well. */
static void test_new_load_balancer_is_last(void **state) {
        make_serving();
        world.fakes[3].put = NULL;
        world.fakes[3].running = NULL;
        world.fakes[3].recorded = false;
        world.wanted = "two";
        assert_int_equal(run_some(3, 2), 0);
        assert_string_equal(
                buffer_str(&world.log),
                "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, lb0 put, lb0 record, lb0 start");
}

static void make_new(size_t i) {
        world.fakes[i].put = NULL;
        world.fakes[i].running = NULL;
        world.fakes[i].recorded = false;
}

#define TOLD(n) n " put, " n " reload, " n " record, "

/* A controller that is a load balancer as well joins before others have their turn; and those that run know it by then. */
static void test_peers_are_told_of_who_comes(void **state) {
        for (size_t i = 0; i < 3; i++)
                world.nodes[i].roles |= ROLE_LOADBALANCER;
        world.peers = true;
        make_serving();
        make_new(2);
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            TOLD("c0") TOLD("c1") TOLD("lb0") TOLD("lb1") "c2 put, c2 record, c2 start");
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);

        /* interrupted when some are told: those that are not, before anything else */
        make_new(2);
        world.wanted = "three";
        world.cancel_at = "reload";
        assert_int_equal(run_all(), -ECANCELED);
        assert_null(world.fakes[2].put);
        world.cancel_at = NULL;
        world.cancelled = 0;
        assert_int_equal(run_all(), 0);
        assert_non_null(strstr(buffer_str(&world.log), TOLD("lb1") "c2 put, c2 record, c2 start"));
        assert_string_equal(world.fakes[0].running, "three");

        /* or when the file was there, and not taken in yet */
        make_new(2);
        world.fakes[0].running = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c0 reload, c0 record, c2 put, c2 record, c2 start");
}

/* It is told, too, but not waited for before its turn. */
static void test_peer_that_is_ill(void **state) {
        world.peers = true;
        make_serving();
        make_new(4);
        world.wanted = "two";
        world.fakes[3].broken = true;
        assert_true(run_some(3, 2) < 0);
        assert_string_equal(buffer_str(&world.log), "lb0 put, lb0 reload, lb0 put, lb0 record, lb0 reload");
        assert_error(0, "lb0: alpha did not become ready");
}

/* One that still runs is known to the others until it has stopped: also where another one comes. */
static void test_peers_forget_who_has_left(void **state) {
        world.peers = true;
        make_serving();
        world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
        world.fakes[1].retires = "/etc/systemd/system/alpha.service";
        world.retired = "alpha.service";
        world.nodes[4].roles = ROLE_CONTROLLER | ROLE_LOADBALANCER;
        make_new(4);
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 stop, c1 put, c1 record, c1 back, c1 gate, " TOLD("c0")
                                    TOLD("c2") TOLD("lb0") "lb1 put, lb1 record, lb1 start");
}

/* Also where the one that is about to forget it is ill, and would come first: two would hold the VIP. */
static void test_ill_peer_forgets_who_has_left(void **state) {
        for (size_t i = 0; i < 2; i++) {
                make_serving();
                world.peers = true;
                world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
                world.fakes[1].retires = "/etc/systemd/system/alpha.service";
                world.retired = "alpha.service";
                world.nodes[4].roles = ROLE_CONTROLLER | ROLE_LOADBALANCER;
                world.fakes[0].broken = true;
                if (i == 1)
                        world.fakes[0].running = NULL;
                world.wanted = i == 0 ? "two" : "three";
                assert_true(run_all() < 0);
                assert_error(0, "c0: alpha did not become ready");
                assert_non_null(startswith(buffer_str(&world.log), "c1 gate, c1 aside, c1 stop, "));
                assert_non_null(strstr(buffer_str(&world.log), i == 0 ? "c0 reload" : "c0 start"));
        }
}

/* What goes from a node for good stops there, too: not beside the gates, the locks and whoever uses it. */
static void test_retires(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
        world.fakes[1].retires = "/etc/systemd/system/alpha.service";
        world.retired = "alpha.service";
        world.fakes[2].busy = true;
        assert_int_equal(run_all(), -EBUSY);
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[2].busy = false;
        world.gate_closed = true;
        assert_true(run_all() < 0);
        assert_error(0, "c1: not changed");
        assert_int_equal(count_of("stop"), 0);

        world.gate_closed = false;
        world.leaver = "c1";
        world.leaver_works = true;
        world.leavers = LEAVERS_GO;
        world.irreplaceable = true;
        assert_true(run_all() < 0);
        assert_error(0, "c1: not changed, as the cluster cannot do without beta here: none would be left");
        assert_string_equal(buffer_str(&world.log), "c1 gate");

        world.irreplaceable = false;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c0 prune, c1 stop, c1 put, c1 record, c1 back, c1 gate");
}

/* The distribution's unit has no file that would go; but it ran for us. */
static void test_retires_the_distributions(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD;
        world.fakes[1].retires = "/etc/systemd/system/haproxy.service.d/50-hardway.conf";
        world.retired = "haproxy.service";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 stop, c1 put, c1 record, c1 back, c1 gate");

        /* what the plan has besides stays */
        world.fakes[2].retires = "/etc/systemd/system/alpha.service.d/50-hardway.conf";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c2 put, c2 record");
}

/* Somebody was faster, and has purged the package; our drop-in is left. */
static void test_retires_what_was_purged(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD;
        world.fakes[1].retires = "/etc/systemd/system/haproxy.service.d/50-hardway.conf";
        world.fakes[1].purged = true;
        world.retired = "haproxy.service";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 put, c1 record, c1 back, c1 gate");
        assert_null(world.fakes[1].retires);
}

/* A timer, and what it starts, is nobody's loss. */
static void test_retires_a_timer(void **state) {
        make_serving();
        world.fakes[1].retires = "/etc/systemd/system/etcd-snapshot.timer";
        world.retired = "etcd-snapshot.timer";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c1 stop, c1 put, c1 record");
}

/* Another one had the nodes, and has installed the cluster meanwhile: it serves now. */
static void test_serves_by_now(void **state) {
        world.meanwhile = "zero";
        assert_int_equal(run_all(), 0);
        assert_true(world.result.serving);
        assert_int_equal(count_of("restart"), 5);
        assert_int_equal(count_of("gate"), 10);
        assert_non_null(
                startswith(buffer_str(&world.log),
                           "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c1 gate"));
}

/* What it installed is of another minor version. */
static void test_serves_by_now_something_else(void **state) {
        world.meanwhile = "zero";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.35.4/kube-apiserver";
        assert_true(run_all() < 0);
        assert_error(0, "c1: runs Kubernetes v1.35.4");
        assert_string_equal(buffer_str(&world.log), "");
}

/* Whoever cannot ask a cluster that serves must not take it for a new one. */
static void test_unseen(void **state) {
        make_serving();
        world.wanted = "two";
        world.unseen = EHOSTUNREACH;
        assert_int_equal(run_all(), -EHOSTUNREACH);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "it serves, and cannot be asked");
        assert_string_equal(buffer_str(&world.log), "");
        assert_outcomes(INSTALL_UNTOUCHED, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);

        /* where nothing is to be changed nobody is asked */
        world.wanted = "one";
        assert_int_equal(run_all(), 0);
}

/* All their certificates have expired: nobody is served, and no rollout of one after the other would end it. */
static void test_expired(void **state) {
        make_serving();
        world.wanted = "two";
        world.unseen = EKEYEXPIRED;
        assert_int_equal(run_all(), 0);
        assert_false(world.result.serving);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(count_of("gate"), 0);
        assert_int_equal(count_of("aside"), 0);

        /* unless it is this machine's clock that is wrong */
        make_serving();
        world.wanted = "three";
        buffer_clear(&world.log);
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].clock_offset = -400;
        assert_true(run_all() < 0);
        assert_error(0, "c0: its clock is 400 s behind ours");
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_stops_at_the_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].broken = true; /* it was ill before: so it comes first, and its gate is not asked */
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_string_equal(buffer_str(&world.log), "c0 put, c0 record, c0 aside, c0 restart, c0 back");
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c0: alpha did not become ready in 60 s: not up");
        assert_contains(world.errors.errors[0]->detail, "alpha.service: its last words");
        assert_contains(world.errors.errors[0]->detail, "not touched: c1, c2, lb0, lb1");
        assert_int_equal(error_exit_code(world.errors.errors[0]), 69);
        /* each question costs the node a login: they become fewer and fewer */
        assert_in_range(world.fakes[0].n_asked, 60, 120);
}

/* A run was ended when the first one had been started and had not joined yet: nothing differs there any more, and the gate of the
 * others waits for it. */
static void test_settles_what_joined_before(void **state) {
        make_serving();
        world.wanted = "two";
        assert_int_equal(run_some(0, 1), 0);
        buffer_clear(&world.log);
        world.joined = world.nodes;
        world.gate_closed = true;
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 settled, c1 gate, c1 put"));
}

/* The first of those that are to be mended does not wait for the others to be well. */
static void test_ill_are_not_waited_for(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[3].stalls = world.fakes[4].stalls = 1;
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.n_ill[0], 2);
        assert_int_equal(world.n_ill[3], 1);
        assert_int_equal(world.n_ill[4], 0);
}

static void test_failed_job(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].job_fails = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_error(0, "c0: restart of alpha.service: it failed");
        assert_contains(world.errors.errors[0]->detail, "alpha.service: its last words");
}

/* Whatever a run that was killed has set aside is brought back before the first gate; also by one that is
 * about other nodes. */
static void test_brings_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.aside = world.nodes + 2;
        assert_int_equal(run_some(3, 1), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c2 back, lb0 gate, lb0 put, lb0 record, lb0 restart, lb0 gate");

        /* the next node is not touched while this one gets no work */
        world.bring_back_fails = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_error(0, "c0: alpha: lb0: it does not answer");
        assert_string_equal(buffer_str(&world.log), "c0 gate, c0 put, c0 record, c0 aside, c0 restart");

        /* nor is any by the next run */
        assert_true(run_all() < 0);
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_mends_the_ill_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[2].running = NULL;
        assert_int_equal(run_all(), 0);
        assert_int_equal(strncmp(buffer_str(&world.log), "c2 put, c2 record, c2 start, c1 gate", 20), 0);
        assert_in_range(world.fakes[2].n_asked, 1, 5); /* systemd has said that it does not run */
}

/* A disk that stalls, or a packet that is lost, when another one is lost already: this one is part of the quorum. */
static void test_slow_is_not_ill(void **state) {
        make_serving();
        world.wanted = "two";
        world.gate_closed = true;
        world.fakes[0].stalls = 4;
        assert_true(run_some(0, 1) < 0);
        assert_error(0, "c0: not changed");
        assert_int_equal(count_of("restart"), 0);
        assert_string_equal(world.fakes[0].put, "one");
}

static void test_closed_gate(void **state) {
        make_serving();
        world.wanted = "two";
        world.gate_closed = true;
        assert_true(run_all() < 0);
        assert_error(0, "c0: not changed");
        assert_error(0, "a member is away");
        assert_int_equal(count_of("put"), 0);
        assert_int_equal(count_of("restart"), 0);
}

static int fake_prove(void *userdata, const ProbeContext *probes, const Node *node, Error **reterr) {
        assert_ptr_equal(userdata, &world);
        assert_ptr_equal(probes->cluster, &world.cluster);
        world_log(node, "prove");
        if (streq_null(world.unproven, node->name))
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED, "still shows the old one");
        return 0;
}

static int fake_take_back(void *userdata, const Node *node, Error **reterr) {
        assert_ptr_equal(userdata, &world);
        world_log(node, "take-back");
        if (world.keeps)
                return 0;
        world.wanted = "one";
        return 1;
}

static const InstallProof proof = { .prove = fake_prove, .take_back = fake_take_back, .userdata = &world };

static void test_proven_one_by_one(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        assert_int_equal(run_some(0, 2), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c0 prove, "
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, c1 prove");
        assert_true(world.result.nodes[0].touched && world.result.nodes[1].touched);
        assert_false(world.result.nodes[0].taken_back || world.result.nodes[1].taken_back);
}

#define C0_CHANGED "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c0 prove, "
#define C1_BACK "c1 take-back, c1 put, c1 record, c1 aside, c1 restart, c1 back"

static void assert_c1_taken_back(void) {
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_UNTOUCHED);
        assert_true(world.result.nodes[1].touched && world.result.nodes[1].taken_back);
        assert_false(world.result.nodes[2].touched);
        assert_string_equal(world.fakes[0].running, "two");
        assert_string_equal(world.fakes[1].running, "one");
        assert_string_equal(world.fakes[2].running, "one");
        assert_int_equal(n_working(), 3);
        assert_contains(world.errors.errors[0]->detail,
                        "c1 was given back what it had before, and works again");
        assert_contains(world.errors.errors[0]->detail, "not touched: c2");
}

static void test_taken_back_when_not_proven(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.unproven = "c1";
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(
                buffer_str(&world.log), C0_CHANGED
                "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, c1 prove, c1 gate, " C1_BACK);
        assert_error(0, "c1: still shows the old one");
        assert_c1_taken_back();
}

static void test_taken_back_when_not_ready(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.fakes[1].dislikes = "two";
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(buffer_str(&world.log), C0_CHANGED
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, " C1_BACK);
        assert_error(0, "c1: alpha did not become ready");
        assert_c1_taken_back();
}

/* Another member was lost just after the restart: one more would be the end of the quorum. */
static void test_not_taken_back_at_risk(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.closes_gate = "c1";
        assert_true(run_some(0, 3) < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_UNTOUCHED);
        assert_int_equal(count_of("take-back"), 0);
        assert_int_equal(count_of("c1 restart"), 1);
        assert_string_equal(world.fakes[1].running, "two");
        assert_true(world.result.nodes[1].touched);
        assert_false(world.result.nodes[1].taken_back);
        assert_error(0, "c1: changed, but the cluster is not well because of alpha: a member is away");
        assert_contains(world.errors.errors[0]->detail,
                        "c1 could not be given back what it had before: one more restart would put the "
                        "cluster at risk, because of alpha: a member is away");

        /* one that does not work loses nothing by it */
        world.gate_closed = false;
        make_serving();
        world.wanted = "three";
        world.fakes[1].dislikes = "three";
        assert_true(run_some(0, 3) < 0);
        assert_true(world.result.nodes[1].taken_back);
        assert_string_equal(world.fakes[1].running, "one");
}

/* The old one does not help either. */
static void test_not_taken_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.unproven = "c1";
        world.keeps = true;
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(world.fakes[1].running, "two");
        assert_false(world.result.nodes[1].taken_back);
        assert_null(strstr(world.errors.errors[0]->detail, "given back"));

        make_serving();
        world.wanted = "three";
        world.keeps = false;
        world.fakes[1].broken = true;
        world.unproven = NULL;
        assert_true(run_some(0, 3) < 0);
        assert_false(world.result.nodes[1].taken_back);
        assert_contains(world.errors.errors[0]->detail,
                        "c1 could not be given back what it had before: alpha did not become ready");
}

/* Who presses Ctrl-C wants an end, and goes on later. */
static void test_cancelled_is_not_taken_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.fakes[0].dislikes = "two";
        world.cancel_at = "restart";
        assert_int_equal(run_some(0, 3), -ECANCELED);
        assert_int_equal(count_of("take-back"), 0);
        assert_string_equal(world.fakes[0].running, "two");
}

static void test_keeps_dying(void **state) {
        world.fakes[1].broken = world.fakes[1].dying = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_CHANGED);
        assert_error(0, "c1: alpha keeps dying: not up");
        assert_contains(world.errors.errors[0]->detail, "its last words");
}

static void test_disk_full(void **state) {
        world.fakes[2].full = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_BROKEN);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c2: no space left");
        world.fakes[2].full = false;
        assert_int_equal(run_all(), 0);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_UNCHANGED, INSTALL_CHANGED);
}

/* Everything that speaks against it is said before the first write. */
static void test_refused(void **state) {
        world.fakes[0].identity = "theirs";
        world.fakes[1].architecture = ARCH_AMD64;
        world.fakes[2].listener = "0.0.0.0:7000 nginx";
        world.fakes[3].listener = "0.0.0.0:17000 nginx";
        world.fakes[4].listener = "0.0.0.0:7000 alpha";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 3);
        assert_error(0, "c0: was installed for another cluster (identity theirs..., ours is 0125ab...)");
        assert_error(1, "c1: this machine is amd64, the cluster file says arm64");
        assert_error(2, "c2: port 7000, which alpha needs, is taken by nginx");
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_clocks(void **state) {
        world.fakes[0].clock_offset = -40;
        world.fakes[2].clock_offset = 40;
        assert_true(run_all() < 0);
        assert_error(0, "the clock of c0 is 80 s behind that of c2");
        world.fakes[2].clock_offset = 301;
        assert_true(run_all() < 0);
        assert_error(1, "c2: its clock is 301 s ahead of ours");
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_another_minor(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.35.4/kube-apiserver";
        world.fakes[2].applied = "/opt/hardway/kubernetes-v1.36.1/kube-apiserver"; /* a patch is fine */
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c1: runs Kubernetes v1.35.4, and going to v1.36.3 is another minor version");
        assert_string_equal(buffer_str(&world.log), "");
}

/* Before binaries of another version get to work, and only then. */
static void test_snapshot(void **state) {
        make_serving();
        world.wanted = "two";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[2].applied = "/opt/hardway/kubernetes-v1.36.1/kube-apiserver";
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 snapshot, c0 gate"));
        assert_int_equal(count_of("snapshot"), 1);

        /* the version before stays there, as the way back */
        world.wanted = "three";
        for (size_t i = 0; i < 3; i++)
                world.fakes[i].has_binary = true;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("snapshot"), 0);

        /* and the way back is a change like others */
        world.wanted = "four";
        for (size_t i = 0; i < 3; i++)
                world.fakes[i].has_binary = false;
        world.fakes[2].had_binary = true;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("snapshot"), 1);
}

static void test_even_members(void **state) {
        world.cluster.etcd_even = (char*) "hardway.yaml:9:3: an even number of members";
        assert_true(run_all() < 0);
        assert_error(0, "hardway.yaml:9:3");
        assert_string_equal(buffer_str(&world.log), "");

        make_serving();
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
}

static void test_unreachable(void **state) {
        world.fakes[1].unreachable = world.fakes[4].unreachable = true;
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "c1: ssh: no route");
        assert_error(1, "lb1: ssh: no route");
        assert_string_equal(buffer_str(&world.log), "");
}

static void set_unlocked(void) {
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].locked = false;
}

static void test_busy(void **state) {
        world.fakes[1].busy = true;
        assert_int_equal(run_all(), -EBUSY);
        assert_error(0, "c1: in use by somebody");
        assert_string_equal(buffer_str(&world.log), "");

        /* before it serves, others may install other nodes */
        set_unlocked();
        assert_int_equal(run_some(2, 1), 0);
        assert_false(world.fakes[0].locked);

        /* a record is not worth a wait */
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
}

/* Who lends his connections has his reasons for the locks that are on them. */
static void test_lent_locks_are_kept(void **state) {
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_false(world.fakes[1].locked);

        world.lends = true;
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_true(world.fakes[1].recorded && world.fakes[1].locked);
}

/* What stops on one node counts on all others: nobody else may be at work there. */
static void test_busy_elsewhere(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[1].busy = true;
        assert_int_equal(run_some(3, 1), -EBUSY);
        assert_error(0, "c1: in use by somebody");
        assert_contains(world.errors.errors[0]->detail, "--wait");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[1].busy = false;
        world.fakes[2].unreachable = true; /* nobody is at work there */
        set_unlocked();
        assert_int_equal(run_some(3, 1), 0);
        assert_true(world.fakes[0].locked && world.fakes[1].locked && world.fakes[3].locked);
        assert_true(world.fakes[4].locked && !world.fakes[2].locked);
        assert_int_equal(world.fakes[2].n_missed, 0); /* it has cost its time when all were connected to */

        /* one that is there, and lets only others in, may have one of them at work */
        world.wanted = "three";
        world.fakes[2].unreachable = false;
        world.fakes[2].refuses = true;
        buffer_done(&world.log);
        assert_int_equal(run_some(3, 1), -EACCES);
        assert_error(0, "c2: does not let us in");
        assert_contains(world.errors.errors[0]->detail, "So each is locked");
        assert_string_equal(buffer_str(&world.log), "");
        world.fakes[2].refuses = false;
        world.fakes[2].starved = true;
        assert_int_equal(run_some(3, 1), -EREMOTEIO);
        assert_error(0, "c2: Cannot fork");
        assert_string_equal(buffer_str(&world.log), "");
        world.fakes[2].starved = false;
        assert_int_equal(run_some(3, 1), 0);

        /* nor does anybody get in the way of a run that has nothing to do */
        set_unlocked();
        world.fakes[0].busy = true;
        assert_int_equal(run_some(3, 1), 0);
        assert_false(world.fakes[1].locked || world.fakes[3].locked);
}

/* Files that nothing has to be restarted for are nobody else's business. */
static void test_busy_elsewhere_is_no_matter(void **state) {
        make_serving();
        world.fakes[3].loose = true;
        world.fakes[1].busy = true;
        assert_int_equal(run_some(3, 1), 0);
        assert_string_equal(buffer_str(&world.log), "lb0 put, lb0 record");
        assert_false(world.fakes[0].locked);
}

static void test_dry_run(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1 };

        make_serving();
        world.wanted = "two";
        world.fakes[1].put = "two";
        world.fakes[1].running = "two";
        assert_int_equal(run_request(nodes, 2, true), 0);
        assert_true(world.result.changed);
        assert_string_equal(buffer_str(&world.log), "");
        assert_contains(world.result.nodes[0].diff, "update /etc/alpha (content differs)\n");
        assert_contains(world.result.nodes[0].diff, "\n-one\n");
        assert_contains(world.result.nodes[0].diff, "restart ");
        assert_true(json_array_size(world.result.nodes[0].changes) >= 3);
        assert_string_equal(world.result.nodes[1].diff, "");
        assert_true(world.result.nodes[0].differs);
        assert_false(world.result.nodes[1].differs);
}

/* What install would refuse before its first change is told, and the differences as well. */
static void test_dry_run_foresees(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1 };

        make_serving();
        world.unseen = EHOSTUNREACH;
        assert_int_equal(run_request(nodes, 2, true), 0); /* nothing to do: nobody is asked */

        world.wanted = "two";
        assert_int_equal(run_request(nodes, 2, true), -EHOSTUNREACH);
        assert_error(0, "it serves, and cannot be asked");
        assert_string_equal(buffer_str(&world.log), "");
        assert_contains(world.result.nodes[1].diff, "update /etc/alpha (content differs)\n");
        assert_int_equal(world.result.nodes[1].outcome, INSTALL_UNTOUCHED);
}

static void test_cancelled(void **state) {
        make_serving();
        world.wanted = "two";
        world.cancel_at = "restart";
        assert_int_equal(run_all(), -ECANCELED);
        assert_error(0, "c0: stopped as asked");
        assert_contains(buffer_str(&world.log), "c0 restart");
        assert_int_equal(count_of("restart"), 1);

        /* and goes on from there */
        world.cancel_at = NULL;
        world.cancelled = 0;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("restart"), 4);
}

/* Nothing differs, and yet the API is away: somebody is ill. */
static void test_ill_although_as_planned(void **state) {
        make_serving();
        world.fakes[0].broken = world.fakes[1].broken = true;
        assert_true(run_all() < 0);
        assert_error(0, "c0: alpha did not become ready");
        assert_error(1, "c1: alpha did not become ready");
}

static void test_endpoint_is_away(void **state) {
        world.object = "wanted";
        world.api_down = true;
        assert_true(run_all() < 0);
        assert_error(0, "refused");
}

/* What nodes answer to further questions counts as what they told of themselves: before the first write. */
static void test_questions(void **state) {
        static const char *const ignored[] = { "mac-addresses", NULL };

        world.fakes[0].answer = world.fakes[3].answer = "mac 02:00:00:00:00:01\n";
        world.fakes[1].answer = "leftover k3s.service\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "lb0: has the same MAC address as c0");
        assert_error(1, "c1: k3s was here: k3s.service");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[1].answer = NULL;
        world.ignore = ignored;
        assert_int_equal(run_all(), 0);

        /* those that serve are not asked */
        world.wanted = "two";
        world.fakes[1].mute = true;
        assert_int_equal(run_all(), 0);
}

static void make_joiner(FakeNode *f) {
        f->put = NULL;
        f->running = NULL;
        f->recorded = false;
}

/* A node that joins a cluster that serves is asked what all were asked before the first installation. */
static void test_questions_to_a_joiner(void **state) {
        make_serving();
        make_joiner(world.fakes + 2);
        world.fakes[2].answer = "leftover k3s.service\nmac 02:00:00:00:00:01\n";
        world.fakes[3].answer = "mac 02:00:00:00:00:01\n";
        /* what one that serves would answer about itself is not news */
        world.fakes[1].answer = "leftover k3s.service\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "lb0: has the same MAC address as c2");
        assert_error(1, "c2: k3s was here: k3s.service");
        assert_string_equal(buffer_str(&world.log), "");

        /* and one that serves and cannot be asked is not in its way */
        world.fakes[2].answer = world.fakes[3].answer = NULL;
        world.fakes[0].mute = true;
        assert_int_equal(run_all(), 0);
        assert_non_null(strstr(buffer_str(&world.log), "c2 put"));
}

/* Of those that serve only the ways to it are looked at, also if nothing else changes there. */
static void test_ways_to_a_joiner(void **state) {
        static const Reach reaches[] = { { .port = 7000, .from = ROLE_CONTROLLER, .why = "peers" } };
        static const char blocked[] = "way 10.77.0.22/7000 silent\nway 10.77.0.21/7000 silent\n";

        (void) inet_address_parse("10.77.0.21", &world.nodes[1].address);
        (void) inet_address_parse("10.77.0.22", &world.nodes[2].address);
        alpha.reaches = reaches;
        alpha.n_reaches = 1;
        make_serving();
        world.fakes[0].answer = blocked;
        world.wanted = "two";
        assert_int_equal(run_all(), 0);

        make_serving();
        make_joiner(world.fakes + 2);
        buffer_done(&world.log);
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c0: c2:7000 does not answer");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[0].answer = NULL;
        world.fakes[2].answer = "way 10.77.0.21/7000 silent\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c2: c1:7000 does not answer");
        alpha.reaches = NULL;
        alpha.n_reaches = 0;
}

static const Check* find_finding(const CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        fail_msg("no finding %s", id);
        return NULL;
}

/* All nodes, whatever is wrong with some, and nothing is written. */
static void test_check(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3 };
        _cleanup_(check_list_done) CheckList found = {};
        _cleanup_error_ Error *error = NULL;
        static const HostOptions host = {};
        InstallRequest request = {
                .cluster = &world.cluster,
                .store = (Store*) &world,
                .components = fake_components,
                .nodes = nodes,
                .n_nodes = 4,
                .host = &host,
        };

        make_serving();
        world.fakes[0].unreachable = true;
        world.fakes[1].mute = true;
        world.fakes[2].answer = "swap /dev/mmcblk0p3\nsync 10 0.005\n";
        assert_success(install_check(&request, &found, &error), error, 0);
        assert_string_equal(find_finding(&found, "ssh/c0")->text, "ssh: no route");
        assert_string_equal(find_finding(&found, "ssh/c1")->text, "ssh: connection lost");
        assert_int_equal(find_finding(&found, "architecture/c2")->state, CHECK_OK);
        assert_int_equal(find_finding(&found, "swap/c2")->state, CHECK_WARNING);
        assert_int_equal(find_finding(&found, "identity/lb0")->state, CHECK_OK);
        for (size_t i = 0; i < found.n_checks; i++)
                assert_true(!found.checks[i].node || !streq(found.checks[i].node, "lb1"));
        assert_string_equal(buffer_str(&world.log), "");

        world.unseen = EHOSTUNREACH;
        check_list_done(&found);
        assert_success(install_check(&request, &found, &error), error, 0);
        assert_int_equal(find_finding(&found, "serving")->state, CHECK_FAILED);
        assert_int_equal(find_finding(&found, "serving")->kind, ERROR_UNAVAILABLE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_first_installation),
                install_test(test_nothing_to_change),
                install_test(test_leaver_that_works),
                install_test(test_leaver_is_shown),
                install_test(test_leaver_goes_first),
                install_test(test_members_are_asked_once),
                install_test(test_lost_object),
                install_test(test_lost_record),
                install_test(test_lost_restart),
                install_test(test_one_of_three),
                install_test(test_two_of_three),
                install_test(test_two_of_three_fail),
                install_test(test_one_by_one),
                install_test(test_retires),
                install_test(test_new_load_balancer_is_last),
                install_test(test_peers_are_told_of_who_comes),
                install_test(test_peer_that_is_ill),
                install_test(test_peers_forget_who_has_left),
                install_test(test_ill_peer_forgets_who_has_left),
                install_test(test_retires_the_distributions),
                install_test(test_retires_what_was_purged),
                install_test(test_retires_a_timer),
                install_test(test_serves_by_now),
                install_test(test_serves_by_now_something_else),
                install_test(test_unseen),
                install_test(test_expired),
                install_test(test_stops_at_the_first),
                install_test(test_ill_are_not_waited_for),
                install_test(test_settles_what_joined_before),
                install_test(test_failed_job),
                install_test(test_mends_the_ill_first),
                install_test(test_slow_is_not_ill),
                install_test(test_brings_back),
                install_test(test_closed_gate),
                install_test(test_keeps_dying),
                install_test(test_proven_one_by_one),
                install_test(test_taken_back_when_not_proven),
                install_test(test_taken_back_when_not_ready),
                install_test(test_not_taken_back),
                install_test(test_not_taken_back_at_risk),
                install_test(test_cancelled_is_not_taken_back),
                install_test(test_disk_full),
                install_test(test_refused),
                install_test(test_clocks),
                install_test(test_another_minor),
                install_test(test_snapshot),
                install_test(test_even_members),
                install_test(test_unreachable),
                install_test(test_busy),
                install_test(test_lent_locks_are_kept),
                install_test(test_busy_elsewhere),
                install_test(test_busy_elsewhere_is_no_matter),
                install_test(test_dry_run),
                install_test(test_dry_run_foresees),
                install_test(test_cancelled),
                install_test(test_ill_although_as_planned),
                install_test(test_endpoint_is_away),
                install_test(test_questions),
                install_test(test_questions_to_a_joiner),
                install_test(test_ways_to_a_joiner),
                install_test(test_check),
        };

        return cmocka_run_group_tests_name("install-run", tests, NULL, NULL);
}
