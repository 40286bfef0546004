/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs of systemd, queued and awaited
 *
 * The calls and signals are those of org.freedesktop.systemd1(5). JobRemoved is matched before the first
 * call. A signal that comes with, or even before, the reply it belongs to waits in sd-bus' queue until
 * unit_bus_wait() takes it out: by then the reply has been read and the job is known by its path.
 */

#include "units/bus.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "units/bus-internal.h"

#define PRIVATE_SOCKET "/run/systemd/private"

/* A daemon-reload on a small machine, or a sudo that waits for a name server, may take half a minute;
 * sd-bus' own limit is 25 s. */
#define CALL_TIMEOUT_USEC (120 * USEC_PER_SEC)

static const struct {
        const char *method, *text;
} unit_jobs[] = {
        [UNIT_START] = { "StartUnit", "start" },
        [UNIT_STOP] = { "StopUnit", "stop" },
        [UNIT_RESTART] = { "RestartUnit", "restart" },
        [UNIT_RELOAD_OR_RESTART] = { "ReloadOrRestartUnit", "reload or restart" },
        [UNIT_RELOAD] = { "ReloadUnit", "reload" },
};

static void bus_job_done(BusJob *job) {
        free(job->path);
        free(job->unit);
        free(job->result);
}

UnitBus* unit_bus_free(UnitBus *b) {
        if (!b)
                return NULL;
        b->slot = sd_bus_slot_unref(b->slot);
        b->bus = sd_bus_close_unref(b->bus);
        for (size_t i = 0; i < b->n_jobs; i++)
                bus_job_done(b->jobs + i);
        free(b->jobs);
        free(b);
        return NULL;
}

static BusJob* bus_find_job(UnitBus *b, const char *path) {
        for (size_t i = 0; i < b->n_jobs; i++)
                if (streq(b->jobs[i].path, path))
                        return b->jobs + i;
        return NULL;
}

static void bus_remove_job(UnitBus *b, size_t i) {
        bus_job_done(b->jobs + i);
        memmove(b->jobs + i, b->jobs + i + 1, (b->n_jobs - i - 1) * sizeof(BusJob));
        b->n_jobs--;
}

/* What became of a job that another of the same unit has taken the place of is no news. */
static void bus_add_job(UnitBus *b, const char *path, const char *unit, UnitJob job) {
        for (size_t i = b->n_jobs; i > 0; i--)
                if (streq(b->jobs[i - 1].unit, unit))
                        bus_remove_job(b, i - 1);
        b->jobs = xrealloc(b->jobs, b->n_jobs + 1, sizeof(BusJob));
        b->jobs[b->n_jobs++] = (BusJob) { .path = xstrdup(path), .unit = xstrdup(unit), .job = job };
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        UnitBus *b = userdata;
        const char *path, *unit, *result;
        uint32_t id;
        BusJob *job;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        job = bus_find_job(b, path);
        if (job && !job->result) /* other people's jobs are announced too */
                job->result = xstrdup(result);
        return 0;
}

static int bus_start(UnitBus *b, bool bus_client, Error **reterr) {
        int r;

        /* without this the system bus hangs up at the first call; with it a private socket waits for a
         * Hello that never comes */
        r = sd_bus_set_bus_client(b->bus, bus_client);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(b->bus, CALL_TIMEOUT_USEC);
        if (r >= 0)
                r = sd_bus_start(b->bus);
        if (r >= 0)
                r = sd_bus_match_signal(b->bus, &b->slot, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                        on_job_removed, b);
        if (r < 0)
                return error_set(reterr, ERROR_UNAVAILABLE, r, "cannot connect to systemd: %s",
                                 strerror(-r));
        return bus_call(b, "Subscribe", NULL, NULL, reterr, "");
}

static UnitBus* bus_new(void) {
        UnitBus *b = xnew(UnitBus, 1);

        if (sd_bus_new(&b->bus) < 0)
                abort(); /* memory */
        return b;
}

/**
 * unit_bus_open_local() - connect to the systemd of this machine
 * @ret:        the connection
 * @reterr:     says why not
 *
 * Root uses systemd's private socket, which also is there before and without a dbus-daemon; others the
 * system bus.
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_open_local(UnitBus **ret, Error **reterr) {
        _cleanup_(unit_bus_freep) UnitBus *b = bus_new();
        bool private = access(PRIVATE_SOCKET, W_OK) == 0;
        int r;

        r = sd_bus_set_address(b->bus, private ? "unix:path=" PRIVATE_SOCKET :
                                                 "unix:path=/run/dbus/system_bus_socket");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot connect to systemd");
        r = bus_start(b, !private, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

/**
 * unit_bus_open_fd() - connect to a systemd to which somebody else has laid a line
 * @fd:         a socket; taken over, also on failure
 * @bus_client: true: the system bus is at its end; false: systemd's private socket
 * @ret:        the connection
 * @reterr:     says why not
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_open_fd(int fd, bool bus_client, UnitBus **ret, Error **reterr) {
        _cleanup_(unit_bus_freep) UnitBus *b = bus_new();
        _cleanup_close_ int owned = fd;
        int r;

        r = sd_bus_set_fd(b->bus, owned, owned);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot connect to systemd");
        TAKE_FD(owned);
        r = bus_start(b, bus_client, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

void unit_bus_set_trace(UnitBus *b, UnitTrace trace, void *userdata) {
        b->trace = trace;
        b->trace_userdata = userdata;
}

/**
 * unit_bus_daemon_reload() - have systemd read all unit files again
 * @b:          the connection; what is queued stays queued
 * @reterr:     says why not
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_daemon_reload(UnitBus *b, Error **reterr) {
        bus_trace(b, "Reload", NULL);
        return bus_call(b, "Reload", NULL, NULL, reterr, "");
}

/**
 * unit_bus_is_alive() - would a call reach systemd?
 * @b:          the connection; what has arrived is taken in
 *
 * Whoever it leads through may be gone for long without a call having found out.
 */
