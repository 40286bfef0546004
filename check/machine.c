/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules about the machine and its system. */

#include <stdlib.h>

#include "check/rules.h"
#include "common/alloc.h"
#include "common/clock.h"

#define SYSTEMD_MIN 252u         /* LoadCredential= with directories, Upholds=, %d */
#define CLOCK_OFFSET_MAX_SEC 300 /* from ours: certificates are backdated by an hour, so this is generous */
#define MEMORY_LITTLE (UINT64_C(1000) * 1024 * 1024) /* of a controller; a "1 GB" machine has less */

void rule_architecture(Judge *j, const CheckNode *n) {
        const Facts *f = n->facts;
        const char *found = architecture_to_string(f->architecture);

        if (f->architecture != n->node->architecture)
                check_advise(judge(j, CHECK_FAILED, n->node, "this machine is %s, the cluster file says %s",
                                   found ? found : "of another kind",
                                   architecture_to_string(n->node->architecture)),
                             "Set arch in the cluster file (for this node alone: in its row under nodes), "
                             "and: hardway fetch");
        else if (!f->userland_matches)
                check_advise(judge(j, CHECK_FAILED, n->node,
                                   "a 64-bit kernel with a 32-bit userland: install the 64-bit system"),
                             "A 32-bit system cannot be turned into one: write a 64-bit image to its disk.");
        else
                judge(j, CHECK_OK, n->node, "%s, 64-bit", found);
}

void rule_systemd(Judge *j, const CheckNode *n) {
        unsigned version = n->facts->systemd_version;

        if (version < SYSTEMD_MIN)
                check_advise(judge(j, CHECK_FAILED, n->node, "systemd %u is too old: %u or newer is needed",
                                   version, SYSTEMD_MIN),
                             "Debian 12 and Ubuntu 23.04 have one that is new enough.");
        else
                judge(j, CHECK_OK, n->node, "systemd %u", version);
}

static bool is_slow(const CheckNode *n, const char *name) {
        for (size_t i = 0; n->answers && name && i < n->answers->n_names; i++)
                if (streq(n->answers->names[i].name, name))
                        return n->answers->names[i].slow;
        return false;
}

void rule_name(Judge *j, const CheckNode *n) {
        const char *name = n->facts->hostname;
        bool slow = is_slow(n, name);

        if (n->facts->name_resolves && !slow) {
                judge(j, CHECK_OK, n->node, "its own name resolves");
                return;
        }
        check_advise(judge(j, CHECK_WARNING, n->node,
                           slow ? "finding its own name takes seconds, and every sudo waits for that" :
                                  "its own name does not resolve, so that every sudo takes its time"),
                     "On the node: echo '127.0.1.1 %s' | sudo tee -a /etc/hosts", name ? name : "NAME");
}

/* Certificates are not valid yet for a clock that is behind, whatever the distance to ours. */
void rule_clock(Judge *j, const CheckNode *n) {
        const Facts *f = n->facts;
        long long offset = llabs(f->clock_offset);
        const char *advice = "Set it (timedatectl set-time), or wait until it is synchronised.";

        if (offset > CLOCK_OFFSET_MAX_SEC)
                check_advise(judge(j, CHECK_FAILED, n->node, "its clock is %lld s %s ours", offset,
                                   f->clock_offset < 0 ? "behind" : "ahead of"),
                             "%s", advice);
        else if (f->clock > 0 && f->clock < clock_build_date())
                check_advise(judge(j, CHECK_FAILED, n->node,
                                   "its clock says a day on which this hardway did not exist yet"),
                             "%s Ours says the same.", advice);
        else
                judge(j, CHECK_OK, n->node, offset > 1 ? "%lld s from ours" : "as ours", offset);
}

void rule_clock_sync(Judge *j, const CheckNode *n) {
        if (n->facts->clock_synchronized)
                judge(j, CHECK_OK, n->node, "synchronised");
        else
                check_advise(
                        judge(j, CHECK_WARNING, n->node,
                              "its clock is not synchronised: certificates look invalid to a clock that "
                              "is wrong after a power loss"),
                        "On the node: sudo apt-get install systemd-timesyncd; sudo timedatectl set-ntp "
                        "true");
}

void rule_memory(Judge *j, const CheckNode *n) {
        uint64_t memory = n->facts->memory;

        if (memory == 0)
                return;
        if (n->node->roles & ROLE_CONTROLLER && memory < MEMORY_LITTLE)
                check_advise(judge(j, CHECK_WARNING, n->node,
                                   "%llu MB of memory are little for a controller: 1 GB or more is better",
                                   (unsigned long long) (memory / 1000000)),
                             "Have nothing else run there, or take a machine with more.");
        else
                judge(j, CHECK_OK, n->node, "%.1f GB", (double) memory / 1e9);
}

/* Go programs, and so all of ours, do not mind; what others bring in images may. */
void rule_page_size(Judge *j, const CheckNode *n) {
        bool pi = n->answers && n->answers->model && startswith(n->answers->model, "Raspberry Pi");

        if (n->facts->page_size <= 4096)
                judge(j, CHECK_OK, n->node, "4 KiB");
        else
                check_advise(
                        judge(j, CHECK_WARNING, n->node,
                              "memory pages of %u KiB: hardway's programs run, others (jemalloc: Redis, "
                              "some databases) may not",
                              n->facts->page_size / 1024),
                        pi ? "For 4 KiB: a line kernel=kernel8.img in /boot/firmware/config.txt, and a "
                             "reboot." :
                             "For 4 KiB: a kernel that is built for them.");
}

/* Compressed memory is not a disk. */
void rule_swap(Judge *j, const CheckNode *n) {
        _cleanup_strv_ Strv disks = NULL;
        _cleanup_free_ char *list = NULL;

        if (!n->answers || !(n->node->roles & ROLE_CONTROL_PLANE))
                return;
        STRV_FOREACH(swap, n->answers->swaps)
                if (!startswith(*swap, "/dev/zram"))
                        strv_add(&disks, *swap);
        if (strv_length(disks) == 0) {
                judge(j, CHECK_OK, n->node,
                      strv_length(n->answers->swaps) > 0 ? "to compressed memory only" : "none");
                return;
        }
        list = strv_join(disks, ", ");
        check_advise(judge(j, CHECK_WARNING, n->node,
                           "swaps to %s: an etcd that waits for its own memory loses its leadership", list),
                     "On the node: sudo swapoff -a, and take it out of /etc/fstab (Raspberry Pi OS: sudo "
                     "systemctl disable --now dphys-swapfile, or Mechanism=none in /etc/rpi/swap.conf).");
}
