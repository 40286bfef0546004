/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The memory controller
 *
 * A Raspberry Pi's firmware puts cgroup_disable=memory in front of what stands in cmdline.txt; what comes
 * later wins, and cgroup_enable=memory is known to its own kernels only. /proc/cgroups says nothing about
 * the unified hierarchy (kernels since 6.12 leave memory out of it), so cgroup.controllers decides.
 */

#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"

static bool has_word(const char *line, const char *word) {
        _cleanup_strv_ Strv words = strv_split(line ? line : "", " ");

        return strv_contains(words, word);
}

static void advise_pi(const Answers *a, Check *finding) {
        const char *file = a->cmdline_file ? a->cmdline_file : "/boot/firmware/cmdline.txt";

        if (has_word(a->cmdline, "cgroup_enable=memory"))
                check_advise(finding,
                             "cgroup_enable=memory is given, but this kernel does not know it: run the one "
                             "that comes with Raspberry Pi OS.");
        else if (has_word(a->cmdline_next, "cgroup_enable=memory"))
                check_advise(finding, "%s has cgroup_enable=memory already: reboot.", file);
        else
                check_advise(finding,
                             "Put cgroup_enable=memory at the end of the one line of %s, and reboot: sudo "
                             "sed -i '1s/$/ cgroup_enable=memory/' %s",
                             file, file);
}

static void advise(const Answers *a, Check *finding) {
        if (a && a->model && startswith(a->model, "Raspberry Pi"))
                advise_pi(a, finding);
        else if (a && !a->cgroup2)
                check_advise(finding, "Boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command "
                                      "line.");
        else if (a && has_word(a->cmdline, "cgroup_disable=memory"))
                check_advise(finding, "Take cgroup_disable=memory off the kernel's command line.");
        else
                check_advise(finding, "It takes a kernel with CONFIG_MEMCG.");
}

void rule_cgroup(Judge *j, const CheckNode *n) {
        if (!(n->node->roles & ROLE_CONTROLLER))
                return;
        if (n->facts->cgroup_memory)
                judge(j, CHECK_OK, n->node, "cgroup v2 with the memory controller");
        else
                advise(n->answers,
                       judge(j, CHECK_WARNING, n->node,
                             n->answers && !n->answers->cgroup2 ?
                                     "no cgroup v2: no kubelet of today will run there" :
                                     "cgroup v2 has no memory controller: no kubelet will run there"));
}
