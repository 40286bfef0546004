/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/flag.h"

/* A setting of a unit, why it is there, and what would be without it. As with flags, a function may give the
 * value for this cluster and node. */
typedef struct UnitSetting {
        const char *section; /* "Unit", "Service", "Install" */
        const char *key;
        const char *value;                       /* in systemd's own spelling; NULL: see function */
        char *(*function)(const PlanContext *c); /* NULL result: left out */
        const char *why;
        const char *without; /* what breaks without it, for `explain` */
        const char *manual;  /* where upstream tells of it; NULL: systemd.unit(5) or systemd.service(5) */
        bool quiet;          /* its reason is not written into the file */
} UnitSetting;

#define SETTING(manual_, k, v, w, without_)                                                        \
        {                                                                                          \
                .section = "Service", .key = (k), .value = (v), .why = (w), .without = (without_), \
                .manual = (manual_)                                                                \
        }
#define SETTING_SERVICE(...) SETTING("systemd.service(5)", __VA_ARGS__)
#define SETTING_EXEC(...) SETTING("systemd.exec(5)", __VA_ARGS__)
#define SETTING_RESOURCE(...) SETTING("systemd.resource-control(5)", __VA_ARGS__)

/* Of a oneshot that a timer starts, and whoever wants to. */
#define SETTING_AS_OFTEN_AS_ASKED                                                                      \
        {                                                                                              \
                .section = "Unit", .key = "StartLimitIntervalSec", .value = "0",                       \
                .why = "Whoever wants one more, and one more, gets it: nothing starts it again by "    \
                       "itself.",                                                                      \
                .without = "After five in ten seconds systemd refuses, and it counts as failed until " \
                           "the timer comes again."                                                    \
        }
