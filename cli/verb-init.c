/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cli/init.h"
#include "cli/verb.h"
#include "cluster/write.h"
#include "common/alloc.h"

enum {
        KEY_NAME = VERB_KEY,
        KEY_CONTROLLER,
        KEY_ETCD,
        KEY_LOADBALANCER,
        KEY_VIP,
        KEY_ENDPOINT,
        KEY_PORT,
        KEY_VIP_NAME,
        KEY_SSH_USER,
        KEY_LOCAL,
        KEY_TRUST_HOSTS,
        KEY_KUBERNETES,
        KEY_ARCH,
        KEY_NETWORK_PROFILE,
        KEY_DISK_PROFILE,
        KEY_KEY_TYPE,
        KEY_PODS,
        KEY_SERVICES,
        KEY_DOMAIN,
        KEY_MIRROR,
};

static ClusterDraft arg_draft = {};
static Strv arg_local = NULL;
static bool arg_trust_hosts = false;

static const struct argp_option options[] = {
        { "name", KEY_NAME, "NAME", 0, "The cluster's name (kubernetes)", 1 },
        { "controller", KEY_CONTROLLER, "NAME=ADDRESS", 0, "A node for the control plane (repeat it)", 1 },
        { "etcd", KEY_ETCD, "NAME=ADDRESS", 0,
          "A node for etcd alone (repeat it). Without any, each controller has a member", 1 },
        { "loadbalancer", KEY_LOADBALANCER, "NAME=ADDRESS", 0,
          "A node for the load balancers (repeat it). Without any, the controllers hold the VIP", 1 },
        { "vip", KEY_VIP, "ADDRESS", 0, "The address that the load balancers hold between them", 1 },
        { "endpoint", KEY_ENDPOINT, "HOST", 0,
          "Instead of --vip and --loadbalancer: address or name of a load balancer that is not hardway's",
          1 },
        { "port", KEY_PORT, "PORT", 0, "The port of the VIP, or of --endpoint (6443)", 1 },
        { "vip-name", KEY_VIP_NAME, "NAME", 0,
          "A DNS name of the VIP, or of --endpoint, for the certificate (repeat it)", 1 },
        { "ssh-user", KEY_SSH_USER, "USER", 0, "Who logs into the nodes (as ~/.ssh/config says)", 1 },
        { "local", KEY_LOCAL, "NAME", 0, "This node is this machine: work on it without ssh", 1 },
        { "trust-hosts", KEY_TRUST_HOSTS, NULL, 0,
          "Ask the nodes for their ssh host keys now, and write them down", 1 },
        { "kubernetes", KEY_KUBERNETES, "VERSION", 0, "Version of Kubernetes (v1.36.3)", 1 },
        { "arch", KEY_ARCH, "ARCH", 0, "arm64 or amd64 (arm64)", 1 },
        { "network-profile", KEY_NETWORK_PROFILE, "KIND", 0, "wired or wifi (wired)", 1 },
        { "disk-profile", KEY_DISK_PROFILE, "KIND", 0, "ssd or sdcard (ssd)", 1 },
        { "key-type", KEY_KEY_TYPE, "TYPE", 0, "ec:p256, ec:p384, rsa:2048, rsa:3072 or rsa:4096 (ec:p256)",
          1 },
        { "pods", KEY_PODS, "NETWORK", 0,
          "Network of pods (10.244.0.0/16); or two, with a comma, of both families", 1 },
        { "services", KEY_SERVICES, "NETWORK", 0, "Network of services (10.96.0.0/16); or two", 1 },
        { "domain", KEY_DOMAIN, "DOMAIN", 0, "The cluster's own domain (cluster.local)", 1 },
        { "mirror", KEY_MIRROR, "URL", 0, "Where binaries come from (repeat it)", 1 },
        {},
};

static void add_node(const char *arg, unsigned role, struct argp_state *state) {
        const char *equals = strchr(arg, '=');
        ClusterDraft *d = &arg_draft;

        if (!equals || equals == arg || !equals[1])
                argp_error(state, "a node is NAME=ADDRESS, not '%s'", arg);

        d->nodes = xrealloc(d->nodes, d->n_nodes + 1, sizeof(ClusterDraftNode));
        d->nodes[d->n_nodes++] = (ClusterDraftNode) {
                .name = xstrndup(arg, (size_t) (equals - arg)),
                .address = xstrdup(equals + 1),
                .roles = role,
        };
}

