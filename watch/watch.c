/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The watch as a component: a script, what it is to look at, and a service that a timer starts
 */

#include "common/alloc.h"
#include "plan/service.h"
#include "watch/internal.h"
#include "watch/watch-scripts.h"

static char* textfile(const PlanContext *c) {
        /* "-": where it is missing the script says so */
        return c->cluster->watch_textfile ? xasprintf("-%s", c->cluster->watch_textfile) : NULL;
}

#define SERVICE(k, v, w) \
        { .section = "Service", .key = (k), .value = (v), .why = (w) }

/*
 * It stays root, as certificates' directories and keys are root's alone; without any of root's powers, that
 * is no more than their owner. The sandbox of hardway's own services comes on top.
 */
static const UnitSetting service_settings[] = {
        SERVICE("Type", "oneshot", "One look, and it ends."),
        SERVICE("ExecStart", "/bin/sh " WATCH_SCRIPT " " WATCH_CONFIG " " WATCH_STATE, "The look."),
        SERVICE("TimeoutStartSec", "300",
                "A member that hangs is given 15 s; all of them must not take forever."),
        SERVICE("SyslogIdentifier", "hardway-watch",
                "journalctl -t hardway-watch; -p warning for problems only."),
        SERVICE("Nice", "10", "Whatever else the node does comes first."),
        SERVICE("RuntimeDirectory", "hardway", "Keeps what the last look found, for hardway status."),
        SERVICE("RuntimeDirectoryPreserve", "yes", "Others use it, too."),
        { .section = "Service",
          .key = "ReadWritePaths",
          .function = textfile,
          .why = "Where Prometheus' node_exporter takes the metrics from." },
};

static const UnitSetting timer_settings[] = {
        { "Timer", "OnCalendar", "hourly",
          .why = "A dead member is told within the hour, a certificate a month ahead." },
        { "Timer", "OnActiveSec", "1min", .why = "The first look comes soon after the installation." },
        { "Timer", "RandomizedDelaySec", "10min", .why = "The nodes do not look all at the same moment." },
        { "Timer", "FixedRandomDelay", "yes", .why = "Each at its own, always the same." },
        { "Timer", "Persistent", "yes",
          .why = "A look that was due while the node was off is made up for." },
        { "Install", "WantedBy", "timers.target", .why = "From boot on." },
};

static int set_unit(UnitFile *u, const PlanContext *c, const char *what, Error **reterr) {
        _cleanup_free_ char *description = xasprintf("%s of cluster %s", what, c->cluster->name);
        int r;

        unit_file_section(u, "Unit");
        r = unit_file_set_literal(u, "Description", description, reterr);
        return r < 0 ? r : unit_file_set(u, "Documentation", "man:hardway(1)", reterr);
}

static UnitFile* begin_unit(void) {
        return unit_file_new("Written by hardway. Changes belong into a drop-in: systemctl edit");
}

static int add_service(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u = begin_unit();
        PlanItem *item;
        int r;

        r = set_unit(u, c, "A look at certificates and health", reterr);
        if (r >= 0)
                r = service_add_settings(u, c, service_settings, ARRAY_SIZE(service_settings), reterr);
        if (r >= 0)
                r = service_add_settings(u, c, service_sandbox, service_n_sandbox, reterr);
        if (r < 0)
                return r;
        item = plan_add_unit(plan, "watch", WATCH_SERVICE, TAKE_PTR(u),
                             "Looks once, when the timer says so.");
        item->unit.enabled = item->unit.running = false;
        if (c->cluster->watch_textfile)
                strv_addf(&item->unit.leaves, "%s/hardway.prom", c->cluster->watch_textfile);
        return 0;
}

static int add_timer(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u = begin_unit();
        PlanItem *item;
        int r;

        r = set_unit(u, c, "The watch over certificates and health", reterr);
        if (r >= 0)
                r = service_add_settings(u, c, timer_settings, ARRAY_SIZE(timer_settings), reterr);
        if (r < 0)
                return r;
        item = plan_add_unit(
                plan, "watch", WATCH_TIMER, TAKE_PTR(u),
                "Says when to look, also while the machine that drives hardway is closed for a year.");
        /* Persistent=: when it last elapsed (systemd.timer(5)) */
        strv_add(&item->unit.leaves, "/var/lib/systemd/timers/stamp-" WATCH_TIMER);
        return 0;
}

static int watch_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_buffer_ Buffer config = BUFFER_NULL;
        int r;

        watch_config(c, plan, &config);
        plan_add_file(plan, "watch", "config", WATCH_CONFIG, 0644, buffer_str(&config),
                      "Says what there is to look at: certificates, units, members.");
        plan_add_file(plan, "watch", "script", WATCH_SCRIPT, 0755, EMBED_WATCH_SH,
                      "Looks, and tells the journal.");
        r = add_service(c, plan, reterr);
        return r < 0 ? r : add_timer(c, plan, reterr);
}

const Component component_watch = {
        .name = "watch",
        .summary = "Warns in the journal of certificates that expire and members that are ill",
        .unit = WATCH_TIMER,
        .roles = ROLE_CONTROLLER | ROLE_ETCD,
        .rank = 90,
        .plan = watch_plan,
        .verify = watch_verify,
};
