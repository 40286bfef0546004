/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/write.h"

#include <string.h>

#include "common/alloc.h"

/*
 * The first cluster file of a person: every key that one may want to change, with what it means beside it.
 * Keys that only few need are there as comments, so that one finds them without the manual.
 */

/* Whether YAML, in block and in flow style, takes this for the text that it is. */
static bool is_plain(const char *s) {
        size_t n = strlen(s);

        return n > 0 &&
               strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:@+-") == n &&
               strchr("-:@", s[0]) == NULL && s[n - 1] != ':';
}

/* What comes from a command line must not become another key, however it looks. */
static void add_text(Buffer *out, const char *s) {
        if (is_plain(s)) {
                buffer_add_str(out, s);
                return;
        }

        buffer_add_char(out, '"');
        for (; *s; s++)
                if (*s == '"' || *s == '\\')
                        buffer_addf(out, "\\%c", *s);
                else if ((unsigned char) *s < ' ' || *s == 0x7f)
                        buffer_addf(out, "\\x%02x", (unsigned char) *s);
                else
                        buffer_add_char(out, *s);
        buffer_add_char(out, '"');
}

static void add_list(Buffer *out, char *const *v) {
        buffer_add_str(out, "[ ");
        STRV_FOREACH(s, v) {
                if (s != v)
                        buffer_add_str(out, ", ");
                add_text(out, *s);
        }
        buffer_add_str(out, " ]");
}

#define COMMENT_COLUMN 40u

/* One line "key: value", with a comment behind it in a column of its own. */
static void add_key(Buffer *out, const char *key, const char *value, const char *comment) {
        size_t start = out->size;

        buffer_addf(out, "%s: ", key);
        add_text(out, value);
        if (comment) {
                buffer_add_char(out, ' ');
                while (out->size - start < COMMENT_COLUMN)
                        buffer_add_char(out, ' ');
                buffer_addf(out, "# %s", comment);
        }
        buffer_add_char(out, '\n');
}

static void write_head(const ClusterDraft *d, Buffer *out) {
        char version[VERSION_TEXT_SIZE];

        buffer_add_str(
                out, "# The cluster, as hardway builds it. Every key is explained in hardway.yaml(5).\n\n");
        add_key(out, "cluster", d->name ?: "kubernetes", "its name, in kubeconfigs");
        add_key(out, "kubernetes", d->kubernetes ?: version_format(&VERSION_KUBERNETES_DEFAULT, version),
                "etcd's version follows from it");
        add_key(out, "arch", d->architecture ?: architecture_to_string(ARCH_ARM64),
                "arm64 or amd64; a node may differ");
}

static void write_names(const ClusterDraft *d, const char *first, const char *comment, Buffer *out) {
        _cleanup_strv_ Strv names = NULL;

        if (first)
                strv_add(&names, first);
        STRV_FOREACH(name, d->vip_names)
                if (!strv_contains(names, *name))
                        strv_add(&names, *name);
        if (!names) {
                buffer_add_str(out, comment);
                return;
        }
        buffer_add_str(out, "  names: ");
        add_list(out, names);
        buffer_add_char(out, '\n');
}

#define NAMES_COMMENT \
        "  # names: [ k8s.home.lan ]             # DNS names of the address, for the certificate\n"

static bool has_role(const ClusterDraft *d, unsigned role) {
        for (size_t i = 0; i < d->n_nodes; i++)
                if (d->nodes[i].roles & role)
                        return true;
        return false;
}

/* Is any node both? Then there is none that is only the one. */
static bool is_shared(const ClusterDraft *d) {
        for (size_t i = 0; i < d->n_nodes; i++)
                if ((d->nodes[i].roles & ROLE_CONTROLLER) && (d->nodes[i].roles & ROLE_LOADBALANCER))
                        return true;
        return false;
}

