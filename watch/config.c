/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * watch.conf: what there is to be looked after on a node
 *
 * The component stands last in the table, so that the plan has everything by now. What others put into it
 * is known here by its form alone: a file that ends with .crt is a certificate, one that ends with .conf
 * below /etc/kubernetes a kubeconfig, a unit is to run if the plan says so.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "plan/names.h"
#include "watch/internal.h"

#define KUBERNETES "/etc/kubernetes/"
#define ETCDCTL "/usr/local/bin/etcdctl"
#define KUBECTL "/usr/local/bin/kubectl"
#define ETCD_PKI "/etc/kubernetes/pki/etcd"
/* Anybody who is somebody may ask /readyz (RBAC: system:public-info-viewer). */
#define KUBECONFIG "/etc/kubernetes/scheduler.conf"

static bool has_certificate(const PlanItem *item) {
        return endswith(item->path, ".crt") ||
               (startswith(item->path, KUBERNETES) && endswith(item->path, ".conf") && item->secret);
}

#define SNAPSHOT_TIMER "/etc/systemd/system/" NAME_SNAPSHOT_TIMER

static void add_snapshots(const PlanContext *c, const Plan *plan, Buffer *out) {
        const SnapshotPolicy *p = &c->cluster->snapshots;

        if (plan_find_path(plan, SNAPSHOT_TIMER))
                buffer_addf(out, "snapshots %s " NAME_SNAPSHOT_SERVICE " " SNAPSHOT_TIMER " %" PRIu64 "\n",
                            p->directory, snapshots_late_sec(p));
}

static void add_members(const PlanContext *c, const Plan *plan, Buffer *out) {
        if (!plan_find_path(plan, ETCDCTL) || !plan_find_path(plan, ETCD_PKI "/healthcheck-client.key"))
                return;
        buffer_add_str(out, "etcd " ETCDCTL " " ETCD_PKI "\n");
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_CLIENT);

                buffer_addf(out, "member %s https://%s\n", node->name, address);
        }
}

/* Of load balancers that are not ours a backend may not reach itself by way of them, while all is well. */
static void add_apiserver(const PlanContext *c, const Plan *plan, Buffer *out) {
        _cleanup_free_ char *url = cluster_apiserver_url(c->cluster, c->node);

        if (!plan_find_path(plan, KUBECTL) || !plan_find_path(plan, KUBECONFIG))
                return;
        buffer_addf(out, "apiserver " KUBECTL " " KUBECONFIG " %s\n", url);
        if (cluster_count(c->cluster, ROLE_LOADBALANCER) > 0) {
                _cleanup_free_ char *endpoint = cluster_endpoint_url(c->cluster);

                buffer_addf(out, "endpoint " KUBECTL " " KUBECONFIG " %s\n", endpoint);
        }
}

void watch_config(const PlanContext *c, const Plan *plan, Buffer *out) {
        buffer_add_str(out,
                       "# Written by hardway, which replaces what is changed here. Read by " WATCH_SCRIPT
                       ".\n");
        PLAN_FOREACH(item, plan, PLAN_FILE)
                if (has_certificate(item))
                        buffer_addf(out, "certificate %s\n", item->path);
        PLAN_FOREACH(item, plan, PLAN_UNIT)
                if (item->unit.running)
                        buffer_addf(out, "unit %s\n", item->unit.name);
        add_members(c, plan, out);
        add_snapshots(c, plan, out);
        add_apiserver(c, plan, out);
        if (plan_find_path(plan, NAME_VRRP_NOTIFY))
                buffer_add_str(out, "vrrp " NAME_VRRP_STATE "\n");
        if (c->cluster->watch_textfile)
                buffer_addf(out, "textfile %s\n", c->cluster->watch_textfile);
}
