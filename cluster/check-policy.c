/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/input.h"
#include "cluster/ports.h"

/* Versions, ports and certificates. */

/* What listens on a controller besides the apiserver, and on a load balancer besides the VIP's port. */
static const struct {
        unsigned port, roles;
        const char *who;
} taken[] = {
        { 22, ROLE_CONTROLLER | ROLE_LOADBALANCER, "sshd" },
        { PORT_ETCD_CLIENT, ROLE_ETCD, "etcd" },
        { PORT_ETCD_PEER, ROLE_ETCD, "etcd" },
        { PORT_ETCD_METRICS, ROLE_ETCD, "etcd" },
        { PORT_HAPROXY_MONITOR, ROLE_LOADBALANCER, "haproxy's own monitor page" },
        { PORT_CONTROLLER_MANAGER, ROLE_CONTROLLER, "kube-controller-manager" },
        { PORT_SCHEDULER, ROLE_CONTROLLER, "kube-scheduler" },
};

/* All that those with a role are: what listens on any of them counts. */
static unsigned roles_beside(const Input *in, unsigned role) {
        unsigned roles = role;

        for (size_t i = 0; i < in->n_node_inputs; i++)
                if (in->node_inputs[i].node.roles & role)
                        roles |= in->node_inputs[i].node.roles;
        return roles;
}

static void check_port(Input *in, Mark mark, const char *what, unsigned port, unsigned role) {
        unsigned roles = roles_beside(in, role);

        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                if ((taken[i].roles & roles) && taken[i].port == port)
                        problem_add(&in->problems, mark, "%s: %u is the port of %s there", what, port,
                                    taken[i].who);
}

static void check_versions(Input *in) {
        const Cluster *c = &in->cluster;
        char kubernetes[VERSION_TEXT_SIZE], etcd[VERSION_TEXT_SIZE], other[VERSION_TEXT_SIZE];
        Version v;

        if (in->kubernetes.line < 0 || in->etcd.line < 0)
                return;

        version_format(&c->kubernetes, kubernetes);
        version_format(&c->etcd, etcd);
        if (!version_kubernetes_supported(&c->kubernetes)) {
                problem_add(&in->problems, in->kubernetes,
                            "kubernetes: %s is not supported (v1.%u to v1.%u are)", kubernetes,
                            VERSION_KUBERNETES_MINOR_FIRST, VERSION_KUBERNETES_MINOR_LAST);
                return;
        }

        v = version_etcd_for(&c->kubernetes);
        if (!version_etcd_supported(&c->etcd, &c->kubernetes)) {
                problem_add(&in->problems, in->etcd, "etcd: %s does not go with Kubernetes %s; %s does",
                            etcd, kubernetes, version_format(&v, other));
                return;
        }

        v = version_etcd_floor(&c->kubernetes);
        if (version_compare(&c->etcd, &v) < 0)
                problem_warn(&in->problems, in->etcd, "etcd: %s has known security holes; use %s or newer",
                             etcd, version_format(&v, other));
}

/**
 * check_policy() - check versions, ports and certificates
 * @in:         the input, with defaults where the file gives none
 */
void check_policy(Input *in) {
        const CertificatePolicy *p = &in->cluster.certificates;

        check_versions(in);
        if (in->cluster.endpoint.kind == ENDPOINT_VIP)
                check_port(in, in->endpoint_port, "endpoint.port", in->cluster.endpoint.port,
                           ROLE_LOADBALANCER);
        check_port(in, in->apiserver_port, "apiserver.port", in->cluster.apiserver_port, ROLE_CONTROLLER);
        if (in->days.line >= 0 && in->ca_days.line >= 0 && p->days > p->ca_days)
                problem_add(&in->problems, in->days.line > 0 ? in->days : in->ca_days,
                            "certificates.days: %u is more than the %u days of the CAs that sign them",
                            p->days, p->ca_days);
}
