/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/flag-rules.h"

#include "common/alloc.h"

/*
 * Flags that a user may not replace, because other parts of the cluster are planned on their values.
 * Everything else hardway sets may be replaced: who points tls-cert-file elsewhere has a reason, and sees it
 * in the plan.
 */
static const OwnedFlag owned[] = {
        { FLAG_APISERVER, "secure-port", NULL,
          "set apiserver.port, so that the load balancers know it too" },
        { FLAG_APISERVER, "advertise-address", NULL, "it is each node's own address" },
        { FLAG_APISERVER, "service-cluster-ip-range", NULL,
          "set network.services, so that the certificates fit" },
        { FLAG_APISERVER, "encryption-provider-config", NULL,
          "what is encrypted with hardway's key could no longer be read" },
        { FLAG_APISERVER, "oidc-*", NULL,
          "kube-apiserver does not start with both them and authentication-config: write it (jwt) into a file of your "
          "own on each controller, and name that: authentication-config: /etc/kubernetes/authn.yaml (FILES OF YOUR "
          "OWN in hardway.yaml(5))" },
        { FLAG_APISERVER, "anonymous-auth", NULL,
          "kube-apiserver does not start with both it and authentication-config: write it (anonymous) into a file of "
          "your own on each controller, and name that: authentication-config: /etc/kubernetes/authn.yaml (FILES OF "
          "YOUR OWN in hardway.yaml(5))" },
        { FLAG_APISERVER, "authorization-config", NULL,
          "kube-apiserver does not start with both it and authorization-mode" },
        { FLAG_APISERVER, "bind-address", "127.0.0.1", "neither load balancers nor nodes would reach it" },
        { FLAG_APISERVER, "bind-address", "::1", "neither load balancers nor nodes would reach it" },
        { FLAG_APISERVER, "etcd-servers", NULL, "it asks the member on its own node" },
        { FLAG_APISERVER, "etcd-prefix", NULL, "what lies under hardway's prefix would no longer be seen" },

        { FLAG_CONTROLLER_MANAGER, "cluster-cidr", NULL, "set network.pods" },
        { FLAG_CONTROLLER_MANAGER, "service-cluster-ip-range", NULL, "set network.services" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "secure-port", NULL,
          "hardway's checks ask at the usual port" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "leader-elect", "false",
          "every controller runs one, and they would all act at once" },

        { FLAG_SCHEDULER, "write-config-to", NULL, "kube-scheduler would write a file and end" },

        { FLAG_ETCD, "name", NULL, "it is each node's name" },
        { FLAG_ETCD, "data-dir", NULL, "hardway guards the data there, and backs it up from there" },
        { FLAG_ETCD, "wal-dir", NULL, "hardway guards the data directory as one" },
        { FLAG_ETCD, "config-file", NULL, "etcd would ignore every other flag" },
        { FLAG_ETCD, "initial-cluster", NULL, "it follows from nodes" },
        { FLAG_ETCD, "initial-cluster-state", NULL, "it follows from what the members say" },
        { FLAG_ETCD, "initial-cluster-token", NULL, "it is this cluster's identity" },
        { FLAG_ETCD, "initial-advertise-peer-urls", NULL, "they follow from nodes" },
        { FLAG_ETCD, "listen-peer-urls", NULL, "they follow from nodes" },
        { FLAG_ETCD, "listen-client-urls", NULL, "they follow from nodes" },
        { FLAG_ETCD, "advertise-client-urls", NULL, "they follow from nodes" },
        { FLAG_ETCD, "listen-metrics-urls", NULL, "hardway's checks ask there" },
        { FLAG_ETCD, "force-new-cluster", NULL, "each member would make itself a cluster of one" },
        { FLAG_ETCD, "force-new-cluster-bump-amount", NULL,
          "each member would make itself a cluster of one" },
        { FLAG_ETCD, "discovery", NULL, "the members follow from nodes" },
        { FLAG_ETCD, "discovery-srv", NULL, "the members follow from nodes" },
        { FLAG_ETCD, "client-cert-auth", "false", "the database would be open to everybody" },
        { FLAG_ETCD, "peer-client-cert-auth", "false", "everybody could join the database" },
        { FLAG_ETCD, "unsafe-no-fsync", NULL, "a power cut would lose what was acknowledged" },
        { FLAG_ETCD, "enable-grpc-gateway", "false", "hardway speaks with etcd through it" },
};

/* In the order of their bits. */
const char *const flag_component_names[FLAG_N_COMPONENTS + 1] = {
        "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", NULL,
};

/**
 * owned_flag() - look up whether a flag is hardway's to set
 * @component:  whose flag it is
 * @name:       without dashes
 * @value:      its value, or NULL
 *
 * Return: the row that says why, or NULL.
 */
const OwnedFlag* owned_flag(FlagComponent component, const char *name, const char *value) {
        for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
                const OwnedFlag *f = &owned[i];

                if ((f->components & component) && flag_name_matches(f->name, name) &&
                    (!f->value || (value && streq(f->value, value))))
                        return f;
        }
        return NULL;
}

/**
 * flag_component() - the component of a name
 * @name:       "kube-apiserver"
 *
 * Return: its bit, or 0 if it is none that takes extra flags.
 */
FlagComponent flag_component(const char *name) {
        for (size_t i = 0; flag_component_names[i]; i++)
                if (streq(flag_component_names[i], name))
                        return 1u << i;
        return 0;
}
