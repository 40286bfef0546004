/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots that each member's node takes of itself, by a timer
 *
 * On every node, as the one that is left may be any. The service is fenced in as etcd is, and runs as its user.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"
#include "etcd/snapshot.h"
#include "plan/names.h"
#include "plan/service.h"

#define SCRIPT PLAN_ROOT "/etcd-snapshot"
#define SUBJECT "snapshots"

static char* command(const PlanContext *c) {
        _cleanup_free_ char *binary = plan_binary_path(c->cluster, ORIGIN_ETCD, "etcdctl"),
                            *programs = fs_path_dirname(binary);

        return xasprintf(SCRIPT " %s %u %s %s", c->cluster->snapshots.directory, c->cluster->snapshots.keep,
                         programs, c->node->name);
}

static char* directory(const PlanContext *c) {
        return xstrdup(c->cluster->snapshots.directory);
}

static char* interval(const PlanContext *c) {
        return xasprintf("%uh", c->cluster->snapshots.every_hours);
}

#define CREDENTIAL(v, w) \
        SETTING_EXEC("LoadCredential", v, w, "The member takes nobody's word without a certificate.")
#define TIMER(k, v, w, without_) \
        { "Timer", (k), (v), .why = (w), .without = (without_), .manual = "systemd.timer(5)" }

const UnitSetting etcd_schedule_settings[ETCD_SCHEDULE_N_SETTINGS] = {
        { "Unit", "Description", "Snapshot of this node's etcd member", .why = "Started by its timer alone.",
          .without = "systemctl would show the unit's name alone." },
        { "Unit", "After", "etcd.service", .why = "There has to be a member that answers.",
          .without = "One that is due at boot would be taken before there is a member." },
        SETTING_AS_OFTEN_AS_ASKED,
        SETTING_SERVICE("Type", "oneshot", "It ends.",
                        "simple, the default: whoever starts it would not hear how it ended."),
        SETTING_EXEC("User", "etcd", "Who has the data may have its copies.",
                     "root, the default: more than is needed to save a member."),
        SETTING_EXEC("Group", "etcd", "The same.", "The user's own group, which is this one."),
        CREDENTIAL("ca.crt:/etc/kubernetes/pki/etcd/ca.crt",
                   "Handed over by systemd. The files stay with root."),
        CREDENTIAL("client.crt:/etc/kubernetes/pki/etcd/healthcheck-client.crt",
                   "What it shows to the member."),
        CREDENTIAL("client.key:/etc/kubernetes/pki/etcd/healthcheck-client.key",
                   "The key of that certificate."),
        { "Service", "ExecStart", .function = command,
          .why = "Where to, how many stay, with which programs, and of which node.",
          .without = "systemd refuses a service that starts nothing." },
        { "Service", "ReadWritePaths", .function = directory, .why = "The one place that it may write to.",
          .without = "It could not write its snapshots: everything is read-only to it.",
          .manual = "systemd.exec(5)" },
        SETTING_SERVICE("TimeoutStartSec", "900", "Some GB, on an SD card.",
                        "No limit, for a oneshot: one that hangs would be the last one."),
        SETTING_EXEC("Nice", "10", "The member itself goes first ...",
                     "Looking through a snapshot would compete with etcd for the processors."),
        SETTING_EXEC("IOSchedulingClass", "idle", "... on the disk, too.",
                     "Writing it would have the member's own writes wait, where both share a disk."),
};

const UnitSetting etcd_schedule_timer[ETCD_SCHEDULE_N_TIMER] = {
        { "Unit", "Description", "Snapshots of this node's etcd member", .why = "See: hardway status",
          .without = "systemctl would show the unit's name alone." },
        TIMER("OnActiveSec", "10min", "The first one, after the node was started or installed.",
              "The first one would never be due, and the others count from it."),
        { "Timer", "OnUnitActiveSec", .function = interval, .why = "snapshots.every of the cluster file.",
          .without = "There would be one after each boot, and no other.", .manual = "systemd.timer(5)" },
        TIMER("RandomizedDelaySec", "5min", "Not on all members in the same minute.",
              "All members would be busy with it at once."),
        { "Install", "WantedBy", "timers.target", .why = "It begins with the system.",
          .without = "After a reboot no snapshot is taken any more." },
};

