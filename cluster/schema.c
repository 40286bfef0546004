/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/fields.h"
#include "cluster/input.h"
#include "cluster/yaml-check.h"
#include "common/alloc.h"

/* The keys of hardway.yaml, in the order of the manual page hardway.yaml(5). */

#define ROW(name_, form_, type, field_, mark_, ...)                                \
        {                                                                          \
                .name = (name_), .form = (form_), .field = offsetof(type, field_), \
                .mark = offsetof(type, mark_), __VA_ARGS__                         \
        }
#define TEXT(name, field, mark, parser, ...) \
        ROW(name, KEY_TEXT, Input, field, mark, .parse = (parser), __VA_ARGS__)
#define LIST(name, field, mark, parser, ...) \
        ROW(name, KEY_LIST, Input, field, mark, .parse = (parser), __VA_ARGS__)
#define SECTION(name, mark, table, ...) \
        ROW(name, KEY_SECTION, Input, mark, mark, .keys = (table), __VA_ARGS__)
#define NODE_TEXT(name, field, mark, parser, ...) \
        ROW(name, KEY_TEXT, NodeInput, field, mark, .parse = (parser), __VA_ARGS__)

static const Key endpoint_keys[] = {
        TEXT("address", cluster.endpoint.address, endpoint_address, field_address,
             .why = "The virtual IP address (VIP) that the load balancers hold between them, or that of a "
                    "load balancer that is not hardway's. Every kubeconfig of a user points at it.",
             .without = "Load balancers of ours need it. One that is not ours is known by the first of its "
                        "names then."),
        TEXT("port", cluster.endpoint.port, endpoint_port, field_port,
             .why = "The port of the endpoint. It need not be that of the apiservers.", .without = "6443."),
        LIST("names", cluster.endpoint.names, endpoint_names, field_dns_names,
             .why = "DNS names of the endpoint; they go into the certificate of every apiserver.",
             .without = "Clients have to use the address: a name that is in no certificate is refused."),
        TEXT("vrrp_id", cluster.endpoint.vrrp_id, endpoint_vrrp_id, field_vrrp_id,
             .why = "By this number keepalived knows its peer; each pair of a network has one of its own.",
             .without = "The last number of the address. Two pairs with the same one fight over their "
                        "addresses."),
        TEXT("interface", cluster.endpoint.interface, endpoint_interface, field_interface,
             .why = "The network interface of the load balancers that the VIP is put on.",
             .without = "The one that carries the node's own address."),
        TEXT("prefix", cluster.endpoint.prefix_length, endpoint_prefix, field_prefix,
             .why = "The prefix length of the VIP on that interface.",
             .without = "32 (128): the address alone, and no route to its network beside the one that is "
                        "there."),
        TEXT("external", cluster.endpoint.external, endpoint_external, field_boolean,
             .why = "Says that the address is that of a load balancer which is not hardway's.",
             .without =
                     "hardway takes it for one where no node is a loadbalancer, and warns: a role may have been "
                     "forgotten."),
        {},
};

static const Key apiserver_keys[] = {
        TEXT("port", cluster.apiserver_port, apiserver_port, field_port,
             .why = "The port of the apiservers on the controllers.", .without = "6443."),
        {},
};

static const Key network_keys[] = {
        LIST("pods", pods_list, pods, field_networks,
             .why = "Where the addresses of pods come from; each node gets a share.",
             .without =
                     "10.244.0.0/16, or fd00:10:244::/48 where nodes have IPv6 addresses. It must not overlap with "
                     "anything that pods have to reach."),
        LIST("services", services_list, services, field_networks,
             .why = "Where the addresses of Services come from. The first of them is the API's, and in the "
                    "apiservers' certificate.",
             .without =
                     "10.96.0.0/16, or fd00:10:96::/112. Changing it on a cluster that lives leaves old Services with addresses "
                     "that nobody routes."),
        TEXT("domain", cluster.domain, domain, field_dns_name,
             .why = "The DNS domain of Services, and part of the name of the issuer of pods' tokens.",
             .without = "cluster.local."),
        {},
};

