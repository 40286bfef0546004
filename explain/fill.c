/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands with the names and addresses of a cluster filled in
 */

#include <stdlib.h>
#include <string.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "explain/example.h"
#include "explain/internal.h"
#include "plan/store-name.h"

typedef struct Fill {
        const Component *const *components;
        const Cluster *cluster;
        const Node *node;       /* whose line it is, or NULL */
        const Node *this;       /* the member that is meant, where a command is about one */
        const Node *controller; /* the same of controllers */
} Fill;

/* How a command begins that is run as root on a node. */
static char* root_on(const Node *n) {
        char address[INET_TEXT_SIZE];
        _cleanup_free_ char *port = NULL, *user = NULL;

        if (n->local)
                return xstrdup("sudo");
        port = n->ssh.port ? xasprintf("-p %u ", n->ssh.port) : xstrdup("");
        user = n->ssh.user ? xasprintf("%s@", n->ssh.user) : xstrdup("");
        return xasprintf("ssh %s%s%s%s", port, user, inet_address_format(&n->address, address),
                         streq_null(n->ssh.user, "root") ? "" : " sudo");
}

static char* url_of(const Node *n, unsigned port) {
        _cleanup_free_ char *endpoint = inet_endpoint_to_string(&n->address, port);

        return xasprintf("https://%s", endpoint);
}

/* Of the control plane and of etcd, which belong together where something is done to etcd's data. */
static char* units_of(const Fill *f, const Node *n) {
        _cleanup_strv_ Strv units = NULL;

        for (const Component *const *p = f->components; *p; p++)
                if ((*p)->unit && (*p)->roles & (ROLE_CONTROLLER | ROLE_ETCD) &&
                    component_on_node(*p, f->cluster, n))
                        strv_add(&units, (*p)->unit);
        return strv_join(units, " ");
}

/* Every unit of the node that runs or is to start by itself. */
static const char* unit_of(const PlanItem *item) {
        return item->type == PLAN_UNIT && (item->unit.running || item->unit.enabled) ? item->unit.name :
                                                                                       NULL;
}

static const char* user_of(const PlanItem *item) {
        return item->type == PLAN_USER ? item->user.name : NULL;
}

/* Directories that are a service's, with what it keeps there. */
static const char* directory_of(const PlanItem *item) {
        return item->type == PLAN_DIRECTORY && !streq_null(item->owner, "root:root") ? item->path : NULL;
}