static int add_unit(const PlanContext *c, Plan *plan, const char *name, const UnitSetting *settings,
                    size_t n, bool fenced, const char *why, PlanItem **ret, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u =
                unit_file_new("Written by hardway. Changes belong into a drop-in: systemctl edit");
        int r;

        r = service_add_settings(u, c, settings, n, reterr);
        if (r >= 0 && fenced)
                r = service_add_settings(u, c, service_sandbox, service_n_sandbox, reterr);
        if (r >= 0)
                *ret = plan_add_unit(plan, "etcd", name, TAKE_PTR(u), why);
        return r;
}

static int add_service(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = add_unit(c, plan, NAME_SNAPSHOT_SERVICE, etcd_schedule_settings, ETCD_SCHEDULE_N_SETTINGS,
                     /* fenced= */ true, "Takes a snapshot and checks it.", &unit, reterr);
        if (r < 0)
                return r;
        plan_item_explain(unit, "The timer has nothing to start.", "systemd.service(5)");
        unit->unit.enabled = unit->unit.running = false;
        return 0;
}

static int add_timer(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = add_unit(c, plan, NAME_SNAPSHOT_TIMER, etcd_schedule_timer, ETCD_SCHEDULE_N_TIMER,
                     /* fenced= */ false, "Has snapshots taken in time.", &unit, reterr);
        if (r >= 0)
                plan_item_explain(unit,
                                  "Snapshots are taken when somebody thinks of it: rarely before the disk "
                                  "dies.",
                                  "systemd.timer(5)");
        return r;
}

/**
 * etcd_plan_schedule() - add the scheduled snapshots to a node's plan
 * @c:          the context of the plan
 * @plan:       the plan
 * @reterr:     what went wrong
 *
 * Return: 0 or a negative errno.
 */
int etcd_plan_schedule(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *place;
        int r;

        if (c->cluster->snapshots.every_hours == 0)
                return 0;
        place = plan_add_directory(plan, "etcd", "snapshots", c->cluster->snapshots.directory, 0711,
                                   "etcd:etcd", "Holds the snapshots that this node takes of its member.");
        place->directory.asked = true;
        plan_item_explain(place, "The snapshots have no place to go to.", "hardway.yaml(5)");
        plan_item_explain(plan_add_file(plan, "etcd", "snapshot-script", SCRIPT, 0755,
                                        EMBED_ETCD_SNAPSHOT_SH,
                                        "Takes a snapshot, has it checked, and keeps the newest."),
                          "Its unit would have nothing to start.", "hardway(1)");
        r = add_service(c, plan, reterr);
        return r < 0 ? r : add_timer(c, plan, reterr);
}

/* It becomes part of paths, there and here. */
static void take_name(const char *name, EtcdScheduled *ret) {
        size_t n = name ? strspn(name, "0123456789TZ-") : 0;

        if (n > 0 && streq(name + n, ".db") && strlen(name) < sizeof(ret->file))
                memcpy(ret->file, name, strlen(name) + 1);
}

int etcd_schedule_parse(const char *text, EtcdScheduled *ret) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        _cleanup_json_ json_t *last = NULL;

        if (strv_length(lines) < 4 || parse_uint64(lines[0], 0, INT64_MAX, &ret->now) < 0 ||
            parse_uint64(lines[1], 0, INT64_MAX, &ret->since) < 0)
                return -EBADMSG;
        /* "unknown" is the script's, where systemd does not answer */
        ret->failed = !streq(lines[2], "success") && !streq(lines[2], "unknown");
        ret->missing = streq(lines[3], "missing");
        ret->taken = ret->size = ret->revision = 0;
        *ret->file = '\0';
        if (!lines[4] || !*lines[4])
                return 0;
        if (json_parse("last", lines[4], strlen(lines[4]), &last, NULL) < 0)
                return -EBADMSG;
        ret->taken = json_uint64(last, "time");
        take_name(json_string_value(json_object_get(last, "file")), ret);
        ret->size = json_uint64(last, "size");
        ret->revision = json_uint64(json_object_get(last, "status"), "revision");
        return 0;
}