static const Key ssh_keys[] = {
        TEXT("user", default_ssh.user, ssh_user, field_user,
             .why = "Who logs into the nodes: root, or somebody who may use sudo.",
             .without = "As ~/.ssh/config says, else your own name."),
        TEXT("port", default_ssh.port, ssh_port, field_port, .why = "The port of sshd on the nodes.",
             .without = "As ~/.ssh/config says, else 22."),
        {},
};

static const Key profile_keys[] = {
        TEXT("network", cluster.network_profile, network_profile, field_network_profile,
             .why = "wired or wifi: how long a silence is no alarm yet. The adverts of VRRP and haproxy's "
                    "time-outs follow from it.",
             .without = "wired. On Wi-Fi the VIP would move whenever the air is busy."),
        TEXT("disk", cluster.disk_profile, disk_profile, field_disk_profile,
             .why = "ssd or sdcard: how long a write may take. etcd's heartbeat and election and all "
                    "leases follow from it.",
             .without = "ssd. On SD cards leaders would lose their office to slow writes, again and again."),
        {},
};

static const Key certificates_keys[] = {
        TEXT("key", cluster.certificates.key_type, key_type, field_key_type,
             .why = "The type of all keys that hardway makes.",
             .without = "ec:p256: small, fast on a Raspberry Pi, and understood by everything."),
        TEXT("ca_days", cluster.certificates.ca_days, ca_days, field_days,
             .why = "How long authorities are valid.",
             .without = "3650. With an authority everything ends that it has signed."),
        TEXT("days", cluster.certificates.days, days, field_days,
             .why = "How long all other certificates are valid; they are issued anew before.",
             .without = "365."),
        LIST("extra_sans", cluster.certificates.extra_sans, extra_sans, field_sans,
             .why = "Further names and addresses by which clients may call the apiservers.",
             .without =
                     "None: under another name or address (a NAT, a VPN) clients refuse the certificate."),
        {},
};

static const Key watch_keys[] = {
        TEXT("textfile", cluster.watch_textfile, watch_textfile, field_directory,
             .why = "The directory where Prometheus' node_exporter takes metrics from: the watch writes "
                    "hardway.prom there.",
             .without = "No metrics are written."),
        {},
};

static const Key snapshots_keys[] = {
        TEXT("every", cluster.snapshots.every_hours, every, field_hours,
             .why = "How often each member's node takes a snapshot of it: hours or days (12h, 1d), or never.",
             .without = "12h. What was written since the last one is lost with the members."),
        TEXT("keep", cluster.snapshots.keep, keep, field_keep,
             .why = "How many of them stay on each node; the oldest go.",
             .without = "6. Each is as large as the data; too few, and a mistake noticed late is in all of "
                        "them."),
        TEXT("directory", cluster.snapshots.directory, directory, field_own_directory,
             .why = "Where they lie on the nodes: another disk outlives that of the data.",
             .without = "/var/lib/etcd-snapshots."),
        {},
};

static const Key node_ssh_keys[] = {
        NODE_TEXT("user", node.ssh.user, user, field_user, .why = "Who logs into this node.",
                  .without = "As ssh.user."),
        NODE_TEXT("port", node.ssh.port, port, field_port, .why = "The port of sshd on this node.",
                  .without = "As ssh.port."),
        NODE_TEXT("host_key", node.ssh.host_key, host_key, field_host_key,
                  .why = "The node's host key. No other is accepted, and known_hosts is not asked.",
                  .without = "known_hosts decides, as for any ssh."),
        {},
};

static const Key node_keys[] = {
        NODE_TEXT("name", node.name, name, field_label, .required = true,
                  .why = "The node's name: in etcd's member list, in certificates, and in everything that "
                         "hardway says.",
                  .without = "It is required."),
        NODE_TEXT("address", node.address, address, field_address, .required = true,
                  .why = "Under which all other nodes and hardway reach it. It is in its certificates.",
                  .without = "It is required."),
        ROW("roles", KEY_LIST, NodeInput, node.roles, roles, .parse = field_roles, .required = true,
            .why = "What it does: controller (with an etcd member, unless etcd has hosts of its own), etcd, "
                   "loadbalancer; a controller may be a load balancer, too.",
            .without = "It is required."),
        NODE_TEXT("arch", node.architecture, architecture, field_architecture,
                  .why = "Which binaries it gets: arm64 or amd64.", .without = "As arch."),
        ROW("ssh", KEY_SECTION, NodeInput, ssh, ssh, .keys = node_ssh_keys,
            .why = "How this node is reached, where that is otherwise than for all.", .without = "As ssh."),
        NODE_TEXT("local", node.local, local, field_boolean,
                  .why = "It is the machine that hardway runs on, and is worked on without ssh.",
                  .without = "false. It is never guessed from a name."),
        NODE_TEXT("interface", node.interface, interface, field_interface,
                  .why = "The network interface that carries its address.", .without = "The node is asked."),
        {},
};

