/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore from end to end over hosts and members that are played: what is asked, what is stopped, and which
 * data is sent, also after an earlier run.
 *
 * Wraps: host_look host_send host_put receive_file etcd_survey etcd_save etcd_snapshot_inspect
 * Wraps: snapshot_facts host_pool_insist install_run plan_node plan_outline http_request
 */

#include "tests/unit/unit.h"

#include <pthread.h>

#include "common/clock.h"
#include "etcd/snapshot.h"
#include "operate/receive.h"
#include "operate/restore-internal.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/no-http.h"
#include "tests/unit/no-sync.h"
#include "tests/unit/plan-fixture.h"

#define IDENTITY "abcd"
#define OTHERS "/etc/kubernetes/kube-apiserver.conf" /* what another component has on a host */

typedef struct World {
        UnitDir *dir;
        Node nodes[3];
        Cluster cluster;
        Store *store;
        pthread_mutex_t mutex;
        Buffer log;
        ErrorList errors;
        RestoreResult result;

        EtcdState states[2];
        const char *identity[2]; /* that the node was installed for */
        const char *mark[2];     /* the second line of it, or NULL */
        const char *aside[2];
        bool bare[2];    /* nothing is installed */
        bool other_mark; /* the file has another cluster's beside ours */
        bool force;
        bool swapped;      /* all marks have the journal's token */
        bool apiserver;    /* answers */
        bool damaged;      /* what comes from the survivor */
        bool stopped[3];   /* something of it, and not started again */
        bool no;           /* is the answer */
        const char *fails; /* the step that fails */
        const char *fails_too;
        const char *away;       /* a node */
        const char *then_fails; /* the step that fails once the question is answered */
        bool then_runs;         /* etcd on c1, by then */
        bool then_reset;        /* c1, by then */
        bool is_reset;          /* c1 */
        bool starts;            /* etcd, even if the installation fails */
        const char *stops;      /* the step at which somebody wants to stop */
        volatile int cancelled;
        atomic_uint telling, n_told;
        atomic_bool told_at_once; /* an event, when another one was being told */
        char sent[PATH_MAX];      /* file and digest */
        char digest[65];
        char question[512];
} World;

static World *world;

static int note(const char *node, const char *what, Error **reterr) {
        _cleanup_free_ char *word = xasprintf("%s:%s", node, what);

        (void) pthread_mutex_lock(&world->mutex);
        buffer_addf(&world->log, "%s;", word);
        if (streq_null(world->stops, word))
                world->cancelled = 1;
        (void) pthread_mutex_unlock(&world->mutex);
        if (streq_null(world->fails, word) || streq_null(world->fails_too, word))
                return error_set(reterr, ERROR_IO, ENOSPC, "%s", word);
        return 0;
}

static bool happened(const char *what) {
        return strstr(buffer_str(&world->log), what) != NULL;
}

static size_t count_of(const char *what) {
        size_t n = 0;

        for (const char *p = buffer_str(&world->log); (p = strstr(p, what)); p++)
                n++;
        return n;
}

void __wrap_host_pool_insist(HostPool *p);
void __wrap_host_pool_insist(HostPool *p) {
        (void) note("all", "insist", NULL);
}

int fake_host(const Node *node, const char *what, Error **reterr) {
        if (streq_null(world->away, node->name))
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "%s", what);
        return note(node->name, what, reterr);
}

int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr);
int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr) {
        const Node *node = fake_node(h);

        *ret = xnew(Observation, 1);
        **ret = (Observation) { .identity = xstrdup(world->identity[node->index]) };
        *ret_facts = (Facts) {};
        if (!world->bare[node->index])
                return 0;
        (*ret)->applied = xnew(AppliedFile, 1);
        (*ret)->applied[0] =
                (AppliedFile) { .path = xstrdup(OTHERS), .sha256 = xstrdup("aa"), .stamp = xstrdup("1") };
        (*ret)->n_applied = 1;
        (*ret)->paths = xnew(ObservedPath, 1);
        (*ret)->paths[0] = (ObservedPath) {
                .path = xstrdup(OTHERS),
                .type = OBSERVED_FILE,
                .stamp = xstrdup("1"),
                .sha256 = xstrdup("aa"),
        };
        (*ret)->n_paths = 1;
        return 0;
}