/**
 * etcd_scheduled() - ask a node for the snapshots that it takes by itself
 * @c:          the context of the probe
 * @node:       one with a member
 * @ret:        what it tells
 * @reterr:     it cannot be asked, or its answer makes no sense
 *
 * Return: 0 or a negative errno.
 */
int etcd_scheduled(const ProbeContext *c, const Node *node, EtcdScheduled *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        EtcdScheduled s = {};
        int r;

        shell_add_variable(&variables, "directory", c->cluster->snapshots.directory);
        shell_add_variable(&variables, "service", NAME_SNAPSHOT_SERVICE);
        shell_add_variable(&variables, "timer", NAME_SNAPSHOT_TIMER);
        r = probe_exec(c, node, "the last scheduled snapshot", &variables, EMBED_ETCD_SCHEDULED_SH, &out,
                       reterr);
        if (r < 0)
                return r;
        r = etcd_schedule_parse(buffer_str(&out), &s);
        if (r < 0)
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "%s: what it tells of its snapshots cannot be read: %s/last", node->name,
                                 c->cluster->snapshots.directory);
        *ret = s;
        return 0;
}

static char* age(const EtcdScheduled *s) {
        return clock_format_span((s->now > s->taken ? s->now - s->taken : 0) * USEC_PER_SEC);
}

static void judge(const Cluster *c, const Node *node, const EtcdScheduled *s, CheckList *checks) {
        _cleanup_free_ char *old = age(s);
        bool late = s->now > (s->taken > 0 ? s->taken : s->since) + snapshots_late_sec(&c->snapshots);
        Check *check;

        if (s->failed)
                check = check_add_on(
                        checks, CHECK_FAILED, "etcd.snapshots", node, SUBJECT, "the last one failed; %s%s",
                        s->taken > 0 ? "that before is old: " : "there is none", s->taken > 0 ? old : "");
        else if (s->missing)
                check = check_add_on(checks, CHECK_FAILED, "etcd.snapshots", node, SUBJECT,
                                     "the last one is gone: %s/%s", c->snapshots.directory, s->file);
        else if (late)
                check = check_add_on(checks, CHECK_WARNING, "etcd.snapshots", node, SUBJECT, "%s%s",
                                     s->taken > 0 ? "late: the last one is old: " :
                                                    "late: there is none yet",
                                     s->taken > 0 ? old : "");
        else if (s->taken == 0)
                check = check_add_on(checks, CHECK_OK, "etcd.snapshots", node, SUBJECT,
                                     "the first one is yet to come");
        else
                check = check_add_on(checks, CHECK_OK, "etcd.snapshots", node, SUBJECT,
                                     "%s old, revision %" PRIu64 ", %.1f MB", old, s->revision,
                                     (double) s->size / 1e6);
        if (check->state != CHECK_OK)
                check_advise(check,
                             "on %s: journalctl -u etcd-snapshot; then: systemctl start etcd-snapshot",
                             node->name);
        if (s->taken > 0)
                check->data = json_pack("{s:I,s:I,s:I}", "time", (json_int_t) s->taken, "size",
                                        (json_int_t) s->size, "revision", (json_int_t) s->revision);
}

static void ask(const ProbeContext *c, const Node *node, CheckList *checks) {
        EtcdScheduled s;

        if (etcd_scheduled(c, node, &s, NULL) >= 0)
                judge(c->cluster, node, &s, checks);
}

/**
 * etcd_verify_schedule() - are there snapshots, and are they young?
 * @c:          the context of the probe
 * @checks:     where to. A node that cannot be reached is told of elsewhere
 */
void etcd_verify_schedule(const ProbeContext *c, CheckList *checks) {
        if (c->cluster->snapshots.every_hours == 0 || !c->exec)
                return;
        probe_each_node(c, ROLE_ETCD, ask, checks);
}
