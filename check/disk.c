/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules about the disk. */

#include "check/rules.h"
#include "common/alloc.h"
#include "common/clock.h"

#define MB (UINT64_C(1000) * 1000)
#define DISK_RESERVE (UINT64_C(64) * 1024 * 1024) /* beyond what we put there */
#define BINARIES_SIZE (400 * MB)                  /* of a controller, while nothing was fetched */
#define ETCD_ROOM \
        (4000 *   \
         MB) /* its data may take 2 GiB (--quota-backend-bytes), and as much while it is defragmented */

/*
 * etcd's documentation asks for a 99th percentile below 10 ms ("Hardware"). A mean of that much, or one
 * batch of ten that takes 25 ms a write, does not hold that.
 */
#define SYNC_MEAN_USEC (10 * USEC_PER_MSEC)
#define SYNC_WORST_USEC (25 * USEC_PER_MSEC)

static uint64_t space_needed(const CheckNode *n) {
        uint64_t size = n->put_size;

        if (n->plan && n->plan->incomplete && n->node->roles & ROLE_CONTROLLER && size < BINARIES_SIZE)
                size = BINARIES_SIZE;
        return size + DISK_RESERVE;
}

void rule_disk_space(Judge *j, const CheckNode *n) {
        uint64_t needed = space_needed(n), free = n->facts->disk_free;

        if (free == 0)
                return;
        if (free < needed)
                check_advise(judge(j, CHECK_FAILED, n->node,
                                   "%llu MB are needed on its disk, %llu MB are free",
                                   (unsigned long long) (needed / MB), (unsigned long long) (free / MB)),
                             "Make room where /var/lib and /opt lie.");
        else if (n->node->roles & ROLE_ETCD && free < needed + ETCD_ROOM)
                check_advise(judge(j, CHECK_WARNING, n->node,
                                   "%llu MB are free: etcd may come to need 4 GB, and stops at a full disk",
                                   (unsigned long long) (free / MB)),
                             "Make room where /var/lib lies.");
        else
                judge(j, CHECK_OK, n->node, "enough is free");
}

static const Component* data_component(const CheckWorld *w, const CheckNode *n) {
        for (const Component *const *c = w->components; *c; c++)
                if ((*c)->data && component_on_node(*c, w->cluster, n->node))
                        return *c;
        return NULL;
}

static bool is_running(const CheckNode *n, const char *unit) {
        const ObservedUnit *u = n->observation && unit ? observation_unit(n->observation, unit) : NULL;

        return u && u->main_pid != 0;
}

static void judge_sync(Judge *j, const CheckNode *n) {
        const Answers *a = n->answers;
        double mean = (double) a->sync_mean_usec / 1e3, worst = (double) a->sync_worst_usec / 1e3;
        bool slow = a->sync_mean_usec > SYNC_MEAN_USEC || a->sync_worst_usec > SYNC_WORST_USEC;
        bool ssd = j->world->cluster->disk_profile == DISK_SSD;

        if (slow && ssd)
                check_advise(
                        judge(j, CHECK_WARNING, n->node,
                              "a small synchronous write takes %.1f ms on average, %.1f ms in the worst "
                              "batch: too slow for profile.disk: ssd",
                              mean, worst),
                        "Set profile.disk: sdcard in the cluster file, for all members, or give etcd a "
                        "faster disk.");
        else
                judge(j, CHECK_OK, n->node,
                      "synchronous writes: %.1f ms on average, %.1f ms in the worst batch%s", mean, worst,
                      !slow && !ssd ? "; profile.disk: ssd would do" : "");
}

/* Measured only where nothing else waits for the disk: what runs measures itself. */
void rule_disk_sync(Judge *j, const CheckNode *n) {
        const Component *c = data_component(j->world, n);

        if (!c || !n->answers)
                return;
        if (is_running(n, c->unit))
                judge(j, CHECK_OK, n->node, "not measured, as %s runs: hardway status shows its own figures",
                      c->name);
        else if (n->answers->sync_writes > 0)
                judge_sync(j, n);
        else
                judge(j, CHECK_OK, n->node, "not measured: its dd cannot write synchronously");
}