/* What the node's plan has besides the components' own units: timers, users, directories of data. */
static char* of_plan(const Fill *f, const Node *n, const char *(*part)(const PlanItem *item)) {
        const PlanContext c = { .cluster = f->cluster, .node = n };
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_strv_ Strv parts = NULL;

        if (plan_outline(f->components, &c, &plan, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < plan->n_items; i++) {
                const char *text = part(plan->items[i]);

                if (text && !strv_contains(parts, text))
                        strv_add(&parts, text);
        }
        return strv_join(parts, " ");
}

/* As a word, "etcd-server" is etcd/server. */
static bool is_credential(const Credential *c, const char *word) {
        const char *name = c->name;

        for (; *name && *word; name++, word++)
                if (*name != *word && !(*name == '/' && *word == '-'))
                        return false;
        return *name == *word;
}

static const Credential* find_credential(const Fill *f, const char *word) {
        for (const Component *const *p = f->components; *p; p++)
                for (size_t i = 0; i < (*p)->n_credentials; i++)
                        if (is_credential((*p)->credentials + i, word))
                                return (*p)->credentials + i;
        return NULL;
}

/* What makes a credential of a node, or of the cluster: {new-apiserver}, {new-ca}; or asks for it: {csr-apiserver}. */
static char* credential_word(const Fill *f, const Node *n, const char *word, bool asked) {
        const Credential *credential = find_credential(f, word);
        _cleanup_free_ char *name = credential ? credential_store_name(credential, n) : NULL;
        const StoreRequest *request;
        StoreRequests requests;
        char *text = NULL;

        if (!name)
                return NULL;
        store_requests_for(f->components, f->cluster, &requests);
        request = store_requests_find(&requests, name);
        if (request)
                text = asked ? by_hand_request(credential, request) :
                               by_hand_credential(credential, request);
        store_requests_done(&requests);
        return text;
}

/* {name}, and {this.name} */
static char* node_word(const Fill *f, const Node *n, const char *word) {
        char address[INET_TEXT_SIZE];

        if (streq(word, "name"))
                return xstrdup(n->name);
        if (streq(word, "address"))
                return xstrdup(inet_address_format(&n->address, address));
        if (streq(word, "arch"))
                return xstrdup(architecture_to_string(n->architecture));
        if (streq(word, "root"))
                return root_on(n);
        if (streq(word, "peer"))
                return url_of(n, PORT_ETCD_PEER);
        if (streq(word, "client"))
                return url_of(n, PORT_ETCD_CLIENT);
        if (streq(word, "apiserver"))
                return cluster_apiserver_url(f->cluster, n);
        if (streq(word, "apiserver-at"))
                return inet_endpoint_to_string(&n->address, f->cluster->apiserver_port);
        if (streq(word, "units"))
                return units_of(f, n);
        if (streq(word, "all-units"))
                return of_plan(f, n, unit_of);
        if (streq(word, "users"))
                return of_plan(f, n, user_of);
        if (streq(word, "directories"))
                return of_plan(f, n, directory_of);
        return NULL;
}

/* One thing of each member, with commas between them. */
static char* of_members(const Fill *f, const Node *but, unsigned port, bool named) {
        _cleanup_strv_ Strv list = NULL;

        CLUSTER_FOREACH_NODE(n, f->cluster, ROLE_ETCD) {
                _cleanup_free_ char *url = url_of(n, port);

                if (n != but)
                        strv_addf(&list, "%s%s%s", named ? n->name : "", named ? "=" : "", url);
        }
        return strv_join(list, ",");
}

/* Of the nodes, with blanks between them. */
static char* names_of(const Cluster *c) {
        _cleanup_strv_ Strv names = NULL;

        for (size_t i = 0; i < c->n_nodes; i++)
                strv_add(&names, c->nodes[i].name);
        return strv_join(names, " ");
}

static char* cluster_word(const Fill *f, const char *word) {
        const Cluster *c = f->cluster;
        char address[INET_TEXT_SIZE];

        if (streq(word, "cluster"))
                return xstrdup(c->name);
        if (streq(word, "endpoint"))
                return cluster_endpoint_url(c);
        if (streq(word, "vip"))
                return c->endpoint.kind == ENDPOINT_VIP ?
                               xstrdup(inet_address_format(&c->endpoint.address, address)) :
                               NULL;
        if (streq(word, "vrrp-id"))
                return xasprintf("%u", c->endpoint.vrrp_id);
        if (streq(word, "apiserver-port"))
                return xasprintf("%u", c->apiserver_port);
        if (streq(word, "names"))
                return names_of(c);
        if (streq(word, "kubernetes"))
                return version_to_string(&c->kubernetes);
        if (streq(word, "etcd"))
                return version_to_string(&c->etcd);
        if (streq(word, "endpoints"))
                return of_members(f, NULL, PORT_ETCD_CLIENT, false);
        if (streq(word, "others"))
                return of_members(f, f->this, PORT_ETCD_CLIENT, false);
        if (streq(word, "initial-cluster"))
                return of_members(f, NULL, PORT_ETCD_PEER, true);
        if (streq(word, "etcdutl") || streq(word, "etcdctl"))
                return plan_binary_path(c, ORIGIN_ETCD, word);
        if (streq(word, "snapshots"))
                return xstrdup(c->snapshots.directory);
        if (streq(word, "days"))
                return xasprintf("%u", c->certificates.days);
        if (streq(word, "ca-days"))
                return xasprintf("%u", c->certificates.ca_days);
        return NULL;
}

static char* find_word(const Fill *f, const char *word) {
        const char *of_this = startswith(word, "this."), *made = startswith(word, "new-"),
                   *asked = startswith(word, "csr-"), *of_controller = startswith(word, "controller.");
        char *text = NULL;

        if (made || asked)
                return credential_word(f, f->node ?: f->this, made ?: asked, asked != NULL);
        if (of_this)
                return node_word(f, f->this, of_this);
        if (of_controller)
                return node_word(f, f->controller, of_controller);
        if (f->node)
                text = node_word(f, f->node, word);
        return text ?: cluster_word(f, word);
}

/* A word in braces at p: its length with them; 0 if there is none. Shell has braces, too, with blanks or a dollar. */
static size_t word_length(const char *p) {
        size_t n = *p == '{' ? strspn(p + 1, "abcdefghijklmnopqrstuvwxyz.-") : 0;

        return n > 0 && p[n + 1] == '}' ? n + 2 : 0;
}

static int add_line(const Fill *f, const char *line, size_t n, Buffer *out, Error **reterr) {
        for (const char *p = line; p < line + n;) {
                _cleanup_free_ char *word = NULL, *text = NULL;
                size_t k = word_length(p);

                if (k == 0) {
                        buffer_add_char(out, *p++);
                        continue;
                }
                word = xstrndup(p + 1, k - 2);
                text = find_word(f, word);
                if (!text)
                        return error_set(reterr, ERROR_INTERNAL, EINVAL, "nobody knows what {%s} is", word);
                buffer_add_str(out, text);
                p += k;
        }
        buffer_add_char(out, '\n');
        return 0;
}

static bool is_meant(const Fill *f, const Node *n, const char *who) {
        static const struct {
                const char *who;
                unsigned roles;
        } rows[] = {
                { "node", ROLE_CONTROLLER | ROLE_ETCD | ROLE_LOADBALANCER },
                { "control", ROLE_CONTROLLER | ROLE_ETCD },
                { "member", ROLE_ETCD },
                { "other", ROLE_ETCD },
                { "controller", ROLE_CONTROLLER },
                { "balancer", ROLE_LOADBALANCER },
                { "spares", ROLE_LOADBALANCER },
        };

        if ((streq(who, "other") && n == f->this) ||
            (streq(who, "spares") && !(f->this->roles & ROLE_CONTROLLER)))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq(who, rows[i].who))
                        return (n->roles & rows[i].roles) != 0;
        return false;
}

