/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The drills, in their order: what moves the VIP first, what takes long last
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/strv.h"
#include "operate/drill.h"

/* Two requests of the prober, and some of what a busy machine adds: nobody has noticed anything. */
#define NO_GAP 150
/* Until another load balancer has missed three adverts and taken the VIP. */
#define VIP_GAP 400

const Drill drills[] = {
        { "haproxy", "haproxy is killed on the owner of the VIP", DRILL_KILL, "haproxy", "keepalived",
          .aim = { .read_gap = 200 } },
        { "haproxy-hung", "haproxy hangs on the owner of the VIP", DRILL_FREEZE, "haproxy", "keepalived",
          .moves = true, .aim = { .read_gap = 3000, .takeover = 3000 } },
        { "keepalived", "keepalived is killed on the owner of the VIP", DRILL_KILL, "keepalived",
          "keepalived", .moves = true, .aim = { .read_gap = VIP_GAP } },
        { "apiserver", "an apiserver is killed", DRILL_KILL, "kube-apiserver", NULL,
          .aim = { .read_gap = NO_GAP, .read_failing = 200 } },
        { "apiserver-hung", "an apiserver hangs", DRILL_FREEZE, "kube-apiserver", NULL,
          .aim = { .read_gap = NO_GAP, .read_failing = 1000 } },
        { "etcd-leader", "etcd is killed where it leads", DRILL_KILL, "etcd", "etcd", .moves = true,
          .least = 3,
          .aim = { .read_gap = NO_GAP, .read_failing = 700, .write_gap = 2000, .takeover = 2000 } },
        { "scheduler", "the kube-scheduler that leads is killed", DRILL_KILL, "kube-scheduler",
          "kube-scheduler", .moves = true, .aim = { .read_gap = NO_GAP, .takeover = 20000 } },
        { "controller-manager", "the kube-controller-manager that leads is killed", DRILL_KILL,
          "kube-controller-manager", "kube-controller-manager", .moves = true,
          .aim = { .read_gap = NO_GAP, .takeover = 20000 } },
        { "owner-power", "the owner of the VIP loses its power", DRILL_CUT, "keepalived", "keepalived",
          .moves = true, .aim = { .read_gap = VIP_GAP } },
        { "owner-link", "the owner of the VIP loses its network", DRILL_UNPLUG, "keepalived", "keepalived",
          .moves = true, .aim = { .read_gap = VIP_GAP } },
        { "follower-power", "a controller that etcd does not lead on loses its power", DRILL_CUT,
          "kube-apiserver", NULL, .aim = { .read_gap = NO_GAP, .read_failing = 700, .write_gap = 700 } },
        { "follower-link", "a controller that etcd does not lead on loses its network", DRILL_UNPLUG,
          "kube-apiserver", NULL, .aim = { .read_gap = NO_GAP, .read_failing = 700, .write_gap = 700 } },
        { "controller-power", "the host of etcd's leader loses its power", DRILL_CUT, "etcd", "etcd",
          .moves = true, .least = 3,
          .aim = { .read_gap = NO_GAP, .read_failing = 700, .write_gap = 2000, .takeover = 2000 } },
        { "controller-link", "the host of etcd's leader loses its network", DRILL_UNPLUG, "etcd", "etcd",
          .moves = true, .least = 3,
          .aim = { .read_gap = NO_GAP, .read_failing = 700, .write_gap = 2000, .takeover = 2000 } },
        {},
};

/**
 * drill_find() - a drill by its name
 * @name:       "etcd-leader"
 *
 * Return: the drill, or NULL.
 */
const Drill* drill_find(const char *name) {
        for (const Drill *d = drills; d->name; d++)
                if (streq(d->name, name))
                        return d;
        return NULL;
}

static unsigned scale(unsigned msec, unsigned have, unsigned usual) {
        return (unsigned) ((uint64_t) msec * (have > usual ? have : usual) / usual);
}

/**
 * drill_aim() - what may be expected of a cluster
 * @d:          the drill
 * @c:          the cluster
 * @takes_vip:  the host that is hit holds the VIP, whatever else it is hit for
 * @ret:        the aim; those of slow networks and disks are as much longer as their timings are, and of
 *              what a load balancer that is not ours does nothing is expected
 */
void drill_aim(const Drill *d, const Cluster *c, bool takes_vip, DrillAim *ret) {
        const Timings *t = &c->timings;
        const bool vip = streq_null(d->leader, "keepalived"), raft = streq_null(d->leader, "etcd");
        const bool lease = d->leader && !vip && !raft;
        DrillAim a = d->aim;

        if (vip) {
                a.read_gap = scale(a.read_gap, t->vrrp_advert_msec, 100);
                a.takeover = scale(a.takeover, t->vrrp_advert_msec, 100);
        } else if (raft) {
                a.write_gap = scale(a.write_gap, t->etcd_election_msec, 1000);
                a.takeover = scale(a.takeover, t->etcd_election_msec, 1000);
        } else if (lease)
                a.takeover = scale(a.takeover, t->lease_duration_sec, 15);
        else
                a.write_gap = scale(a.write_gap, t->haproxy_check_msec, 1000);
        a.read_failing = scale(a.read_failing, t->haproxy_check_msec, 1000);
        if (takes_vip && !vip) {
                /* the VIP moves first, and who has it then has to see what else is gone */
                unsigned gap = scale(VIP_GAP, t->vrrp_advert_msec, 100);

                a.read_gap = gap;
                a.read_failing += a.read_failing > 0 ? gap : 0;
                a.write_gap += a.write_gap > 0 ? gap : 0;
        }
        if (c->endpoint.kind == ENDPOINT_FOREIGN)
                a.read_gap = a.read_failing = a.write_gap = 0;
        *ret = a;
}

static void judge(Strv *why, const char *what, uint64_t usec, unsigned aim_msec) {
        if (aim_msec > 0 && usec > aim_msec * USEC_PER_MSEC)
                strv_addf(why, "%s %.2f s (aim: %.2f s)", what, (double) usec / USEC_PER_SEC,
                          (double) aim_msec / 1000);
}

/**
 * drill_met() - was everything as well as may be expected?
 * @r:          a result that was not skipped
 * @ret_why:    what was not, or NULL; the caller frees
 *
 * Return: true if it was.
 */
bool drill_met(const DrillResult *r, char **ret_why) {
        _cleanup_strv_ Strv why = NULL;

        if (r->text)
                strv_add(&why, r->text);
        judge(&why, "gap in reads", r->reads.gap_usec, r->aim.read_gap);
        judge(&why, "reads fail for", r->reads.failing_usec, r->aim.read_failing);
        judge(&why, "gap in writes", r->writes.gap_usec, r->aim.write_gap);
        judge(&why, "new leader after", r->takeover_usec, r->aim.takeover);
        *ret_why = why ? strv_join(why, "; ") : NULL;
        return !why;
}
