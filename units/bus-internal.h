/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "units/bus.h"

/* What bus.c (connection and jobs), bus-call.c (calls and their errors) and bus-state.c (properties, unit
 * files) share. */

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct BusJob {
        char *path;
        char *unit;
        UnitJob job;
        char *result; /* NULL: it still runs */
} BusJob;

struct UnitBus {
        sd_bus *bus;
        sd_bus_slot *slot;
        BusJob *jobs;
        size_t n_jobs;
        UnitTrace trace; /* or NULL */
        void *trace_userdata;
};

void bus_trace(UnitBus *b, const char *method, const char *subject); /* subject: or NULL */

/* Calls a method of the manager; subject: the unit it is about, for the Error, or NULL; ret may be NULL. */
int bus_call(UnitBus *b, const char *method, const char *subject, sd_bus_message **ret, Error **reterr,
             const char *types, ...);
int bus_call_message(UnitBus *b, sd_bus_message *call, const char *subject, sd_bus_message **ret,
                     Error **reterr);