static char* state_of(size_t i) {
        _cleanup_(journal_done) RestoreJournal j = {};
        const char *token = world->mark[i];

        if (world->swapped && journal_read(world->dir->path, &j, NULL) > 0)
                token = j.token;
        if (world->is_reset && i == 1)
                return xstrdup("no\nnone\nmark\n");
        return xasprintf("%s\n%s\n%s%s%smark\n" IDENTITY "\n%s%s", world->bare[i] ? "no" : "yes",
                         world->bare[i] ? "none" : "data", world->aside[i] ? "before-" : "",
                         world->aside[i] ?: "", world->aside[i] ? "\n" : "", token ?: "", token ? "\n" : "");
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *title = xstrndup(script, strcspn(script, "\n")), *state = NULL;

        if (streq(title, "# how far is it?")) {
                state = state_of(node->index);
                buffer_add_str(ret, state);
        } else if (streq(title, "# as it was") && world->stopped[node->index]) {
                buffer_add_str(ret, "started\n");
                world->stopped[node->index] = false;
        }
        world->stopped[node->index] |= strstr(script, "systemctl stop") != NULL;
        return note(node->name, title, reterr);
}

int __wrap_host_send(Host *h, const char *source, const char *path, const char *sha256,
                     void (*progress)(void *userdata, uint64_t done, uint64_t total), void *userdata,
                     Error **reterr);
int __wrap_host_send(Host *h, const char *source, const char *path, const char *sha256,
                     void (*progress)(void *userdata, uint64_t done, uint64_t total), void *userdata,
                     Error **reterr) {
        (void) pthread_mutex_lock(&world->mutex);
        (void) snprintf(world->sent, sizeof(world->sent), "%s", source);
        (void) snprintf(world->digest, sizeof(world->digest), "%s", sha256);
        (void) pthread_mutex_unlock(&world->mutex);
        return note(fake_node(h)->name, "send", reterr);
}

int __wrap_host_put(Host *h, const HostPut *put, Error **reterr);
int __wrap_host_put(Host *h, const HostPut *put, Error **reterr) {
        for (size_t i = 0; i < put->changes->n_changes; i++)
                if (put->changes->changes[i].type == CHANGE_REMOVE)
                        (void) note("any", "removal", NULL);
        return note(fake_node(h)->name, "put", reterr);
}

static void make_file(const char *path, const char *text) {
        assert_true(fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, NULL) >= 0);
}

int __wrap_receive_file(Host *host, const char *source, const char *path,
                        int (*check)(const char *part, Error **reterr), Error **reterr);
int __wrap_receive_file(Host *host, const char *source, const char *path,
                        int (*check)(const char *part, Error **reterr), Error **reterr) {
        make_file(path, "what it has");
        return note(fake_node(host)->name, "receive", reterr);
}

int __wrap_etcd_save(const ProbeContext *c, const EtcdSaveRequest *request, EtcdSaved *ret, Error **reterr);
int __wrap_etcd_save(const ProbeContext *c, const EtcdSaveRequest *request, EtcdSaved *ret, Error **reterr) {
        make_file(request->path, "what it has");
        return note(request->node->name, "save", reterr);
}

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);
int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        *ret = (EtcdSurvey) { .cluster = c->cluster, .sights = xnew(EtcdSight, 3), .n_sights = 2 };
        for (size_t i = 0; i < 2; i++)
                ret->sights[i] = (EtcdSight) {
                        .node = c->cluster->nodes + i,
                        .state = world->states[i],
                        .answers = world->states[i] <= ETCD_UNHEALTHY,
                        .status = { .revision = 5 },
                };
        return 0;
}

