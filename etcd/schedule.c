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
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"
#include "plan/service.h"

#define SCRIPT "/opt/hardway/etcd-snapshot"
#define SERVICE_UNIT "etcd-snapshot.service"
#define TIMER_UNIT "etcd-snapshot.timer"
#define SUBJECT "snapshots"

static char* command(const PlanContext *c) {
        _cleanup_free_ char *binary = plan_binary_path(c->cluster, ORIGIN_ETCD, "etcdctl"),
                            *programs = fs_path_dirname(binary);

        return xasprintf(SCRIPT " %s %u %s", c->cluster->snapshots.directory, c->cluster->snapshots.keep,
                         programs);
}

static char* directory(const PlanContext *c) {
        return xstrdup(c->cluster->snapshots.directory);
}

static const UnitSetting service_settings[] = {
        { "Unit", "Description", "Snapshot of this node's etcd member",
          .why = "Started by its timer alone." },
        { "Unit", "After", "etcd.service", .why = "There has to be a member that answers." },
        { "Service", "Type", "oneshot", .why = "It ends." },
        { "Service", "User", "etcd", .why = "Who has the data may have its copies." },
        { "Service", "Group", "etcd", .why = "The same." },
        { "Service", "LoadCredential", "ca.crt:/etc/kubernetes/pki/etcd/ca.crt",
          .why = "Handed over by systemd. The files stay with root." },
        { "Service", "LoadCredential", "client.crt:/etc/kubernetes/pki/etcd/healthcheck-client.crt",
          .why = "What it shows to the member." },
        { "Service", "LoadCredential", "client.key:/etc/kubernetes/pki/etcd/healthcheck-client.key",
          .why = "The key of that certificate." },
        { "Service", "ExecStart", .function = command,
          .why = "Where to, how many stay, and with which programs." },
        { "Service", "ReadWritePaths", .function = directory, .why = "The one place that it may write to." },
        { "Service", "TimeoutStartSec", "900", .why = "Some GB, on an SD card." },
        { "Service", "Nice", "10", .why = "The member itself goes first ..." },
        { "Service", "IOSchedulingClass", "idle", .why = "... on the disk, too." },
};

static char* interval(const PlanContext *c) {
        return xasprintf("%uh", c->cluster->snapshots.every_hours);
}

static const UnitSetting timer_settings[] = {
        { "Unit", "Description", "Snapshots of this node's etcd member", .why = "See: hardway status" },
        { "Timer", "OnActiveSec", "10min",
          .why = "The first one, after the node was started or installed." },
        { "Timer", "OnUnitActiveSec", .function = interval, .why = "snapshots.every of the cluster file." },
        { "Timer", "RandomizedDelaySec", "5min", .why = "Not on all members in the same minute." },
        { "Install", "WantedBy", "timers.target", .why = "It begins with the system." },
};

static int add_service(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u =
                unit_file_new("Written by hardway. Changes belong into a drop-in: "
                              "systemctl edit");
        PlanItem *unit;
        int r;

        r = service_add_settings(u, c, service_settings, ARRAY_SIZE(service_settings), reterr);
        if (r >= 0)
                r = service_add_settings(u, c, service_sandbox, service_n_sandbox, reterr);
        if (r < 0)
                return r;
        unit = plan_add_unit(plan, "etcd", SERVICE_UNIT, TAKE_PTR(u), "Takes a snapshot and checks it.");
        unit->unit.enabled = unit->unit.running = false;
        return 0;
}

