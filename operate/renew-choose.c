/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which certificates are to be renewed
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "operate/proven.h"
#include "operate/renew-internal.h"
#include "plan/store-name.h"

static bool is_leaf(const StoreRequest *r) {
        return r->type == STORE_CERTIFICATE || r->type == STORE_KUBECONFIG;
}

/* "etcd/server" of "nodes/c0/pki/etcd/server"; "scheduler" of "nodes/c0/scheduler"; "admin". */
static const char* short_name(const StoreRequest *r) {
        const char *node, *rest;
        size_t n;

        rest = store_name_split(r->name, &node, &n);
        if (!rest)
                return r->name;
        return startswith(rest, "pki/") ?: rest;
}

/* kubeadm writes dashes where there are directories. */
static bool same_but_dashes(const char *name, const char *given) {
        for (; *name && *given; name++, given++)
                if (*name != *given && !(*name == '/' && *given == '-'))
                        return false;
        return *name == *given;
}

/**
 * renew_name_matches() - does a name given by a person mean this entry?
 * @request:    the entry
 * @name:       the name
 *
 * "controller-manager" is a certificate and a kubeconfig, "controller-manager.conf" the latter alone.
 *
 * Return: whether it does.
 */
bool renew_name_matches(const StoreRequest *request, const char *name) {
        const char *own = short_name(request);
        bool ended = request->type == STORE_KUBECONFIG && endswith(name, ".conf");
        _cleanup_free_ char *stem = xstrndup(name, strlen(name) - (ended ? strlen(".conf") : 0));

        return streq(request->name, stem) || same_but_dashes(own, stem);
}

static bool matches_any(const StoreRequest *request, char *const *names) {
        STRV_FOREACH(name, names)
                if (renew_name_matches(request, *name))
                        return true;
        return false;
}

static int refuse_name(const StoreRequests *requests, const char *name, Error **reterr) {
        _cleanup_free_ const char **known = xnew(const char*, requests->n_requests + 1);
        const char *nearest;
        size_t n = 0;

        for (size_t i = 0; i < requests->n_requests; i++) {
                const StoreRequest *r = requests->requests + i;

                if (is_leaf(r))
                        known[n++] = short_name(r);
                else if (streq(r->name, name) && !r->hex) /* the identity is never replaced */
                        return error_set(reterr, ERROR_USAGE, EINVAL,
                                         "%s is not renewed but replaced, see: hardway pki %s --help", name,
                                         rotation_command(name));
        }
        nearest = string_nearest(name, known);
        if (nearest)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "there is no certificate '%s'; did you mean '%s'?", name, nearest);
        return error_set(reterr, ERROR_USAGE, EINVAL, "there is no certificate '%s', see: hardway pki list",
                         name);
}

static bool node_is_chosen(const RenewRequest *q, const Node *node) {
        return node_is_among(node, q->install.nodes, q->install.n_nodes);
}

static int refuse_nodes(const RenewRequest *q, const char *name, Error **reterr) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *all = NULL;

        for (size_t i = 0; i < q->install.n_nodes; i++)
                strv_add(&names, q->install.nodes[i]->name);
        all = strv_join(names, ", ");
        return error_set(reterr, ERROR_USAGE, EINVAL, "there is no certificate '%s' on %s", name, all);
}

/* A misspelt name would renew nothing, which looks like success; so would one that is not on these nodes. */
int renew_check_names(const RenewRequest *q, const StoreRequests *requests, Error **reterr) {
        STRV_FOREACH(name, q->names) {
                bool found = false, chosen = false;

                for (size_t i = 0; i < requests->n_requests && !chosen; i++) {
                        const StoreRequest *r = requests->requests + i;
                        const Node *node = entry_node(q->install.cluster, r->name);

                        if (!is_leaf(r) || !renew_name_matches(r, *name))
                                continue;
                        found = true;
                        chosen = !node || node_is_chosen(q, node);
                }
                if (!found)
                        return refuse_name(requests, *name, reterr);
                if (!chosen)
                        return refuse_nodes(q, *name, reterr);
        }
        return 0;
}

bool renew_choose(const RenewRequest *q, const StoreRequest *request, StoreOutcome outcome,
                  int64_t expires) {
        const Node *node = entry_node(q->install.cluster, request->name);

        if (q->names && !matches_any(request, q->names))
                return false;
        if (node ? !node_is_chosen(q, node) : q->only_nodes && !q->names)
                return false;
        return !q->due || outcome != STORE_KEPT || expires - q->now < q->due_sec;
}
