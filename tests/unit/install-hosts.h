/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/fs.h"
#include "plan/served.h"
#include "plan/store-fit.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/install-world.h"
#include "tests/unit/no-http.h"

/*
 * The fake nodes of install-world.h, as a rollout gets to them, the API that is there once two controllers work, and time
 *
 * Wraps: host_look host_unlock host_put host_record host_bus host_read host_explain_unit
 * Wraps: unit_bus_daemon_reload unit_bus_enable unit_bus_job unit_bus_nudge unit_bus_wait
 * Wraps: unit_bus_reset_failed unit_bus_state store_file store_find_misfits http_json http_request clock_usec
 * Wraps: clock_sleep store_path fs_write
 */

static inline FakeNode* fake_of_host(const void *host) {
        return fake_of(fake_node(host));
}

/* In the hands of another run until then */
static inline void install_meanwhile(void) {
        (void) pthread_mutex_lock(&world.mutex);
        for (size_t i = 0; world.meanwhile && i < 5; i++) {
                world.fakes[i].put = world.meanwhile;
                world.fakes[i].generation += 2;
                world.fakes[i].running = world.meanwhile;
                world.fakes[i].recorded = true;
        }
        world.meanwhile = NULL;
        (void) pthread_mutex_unlock(&world.mutex);
}

/* Return: 1 if somebody had it, and was waited for */
static inline int fake_lock(FakeNode *f, Error **reterr) {
        int waited = world.meanwhile && !world.sooner;

        if (f->busy)
                return error_set(reterr, ERROR_TEMPORARY, EBUSY, "in use by somebody");
        if (f->refuses)
                return error_set(reterr, ERROR_PERMISSION, EACCES, "does not let us in");
        if (f->starved)
                return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "Cannot fork");
        f->locked = true;
        install_meanwhile();
        return waited;
}

int fake_host(const Node *node, const char *what, Error **reterr) {
        FakeNode *f = fake_of(node);

        if (streq(what, "lock"))
                return fake_lock(f, reterr);
        if (!f->unreachable)
                return 0;
        f->n_missed += streq(what, "take");
        return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "ssh: no route");
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (fake_of(node)->mute)
                return error_set(reterr, ERROR_UNAVAILABLE, EPIPE, "ssh: connection lost");
        assert_contains(script, "H_NAMES='");
        buffer_add_str(ret, fake_of(node)->answer ? fake_of(node)->answer : "");
        return 0;
}

static inline void observe_file(const FakeNode *f, const PlanItem *item, Observation *o) {
        bool right = f->put && (streq(f->put, world.wanted) || (world.peers && item->type == PLAN_UNIT));
        ObservedPath *found;

        if (!item->path)
                return;
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        found = o->paths + o->n_paths++;
        *found = (ObservedPath) { .path = xstrdup(item->path), .type = OBSERVED_FILE, .mode = item->mode };
        if (item->type == PLAN_DIRECTORY)
                found->type = OBSERVED_DIRECTORY;
        else if (!f->put && item->type != PLAN_BINARY) /* those come from a cache, of which there is none */
                found->type = OBSERVED_ABSENT;
        if (f->loose && item->type == PLAN_FILE)
                found->mode |= 0022;
        found->owner = xstrdup_null(item->owner);
        /* the unit carries the digest of the configuration, so it changes along */
        found->sha256 = xstrdup(right ? item->sha256 ? item->sha256 : "" : "other");
        found->stamp = xstrdup("stamp");
}

static inline void add_applied(Observation *o, const char *path, const char *sha256) {
        o->applied = xrealloc(o->applied, o->n_applied + 1, sizeof(AppliedFile));
        o->applied[o->n_applied++] = (AppliedFile) { .path = xstrdup(path),
                                                    .sha256 = xstrdup_null(sha256),
                                                    .stamp = xstrdup("stamp") };
}

static inline void observe_retired(const FakeNode *f, Observation *o) {
        add_applied(o, f->retires, "00");
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        o->paths[o->n_paths++] = (ObservedPath) { .path = xstrdup(f->retires),
                                                 .type = OBSERVED_FILE,
                                                 .sha256 = xstrdup("00") };
}

static inline void observe_unit(const FakeNode *f, const PlanItem *item, Observation *o) {
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
static inline void observe_loaded(const FakeNode *f, const PlanItem *item, Observation *o) {
        if (world.peers && o->n_units > 0 && f->running && streq(f->running, world.wanted))
                o->units[0].loaded = xasprintf("%s  %s\n", item->sha256, item->path);
}

int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr);
int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr) {
        const FakeNode *f = fake_of_host(h);
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
        if (*f->edition)
                o->edition = xstrdup(f->edition);
        facts_default(&world.cluster, fake_node(h), ret_facts);
        ret_facts->architecture = f->architecture;
        ret_facts->clock_offset = f->clock_offset;
        o->generation = f->generation;
        if (f->listener)
                strv_add(&ret_facts->listening, f->listener);
        *ret = o;
        return 0;
}