int __wrap_etcd_snapshot_inspect(const char *path, EtcdSnapshotFile *ret, Error **reterr);
int __wrap_etcd_snapshot_inspect(const char *path, EtcdSnapshotFile *ret, Error **reterr) {
        if (world->damaged && strstr(path, "snapshots/"))
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: is damaged", path);
        *ret = (EtcdSnapshotFile) { .size = 11 };
        strv_add(&ret->marks, IDENTITY);
        if (world->other_mark)
                strv_add(&ret->marks, "00112233445566778899aabbccddeeff");
        return note("file", "examine", reterr);
}

int __wrap_snapshot_facts(const Cluster *c, const Lock *lock, const char *path, SnapshotFacts *ret,
                          Error **reterr);
int __wrap_snapshot_facts(const Cluster *c, const Lock *lock, const char *path, SnapshotFacts *ret,
                          Error **reterr) {
        *ret = (SnapshotFacts) {};
        return 0;
}

int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors);
int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors) {
        Error *error = NULL;
        int r;

        assert_null(q->cancelled);
        /* locked, and not to be stopped */
        assert_non_null(q->hosts);
        assert_true(happened("insist"));
        *ret = (InstallResult) {};
        r = note("all", "install", &error);
        if (r >= 0 && q->n_nodes > 2)
                r = note("lb0", "install", &error);
        if (error)
                error_list_take(errors, error);
        for (size_t i = 0; i < 2; i++)
                if (r >= 0 || world->starts)
                        world->states[i] = ETCD_HEALTHY;
        return r;
}

int __wrap_plan_node(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr);
int __wrap_plan_node(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr) {
        *ret = plan_new(c->cluster, c->node);
        return plan_finish(*ret, reterr);
}

int __wrap_plan_outline(const Component *const *components, const PlanContext *c, Plan **ret,
                        Error **reterr);
int __wrap_plan_outline(const Component *const *components, const PlanContext *c, Plan **ret,
                        Error **reterr) {
        return __wrap_plan_node(components, c, ret, reterr);
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        *ret = (HttpResponse) { .status = 500 };
        return world->apiserver ? 0 : -ECONNREFUSED;
}

static int confirm(void *userdata, const RestoreQuestion *q, Error **reterr) {
        (void) snprintf(world->question, sizeof(world->question), "%s|%s", q->snapshot ?: "",
                        q->earlier ?: "");
        (void) note("user", "asked", NULL);
        if (world->then_fails)
                world->fails = world->then_fails;
        if (world->then_runs)
                world->states[1] = ETCD_WAITING;
        world->is_reset = world->is_reset || world->then_reset;
        return world->no ? error_set(reterr, ERROR_TEMPORARY, ECANCELED, "no") : 0;
}

static char* in_dir(const char *name) {
        return xasprintf("%s/%s", world->dir->path, name);
}

static int setup(void **state) {
        World *w = xnew(World, 1);
        _cleanup_free_ char *identity = NULL, *secrets = NULL, *a = NULL, *b = NULL, *copy = NULL;

        world = w;
        *w = (World) { .mutex = PTHREAD_MUTEX_INITIALIZER, .identity = { IDENTITY, IDENTITY } };
        if (unit_dir_setup((void**) &w->dir) < 0)
                return -1;
        w->cluster = fixture_cluster(w->nodes);
        w->cluster.path = in_dir("hardway.yaml");
        secrets = in_dir("secrets");
        identity = in_dir("secrets/identity");
        a = in_dir("a.db");
        b = in_dir("b.db");
        copy = in_dir("copy.db");
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        make_file(identity, IDENTITY "\n");
        make_file(a, "a");
        make_file(copy, "a");
        make_file(b, "b");
        assert_true(store_open(w->dir->path, &w->store, NULL) >= 0);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        World *w = *state;

        store_free(w->store);
        buffer_done(&w->log);
        error_list_done(&w->errors);
        restore_result_done(&w->result);
        free(w->cluster.path);
        (void) unit_dir_teardown((void**) &w->dir);
        free(w);
        return 0;
}

/* Takes its time, so that another thread would come in between. */
static void take_event(void *userdata, const InstallEvent *event) {
        if (atomic_fetch_add(&world->telling, 1) > 0)
                world->told_at_once = true;
        (void) usleep(2000);
        atomic_fetch_sub(&world->telling, 1);
        world->n_told++;
}

