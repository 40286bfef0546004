/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The word "ports": every port of a cluster, and who talks to whom
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "explain/internal.h"

/* What only the machine itself connects to, and what is no port of a component. */
static const struct {
        unsigned port;
        const char *what;
        unsigned roles;
        const char *why;
} local_ports[] = {
        { PORT_ETCD_METRICS, "etcd", ROLE_ETCD,
          "Metrics and health, without TLS: for whoever looks from the machine itself." },
        { PORT_CONTROLLER_MANAGER, "kube-controller-manager", ROLE_CONTROLLER, "Metrics and health." },
        { PORT_SCHEDULER, "kube-scheduler", ROLE_CONTROLLER, "Metrics and health." },
};

/* By their names, or by what they are where there is no cluster. */
static char* who(const Cluster *c, unsigned roles) {
        return c ? explain_names(c, roles) :
                   xasprintf("%s%s%s",
                             roles & ROLE_CONTROLLER ? "controllers" :
                             roles & ROLE_ETCD       ? "members of etcd" :
                                                       "",
                             roles & ROLE_CONTROL_PLANE && roles & ROLE_LOADBALANCER ? ", " : "",
                             roles & ROLE_LOADBALANCER ? "load balancers" : "");
}

static char* holders(const Component *component, const Cluster *c) {
        _cleanup_strv_ Strv names = NULL;

        if (!c)
                return who(NULL, component->roles);
        for (size_t i = 0; i < c->n_nodes; i++)
                if (component_on_node(component, c, c->nodes + i))
                        strv_add(&names, c->nodes[i].name);
        return strv_join(names, ", ");
}

/* "6443", "port 6443", "6443/tcp": a port has no entry of its own, but a line among all */
static void hint_port(Explanation *e, unsigned port) {
        _cleanup_free_ char *number = xasprintf("%u", port), *words = xasprintf("port %u", port),
                            *service = xasprintf("%u/tcp", port);

        explanation_hint(e, number);
        explanation_hint(e, words);
        explanation_hint(e, service);
}

static void add_reach(Explanation *e, const Component *component, const Reach *reach, const Cluster *c) {
        _cleanup_free_ char *on = holders(component, c), *from = reach->from ? who(c, reach->from) : NULL,
                            *name = NULL, *text = NULL;
        unsigned port = reach->port_of ? (c ? reach->port_of(c) : 6443) : reach->port;

        if (port == 0 || !*on)
                return;
        hint_port(e, port);
        name = xasprintf("%u/tcp, %s", port, component->name);
        text = xasprintf("On %s. From %s%s%s: %s%s", on, from ?: "", from && reach->from_here ? ", " : "",
                         reach->from_here ? "here" : "", reach->why, endswith(reach->why, "?") ? "" : ".");
        explanation_add_part(e, name, text);
}

static void add_local_ports(Explanation *e, const Cluster *c) {
        for (size_t i = 0; i < ARRAY_SIZE(local_ports); i++) {
                _cleanup_free_ char *on = who(c, local_ports[i].roles),
                                    *name = xasprintf("%u/tcp, %s", local_ports[i].port,
                                                      local_ports[i].what),
                                    *text = xasprintf("On %s, on loopback only. %s", on, local_ports[i].why);

                hint_port(e, local_ports[i].port);
                explanation_add_part(e, name, text);
        }
}

/* Where the cluster file does not say, ssh's own configuration may. */
static unsigned ssh_port(const Node *n) {
        return n->ssh.port ?: 22;
}

static void add_ssh(Explanation *e, const Cluster *c, unsigned port) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *on = NULL, *name = xasprintf("%u/tcp, sshd", port), *text = NULL;

        for (size_t i = 0; c && i < c->n_nodes; i++)
                if (!c->nodes[i].local && ssh_port(c->nodes + i) == port)
                        strv_add(&names, c->nodes[i].name);
        if (c && !names)
                return;
        on = c ? strv_join(names, ", ") : who(NULL, ROLE_ALL);
        text = xasprintf(
                "On %s, unless ~/.ssh/config has another. From here: all that hardway does on a node.", on);
        explanation_add_part(e, name, text);
}

static void add_vrrp(Explanation *e, const Cluster *c) {
        _cleanup_free_ char
                *on = who(c, ROLE_LOADBALANCER),
                *text = xasprintf(
                        "On %s, from each to each other: VRRP is no port, but a protocol beside TCP and "
                        "UDP.",
                        on);

        if (!c || c->endpoint.kind == ENDPOINT_VIP)
                explanation_add_part(e, "protocol 112, keepalived", text);
}

int explain_ports(Catalogue *c, Error **reterr) {
        const Cluster *cluster = c->request->cluster;
        Explanation *e = catalogue_enter(
                c, "ports", EXPLAIN_WORD,
                "Every port that something of this cluster listens on, and who connects to it: what a firewall between the "
                "machines has to let through. All else may be closed.");

        explanation_set(&e->without,
                        "What is filtered looks dead to the others, and an installation waits for it.");
        explanation_set(
                &e->manual,
                "Ports and Protocols, https://kubernetes.io/docs/reference/networking/ports-and-protocols/");
        explanation_alias(e, "port");
        e->absent = !cluster;
        e->parts_title = "Ports";
        for (const Component *const *p = c->request->components; *p; p++)
                for (size_t i = 0; i < (*p)->n_reaches; i++)
                        add_reach(e, *p, (*p)->reaches + i, cluster);
        add_local_ports(e, cluster);
        for (size_t i = 0; cluster && i < cluster->n_nodes; i++)
                add_ssh(e, cluster, ssh_port(cluster->nodes + i));
        if (!cluster)
                add_ssh(e, NULL, 22);
        add_vrrp(e, cluster);
        return explanation_fill(e, c->request, "@node {root} ss --listening --tcp --numeric --processes",
                                reterr);
}
