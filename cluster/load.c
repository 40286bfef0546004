/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/input.h"
#include "cluster/profile.h"
#include "cluster/write.h"
#include "cluster/yaml-check.h"
#include "common/alloc.h"
#include "common/fs.h"

DEFINE_CLEANUP_VOID(yaml_document_t*, yaml_document_delete)

#define PORT_DEFAULT 6443u
#define CA_DAYS_DEFAULT 3650u
#define DAYS_DEFAULT 365u
#define PODS_DEFAULT "10.244.0.0/16"
#define SERVICES_DEFAULT "10.96.0.0/16"
#define PODS6_DEFAULT "fd00:10:244::/48"
#define SERVICES6_DEFAULT "fd00:10:96::/112"
#define DOMAIN_DEFAULT "cluster.local"
#define SNAPSHOTS_EVERY_DEFAULT 12
#define SNAPSHOTS_KEEP_DEFAULT 6
#define SNAPSHOTS_DIRECTORY_DEFAULT "/var/lib/etcd-snapshots"

static void input_init(Input *in, const char *path, unsigned flags) {
        *in = (Input) {
                .cluster = {
                        .path = xstrdup(path ?: ""),
                        .kubernetes = VERSION_KUBERNETES_DEFAULT,
                        .endpoint.port = PORT_DEFAULT,
                        .apiserver_port = PORT_DEFAULT,
                        .network_profile = NETWORK_WIRED,
                        .disk_profile = DISK_SSD,
                        .certificates = {
                                .key_type = KEY_EC_P256,
                                .ca_days = CA_DAYS_DEFAULT,
                                .days = DAYS_DEFAULT,
                        },
                        .snapshots = {
                                .every_hours = SNAPSHOTS_EVERY_DEFAULT,
                                .keep = SNAPSHOTS_KEEP_DEFAULT,
                                .directory = xstrdup(SNAPSHOTS_DIRECTORY_DEFAULT),
                        },
                },
                .problems.path = path,
                .flags = flags,
                .default_architecture = ARCH_ARM64,
        };
}

/* What is still here after a failure; what went into a Cluster has been taken out. */
static void input_done(Input *in) {
        Cluster *rest = xmemdup(&in->cluster, sizeof(Cluster));

        for (size_t i = 0; i < in->n_node_inputs; i++) {
                Node *n = &in->node_inputs[i].node;

                free(n->name);
                free(n->ssh.user);
                free(n->ssh.host_key);
                free(n->interface);
        }
        free(in->node_inputs);
        free(in->default_ssh.user);
        problems_done(&in->problems);
        cluster_free(rest);
}

/*
 * The last byte of the VIP, so that two clusters on one network seldom get the same; where that is 0 (as in
 * 10.1.1.0/23), any other will do.
 */
static unsigned vrrp_id_default(const InetAddress *vip) {
        unsigned last = vip->bytes[inet_address_size(vip) - 1];

        return last > 0 ? last : 255;
}

/* Without a load balancer of ours it is the only controller's own address, or somebody else's. */
static EndpointKind endpoint_kind(const Input *in, const NodeInput **ret_controller) {
        const NodeInput *controller = NULL;
        size_t n_controllers = 0;

        for (size_t i = 0; i < in->n_node_inputs; i++) {
                const NodeInput *n = in->node_inputs + i;

                /* A role that could not be read may be the one that is looked for. */
                if (n->roles.line <= 0 || (n->node.roles & ROLE_LOADBALANCER))
                        return ENDPOINT_VIP;
                if (n->node.roles & ROLE_CONTROLLER) {
                        controller = n;
                        n_controllers++;
                }
        }
        if (n_controllers == 1 && controller->address.line > 0 &&
            (in->endpoint.line == 0 ||
             (in->endpoint_address.line > 0 &&
              inet_address_equal(&controller->node.address, &in->cluster.endpoint.address)))) {
                *ret_controller = controller;
                return ENDPOINT_CONTROLLER;
        }
        return in->endpoint.line == 0 ? ENDPOINT_VIP : ENDPOINT_FOREIGN;
}

static void fill_endpoint(Input *in) {
        Endpoint *e = &in->cluster.endpoint;
        const NodeInput *controller = NULL;

        e->kind = endpoint_kind(in, &controller);
        if (e->kind == ENDPOINT_CONTROLLER) {
                e->address = controller->node.address;
                if (in->endpoint_port.line == 0)
                        e->port = in->cluster.apiserver_port;
        }
        if (e->kind != ENDPOINT_VIP || in->endpoint_address.line <= 0)
                return;
        if (in->endpoint_vrrp_id.line == 0)
                e->vrrp_id = vrrp_id_default(&e->address);
        if (in->endpoint_prefix.line == 0)
                e->prefix_length = (unsigned) inet_address_size(&e->address) * 8;
}

static void fill_node(Input *in, NodeInput *n) {
        if (n->architecture.line == 0)
                n->node.architecture = in->default_architecture;
        if (n->node.local)
                return;
        if (!n->node.ssh.user)
                n->node.ssh.user = xstrdup_null(in->default_ssh.user);
        if (n->node.ssh.port == 0)
                n->node.ssh.port = in->default_ssh.port;
}