bool unit_bus_is_alive(UnitBus *b) {
        int r;

        do {
                r = sd_bus_process(b->bus, NULL);
        } while (r > 0);
        return r == 0 && sd_bus_is_open(b->bus) > 0;
}

static int bus_queue(UnitBus *b, UnitJob job, const char *unit, sd_bus_message **ret, Error **reterr) {
        bus_trace(b, unit_jobs[job].method, unit);
        return bus_call(b, unit_jobs[job].method, unit, ret, reterr, "ss", unit, "replace");
}

/**
 * unit_bus_nudge() - queue a job that nobody waits for
 * @b:          the connection
 * @job:        what to do
 * @unit:       with what
 * @reterr:     says why systemd does not take the job
 *
 * Return: 0, or a negative errno, as unit_bus_job() has it.
 */
int unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        return bus_queue(b, job, unit, &reply, reterr);
}

/**
 * unit_bus_job() - queue a job, for unit_bus_wait()
 * @b:          the connection
 * @job:        what to do
 * @unit:       with what
 * @reterr:     says why systemd does not take the job
 *
 * Return: 0, or a negative errno: -ENOENT no such unit, -ERFKILL masked.
 */
int unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = bus_queue(b, job, unit, &reply, reterr);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: systemd's answer is not understood", unit);
        /* systemd merges a job into an equal one that still waits: it is the same one then */
        if (!bus_find_job(b, path))
                bus_add_job(b, path, unit, job);
        return 0;
}

static bool bus_jobs_run(const UnitBus *b) {
        for (size_t i = 0; i < b->n_jobs; i++)
                if (!b->jobs[i].result)
                        return true;
        return false;
}

/* What the results of org.freedesktop.systemd1(5), "JobRemoved", mean. */
static const char* result_text(const char *result) {
        static const struct {
                const char *result, *text;
        } texts[] = {
                { "failed", "it failed" },
                { "timeout", "it took too long" },
                { "canceled", "somebody cancelled it" },
                { "dependency", "a unit it depends on failed" },
                { "skipped", "a condition of the unit does not hold" },
                { "assert", "an assertion of the unit does not hold" },
                { "unsupported", "this system does not support units of this type" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(texts[i].result, result))
                        return texts[i].text;
        return result;
}

/* Takes the jobs that have ended off the list; the first that did not end well becomes the error, others
 * its detail. */
static int bus_collect(UnitBus *b, Error **reterr) {
        _cleanup_error_ Error *error = NULL;

        for (size_t i = 0; i < b->n_jobs;) {
                BusJob *j = b->jobs + i;

                if (!j->result) {
                        i++;
                        continue;
                }
                if (streq(j->result, "done"))
                        ;
                else if (!error)
                        (void) error_set(&error, ERROR_UNAVAILABLE, EPROTO, "%s of %s: %s",
                                         unit_jobs[j->job].text, j->unit, result_text(j->result));
                else
                        error_detail(&error, "%s of %s: %s\n", unit_jobs[j->job].text, j->unit,
                                     result_text(j->result));
                bus_remove_job(b, i);
        }
        return error ? error_propagate(reterr, TAKE_PTR(error)) : 0;
}

static int bus_refuse_late(const UnitBus *b, uint64_t timeout_usec, Error **reterr) {
        unsigned sec = (unsigned) (timeout_usec / USEC_PER_SEC);
        int r = error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s of %s: it has not ended in %u s",
                          unit_jobs[b->jobs[0].job].text, b->jobs[0].unit, sec);

        for (size_t i = 1; i < b->n_jobs; i++)
                error_detail(reterr, "%s of %s: it has not ended in %u s\n", unit_jobs[b->jobs[i].job].text,
                             b->jobs[i].unit, sec);
        return r;
}

/**
 * unit_bus_wait() - wait for the queued jobs
 * @b:          the connection
 * @timeout_usec: how long; 0 only looks
 * @reterr:     names the first unit whose job did not end, or not well, and the others in its detail
 *
 * Return: 0 all ended well, -ETIMEDOUT some still run and can be waited for again, another negative errno if a job
 * failed or systemd is gone.
 */
int unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr) {
        uint64_t start = clock_usec(), elapsed = 0;
        int r;

        for (;;) {
                /* what has arrived is taken in even when there is no time left */
                r = sd_bus_process(b->bus, NULL);
                if (r == 0 && (!bus_jobs_run(b) || elapsed >= timeout_usec))
                        break;
                if (r == 0)
                        r = sd_bus_wait(b->bus, timeout_usec - elapsed);
                if (r < 0 && r != -EINTR)
                        return error_set(reterr, ERROR_UNAVAILABLE, r,
                                         "the connection to systemd was lost: %s", strerror(-r));
                elapsed = clock_usec() - start;
        }
        r = bus_collect(b, reterr);
        if (r < 0)
                return r;
        return b->n_jobs == 0 ? 0 : bus_refuse_late(b, timeout_usec, reterr);
}
