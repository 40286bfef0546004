/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "install/run.h"

/*
 * Refuse before the first write
 *
 * Everything that speaks against changing a node, of all nodes at once: what holds for any node is here,
 * what a component knows (data of another cluster, a virtual IP that somebody else answers for) is asked of
 * it.
 */

#define SYSTEMD_MIN 252u /* LoadCredential= with directories, Upholds=, %d */
#define CLOCK_OFFSET_MAX_SEC \
        300 /* tokens and leases compare clocks; certificates are backdated by an hour */
#define DISK_RESERVE (UINT64_C(64) * 1024 * 1024) /* what a node needs beyond what we put there */

static void check_machine(NodeRun *n) {
        const Facts *f = &n->facts;

        if (f->architecture != n->node->architecture)
                error_list_add(&n->errors, ERROR_CONFIG, ENOEXEC,
                               "%s: this machine is %s, the cluster file says %s", n->node->name,
                               architecture_to_string(f->architecture),
                               architecture_to_string(n->node->architecture));
        else if (!f->userland_matches)
                error_list_add(&n->errors, ERROR_CONFIG, ENOEXEC,
                               "%s: a 64-bit kernel with a 32-bit userland: install the 64-bit system",
                               n->node->name);
        if (f->systemd_version < SYSTEMD_MIN)
                error_list_add(&n->errors, ERROR_CONFIG, EOPNOTSUPP,
                               "%s: systemd %u is too old: %u or newer is needed", n->node->name,
                               f->systemd_version, SYSTEMD_MIN);
        if (llabs(f->clock_offset) > CLOCK_OFFSET_MAX_SEC)
                error_list_add(
                        &n->errors, ERROR_CONFIG, ETIME,
                        "%s: its clock is %lld s %s ours: set it (timedatectl) or wait until it is synchronised",
                        n->node->name, (long long) llabs(f->clock_offset),
                        f->clock_offset < 0 ? "behind" : "ahead of");
}

static void check_space(NodeRun *n) {
        uint64_t needed = n->changes.put_size + DISK_RESERVE;

        if (n->facts.disk_free > 0 && n->facts.disk_free < needed)
                error_list_add(&n->errors, ERROR_IO, ENOSPC,
                               "%s: %llu MB are needed on its disk, %llu MB are free", n->node->name,
                               (unsigned long long) (needed / 1000000),
                               (unsigned long long) (n->facts.disk_free / 1000000));
}

static void check_identity(NodeRun *n) {
        const char *found = n->observation->identity, *ours = n->run->identity;

        if (!found || streq(found, ours))
                return;
        error_list_add(
                &n->errors, ERROR_CONFIG, EEXIST,
                "%s: installed for another cluster (identity %.8s..., ours is %.8s...); if it can go: hardway reset --node %s",
                n->node->name, found, ours, n->node->name);
}

/* "10.0.0.1:6443 nginx", "*:6443 nginx": whose port is it? NULL if nobody listens there. */
static const char* listener_of(const Facts *f, unsigned port) {
        STRV_FOREACH(l, f->listening) {
                const char *end = strchr(*l, ' '), *colon;
                unsigned found = 0;

                if (!end)
                        end = *l + strlen(*l);
                for (colon = end; colon > *l && *colon != ':'; colon--)
                        ;
                for (const char *p = colon + 1; p < end && *p >= '0' && *p <= '9'; p++)
                        found = found * 10 + (unsigned) (*p - '0');
                if (found == port)
                        return *end ? end + 1 : "an unknown process";
        }
        return NULL;
}

/* A unit that runs holds its ports itself; one that does not must find them free. */
static void check_ports(NodeRun *n) {
        PLAN_FOREACH(item, n->plan, PLAN_UNIT) {
                const ObservedUnit *u = observation_unit(n->observation, item->unit.name);

                if (u && u->main_pid > 0)
                        continue;
                for (size_t i = 0; i < item->unit.n_ports; i++) {
                        const char *who = listener_of(&n->facts, item->unit.ports[i]);

                        if (who)
                                error_list_add(&n->errors, ERROR_CONFIG, EADDRINUSE,
                                               "%s: port %u, which %s needs, is taken by %s", n->node->name,
                                               item->unit.ports[i], item->component, who);
                }
        }
}

/* A unit of a new minor version beside a cluster that serves the old one: the order of an upgrade is not
 * this one's. */
static void check_minor(NodeRun *n) {
        const Version *ours = &n->run->request->cluster->kubernetes;

        for (size_t i = 0; i < n->observation->n_applied; i++) {
                ArtifactOrigin origin;
                Version v;
                char text[VERSION_TEXT_SIZE], want[VERSION_TEXT_SIZE];

                if (plan_binary_path_parse(n->observation->applied[i].path, &origin, &v) < 0 ||
                    origin != ORIGIN_KUBERNETES)
                        continue;
                if (v.major == ours->major && v.minor == ours->minor)
                        continue;
                error_list_add(
                        &n->errors, ERROR_CONFIG, EOPNOTSUPP,
                        "%s: runs Kubernetes %s; going to %s changes the minor version, which hardway cannot do yet",
                        n->node->name, version_format(&v, text), version_format(ours, want));
                return;
        }
}

static int node_preflight(NodeRun *n, _unused_ Error **reterr) {
        check_machine(n);
        check_identity(n);
        check_minor(n);
        check_ports(n);
        check_space(n);
        RUN_FOREACH_COMPONENT(c, n->run)
        if (c->preflight && component_on_node(c, n->run->request->cluster, n->node))
                c->preflight(&n->run->probes, n->node, &n->errors);
        return 0;
}

/**
 * run_preflight() - look for what speaks against changing the nodes that differ
 *
 * Return: 0, or -EHOSTDOWN if any node has errors now; nothing was written anywhere.
 */
int run_preflight(InstallRun *run) {
        bool refused = false;

        (void) crew_each(run, node_differs, node_preflight);
        for (NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++) {
                if (n->errors.n_errors == 0)
                        continue;
                node_end(n, INSTALL_BROKEN, "refused");
                refused = true;
        }
        return refused ? -EHOSTDOWN : 0;
}
