/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules about what is on a node already, and what it can get. */

#include <fnmatch.h>
#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"

void rule_identity(Judge *j, const CheckNode *n) {
        const char *found = n->observation ? n->observation->identity : NULL, *ours = j->world->identity;

        if (!found)
                judge(j, CHECK_OK, n->node, "hardway was not here");
        else if (ours && streq(found, ours))
                judge(j, CHECK_OK, n->node, "of this cluster");
        else if (ours)
                check_advise(judge(j, CHECK_FAILED, n->node,
                                   "was installed for another cluster (identity %.8s..., ours is %.8s...)",
                                   found, ours),
                             "If that can go: hardway reset --force --node %s", n->node->name);
        else
                check_advise(
                        judge(j, CHECK_FAILED, n->node,
                              "was installed for another cluster (identity %.8s..., and this directory "
                              "has none yet)",
                              found),
                        "If it is this cluster, bring its pki/ and secrets/ back: hardway restore. If it can "
                        "go: hardway pki gen, then hardway reset --force --node %s",
                        n->node->name);
}

/* "10.0.0.1:6443 nginx", "*:6443 nginx", "[::]:6443": the process, or "", or NULL for another port */
static const char* listener_on(const char *listener, unsigned port) {
        _cleanup_free_ char *wanted = xasprintf(":%u", port);
        const char *end = listener + strcspn(listener, " ");
        size_t size = strlen(wanted);

        if ((size_t) (end - listener) < size || strncmp(end - size, wanted, size) != 0)
                return NULL;
        return *end ? end + 1 : end;
}

/* Names of processes are cut at 15 bytes. */
static bool is_one_of_ours(const Plan *p, const char *process) {
        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (*process && strncmp(process, item->component, 15) == 0)
                        return true;
        return false;
}

static bool judge_port(Judge *j, const CheckNode *n, const PlanItem *item, unsigned port) {
        STRV_FOREACH(listener, n->facts->listening) {
                const char *who = listener_on(*listener, port);

                if (!who || is_one_of_ours(n->plan, who))
                        continue;
                check_advise(
                        judge(j, CHECK_FAILED, n->node, "port %u, which %s needs, is taken by %s", port,
                              item->component, *who ? who : "another process"),
                        "Stop it, or give one of them another port. On the node: sudo ss -ltnp 'sport = :%u'",
                        port);
                return true;
        }
        return false;
}

/* A unit that runs holds its ports itself; one that does not must find them free. */
void rule_ports_free(Judge *j, const CheckNode *n) {
        bool taken = false;

        if (!n->plan || !n->observation)
                return;
        PLAN_FOREACH(item, n->plan, PLAN_UNIT) {
                const ObservedUnit *u = observation_unit(n->observation, item->unit.name);

                for (size_t i = 0; i < item->unit.n_ports && (!u || u->main_pid == 0); i++)
                        taken = judge_port(j, n, item, item->unit.ports[i]) || taken;
        }
        if (!taken)
                judge(j, CHECK_OK, n->node, "no port is taken by others");
}

#define KUBEADM "sudo kubeadm reset --force, if what it made can go."

/*
 * What others leave behind. What would start again by itself, or runs, takes ports, addresses and
 * /etc/kubernetes from us; the rest is only worth knowing of.
 */