static void load_nodes(Loader *l, const Key *key, yaml_node_t *node, void *target) {
        Input *in = target;
        Loader inner = *l;
        size_t n;

        if (!loader_is(l, key, node, YAML_SEQUENCE_NODE))
                return;

        n = (size_t) (node->data.sequence.items.top - node->data.sequence.items.start);
        if (n > NODES_MAX) {
                loader_problem(l, mark_of(&node->start_mark), key->name, "more than %d nodes", NODES_MAX);
                return;
        }

        inner.section = key->name;
        in->node_inputs = xnew(NodeInput, n + 1);
        for (size_t i = 0; i < n; i++) {
                NodeInput *ni = &in->node_inputs[i];
                yaml_node_t *item = loader_node(l, node->data.sequence.items.start[i]);

                ni->self = mark_of(&item->start_mark);
                in->n_node_inputs = i + 1;
                if (loader_is(&inner, NULL, item, YAML_MAPPING_NODE))
                        load_mapping(&inner, node_keys, item, ni);
        }
}

const Key cluster_keys[] = {
        TEXT("cluster", cluster.name, name, field_label, .required = true,
             .why = "The cluster's name, in kubeconfigs and units.", .without = "It is required."),
        TEXT("kubernetes", cluster.kubernetes, kubernetes, field_version,
             .why = "The version of Kubernetes on all controllers.",
             .without = "The newest that this hardway was tested with."),
        TEXT("etcd", cluster.etcd, etcd, field_version, .why = "The version of etcd.",
             .without = "The one that goes with the version of Kubernetes."),
        TEXT("arch", default_architecture, architecture, field_architecture,
             .why = "The nodes' architecture, where a node does not say otherwise.", .without = "arm64."),
        SECTION("endpoint", endpoint, endpoint_keys,
                .why = "Where clients find the API: one address that load balancers hold between them, or "
                       "a load balancer that is not hardway's, if no node is one.",
                .without = "Clients use the controller's own address, of which there may be only one then."),
        SECTION("apiserver", apiserver, apiserver_keys, .why = "What concerns the apiservers.",
                .without = "Its keys have defaults."),
        SECTION("network", network, network_keys,
                .why = "The cluster's own networks, which exist inside of it only.",
                .without = "Its keys have defaults."),
        SECTION("ssh", ssh, ssh_keys, .why = "How the nodes are reached. Host keys are always checked.",
                .without = "As ssh does it by itself: keys, agents and jump hosts of ~/.ssh/config."),
        SECTION("profile", profile, profile_keys,
                .why = "What the machines are like. All timings follow from it, together, since they "
                       "depend on each other.",
                .without = "wired and ssd."),
        SECTION("certificates", certificates, certificates_keys,
                .why = "What keys and certificates are like.", .without = "Its keys have defaults."),
        SECTION("watch", watch, watch_keys, .why = "What the watch on the nodes does beside the journal.",
                .without = "The journal alone is told."),
        SECTION("snapshots", snapshots, snapshots_keys,
                .why = "What each etcd member's node saves of it by itself.",
                .without = "Its keys have defaults."),
        LIST("mirrors", cluster.mirrors, mirrors, field_mirrors,
             .why = "Where binaries come from, instead of the official addresses.",
             .without = "dl.k8s.io, and etcd's releases on GitHub."),
        ROW("extra-args", KEY_FUNCTION, Input, extra_flags, extra_flags, .function = load_extra_flags,
            .why = "Flags of your own. They replace hardway's of the same name, or follow them. A list of values is the flag "
                   "several times.",
            .without = "None."),
        ROW("nodes", KEY_FUNCTION, Input, nodes, nodes, .function = load_nodes, .keys = node_keys,
            .required = true, .why = "The machines.", .without = "It is required."),
        {},
};