static int add_lines(const Fill *f, const char *line, size_t n, Buffer *out, Error **reterr) {
        size_t k = *line == '@' ? strcspn(line, " ") : 0;
        _cleanup_free_ char *who = NULL;
        int r = 0;

        if (k == 0 || k >= n)
                return add_line(f, line, n, out, reterr);
        who = xstrndup(line + 1, k - 1);
        for (size_t i = 0; r >= 0 && i < f->cluster->n_nodes; i++) {
                Fill one = *f;

                one.node = f->cluster->nodes + i;
                if (is_meant(f, one.node, who))
                        r = add_line(&one, line + k + 1, n - k - 1, out, reterr);
        }
        return r;
}

/* The one that was chosen, or the last: the first is likely to be thought of as "the others". */
static const Node* choose(const ExplainRequest *request, const Cluster *c, NodeRole role) {
        const Node *last = c->nodes;

        if (request->n_nodes > 0 && request->n_nodes < c->n_nodes)
                for (size_t i = 0; i < request->n_nodes; i++)
                        if (request->nodes[i]->roles & role)
                                return request->nodes[i];
        CLUSTER_FOREACH_NODE(n, c, role)
                last = n;
        return last;
}

char* explain_fill(const ExplainRequest *request, const char *text, Error **reterr) {
        _cleanup_(cluster_freep) Cluster *example = NULL;
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        Fill f = { .components = request->components, .cluster = request->cluster };

        if (!f.cluster) {
                if (example_cluster(&example, reterr) < 0)
                        return NULL;
                f.cluster = example;
        }
        f.this = choose(request, f.cluster, ROLE_ETCD);
        f.controller = choose(request, f.cluster, ROLE_CONTROLLER);
        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");

                if (add_lines(&f, p, n, &out, reterr) < 0)
                        return NULL;
                p += n + (p[n] == '\n');
        }
        if (out.size > 0)
                out.data[--out.size] = '\0';
        return buffer_take(&out);
}