static void write_vip(const ClusterDraft *d, Buffer *out) {
        const char *holders = is_shared(d) ? "controllers" : "load balancers";
        _cleanup_free_ char *comment = xasprintf("free, and in the %s' network", holders);

        buffer_addf(out,
                    "\n# Where clients find the API: the %s hold this address between them.\n"
                    "endpoint:\n",
                    holders);
        if (d->vip)
                add_key(out, "  address", d->vip, comment);
        add_key(out, "  port", d->port ?: "6443", NULL);
        write_names(d, NULL, NAMES_COMMENT, out);
        buffer_add_str(
                out,
                "  # vrrp_id: 240                        # one per cluster on a network; else the address's "
                "last byte\n"
                "  # interface: eth0                     # else the one that carries the node's address\n");
}

static void write_foreign(const ClusterDraft *d, Buffer *out) {
        InetAddress address;
        bool is_address = inet_address_parse(d->endpoint, &address) == 0;

        buffer_add_str(
                out,
                "\n# Where clients find the API: a load balancer that is not hardway's, as no node below "
                "is one. It has to\n"
                "# pass TCP connections on to the controllers whose https://ADDRESS:6443/readyz answers "
                "200.\n"
                "endpoint:\n");
        if (is_address)
                add_key(out, "  address", d->endpoint, NULL);
        if (is_address)
                add_key(out, "  external", "true", NULL);
        add_key(out, "  port", d->port ?: "6443", NULL);
        write_names(d, is_address ? NULL : d->endpoint, NAMES_COMMENT, out);
}

static const ClusterDraftNode* only_controller(const ClusterDraft *d) {
        const ClusterDraftNode *found = NULL;

        for (size_t i = 0; i < d->n_nodes; i++) {
                if (!(d->nodes[i].roles & ROLE_CONTROLLER))
                        continue;
                if (found)
                        return NULL;
                found = d->nodes + i;
        }
        return found;
}

/* Of one controller: the endpoint is that. Only names and port need to be said, which takes its address. */
static void write_alone(const ClusterDraft *d, Buffer *out) {
        if (d->port) {
                buffer_add_str(out, "\napiserver:\n");
                add_key(out, "  port", d->port, NULL);
        }
        if (strv_length(d->vip_names) == 0) {
                buffer_add_str(
                        out,
                        "\n# No endpoint: clients use the only controller's own address, and wait while "
                        "it is down.\n");
                return;
        }
        buffer_add_str(out,
                       "\n# Where clients find the API: the only controller's own address.\nendpoint:\n");
        add_key(out, "  address", only_controller(d)->address, NULL);
        write_names(d, NULL, "", out);
}

static void write_endpoint(const ClusterDraft *d, Buffer *out) {
        if (d->endpoint)
                write_foreign(d, out);
        else if (!d->vip && only_controller(d))
                write_alone(d, out);
        else
                write_vip(d, out);
}

/* "10.244.0.0/16,fd00:10:244::/48": both families. */
static void add_networks(Buffer *out, const char *key, const char *text, const char *comment) {
        _cleanup_free_ char *indented = xasprintf("  %s", key);
        _cleanup_strv_ Strv networks = strv_split(text, ", ");

        if (strv_length(networks) < 2) {
                add_key(out, indented, text, comment);
                return;
        }
        buffer_addf(out, "%s: ", indented);
        add_list(out, networks);
        buffer_add_char(out, '\n');
}

static void write_networks(const ClusterDraft *d, Buffer *out) {
        InetAddress first;
        bool six = d->n_nodes > 0 && inet_address_parse(d->nodes[0].address, &first) == 0 &&
                   first.family == AF_INET6;

        buffer_add_str(out,
                       "\n# Neither may hold the address of a host that pods want to reach.\nnetwork:\n");
        add_networks(out, "pods",
                     d->pods     ?:
                             six ? "fd00:10:244::/48" :
                                   "10.244.0.0/16",
                     six ? "a /64 of it per node" : "a /24 of it per node");
        add_networks(out, "services", d->services ?: six ? "fd00:10:96::/112" : "10.96.0.0/16", NULL);
        add_key(out, "  domain", d->domain ?: "cluster.local", NULL);
}

