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
#include "common/parallel.h"
#include "common/parse.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"

/* The entries of its list of members, JSON in part; NULL where there are none. The caller frees. */
static int ask_entries(const ProbeContext *c, const Node *node, Strv *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        int r;

        shell_add_variable(&variables, "data", ETCD_DATA);
        shell_add_variable(&variables, "name", node->name);
        r = probe_exec(c, node, "at which address does its data have the member?", &variables,
                       EMBED_ETCD_WHEREABOUTS_SH, &out, reterr);
        if (r < 0)
                return r;
        *ret = NULL;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines) {
                const char *entry = startswith(*line, "member ");

                if (entry)
                        strv_add(ret, entry);
        }
        return 0;
}

typedef struct Extent {
        const ProbeContext *context;
        const Node *node;
        uint64_t revision; /* 0, where it cannot be asked */
} Extent;

static void ask_revision(void *item) {
        Extent *r = item;
        const ProbeContext *c = r->context;
        _cleanup_free_ char *etcdutl = plan_binary_path(c->cluster, ORIGIN_ETCD, "etcdutl");
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;

        shell_add_variable(&variables, "data", ETCD_DATA);
        shell_add_variable(&variables, "etcdutl", etcdutl);
        if (probe_exec(c, r->node, "how far has its data got?", &variables, EMBED_ETCD_REVISION_SH, &out,
                       NULL) < 0)
                return;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines) {
                const char *number = startswith(*line, "revision ");

                if (number)
                        (void) parse_uint64(number, 0, UINT64_MAX, &r->revision);
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
 * @ret:        the URL that it has for peers by its data, or NULL: the same, or none is known there; the caller frees
 * @reterr:     why that cannot be told, which is not the same as none
 *
 * What it was before may be in there as well: so it is only if the address of today is not.
 *
 * Return: 0 or a negative errno.
 */
int etcd_data_elsewhere(const ProbeContext *c, const Node *node, char **ret, Error **reterr) {
        _cleanup_free_ char *url = etcd_peer_url(node), *quoted = xasprintf("\"%s\"", url);
        _cleanup_strv_ Strv entries = NULL;
        bool known = false;
        int r;

        r = ask_entries(c, node, &entries, reterr);
        if (r < 0)
                return r;
        STRV_FOREACH(entry, entries)
                known = known || strstr(*entry, quoted);
        *ret = entries && !known ? first_url(entries[0]) : NULL;
        return 0;
}

/**
 * etcd_furthest() - which member that does not run has the most in its data?
 * @c:          the context of the probe
 * @otherwise:  what to return where nobody can tell
 *
 * Return: its node.
 */
const Node* etcd_furthest(const ProbeContext *c, const Node *otherwise) {
        _cleanup_free_ Extent *all = xnew(Extent, c->cluster->n_nodes + 1);
        uint64_t furthest = 0;
        size_t n = 0;

        /* all of each database is read, which takes a while */
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD)
                all[n++] = (Extent) { .context = c, .node = node };
        parallel_each(ask_revision, all, sizeof(Extent), n);
        for (size_t i = 0; i < n; i++) {
                if (all[i].revision <= furthest)
                        continue;
                furthest = all[i].revision;
                otherwise = all[i].node;
        }
        return otherwise;
}
