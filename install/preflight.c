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

#define SYSTEMD_MIN 252u         /* LoadCredential= with directories, Upholds=, %d */
#define CLOCK_OFFSET_MAX_SEC 300 /* from ours: certificates are backdated by an hour, so this is generous */
#define CLOCK_SPREAD_MAX_SEC 60  /* between nodes: leases and tokens compare their clocks */
#define DISK_RESERVE (UINT64_C(64) * 1024 * 1024)    /* beyond what we put there */
#define MEMORY_LITTLE (UINT64_C(1000) * 1024 * 1024) /* of a controller; a "1 GB" machine has less */

static void refuse(NodeRun *n, ErrorKind kind, int errnum, const char *format, ...) _printf_(4, 5);
static void refuse(NodeRun *n, ErrorKind kind, int errnum, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        error_list_add(&n->errors, kind, errnum, "%s: %s", n->node->name, text);
}

static void check_machine(NodeRun *n) {
        const Facts *f = &n->facts;

        if (f->architecture != n->node->architecture)
                refuse(n, ERROR_CONFIG, ENOEXEC, "this machine is %s, the cluster file says %s",
                       architecture_to_string(f->architecture),
                       architecture_to_string(n->node->architecture));
        else if (!f->userland_matches)
                refuse(n, ERROR_CONFIG, ENOEXEC,
                       "a 64-bit kernel with a 32-bit userland: install the 64-bit system");
        if (f->systemd_version < SYSTEMD_MIN)
                refuse(n, ERROR_CONFIG, EOPNOTSUPP, "systemd %u is too old: %u or newer is needed",
                       f->systemd_version, SYSTEMD_MIN);
        if (llabs(f->clock_offset) > CLOCK_OFFSET_MAX_SEC)
                refuse(n, ERROR_CONFIG, ETIME,
                       "its clock is %lld s %s ours: set it (timedatectl), or wait until it is synchronised",
                       (long long) llabs(f->clock_offset), f->clock_offset < 0 ? "behind" : "ahead of");
}

static void warn_of_machine(const NodeRun *n) {
        if (!n->facts.name_resolves)
                node_event(n, INSTALL_WARNING,
                           "its own name does not resolve, so that every sudo takes its time: put it into "
                           "/etc/hosts, behind 127.0.1.1",
                           0, 0);
        if (n->node->roles & ROLE_CONTROLLER && n->facts.memory > 0 && n->facts.memory < MEMORY_LITTLE) {
                _cleanup_free_ char *text =
                        xasprintf("%llu MB of memory are little for a controller: 1 GB or more is better",
                                  (unsigned long long) (n->facts.memory / 1000000));

                node_event(n, INSTALL_WARNING, text, 0, 0);
        }
}

static void check_space(NodeRun *n) {
        uint64_t needed = n->changes.put_size + DISK_RESERVE;

        if (n->facts.disk_free > 0 && n->facts.disk_free < needed)
                refuse(n, ERROR_IO, ENOSPC, "%llu MB are needed on its disk, %llu MB are free",
                       (unsigned long long) (needed / 1000000),
                       (unsigned long long) (n->facts.disk_free / 1000000));
}