static const struct Leftover {
        const char *pattern; /* of paths, without the leading slash; or NULL */
        const char *unit;    /* that runs; or NULL */
        CheckState state;
        const char *of, *advice;
} leftovers[] = {
        { "etc/kubernetes/manifests/*.yaml", NULL, CHECK_FAILED, "kubeadm", KUBEADM },
        { "etc/kubernetes/kubelet.conf", NULL, CHECK_WARNING, "kubeadm", KUBEADM },
        { "var/lib/kubelet/config.yaml", NULL, CHECK_WARNING, "kubeadm", KUBEADM },
        { NULL, "kubelet.service", CHECK_WARNING, "a kubelet",
          "If it belongs to another cluster: sudo systemctl disable --now kubelet" },
        { NULL, "k3s.service", CHECK_FAILED, "k3s", "sudo k3s-uninstall.sh, if its cluster can go." },
        { NULL, "k3s-agent.service", CHECK_FAILED, "k3s",
          "sudo k3s-agent-uninstall.sh, if its work can go." },
        { "var/lib/rancher/k3s", NULL, CHECK_WARNING, "k3s",
          "sudo k3s-uninstall.sh, if its cluster can go." },
        { NULL, "rke2-server.service", CHECK_FAILED, "RKE2",
          "sudo rke2-uninstall.sh, if its cluster can go." },
        { NULL, "rke2-agent.service", CHECK_FAILED, "RKE2", "sudo rke2-uninstall.sh, if its work can go." },
        { "var/lib/rancher/rke2", NULL, CHECK_WARNING, "RKE2",
          "sudo rke2-uninstall.sh, if its cluster can go." },
        { NULL, "k0scontroller.service", CHECK_FAILED, "k0s",
          "sudo k0s stop; sudo k0s reset, if it can go." },
        { NULL, "k0sworker.service", CHECK_FAILED, "k0s", "sudo k0s stop; sudo k0s reset, if it can go." },
        { "var/lib/k0s", NULL, CHECK_WARNING, "k0s", "sudo k0s reset, if what is there can go." },
        { "var/snap/microk8s", NULL, CHECK_FAILED, "MicroK8s", "sudo snap remove microk8s, if it can go." },
};

void leftovers_to_look_for(Buffer *ret_paths, Buffer *ret_units) {
        for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++)
                if (leftovers[i].pattern)
                        buffer_addf(ret_paths, "%s%s", ret_paths->size > 0 ? " " : "", leftovers[i].pattern);
                else
                        buffer_addf(ret_units, "%s%s", ret_units->size > 0 ? " " : "", leftovers[i].unit);
}

static const struct Leftover* find_leftover(const char *found) {
        for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++) {
                const struct Leftover *l = leftovers + i;

                if (*found == '/' ? l->pattern && fnmatch(l->pattern, found + 1, FNM_PATHNAME) == 0 :
                                    l->unit && streq(l->unit, found))
                        return l;
        }
        return NULL;
}

static bool plan_knows(const CheckNode *n, const char *found) {
        return n->plan && *found == '/' && plan_find_path(n->plan, found);
}

/* One finding a node: the worst, with all that was found. */
void rule_leftovers(Judge *j, const CheckNode *n) {
        const struct Leftover *worst = NULL;
        _cleanup_strv_ Strv all = NULL;
        _cleanup_free_ char *list = NULL;

        if (!n->answers)
                return;
        STRV_FOREACH(found, n->answers->leftovers) {
                const struct Leftover *l = find_leftover(*found);

                if (!l || plan_knows(n, *found))
                        continue;
                strv_add(&all, *found);
                if (!worst || l->state > worst->state)
                        worst = l;
        }
        if (!worst) {
                judge(j, CHECK_OK, n->node, "nothing of other installers");
                return;
        }
        list = strv_join(all, ", ");
        check_advise(judge(j, worst->state, n->node, "%s was here: %s", worst->of, list), "%s",
                     worst->advice);
}

/* What is installed already was not asked for. */
void rule_packages(Judge *j, const CheckNode *n) {
        _cleanup_strv_ Strv missing = NULL;
        _cleanup_free_ char *list = NULL;
        bool any = false;

        if (!n->plan || !n->answers)
                return;
        PLAN_FOREACH(item, n->plan, PLAN_PACKAGE) {
                any = true;
                if (!n->facts->has_apt && !strv_contains(n->observation->packages, item->package.name))
                        strv_add(&missing, item->package.name);
        }
        for (size_t i = 0; i < n->answers->n_packages; i++)
                if (!n->answers->packages[i].candidate)
                        strv_add(&missing, n->answers->packages[i].name);
        list = strv_join(missing, ", ");
        if (missing && n->facts->has_apt)
                check_advise(
                        judge(j, CHECK_FAILED, n->node, "apt knows no package %s", list),
                        "See what fails: sudo apt-get update; or install the packages in another way first.");
        else if (missing)
                check_advise(judge(j, CHECK_FAILED, n->node, "has no apt, and %s is not installed", list),
                             "Install it with the system's own package manager.");
        else if (any)
                judge(j, CHECK_OK, n->node, "installed, or to be had");
}