/* file: in the directory; NULL: what c0 has, without c1. */
static int restore(const char *file, size_t n_nodes, bool dry_run) {
        static const Component *const none[] = { NULL };
        const Node *const nodes[] = { world->nodes, world->nodes + 1, world->nodes + 2 };
        _cleanup_free_ char *path = file ? in_dir(file) : NULL;
        const HostOptions host = { .cancelled = &world->cancelled };
        const RestoreRequest request = {
                .install = { .cluster = &world->cluster,
                             .store = world->store,
                             .components = none,
                             .nodes = nodes,
                             .n_nodes = n_nodes,
                             .host = &host,
                             .cancelled = &world->cancelled,
                             .cache = "/nonexistent",
                             .event = take_event,
                             .dry_run = dry_run },
                .snapshot = path,
                .survivor = file ? NULL : world->nodes,
                .force = world->force,
                .confirm = confirm,
        };
        int r;

        buffer_clear(&world->log);
        error_list_done(&world->errors);
        world->errors = ERROR_LIST_NULL;
        restore_result_done(&world->result);
        r = restore_run(&request, &world->result, &world->errors);
        assert_false(world->told_at_once);
        assert_true(r < 0 || dry_run || world->n_told > 0);
        return r;
}

/* What the last error says besides. */
static const char* advice(void) {
        const ErrorList *errors = &world->errors;

        return errors->n_errors > 0 ? errors->errors[errors->n_errors - 1]->detail ?: "" : "";
}

static bool is_begun(void) {
        _cleanup_(journal_done) RestoreJournal j = {};

        return journal_read(world->dir->path, &j, NULL) > 0;
}

static void test_survivor_is_asked_first(void **state) {
        world->states[0] = ETCD_WAITING;
        world->states[1] = ETCD_AWAY;
        assert_int_equal(restore(NULL, 1, /* dry_run= */ true), 0);
        assert_true(happened("user:asked;"));
        assert_false(happened("what runs") || happened("stop") || happened("lock") || happened("receive"));

        world->no = true;
        assert_int_equal(restore(NULL, 1, false), -ECANCELED);
        assert_true(happened("c0:lock;"));
        assert_false(happened("a clean end") || happened("receive") || is_begun());

        world->no = false;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_true(strstr(buffer_str(&world->log), "user:asked;") <
                    strstr(buffer_str(&world->log), "c0:# a clean end"));
        assert_contains(world->sent, "snapshots/test-");
        assert_false(is_begun());
}

static void test_survivor_of_another_cluster(void **state) {
        world->states[0] = ETCD_AWAY;
        world->states[1] = ETCD_AWAY;
        world->identity[0] = "ef01";
        assert_int_equal(restore(NULL, 1, false), -EEXIST);
        assert_false(happened("user:asked") || happened("a clean end"));
        world->identity[0] = IDENTITY;
        world->mark[0] = "00112233445566778899aabbccddeeff"; /* of another restore than the last */
        assert_int_equal(restore(NULL, 1, false), -EXDEV);
        assert_false(happened("user:asked") || happened("a clean end"));
}

/* A clone's snapshot has the marks of both, as a restored cluster's own has: only a person can tell. */
static void test_marks_of_two(void **state) {
        world->other_mark = true;
        assert_int_equal(restore("a.db", 2, false), -EXDEV);
        assert_contains(advice(), "this cluster was once restored from one of that");
        assert_false(happened("user:asked") || happened("a clean end"));
        world->force = true;
        assert_int_equal(restore("a.db", 2, /* dry_run= */ true), 0);
}

/* A member that answers is not stopped because there is no room here. */
static void test_survivor_that_answers(void **state) {
        world->states[1] = ETCD_AWAY;
        world->fails = "c0:save";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_false(happened("a clean end") || happened("nothing runs"));
        world->fails = NULL;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_false(happened("a clean end"));
}

