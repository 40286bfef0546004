/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

#include "common/clock.h"
#include "etcd/snapshot.h"
#include "operate/receive.h"
#include "operate/restore-internal.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/no-http.h"
#include "tests/unit/no-sync.h"
#include "tests/unit/plan-fixture.h"

/*
 * Hosts and members that are played, for a restore from end to end: what happens is in World.log.
 *
 * Wraps: host_look host_send host_put receive_file etcd_survey etcd_save etcd_snapshot_inspect
 * Wraps: snapshot_facts host_pool_insist install_run plan_node plan_outline http_request
 */

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
        const char *edition[2];  /* that it was given */
        char *const *ignore;
        const char *mark[2]; /* the second line of it, or NULL */
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
        unsigned *keys; /* that the snapshot names, lent; n_keys of them */
        size_t n_keys;
        const Component *const *components; /* NULL: none */
        Buffer said;                        /* what was told, and warned of, of no node */
} World;

static World *world;

static inline int note(const char *node, const char *what, Error **reterr) {
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

static inline bool happened(const char *what) {
        return strstr(buffer_str(&world->log), what) != NULL;
}

static inline size_t count_of(const char *what) {
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
        **ret = (Observation) { .identity = xstrdup(world->identity[node->index]),
                               .edition =
                                       node->index < 2 ? xstrdup_null(world->edition[node->index]) : NULL };
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

static inline char* data_of(size_t i) {
        _cleanup_(journal_done) RestoreJournal j = {};
        const char *token = world->mark[i];

        if (world->swapped && journal_read(world->dir->path, &j, NULL) > 0)
                token = j.token;
        if (world->is_reset && i == 1)
                return xstrdup("end\n");
        return xasprintf("%s%s%s%smark " IDENTITY "\n%s%s%send\n", world->bare[i] ? "" : "member\n",
                         world->aside[i] ? "aside " : "", world->aside[i] ?: "", world->aside[i] ? "\n" : "",
                         token ? "mark " : "", token ?: "", token ? "\n" : "");
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *title = xstrndup(script, strcspn(script, "\n")), *data = NULL;

        if (streq(title, "# is etcd installed?"))
                buffer_add_str(ret, world->bare[node->index] || (world->is_reset && node->index == 1) ?
                                            "no\n" :
                                            "yes\n");
        else if (streq(title, "# whose etcd data is there?")) {
                data = data_of(node->index);
                buffer_add_str(ret, data);
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

static inline void make_file(const char *path, const char *text) {
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
        for (size_t i = 0; i < world->n_keys; i++)
                ret->keys[world->keys[i]] = true;
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
        /* who is alone has nothing that runs; the load balancers come when all serves */
        assert_true(strv_contains(q->ignore, "newest-copy") ==
                    (q->n_nodes <= 2 || strv_contains(world->ignore, "newest-copy")));
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

static inline int confirm(void *userdata, const RestoreQuestion *q, Error **reterr) {
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

static inline char* in_dir(const char *name) {
        return xasprintf("%s/%s", world->dir->path, name);
}

static inline int setup(void **state) {
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

static inline int teardown(void **state) {
        World *w = *state;

        store_free(w->store);
        buffer_done(&w->log);
        buffer_done(&w->said);
        error_list_done(&w->errors);
        restore_result_done(&w->result);
        free(w->cluster.path);
        (void) unit_dir_teardown((void**) &w->dir);
        free(w);
        return 0;
}

/* Takes its time, so that another thread would come in between. */
static inline void take_event(void *userdata, const InstallEvent *event) {
        if (atomic_fetch_add(&world->telling, 1) > 0)
                world->told_at_once = true;
        (void) usleep(2000);
        if (!event->node && event->text)
                buffer_addf(&world->said, "%s\n", event->text);
        atomic_fetch_sub(&world->telling, 1);
        world->n_told++;
}

/* file: in the directory; NULL: what c0 has, without c1. */
static inline int restore(const char *file, size_t n_nodes, bool dry_run) {
        static const Component *const none[] = { NULL };
        const Node *const nodes[] = { world->nodes, world->nodes + 1, world->nodes + 2 };
        _cleanup_free_ char *path = file ? in_dir(file) : NULL;
        const HostOptions host = { .cancelled = &world->cancelled };
        const RestoreRequest request = {
                .install = { .cluster = &world->cluster,
                             .store = world->store,
                             .components = world->components ?: none,
                             .nodes = nodes,
                             .n_nodes = n_nodes,
                             .host = &host,
                             .cancelled = &world->cancelled,
                             .cache = "/nonexistent",
                             .event = take_event,
                             .ignore = world->ignore,
                             .dry_run = dry_run },
                .snapshot = path,
                .survivor = file ? NULL : world->nodes,
                .force = world->force,
                .confirm = confirm,
        };
        int r;

        buffer_clear(&world->log);
        buffer_clear(&world->said);
        error_list_done(&world->errors);
        world->errors = ERROR_LIST_NULL;
        restore_result_done(&world->result);
        r = restore_run(&request, &world->result, &world->errors);
        assert_false(world->told_at_once);
        assert_true(r < 0 || dry_run || world->n_told > 0);
        return r;
}

/* What the last error says besides. */
static inline const char* advice(void) {
        const ErrorList *errors = &world->errors;

        return errors->n_errors > 0 ? errors->errors[errors->n_errors - 1]->detail ?: "" : "";
}

static inline bool is_begun(void) {
        _cleanup_(journal_done) RestoreJournal j = {};

        return journal_read(world->dir->path, &j, NULL) > 0;
}

#define restore_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
