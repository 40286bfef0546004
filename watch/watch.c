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

/* Of its name, so that one that comes or goes moves nobody else's. A random delay would hold for the first look, too. */
static char* minute(const PlanContext *c) {
        unsigned sum = 0;

        for (const char *p = c->node->name; *p; p++)
                sum += (unsigned char) *p;
        return xasprintf("*:%02u", sum % 60);
}

#define TIMER(k, v, w, without_) \
        { "Timer", (k), (v), .why = (w), .without = (without_), .manual = "systemd.timer(5)" }

/*
 * It stays root, as certificates' directories and keys are root's alone; without any of root's powers, that
 * is no more than their owner. The sandbox of hardway's own services comes on top.
 */
static const UnitSetting service_settings[] = {
        SETTING_AS_OFTEN_AS_ASKED,
        SETTING_SERVICE("Type", "oneshot", "One look, and it ends.",
                        "simple, the default: the timer would not know whether the look has ended."),
        SETTING_SERVICE("ExecStart", "/bin/sh " WATCH_SCRIPT " " WATCH_CONFIG " " WATCH_STATE, "The look.",
                        "systemd refuses a service that starts nothing."),
        SETTING_SERVICE("TimeoutStartSec", "300",
                        "A member that hangs is given 15 s; all of them must not take forever.",
                        "No limit, for a oneshot: a look that hangs would be the last one."),
        SETTING_EXEC("SyslogIdentifier", "hardway-watch",
                     "journalctl -t hardway-watch; -p warning for problems only.",
                     "Its lines would be those of sh, and hard to find."),
        SETTING_EXEC("Nice", "10", "Whatever else the node does comes first.",
                     "A look would compete with etcd for the processors, once an hour."),
        SETTING_EXEC("RuntimeDirectory", "hardway", "Keeps what the last look found, for hardway status.",
                     "It could write nothing, as everything else is read-only."),
        SETTING_EXEC("RuntimeDirectoryPreserve", "yes", "Others use it, too.",
                     "What it found, and the locks of hardway's runs, would go when the look ends."),
        { .section = "Service",
          .key = "ReadWritePaths",
          .function = textfile,
          .why = "Where Prometheus' node_exporter takes the metrics from.",
          .without = "It could not write there.",
          .manual = "systemd.exec(5)" },
};

static const UnitSetting timer_settings[] = {
        { "Timer", "OnCalendar", .function = minute,
          .why = "A dead member is told within the hour, a certificate a month ahead; each node looks at a minute of "
                 "its own, by its name.",
          .without = "It would look once after boot, and never again.", .manual = "systemd.timer(5)" },
        TIMER("OnActiveSec", "1min", "The first look comes soon after the installation.",
              "hardway status would have nothing to tell for an hour."),
        TIMER("Persistent", "yes", "A look that was due while the node was off is made up for.",
              "After a night without power the first look would come an hour later."),
        { "Install", "WantedBy", "timers.target", .why = "From boot on.",
          .without = "After a reboot nobody looks any more." },
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
        plan_item_explain(item, "The timer has nothing to start.", "systemd.service(5)");
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
        plan_item_explain(item, "Nobody looks: certificates expire and members die without a word.",
                          "systemd.timer(5)");
        /* Persistent=: when it last elapsed (systemd.timer(5)) */
        strv_add(&item->unit.leaves, "/var/lib/systemd/timers/stamp-" WATCH_TIMER);
        return 0;
}

static int watch_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_buffer_ Buffer config = BUFFER_NULL;
        int r;

        watch_config(c, plan, &config);
        plan_item_explain(plan_add_file(plan, "watch", "config", WATCH_CONFIG, 0644, buffer_str(&config),
                                        "Says what there is to look at: certificates, units, members."),
                          "There would be nothing to look at.", "hardway(1)");
        plan_item_explain(plan_add_file(plan, "watch", "script", WATCH_SCRIPT, 0755, EMBED_WATCH_SH,
                                        "Looks, and tells the journal."),
                          "Its unit would have nothing to start.", "hardway(1)");
        r = add_service(c, plan, reterr);
        return r < 0 ? r : add_timer(c, plan, reterr);
}

const Component component_watch = {
        .name = "watch",
        .summary =
                "Warns in the journal of certificates that expire, and of services and members that are ill",
        .without =
                "Nobody is told that a certificate is about to expire, that one of three members died, or one "
                "of two load balancers.",
        .manual = "hardway(1)",
        .unit = WATCH_TIMER,
        .roles = ROLE_ALL,
        .rank = 90,
        .settings = service_settings,
        .n_settings = ARRAY_SIZE(service_settings),
        .timer = timer_settings,
        .n_timer = ARRAY_SIZE(timer_settings),
        .plan = watch_plan,
        .verify = watch_verify,
};
