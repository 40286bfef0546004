/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "common/error.h"
#include "common/strv.h"

/*
 * Unit control over sd-bus: a synchronous tool's view of systemd's manager
 *
 * A UnitBus speaks to one systemd: over the local private socket or the system bus, or over a socket to
 * which somebody else has attached a bridge (ssh NODE systemd-stdio-bridge, see host/). Jobs are queued
 * first (unit_bus_start() and its kin return at once) and awaited together (unit_bus_wait()), since etcd
 * answers its start job only when a quorum is up. JobRemoved is matched before the first call, results are
 * kept by job path, so no signal can be missed.
 */
typedef struct UnitBus UnitBus;

typedef enum UnitJob {
        UNIT_START,
        UNIT_STOP,
        UNIT_RESTART,
        UNIT_RELOAD_OR_RESTART,
        UNIT_RELOAD
} UnitJob;

typedef struct UnitState {
        char *load_state;   /* "loaded", "not-found", "masked" */
        char *active_state; /* "active", "activating", "failed", ... */
        char *sub_state;
        char *file_state; /* "enabled", "disabled", "masked", ""... */
        char *result;     /* "success", "exit-code", ... of a service */
        char *inputs;     /* HARDWAY_INPUTS of the unit's loaded Environment=, or NULL */
        Strv drop_ins;    /* paths */
        unsigned n_restarts;
        unsigned main_pid;
        int exec_status;   /* exit status or signal of the last main process */
        bool needs_reload; /* NeedDaemonReload */
} UnitState;

int unit_bus_open_local(UnitBus **ret, Error **reterr);
int unit_bus_open_fd(int fd, bool bus_client, UnitBus **ret, Error **reterr); /* takes fd over */

/* From now on told what systemd is ordered to do: "RestartUnit etcd.service". Questions are none. */
typedef void (*UnitTrace)(void *userdata, const char *text);
void unit_bus_set_trace(UnitBus *b, UnitTrace trace, void *userdata);

int unit_bus_daemon_reload(UnitBus *b, Error **reterr);
bool unit_bus_is_alive(UnitBus *b);
int unit_bus_nudge(UnitBus *b, UnitJob job, const char *unit, Error **reterr); /* nobody waits for it */
int unit_bus_job(UnitBus *b, UnitJob job, const char *unit, Error **reterr);   /* queued; 0 */
/* Waits for all queued jobs, or until timeout: 0 all ended, -ETIMEDOUT some still run (they stay queued,
 * not an Error). A job that ended otherwise than "done" is an Error naming unit and result. */
int unit_bus_wait(UnitBus *b, uint64_t timeout_usec, Error **reterr);
/* Both make systemd read all unit files again, if they changed anything. */
int unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr);
int unit_bus_mask(UnitBus *b, char *const *units, bool mask, Error **reterr);
int unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr);
/* A unit that is not there is "not-found". */
int unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr);
void unit_state_done(UnitState *state);
UnitBus* unit_bus_free(UnitBus *b);
DEFINE_CLEANUP(UnitBus*, unit_bus_free)
