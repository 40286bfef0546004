/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-apiserver's probes
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "controlplane/internal.h"

/* 1 ready; 0 not, *ret_why says why; negative: it is something else that answers, *ret_why says what. */
static int ask_readyz(HttpClient *http, const Cluster *c, const Node *node, char **ret_why) {
        _cleanup_free_ char *base = cluster_apiserver_url(c, node);
        _cleanup_(api_answer_done) ApiAnswer answer = {};
        _cleanup_error_ Error *error = NULL;
        int r;

        r = api_request(http, "GET", base, "/readyz", NULL, &answer, &error);
        if (r < 0) {
                *ret_why = xstrdup(error->message);
                return r == -EKEYREJECTED ? r : 0;
        }
        if (answer.status == 200)
                return 1;
        /* The role that lets everybody ask is made by the apiserver itself, in its first seconds. */
        if (answer.status == 401 || answer.status == 403)
                *ret_why = xstrdup("the cluster's own roles are not made yet");
        else if (answer.status == 500) {
                _cleanup_free_ char *text = readyz_text(buffer_str(&answer.body));

                *ret_why = xasprintf("/readyz says: %s", text);
        } else
                *ret_why = api_answer_text(&answer);
        return 0;
}

/**
 * apiserver_ready() - does this node's apiserver take requests?
 * @c:          the context of the probe
 * @node:       the node
 * @ret:        ready when /readyz says so; failed if its certificate is not the cluster's
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int apiserver_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        r = probe_client(c, "ca", /* credential= */ NULL, &http, reterr);
        if (r < 0)
                return r;
        r = ask_readyz(http, c->cluster, node, &why);
        probe_result_set(ret,
                         r > 0  ? PROBE_READY :
                         r == 0 ? PROBE_WAITING :
                                  PROBE_FAILED,
                         why ? "%s" : NULL, why);
        return 0;
}

/* A node that was never installed is not waited for. One that cannot be asked was installed as far as
 * anybody knows, unless it has an etcd member: then etcd's gate, which knows the list of members, judges. */
static bool was_installed(const ProbeContext *c, const Node *node) {
        static const char script[] =
                "if [ -e /etc/systemd/system/kube-apiserver.service ]; then echo yes; else echo no; fi\n";
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        if (probe_exec(c, node, "was an apiserver installed?", NULL, script, &out, NULL) < 0)
                return !(node->roles & ROLE_ETCD);
        return startswith(buffer_str(&out), "yes") != NULL;
}

static void find_not_ready(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *why = NULL;

        if (probe_client(c, "ca", /* credential= */ NULL, &http, &error) < 0)
                why = xstrdup(error->message);
        else if (ask_readyz(http, c->cluster, node, &why) > 0 || !was_installed(c, node))
                return;
        check_add(checks, CHECK_FAILED, "ready", node, "kube-apiserver", "%s", why);
}

/**
 * apiserver_gate() - may a node be touched?
 * @c:          the context of the probe
 * @node:       the node; it does not matter which
 * @ret:        ready if every apiserver that was installed is
 * @reterr:     not used
 *
 * Return: 0.
 */
int apiserver_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(check_list_done) CheckList found = {};

        probe_each_node(c, ROLE_CONTROLLER, find_not_ready, &found);
        if (found.n_checks > 0)
                probe_result_set(ret, PROBE_WAITING, "the apiserver of %s is not ready: %s",
                                 found.checks[0].node, found.checks[0].text);
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

/* Adds a check for a node whose apiserver is ready, and none for another. */
static void find_ready(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *why = NULL;

        if (probe_client(c, "ca", /* credential= */ NULL, &http, NULL) >= 0 &&
            ask_readyz(http, c->cluster, node, &why) > 0)
                check_add(checks, CHECK_OK, "ready", node, "kube-apiserver", "ready");
}

static size_t count_among(const CheckList *found, const Node *const *nodes, size_t n_nodes) {
        size_t n = 0;

        for (size_t i = 0; i < found->n_checks; i++)
                for (size_t k = 0; k < n_nodes; k++)
                        n += streq(found->checks[i].node, nodes[k]->name);
        return n;
}

/* One that has lost the role, and runs still; haproxy may answer at that port, too, for others. */
static bool works_without_role(const ProbeContext *c, HttpClient *http, const Node *node) {
        _cleanup_free_ char *why = NULL;

        return !(node->roles & ROLE_CONTROLLER) && was_installed(c, node) &&
               ask_readyz(http, c->cluster, node, &why) > 0;
}

/**
 * apiserver_spare() - would an apiserver be left without these nodes'?
 * @c:          the context of the probe
 * @nodes:      those that are to go; also such as have lost the role, and run still
 * @n_nodes:    how many
 * @ret:        PROBE_READY with what is left (or no text, if none goes that works), or PROBE_FAILED
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int apiserver_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                    Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_(check_list_done) CheckList ready = {};
        size_t n_go, n_left;
        int r;

        r = probe_client(c, "ca", /* credential= */ NULL, &http, reterr);
        if (r < 0)
                return r;
        probe_each_node(c, ROLE_CONTROLLER, find_ready, &ready);
        n_go = count_among(&ready, nodes, n_nodes);
        n_left = ready.n_checks - n_go;
        for (size_t i = 0; i < n_nodes; i++)
                n_go += works_without_role(c, http, nodes[i]);
        probe_result_spare(ret, n_go, n_left, "no apiserver that is ready would be left",
                           "One apiserver is left, and then it may not fail");
        return 0;
}
