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
#define SECTION(name, mark, table) ROW(name, KEY_SECTION, Input, mark, mark, .keys = (table))
#define NODE_TEXT(name, field, mark, parser, ...) \
        ROW(name, KEY_TEXT, NodeInput, field, mark, .parse = (parser), __VA_ARGS__)

static const Key endpoint_keys[] = {
        TEXT("address", cluster.endpoint.address, endpoint_address, field_address, .required = true),
        TEXT("port", cluster.endpoint.port, endpoint_port, field_port),
        LIST("names", cluster.endpoint.names, endpoint_names, field_dns_names),
        TEXT("vrrp_id", cluster.endpoint.vrrp_id, endpoint_vrrp_id, field_vrrp_id),
        TEXT("interface", cluster.endpoint.interface, endpoint_interface, field_interface),
        TEXT("prefix", cluster.endpoint.prefix_length, endpoint_prefix, field_prefix),
        {},
};

static const Key apiserver_keys[] = {
        TEXT("port", cluster.apiserver_port, apiserver_port, field_port),
        {},
};

static const Key network_keys[] = {
        LIST("pods", pods_list, pods, field_networks),
        LIST("services", services_list, services, field_networks),
        TEXT("domain", cluster.domain, domain, field_dns_name),
        {},
};

static const Key ssh_keys[] = {
        TEXT("user", default_ssh.user, ssh_user, field_user),
        TEXT("port", default_ssh.port, ssh_port, field_port),
        {},
};

static const Key profile_keys[] = {
        TEXT("network", cluster.network_profile, network_profile, field_network_profile),
        TEXT("disk", cluster.disk_profile, disk_profile, field_disk_profile),
        {},
};

static const Key certificates_keys[] = {
        TEXT("key", cluster.certificates.key_type, key_type, field_key_type),
        TEXT("ca_days", cluster.certificates.ca_days, ca_days, field_days),
        TEXT("days", cluster.certificates.days, days, field_days),
        LIST("extra_sans", cluster.certificates.extra_sans, extra_sans, field_sans),
        {},
};

static const Key watch_keys[] = {
        TEXT("textfile", cluster.watch_textfile, watch_textfile, field_directory),
        {},
};

static const Key snapshots_keys[] = {
        TEXT("every", cluster.snapshots.every_hours, every, field_hours),
        TEXT("keep", cluster.snapshots.keep, keep, field_keep),
        TEXT("directory", cluster.snapshots.directory, directory, field_directory),
        {},
};

static const Key node_ssh_keys[] = {
        NODE_TEXT("user", node.ssh.user, user, field_user),
        NODE_TEXT("port", node.ssh.port, port, field_port),
        NODE_TEXT("host_key", node.ssh.host_key, host_key, field_host_key),
        {},
};

static const Key node_keys[] = {
        NODE_TEXT("name", node.name, name, field_label, .required = true),
        NODE_TEXT("address", node.address, address, field_address, .required = true),
        ROW("roles", KEY_LIST, NodeInput, node.roles, roles, .parse = field_roles, .required = true),
        NODE_TEXT("arch", node.architecture, architecture, field_architecture),
        ROW("ssh", KEY_SECTION, NodeInput, ssh, ssh, .keys = node_ssh_keys),
        NODE_TEXT("local", node.local, local, field_boolean),
        NODE_TEXT("interface", node.interface, interface, field_interface),
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
        TEXT("cluster", cluster.name, name, field_label, .required = true),
        TEXT("kubernetes", cluster.kubernetes, kubernetes, field_version),
        TEXT("etcd", cluster.etcd, etcd, field_version),
        TEXT("arch", default_architecture, architecture, field_architecture),
        SECTION("endpoint", endpoint, endpoint_keys),
        SECTION("apiserver", apiserver, apiserver_keys),
        SECTION("network", network, network_keys),
        SECTION("ssh", ssh, ssh_keys),
        SECTION("profile", profile, profile_keys),
        SECTION("certificates", certificates, certificates_keys),
        SECTION("watch", watch, watch_keys),
        SECTION("snapshots", snapshots, snapshots_keys),
        LIST("mirrors", cluster.mirrors, mirrors, field_mirrors),
        ROW("extra-args", KEY_FUNCTION, Input, extra_flags, extra_flags, .function = load_extra_flags),
        ROW("nodes", KEY_FUNCTION, Input, nodes, nodes, .function = load_nodes, .keys = node_keys,
            .required = true),
        {},
};