/* The options that are one text of the draft each. */
static const char** draft_text(int key) {
        static const struct {
                int key;
                const char **text;
        } rows[] = {
                { KEY_NAME, &arg_draft.name },
                { KEY_VIP, &arg_draft.vip },
                { KEY_ENDPOINT, &arg_draft.endpoint },
                { KEY_PORT, &arg_draft.port },
                { KEY_SSH_USER, &arg_draft.ssh_user },
                { KEY_KUBERNETES, &arg_draft.kubernetes },
                { KEY_ARCH, &arg_draft.architecture },
                { KEY_NETWORK_PROFILE, &arg_draft.network_profile },
                { KEY_DISK_PROFILE, &arg_draft.disk_profile },
                { KEY_KEY_TYPE, &arg_draft.key_type },
                { KEY_PODS, &arg_draft.pods },
                { KEY_SERVICES, &arg_draft.services },
                { KEY_DOMAIN, &arg_draft.domain },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].key == key)
                        return rows[i].text;
        return NULL;
}

/* A VIP and nobody to hold it: then the controllers do. */
static void share_roles(ClusterDraft *d) {
        for (size_t i = 0; i < d->n_nodes; i++)
                if (d->nodes[i].roles & ROLE_LOADBALANCER)
                        return;
        for (size_t i = 0; d->vip && i < d->n_nodes; i++)
                if (d->nodes[i].roles & ROLE_CONTROLLER)
                        d->nodes[i].roles |= ROLE_LOADBALANCER;
}

/* The rest is for the reader of the file to say. */
static void check_shape(struct argp_state *state) {
        const ClusterDraft *d = &arg_draft;
        size_t n_controllers = 0;

        for (size_t i = 0; i < d->n_nodes; i++)
                n_controllers += !!(d->nodes[i].roles & ROLE_CONTROLLER);
        if (n_controllers == 0)
                argp_error(state,
                           "--controller, --loadbalancer and --vip (or --endpoint) say what the cluster is "
                           "made of");
        if (n_controllers > 1 && !d->vip && !d->endpoint)
                argp_error(state,
                           "%zu controllers need one address for all: --vip ADDRESS, which the nodes given "
                           "with --loadbalancer hold (without any, the controllers do); or --endpoint, if "
                           "a load balancer of yours is in front of them",
                           n_controllers);
        if (d->vip && d->endpoint)
                argp_error(state, "--vip is held by nodes of the cluster, --endpoint by none: choose one");
}

/* The last one would count, and nobody would know that there was another. */
static void refuse_second(int key, struct argp_state *state) {
        for (const struct argp_option *o = options; o->name || o->doc; o++)
                if (o->key == key)
                        argp_error(state, "--%s is given twice%s", o->name,
                                   key == KEY_PODS || key == KEY_SERVICES ?
                                           ": two networks are one value, with a comma between them" :
                                           "");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        const char **text = draft_text(key);

        if (text) {
                if (*text)
                        refuse_second(key, state);
                *text = arg;
                return 0;
        }

        switch (key) {
        case KEY_CONTROLLER:
                add_node(arg, ROLE_CONTROLLER, state);
                return 0;
        case KEY_ETCD:
                add_node(arg, ROLE_ETCD, state);
                return 0;
        case KEY_LOADBALANCER:
                add_node(arg, ROLE_LOADBALANCER, state);
                return 0;
        case KEY_VIP_NAME:
                strv_add(&arg_draft.vip_names, arg);
                return 0;
        case KEY_LOCAL:
                strv_add(&arg_local, arg);
                return 0;
        case KEY_TRUST_HOSTS:
                arg_trust_hosts = true;
                return 0;
        case KEY_MIRROR:
                strv_add(&arg_draft.mirrors, arg);
                return 0;
        case ARGP_KEY_END:
                check_shape(state);
                share_roles(&arg_draft);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static void done(void) {
        for (size_t i = 0; i < arg_draft.n_nodes; i++) {
                free(arg_draft.nodes[i].name);
                free(arg_draft.nodes[i].address);
                free(arg_draft.nodes[i].host_key);
        }
        free(arg_draft.nodes);
        strv_free(arg_draft.vip_names);
        strv_free(arg_draft.mirrors);
        arg_draft = (ClusterDraft) {};
        arg_local = strv_free(arg_local);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        int r = init_run(v, &arg_draft, arg_local, arg_trust_hosts, reterr);

        done();
        return r;
}

const Verb verb_init = {
        .name = "init",
        .summary = "Write a cluster file, with comments, from options",
        .description = "An example:\n\n"
                       "  hardway init --controller c0=192.168.3.251 --controller c1=192.168.3.252\n"
                       "      --controller c2=192.168.3.253 --loadbalancer lb0=192.168.3.241\n"
                       "      --loadbalancer lb1=192.168.3.242 --vip 192.168.3.240 --ssh-user pi",
        .options = options,
        .parse = parse,
        .steps = steps_init,
        .run = run,
};