static void write_policy(const ClusterDraft *d, Buffer *out) {
        buffer_add_str(
                out,
                "\n# How nodes are reached: ports, keys and jump hosts as ~/.ssh/config says. A jump host alone is not\n"
                "# enough: this machine needs 2379, 2380 and 6443 of the controllers, and the endpoint, directly.\n");
        if (d->ssh_user) {
                buffer_add_str(out, "ssh:\n");
                add_key(out, "  user", d->ssh_user, "root, or may use sudo");
        } else
                buffer_add_str(out, "# ssh:\n"
                                    "#   user: pi                            # root, or may use sudo\n");

        buffer_add_str(out,
                       "\n# What the machines are like: all timings follow from it, together.\nprofile:\n");
        add_key(out, "  network", d->network_profile ?: "wired", "wired or wifi");
        add_key(out, "  disk", d->disk_profile ?: "ssd", "ssd or sdcard");

        buffer_add_str(out, "\ncertificates:\n");
        add_key(out, "  key", d->key_type ?: "ec:p256", "ec:p256, ec:p384, rsa:2048, rsa:3072 or rsa:4096");
        add_key(out, "  ca_days", "3650", NULL);
        add_key(out, "  days", "365", NULL);

        buffer_add_str(out, "\n# What each etcd member's node saves of it by itself.\nsnapshots:\n");
        add_key(out, "  every", "12h", "hours or days, or never");
        add_key(out, "  keep", "6", NULL);

        if (strv_length(d->mirrors) > 0) {
                buffer_add_str(out, "\n# Where binaries come from, in this order.\nmirrors:\n");
                STRV_FOREACH(m, d->mirrors) {
                        buffer_add_str(out, "  - ");
                        add_text(out, *m);
                        buffer_add_char(out, '\n');
                }
        }

        buffer_add_str(
                out,
                "\n# Flags of your own; they replace hardway's of the same name.\n"
                "# extra-args:\n"
                "#   kube-apiserver: { audit-log-maxage: 30 }    # a list of values: the flag several times\n");
}

static void write_node(const ClusterDraftNode *n, Buffer *out) {
        const char *separator = "";

        buffer_add_str(out, "  - { name: ");
        add_text(out, n->name);
        buffer_add_str(out, ", address: ");
        add_text(out, n->address);
        buffer_add_str(out, ", roles: [");
        for (unsigned role = 1; role & ROLE_ALL; role <<= 1)
                if (n->roles & role) {
                        buffer_addf(out, "%s%s", separator, node_role_to_string(role));
                        separator = ", ";
                }
        buffer_add_char(out, ']');

        if (n->local)
                buffer_add_str(out, ", local: true");
        if (n->host_key) {
                buffer_add_str(out, ",\n      ssh: { host_key: ");
                add_text(out, n->host_key);
                buffer_add_str(out, " }");
        }
        buffer_add_str(out, " }\n");
}

/**
 * cluster_write_draft() - write a cluster file for a person to go on with
 * @draft:      what is known already
 * @out:        where to add the text
 */
void cluster_write_draft(const ClusterDraft *draft, Buffer *out) {
        write_head(draft, out);
        write_endpoint(draft, out);
        write_networks(draft, out);
        write_policy(draft, out);

        buffer_addf(out, "\n# An odd number of %s%s. local: true is this machine.\n",
                    has_role(draft, ROLE_ETCD) ? "etcd's own hosts" : "controllers",
                    draft->endpoint || (!draft->vip && only_controller(draft)) || is_shared(draft) ?
                            "" :
                            ", and two load balancers");
        buffer_add_str(out, draft->n_nodes > 0 ? "nodes:\n" : "nodes: []\n");
        for (size_t i = 0; i < draft->n_nodes; i++)
                write_node(&draft->nodes[i], out);
}