static void test_survivor_is_started_again(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->damaged = true;
        assert_int_equal(restore(NULL, 1, false), -EBADMSG);
        assert_true(happened("c0:# a clean end") && happened("c0:# as it was;"));
        assert_false(happened("nothing runs") || is_begun());
        assert_contains(advice(),
                        "What was stopped is started again on c0.\n"
                        "Once the cause is gone: hardway etcd restore --survivor c0 --without c1\n");
}

static void test_nothing_is_begun_before_all_are_seen(void **state) {
        world->fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("user:asked") || is_begun());
}

/* What is locked stays so until the last node is started; a load balancer that is away keeps nobody from it. */
static void test_load_balancers_are_held(void **state) {
        world->fails = "lb0:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("user:asked") || is_begun());
        world->fails = NULL;
        assert_int_equal(restore("a.db", 3, false), 0);
        assert_int_equal(count_of("all:install;"), 2);
        world->away = "lb0";
        assert_int_equal(restore("b.db", 3, false), 0);
        assert_int_equal(count_of("all:install;"), 1);
}

/* Data that serves nobody, since a load balancer is lost while it is put in place, would be the worst. */
static void test_members_are_started_first(void **state) {
        world->fails = "lb0:install";
        assert_int_equal(restore("a.db", 3, false), -ENOSPC);
        assert_true(happened("all:install;lb0:install;"));
        assert_true(world->states[0] == ETCD_HEALTHY && world->states[1] == ETCD_HEALTHY);
        assert_false(is_begun());
}

/* A restore of a file that stopped half way is not what a survivor has. */
static void test_survivor_after_another_restore(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(is_begun());
        world->fails = NULL;
        world->states[1] = ETCD_AWAY;
        world->aside[0] = "0011";
        assert_int_equal(restore(NULL, 1, false), -EBUSY);
        assert_false(happened("user:asked"));
        world->aside[0] = NULL;
        store_free(world->store);
        assert_true(store_open(world->dir->path, &world->store, NULL) >= 0);
        world->swapped = true; /* the mark is that of the cluster */
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_contains(world->sent, "snapshots/test-");
        assert_contains(world->question, "a.db onto c0,c1 that was begun at ");
}

/* Before the swap it may have been started again since; after it, what it has is no longer its own. */
static void test_survivor_goes_on(void **state) {
        char first[PATH_MAX];

        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "c0:# the new data, beside the old";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_true(is_begun());
        world->fails = "c0:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_true(happened("a clean end") && !world->result.resumed);
        (void) snprintf(first, sizeof(first), "%s", world->sent);
        store_free(world->store);
        assert_true(store_open(world->dir->path, &world->store, NULL) >= 0);
        world->fails = NULL;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_true(world->result.resumed && !happened("a clean end"));
        assert_string_equal(world->sent, first);
}

/* The bytes that were examined are sent, wherever they are now; other members are another restore. */
static void test_resumes_the_same_only(void **state) {
        _cleanup_free_ char *token = NULL, *copy = in_dir("copy.db");

        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        token = xstrdup(world->result.token);
        assert_int_equal(restore("copy.db", 2, false), -ENOSPC);
        assert_true(world->result.resumed);
        assert_string_equal(world->result.token, token);
        assert_string_equal(world->sent, copy);
        assert_int_equal(strlen(world->digest), 64);
        assert_contains(world->question, "This goes on with the restore that was begun at ");
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        assert_false(world->result.resumed);
        assert_string_not_equal(world->result.token, token);
        free(token);
        token = xstrdup(world->result.token);
        world->states[1] = ETCD_AWAY;
        assert_int_equal(restore("b.db", 1, false), 0);
        assert_false(world->result.resumed);
        assert_string_not_equal(world->result.token, token);
}

/* Everything serves, and the journal was left: the same file is restored again, as was asked. */
static void test_finished_begins_anew(void **state) {
        _cleanup_free_ char *token = NULL;

        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        token = xstrdup(world->result.token);
        world->fails = NULL;
        world->swapped = true;
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->no = true;
        assert_int_equal(restore("b.db", 2, false), -ECANCELED);
        assert_contains(world->question, "This goes on");
        world->states[0] = world->states[1] = ETCD_HEALTHY;
        assert_int_equal(restore("b.db", 2, false), -ECANCELED);
        assert_contains(world->question, "is complete");
        world->no = false;
        assert_int_equal(restore("b.db", 2, false), 0);
        assert_string_not_equal(world->result.token, token);
        assert_true(happened("nothing runs") && happened("c0:send;") && !is_begun());
}

