/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Members whose hosts were renumbered, with their data
 *
 * A member knows the others, and itself, by the addresses that are in its data. Where all hosts have others by now (a new
 * router, another network) nobody finds anybody, and what the cluster file says changes nothing of that: etcd reads it
 * for its first start only. So what is in the data is looked at before a member is started with it at another address.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"

typedef struct Whereabouts {
        Strv entries; /* JSON, in part */
        uint64_t revision;
} Whereabouts;

static void whereabouts_done(Whereabouts *w) {
        strv_free(w->entries);
        *w = (Whereabouts) {};
}

static int ask(const ProbeContext *c, const Node *node, Buffer *ret) {
        _cleanup_free_ char *etcdutl = plan_binary_path(c->cluster, ORIGIN_ETCD, "etcdutl");
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;

        shell_add_variable(&variables, "data", ETCD_DATA);
        shell_add_variable(&variables, "name", node->name);
        shell_add_variable(&variables, "etcdutl", etcdutl);
        return probe_exec(c, node, "at which address does its data have the member, and how far has it got?",
                          &variables, EMBED_ETCD_WHEREABOUTS_SH, ret, NULL);
}

/* Nothing, where it cannot be asked. */
static void look(const ProbeContext *c, const Node *node, Whereabouts *ret) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;

        *ret = (Whereabouts) {};
        if (ask(c, node, &out) < 0)
                return;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines) {
                const char *rest;

                if ((rest = startswith(*line, "member ")))
                        strv_add(&ret->entries, rest);
                else if ((rest = startswith(*line, "revision ")))
                        (void) parse_uint64(rest, 0, UINT64_MAX, &ret->revision);
        }
}

/* The first URL of '"peerURLs":["https://10.77.0.20:2380"],"name":"c0"'; the caller frees. */
static char* first_url(const char *entry) {
        const char *begin = strchr(entry, '[');

        return begin && begin[1] == '"' ? xstrndup(begin + 2, strcspn(begin + 2, "\"")) : NULL;
}

/**
 * etcd_data_elsewhere() - is the data on a node that of a member at another address?
 * @c:          the context of the probe
 * @node:       the node
 *
 * What it was before may be in there as well: so it is only if the address of today is not.
 *
 * Return: the URL that it has for peers by its data, or NULL: the same, or that cannot be told; the caller frees.
 */
char* etcd_data_elsewhere(const ProbeContext *c, const Node *node) {
        _cleanup_(whereabouts_done) Whereabouts w = {};
        _cleanup_free_ char *url = etcd_peer_url(node), *quoted = xasprintf("\"%s\"", url);

        look(c, node, &w);
        STRV_FOREACH(entry, w.entries)
                if (strstr(*entry, quoted))
                        return NULL;
        return w.entries ? first_url(w.entries[0]) : NULL;
}

/**
 * etcd_furthest() - which member that does not run has the most in its data?
 * @c:          the context of the probe
 * @otherwise:  what to return where nobody can tell
 *
 * Return: its node.
 */
const Node* etcd_furthest(const ProbeContext *c, const Node *otherwise) {
        uint64_t revision = 0;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_(whereabouts_done) Whereabouts w = {};

                look(c, node, &w);
                if (w.revision <= revision)
                        continue;
                revision = w.revision;
                otherwise = node;
        }
        return otherwise;
}