void __wrap_host_unlock(Host *h);
void __wrap_host_unlock(Host *h) {
        fake_of_host(h)->locked = false;
}

int __wrap_host_put(Host *h, const HostPut *put, Error **reterr);
int __wrap_host_put(Host *h, const HostPut *put, Error **reterr) {
        FakeNode *f = fake_of_host(h);

        if (f->full)
                return error_set(reterr, ERROR_IO, ENOSPC, "no space left");
        f->put = world.wanted;
        f->loose = false;
        f->retires = NULL;
        world_log(fake_node(h), "put");
        return 0;
}

int __wrap_host_record(Host *h, const Plan *plan, const char *identity, const char *edition, Error **reterr);
int __wrap_host_record(Host *h, const Plan *plan, const char *identity, const char *edition,
                       Error **reterr) {
        FakeNode *f = fake_of_host(h);

        assert_string_equal(identity, "0125ab");
        f->recorded = true;
        (void) snprintf(f->edition, sizeof(f->edition), "%s", edition ?: "");
        world_log(fake_node(h), "record");
        return 0;
}

int __wrap_host_bus(Host *h, UnitBus **ret, Error **reterr);
int __wrap_host_bus(Host *h, UnitBus **ret, Error **reterr) {
        *ret = (UnitBus*) h;
        return 0;
}

int __wrap_host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr);
int __wrap_host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        const FakeNode *f = fake_of_host(h);

        buffer_add_str(ret, f->put ? f->put : "");
        return 0;
}

int __wrap_host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr);
int __wrap_host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr) {
        *ret = xasprintf("%s: its last words\n", unit);
        return 0;
}

int __wrap_unit_bus_daemon_reload(UnitBus *b, Error **reterr);
int __wrap_unit_bus_daemon_reload(UnitBus *b, Error **reterr) {
        return 0;
}

int __wrap_unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr);
int __wrap_unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr) {
        if (!enable && fake_of_host(b)->purged)
                return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: systemd knows no such unit",
                                 units[0]);
        return 0;
}

int __wrap_unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr);
int __wrap_unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        FakeNode *f = fake_of_host(b);

        if (job == UNIT_STOP) {
                assert_string_equal(unit, world.retired);
                if (f->purged)
                        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: systemd knows no such unit",
                                         unit);
                world_log(fake_node((const void*) b), "stop");
                return 0;
        }
        world_log(fake_node((const void*) b), job == UNIT_START   ? "start" :
                                               job == UNIT_RESTART ? "restart" :
                                                                     "reload");
        f->running = f->put;
        f->leads = false;
        world.gate_closed =
                world.gate_closed || streq_null(world.closes_gate, fake_node((const void*) b)->name);
        return 0;
}

int __wrap_unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr);
int __wrap_unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        return __wrap_unit_bus_job(b, job, unit, reterr);
}

int __wrap_unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr);
int __wrap_unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr) {
        if (fake_of_host(b)->job_fails)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "restart of alpha.service: it failed");
        return 0;
}

int __wrap_unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr);
int __wrap_unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr) {
        return 0;
}

int __wrap_unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr);
int __wrap_unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr) {
        FakeNode *f = fake_of_host(b);

        *ret = (UnitState) { .active_state = xstrdup(f->job_fails ? "failed" : "active"),
                            .n_restarts = f->n_restarts };
        f->n_restarts += f->dying;
        return 0;
}

int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer identity = { .data = (char*) "0125ab\n", .size = 7 };

        if (streq(path, "history") && world.history) {
                static _Thread_local Buffer history;

                history = (Buffer) { .data = (char*) world.history, .size = strlen(world.history) };
                *ret = &history;
                return 0;
        }
        if (streq(path, "history") || (streq(path, PLAN_SERVED) && world.unserved))
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s: no such file", path);
        *ret = &identity;
        return 0;
}

char* __wrap_store_path(const Store *s, const char *path);
char* __wrap_store_path(const Store *s, const char *path) {
        assert_string_equal(path, PLAN_SERVED);
        return xstrdup(path);
}

int __wrap_fs_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
                    Error **reterr);
int __wrap_fs_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
                    Error **reterr) {
        assert_string_equal(path, PLAN_SERVED);
        assert_string_equal((const char*) data, "0125ab\n");
        assert_int_equal(mode, 0600);
        if (world.unwritable)
                return error_set(reterr, ERROR_IO, EROFS, "%s: read-only file system", path);
        world.n_noted++;
        world.unserved = false;
        return 1;
}

/* --- the API --- */

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr);
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

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
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
                              int64_t when, StoreMisfits *ret, Error **reterr);
int __wrap_store_find_misfits(Store *store, const Component *const *components, const Cluster *cluster,
                              int64_t when, StoreMisfits *ret, Error **reterr) {
        *ret = (StoreMisfits) {};
        return 0;
}

uint64_t __wrap_clock_usec(void);
uint64_t __wrap_clock_usec(void) {
        return now;
}

void __wrap_clock_sleep(uint64_t usec);
void __wrap_clock_sleep(uint64_t usec) {
        now += usec;
        (void) usleep(50);
}