/* Each controller has its member, unless etcd has nodes of its own: then those have it that say so. */
static void fill_members(Input *in) {
        for (size_t i = 0; i < in->n_node_inputs; i++) {
                unsigned roles = in->node_inputs[i].node.roles;

                if ((roles & ROLE_ETCD) && !(roles & ROLE_CONTROLLER))
                        return;
        }
        for (size_t i = 0; i < in->n_node_inputs; i++)
                if (in->node_inputs[i].node.roles & ROLE_CONTROLLER)
                        in->node_inputs[i].node.roles |= ROLE_ETCD;
}

static void fill_defaults(Input *in) {
        Cluster *c = &in->cluster;
        bool six = nodes_family(in) == AF_INET6;

        if (in->etcd.line == 0)
                c->etcd = version_etcd_for(&c->kubernetes);
        if (in->pods.line == 0)
                in->pods_list.n = inet_network_parse(six ? PODS6_DEFAULT : PODS_DEFAULT,
                                                     &in->pods_list.networks[0]) == 0;
        if (in->services.line == 0)
                in->services_list.n = inet_network_parse(six ? SERVICES6_DEFAULT : SERVICES_DEFAULT,
                                                         &in->services_list.networks[0]) == 0;
        if (!c->domain)
                c->domain = xstrdup(DOMAIN_DEFAULT);
        fill_members(in);
        fill_endpoint(in);
        for (size_t i = 0; i < in->n_node_inputs; i++)
                fill_node(in, &in->node_inputs[i]);
}

/* Everything is good: what the input holds becomes the Cluster. */
static Cluster* input_take(Input *in) {
        Cluster *c = xmemdup(&in->cluster, sizeof(Cluster));

        timings_for(c->network_profile, c->disk_profile, &c->timings);
        memcpy(c->pods, in->pods_list.networks, sizeof(c->pods));
        c->n_pods = in->pods_list.n;
        memcpy(c->services, in->services_list.networks, sizeof(c->services));
        c->n_services = in->services_list.n;

        c->nodes = xnew(Node, in->n_node_inputs);
        for (size_t i = 0; i < in->n_node_inputs; i++) {
                c->nodes[i] = in->node_inputs[i].node;
                c->nodes[i].index = i;
        }
        c->n_nodes = in->n_node_inputs;

        in->n_node_inputs = 0;
        in->cluster = (Cluster) {};
        return c;
}

static void load_document(Input *in, const char *data, size_t size) {
        yaml_document_t storage;
        _cleanup_(yaml_document_deletep) yaml_document_t *document = NULL;
        Loader loader = { .problems = &in->problems };
        yaml_node_t *root;

        if (yaml_check(&in->problems, data, size) < 0 || yaml_load(&in->problems, data, size, &storage) < 0)
                return;

        document = &storage;
        loader.document = document;
        root = yaml_document_get_root_node(document);
        if (!root) {
                problem_add(&in->problems, (Mark) {}, "the file is empty");
                return;
        }

        in->self = mark_of(&root->start_mark);
        if (!loader_is(&loader, NULL, root, YAML_MAPPING_NODE))
                return;

        load_mapping(&loader, cluster_keys, root, in);
        fill_defaults(in);
        check_nodes(in);
        check_endpoint(in);
        check_networks(in);
        check_policy(in);
        check_extra_flags(in);
}

static int load_with(const char *path, const void *data, size_t size, unsigned flags, Cluster **ret,
                     ErrorList *errors) {
        ErrorList warnings = ERROR_LIST_NULL;
        Input in;
        int r = 0;

        input_init(&in, path, flags);
        load_document(&in, data, size);
        problems_publish(&in.problems, errors, &warnings);

        if (in.problems.n_errors > 0) {
                error_list_done(&warnings);
                r = -EINVAL;
        } else {
                *ret = input_take(&in);
                (*ret)->warnings = warnings;
        }
        input_done(&in);
        return r;
}

/**
 * cluster_load_text() - read a cluster from memory
 * @path:       what the text is called in messages; NULL: they do not say where
 * @data:       the text
 * @size:       its size
 * @ret:        the cluster; the caller frees
 * @errors:     all that is wrong with it, in the order of the text
 *
 * Return: 0, or -EINVAL.
 */
int cluster_load_text(const char *path, const void *data, size_t size, Cluster **ret, ErrorList *errors) {
        return load_with(path, data, size, /* flags= */ 0, ret, errors);
}

/**
 * cluster_load() - read a cluster file
 * @path:       where it is
 * @flags:      mask of ClusterLoadFlags
 * @ret:        the cluster; the caller frees
 * @errors:     all that is wrong with it, in the order of the file; or why it cannot be read
 *
 * Return: 0, or a negative errno.
 */
int cluster_load(const char *path, unsigned flags, Cluster **ret, ErrorList *errors) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Error *error = NULL;
        int r;

        r = fs_read(AT_FDCWD, path, CLUSTER_FILE_SIZE_MAX, &text, &error);
        if (r < 0) {
                /* Whatever the reason: without a cluster file there is nothing to do. */
                if (error)
                        error->kind = ERROR_CONFIG;
                if (r == -ENOENT)
                        error_detail(&error, "Name it with -c FILE, or write one with: hardway init");
                if (r == -EISDIR)
                        error_detail(&error, "Name the file in it: -c %s/hardway.yaml", path);
                error_list_take(errors, error);
                return r;
        }
        return load_with(path, text.data ?: "", text.size, flags, ret, errors);
}