static int add_timer(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u =
                unit_file_new("Written by hardway. Changes belong into a drop-in: "
                              "systemctl edit");
        int r;

        r = service_add_settings(u, c, timer_settings, ARRAY_SIZE(timer_settings), reterr);
        if (r >= 0)
                plan_add_unit(plan, "etcd", TIMER_UNIT, TAKE_PTR(u), "Has snapshots taken in time.");
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
        int r;

        if (c->cluster->snapshots.every_hours == 0)
                return 0;
        plan_add_directory(plan, "etcd", "snapshots", c->cluster->snapshots.directory, 0700, "etcd:etcd",
                           "Holds the snapshots that this node takes of its member.");
        plan_add_file(plan, "etcd", "snapshot-script", SCRIPT, 0755, EMBED_ETCD_SNAPSHOT_SH,
                      "Takes a snapshot, has it checked, and keeps the newest.");
        r = add_service(c, plan, reterr);
        return r < 0 ? r : add_timer(c, plan, reterr);
}

/* What the node tells: how the last run ended, how long the timer is there, and what the last good one was. */
static char* question(const Cluster *c) {
        return xasprintf("# the last scheduled snapshot\n"
                         "date +%%s\n"
                         "stat -c %%Y /etc/systemd/system/" TIMER_UNIT " 2>/dev/null || echo 0\n"
                         "systemctl show -p Result --value " SERVICE_UNIT " 2>/dev/null || echo unknown\n"
                         "head -c 4096 %s/last 2>/dev/null || :\n",
                         c->snapshots.directory);
}

int etcd_schedule_parse(const char *text, EtcdScheduled *ret) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        _cleanup_json_ json_t *last = NULL;

        if (strv_length(lines) < 3 || parse_uint64(lines[0], 0, INT64_MAX, &ret->now) < 0 ||
            parse_uint64(lines[1], 0, INT64_MAX, &ret->since) < 0)
                return -EBADMSG;
        ret->failed = !streq(lines[2], "success");
        ret->taken = ret->size = ret->revision = 0;
        if (!lines[3])
                return 0;
        if (json_parse("last", lines[3], strlen(lines[3]), &last, NULL) < 0)
                return -EBADMSG;
        ret->taken = json_uint64(last, "time");
        ret->size = json_uint64(last, "size");
        ret->revision = json_uint64(json_object_get(last, "status"), "revision");
        return 0;
}

static char* age(const EtcdScheduled *s) {
        return clock_format_span((s->now > s->taken ? s->now - s->taken : 0) * USEC_PER_SEC);
}

static void judge(const Cluster *c, const Node *node, const EtcdScheduled *s, CheckList *checks) {
        _cleanup_free_ char *id = xasprintf("etcd.snapshots/%s", node->name), *old = age(s);
        uint64_t limit = 2 * (uint64_t) c->snapshots.every_hours * 3600 + 3600;
        bool late = s->now > (s->taken > 0 ? s->taken : s->since) + limit;
        Check *check;

        if (s->failed)
                check = check_add(checks, CHECK_FAILED, id, node, SUBJECT, "the last one failed; %s%s",
                                  s->taken > 0 ? "that before is old: " : "there is none",
                                  s->taken > 0 ? old : "");
        else if (late)
                check = check_add(checks, CHECK_WARNING, id, node, SUBJECT, "%s%s",
                                  s->taken > 0 ? "late: the last one is old: " : "late: there is none yet",
                                  s->taken > 0 ? old : "");
        else if (s->taken == 0)
                check = check_add(checks, CHECK_OK, id, node, SUBJECT, "the first one is yet to come");
        else
                check = check_add(checks, CHECK_OK, id, node, SUBJECT,
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

/**
 * etcd_verify_schedule() - are there snapshots, and are they young?
 * @c:          the context of the probe
 * @checks:     where to. A node that cannot be reached is told of elsewhere
 */
void etcd_verify_schedule(const ProbeContext *c, CheckList *checks) {
        _cleanup_free_ char *script = question(c->cluster);

        if (c->cluster->snapshots.every_hours == 0 || !c->exec)
                return;
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_buffer_ Buffer out = BUFFER_NULL;
                EtcdScheduled s = {};

                if (c->exec(c->userdata, node, script, &out, NULL) >= 0 &&
                    etcd_schedule_parse(buffer_str(&out), &s) >= 0)
                        judge(c->cluster, node, &s, checks);
        }
}