/* Before the answer this machine was asleep, and its locks gone: somebody else is at work, or what was off is back. */
static void test_looks_again_after_the_question(void **state) {
        world->then_fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(happened("user:asked"));
        assert_false(happened("nothing runs") || happened("as it was") || is_begun());
        assert_false(world->stopped[0] || world->stopped[1]);

        /* a survivor that has to be stopped to be read is not, either */
        world->fails = NULL;
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->then_fails = "c0:lock";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_false(happened("a clean end") || world->stopped[0]);

        world->fails = world->then_fails = NULL;
        world->then_runs = true;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "c1 is to be left out, and its etcd runs");
        assert_true(happened("user:asked"));
        assert_false(happened("nothing runs") || world->stopped[0]);
}

/* What a run that is gone on with has stopped may be somebody else's business by now: it is left, and the way is named. */
static void test_looks_again_while_going_on(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = NULL;
        world->then_fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(world->question, "This goes on with");
        assert_false(happened("as it was") || happened("nothing runs"));
        assert_contains(advice(), "was left as it is. It goes on with: hardway etcd restore /");
        assert_contains(advice(), "/a.db\n");
}

/* A member that has the new data, and is reset while the person reads, gets it once more. */
static void test_reset_before_the_answer(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "all:install";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        world->fails = NULL;
        world->swapped = world->then_reset = true;
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(world->result.resumed);
        assert_true(happened("c1:# the new data takes the place of the old, which stays aside;"));
        assert_false(happened("c0:# the new data takes the place of the old, which stays aside;"));
}

static void test_left_out_has_to_be_gone(void **state) {
        world->states[1] = ETCD_WAITING;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "c1 is to be left out, and its etcd runs");
        world->states[1] = ETCD_AWAY;
        world->apiserver = true;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "its apiserver runs");
        assert_false(happened("user:asked") || happened("nothing runs"));
        world->apiserver = false;
        assert_int_equal(restore("a.db", 1, false), 0);
}

/* One survivor and a fresh host: nothing is started there before its data is. */
static void test_fresh_host(void **state) {
        world->states[1] = ETCD_AWAY;
        world->bare[1] = true;
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(happened("c1:put;"));
        assert_false(happened("c0:put;") || happened("any:removal;"));
        assert_true(strstr(buffer_str(&world->log), "all:install;") >
                    strstr(buffer_str(&world->log), "c1:# the new data takes the place"));
}

static void test_no_room(void **state) {
        world->fails = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("nothing runs"));
}

/* Nobody has new data: what was stopped is started again, on both, and so it is by the next run that fails. */
static void test_undone_before_the_swap(void **state) {
        static const char *const steps[] = {
                "c1:# nothing runs, and nothing starts by itself",
                "c1:send",
                "c1:# the new data, beside the old",
        };

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                world->fails = steps[i];
                assert_int_equal(restore("a.db", 2, false), -ENOSPC);
                assert_true(happened("c0:# as it was;") && happened("c1:# as it was;"));
                assert_contains(advice(),
                                "No data was replaced. What was stopped is started again on c0, c1.\n"
                                "Once the cause is gone: hardway etcd restore /");
                assert_false(happened("takes the place of the old"));
        }
        /* an earlier run was killed when all was stopped */
        world->stopped[0] = true;
        world->fails = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(), "is started again on c0.\n");
        world->stops = "c1:# nothing runs, and nothing starts by itself";
        world->fails = NULL;
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_contains(advice(), "is started again on c0, c1.\n");
        assert_false(happened("takes the place of the old"));
}

/* What a restore of long ago has left aside does not keep anything stopped. */
static void test_undone_beside_what_is_aside(void **state) {
        world->aside[0] = "0011";
        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(happened("c0:# as it was;") && happened("c1:# as it was;"));
        assert_contains(advice(), "No data was replaced.");

        /* but half of a restore that was given up does */
        world->mark[0] = "0011";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "There may be new data already");
}