static void check_identity(NodeRun *n) {
        const char *found = n->observation->identity, *ours = n->run->identity;

        if (!found || streq(found, ours))
                return;
        refuse(n, ERROR_CONFIG, EEXIST,
               "was installed for another cluster (identity %.8s..., ours is %.8s...)", found, ours);
        error_detail(&n->errors.errors[n->errors.n_errors - 1], "If that can go: hardway reset --node %s\n",
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

static void check_port(NodeRun *n, const PlanItem *item, unsigned port) {
        STRV_FOREACH(listener, n->facts.listening) {
                const char *who = listener_on(*listener, port);

                if (!who || is_one_of_ours(n->plan, who))
                        continue;
                refuse(n, ERROR_CONFIG, EADDRINUSE, "port %u, which %s needs, is taken by %s", port,
                       item->component, *who ? who : "another process");
                return;
        }
}

/* A unit that runs holds its ports itself; one that does not must find them free. */
static void check_ports(NodeRun *n) {
        PLAN_FOREACH(item, n->plan, PLAN_UNIT) {
                const ObservedUnit *u = observation_unit(n->observation, item->unit.name);

                for (size_t i = 0; i < item->unit.n_ports && (!u || u->main_pid == 0); i++)
                        check_port(n, item, item->unit.ports[i]);
        }
}

/* The order of an upgrade is not the order of a rollout: servers first, and one minor at a time. */
static void check_versions(NodeRun *n) {
        const Cluster *c = n->run->request->cluster;

        for (size_t i = 0; i < n->observation->n_applied && n->run->serving; i++) {
                char is[VERSION_TEXT_SIZE], wanted[VERSION_TEXT_SIZE];
                ArtifactOrigin origin;
                const Version *ours;
                Version v;

                if (plan_binary_path_parse(n->observation->applied[i].path, &origin, &v) < 0)
                        continue;
                ours = origin == ORIGIN_ETCD ? &c->etcd : &c->kubernetes;
                if (v.major == ours->major && v.minor == ours->minor)
                        continue;
                refuse(n, ERROR_CONFIG, EOPNOTSUPP,
                       "runs %s %s, and going to %s is another minor version: hardway cannot do that to a "
                       "serving cluster yet",
                       origin == ORIGIN_ETCD ? "etcd" : "Kubernetes", version_format(&v, is),
                       version_format(ours, wanted));
                return;
        }
}

/* A component's error speaks of the node; one of the way to it (exec) names it already. */
static void name_node(const NodeRun *n, Error *error) {
        const char *rest = startswith(error->message, n->node->name);

        if (!rest || *rest != ':')
                (void) error_prefix(&error, -error->errnum, "%s", n->node->name);
}

static void ask_components(NodeRun *n) {
        size_t first = n->errors.n_errors;

        RUN_FOREACH_COMPONENT(c, n->run) {
                if (c->preflight && component_on_node(c, n->run->request->cluster, n->node))
                        c->preflight(&n->run->probes, n->node, &n->errors);
        }
        for (size_t i = first; i < n->errors.n_errors; i++)
                name_node(n, n->errors.errors[i]);
}

/* What the first look promised may be otherwise by the time the lock is held. */
static int node_prepare(NodeRun *n, Error **reterr) {
        int r;

        check_machine(n);
        check_identity(n);
        check_versions(n);
        check_ports(n);
        check_space(n);
        warn_of_machine(n);
        ask_components(n);
        if (n->errors.n_errors > 0)
                return 0;
        r = node_lock(n, reterr);
        return r < 0 ? r : node_look(n, reterr);
}

/* Only nodes that are about to be changed count: what runs has shown that it can live with its clock. */
static void check_clocks(const InstallRun *run, ErrorList *errors) {
        const NodeRun *first = NULL, *last = NULL;

        for (const NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++) {
                if (!n->selected || !node_differs(n))
                        continue;
                if (!first || n->facts.clock_offset < first->facts.clock_offset)
                        first = n;
                if (!last || n->facts.clock_offset > last->facts.clock_offset)
                        last = n;
        }
        if (first && last->facts.clock_offset - first->facts.clock_offset > CLOCK_SPREAD_MAX_SEC)
                error_list_add(
                        errors, ERROR_CONFIG, ETIME,
                        "the clock of %s is %lld s behind that of %s: set them (timedatectl), or wait "
                        "until they are synchronised",
                        first->node->name,
                        (long long) (last->facts.clock_offset - first->facts.clock_offset),
                        last->node->name);
}

/* A cluster that serves, or that has served, may be on its way through an even number of members. */
static void check_members(const InstallRun *run, ErrorList *errors) {
        Error *error = NULL;

        if (run->serving)
                return;
        for (const NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                if (n->observation && n->observation->identity)
                        return;
        if (cluster_check_first_install(run->request->cluster, &error) < 0)
                error_list_take(errors, error);
}

/**
 * run_prepare() - look for what speaks against changing the nodes that differ, and lock them
 * @run:        the run
 * @errors:     gets what is not of a single node
 *
 * Return: 0, or a negative errno if there are errors now; nothing was written anywhere.
 */
int run_prepare(InstallRun *run, ErrorList *errors) {
        size_t before = errors->n_errors;
        int r;

        check_members(run, errors);
        check_clocks(run, errors);
        r = crew_each(run, node_differs, node_prepare);

        for (NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++) {
                if (n->errors.n_errors == 0 || n->outcome == INSTALL_BROKEN)
                        continue;
                node_end(n, INSTALL_BROKEN, "refused");
                r = r < 0 ? r : -n->errors.errors[0]->errnum;
        }
        if (r >= 0 && errors->n_errors > before)
                r = -errors->errors[before]->errnum;
        return r;
}