/* Who says no has changed nothing, and gets nothing changed. */
static void test_not_undone_after_a_no(void **state) {
        world->stopped[0] = true;
        world->no = true;
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_false(happened("as it was"));
}

static void test_undo_that_fails(void **state) {
        world->states[1] = ETCD_AWAY;
        world->fails = "c0:# the new data, beside the old";
        world->fails_too = "c0:# as it was";
        assert_int_equal(restore("a.db", 1, false), -ENOSPC);
        assert_contains(advice(), "What was stopped may not run again: c0: ");
        assert_contains(advice(), "hardway install\n");
        assert_null(strstr(advice(), "is started again on"));
}

/* Once data may have been swapped nothing of before is started: there is one way, and it is named. */
static void test_not_undone_after_a_swap(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "This goes on with: hardway etcd restore /");
        assert_contains(advice(), "/a.db\n");
        /* another one, which does not come so far, over what that one has left */
        world->aside[0] = "0011";
        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "/b.db\n");
}

static void test_failure_at_the_end(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "all:install";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(), "This goes on with: hardway etcd restore /");
        assert_true(is_begun());
        world->starts = true; /* etcd does; what fails is something else */
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(),
                        "The data is restored, and serves. What is left is done by: hardway install\n");
        assert_false(is_begun());
        assert_true(happened("c0:# what was kept until the new data was seen to work;"));
}

static void test_command_is_quoted(void **state) {
        _cleanup_free_ char *path = in_dir("it's a file.db");

        make_file(path, "a");
        world->fails = "c0:send";
        assert_int_equal(restore("it's a file.db", 2, false), -ENOSPC);
        assert_contains(advice(), "hardway etcd restore '/");
        assert_contains(advice(), "/it'\\''s a file.db'\n");
}

/* Before the control plane is stopped; after that, until new data takes the place of the old; and then no more. */
static void test_is_stopped_in_time(void **state) {
        world->stops = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_string_equal(world->errors.errors[0]->message,
                            "stopped as asked; the control plane was not stopped");
        assert_false(happened("nothing runs"));

        world->cancelled = 0;
        world->stops = "all:insist";
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(strstr(buffer_str(&world->log), "all:insist;") <
                    strstr(buffer_str(&world->log), "takes the place of the old"));
        assert_true(happened("all:install;"));
}

/* A survivor that was stopped to be read goes on then. */
static void test_survivor_after_a_stop(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->stops = "c0:receive";
        assert_int_equal(restore(NULL, 1, false), -ECANCELED);
        assert_true(happened("c0:# a clean end") && happened("c0:# as it was;"));
        assert_false(happened("nothing runs"));
}

#define restore_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                restore_test(test_survivor_is_asked_first),
                restore_test(test_survivor_of_another_cluster),
                restore_test(test_marks_of_two),
                restore_test(test_survivor_that_answers),
                restore_test(test_survivor_is_started_again),
                restore_test(test_nothing_is_begun_before_all_are_seen),
                restore_test(test_load_balancers_are_held),
                restore_test(test_members_are_started_first),
                restore_test(test_survivor_after_another_restore),
                restore_test(test_survivor_goes_on),
                restore_test(test_resumes_the_same_only),
                restore_test(test_finished_begins_anew),
                restore_test(test_looks_again_after_the_question),
                restore_test(test_looks_again_while_going_on),
                restore_test(test_reset_before_the_answer),
                restore_test(test_left_out_has_to_be_gone),
                restore_test(test_fresh_host),
                restore_test(test_no_room),
                restore_test(test_undone_before_the_swap),
                restore_test(test_not_undone_after_a_no),
                restore_test(test_undo_that_fails),
                restore_test(test_undone_beside_what_is_aside),
                restore_test(test_not_undone_after_a_swap),
                restore_test(test_failure_at_the_end),
                restore_test(test_command_is_quoted),
                restore_test(test_is_stopped_in_time),
                restore_test(test_survivor_after_a_stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
