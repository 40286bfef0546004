/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before the first write: does a load balancer run that is not in the cluster file any more?
 *
 * The others are about to stop telling it that they are there, and to stop listening to it: it would take the VIP
 * while one of them has it. hardway has no way to a host that the cluster file does not know; its address stands in
 * what the others were given last.
 */

#include "cluster/ports.h"
#include "common/alloc.h"
#include "common/shell.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

/* One that has another role by now is changed by the same run, before the others (node_retires()). */
static bool is_of_cluster(const Cluster *cluster, const char *address) {
        char text[INET_TEXT_SIZE];

        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (streq(inet_address_format(&cluster->nodes[i].address, text), address))
                        return true;
        return false;
}

/* Those of addresses at which haproxy answers. Without haproxy it would not hold the VIP. */
static int ask(const ProbeContext *c, const Node *node, char *const *addresses, Strv *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        shell_add_list(&variables, "H_ADDRESSES", addresses);
        shell_add_number(&variables, "H_PORT", PORT_HAPROXY_MONITOR);
        r = probe_exec(c, node, "does a load balancer run that was taken out?", &variables, EMBED_LB_LEFT_SH,
                       &out, reterr);
        if (r >= 0)
                *ret = strv_split(buffer_str(&out), "\n");
        return r;
}

/**
 * lb_preflight_left() - does a load balancer run that is not in the cluster file any more?
 * @c:          the context of the probe
 * @node:       the load balancer from which it is asked, and whose configuration of before tells of it
 * @pair:       all of the cluster file, as they were found
 * @checks:     gets what was found; nothing where nobody was left out
 * @reterr:     why the node cannot be asked
 *
 * Return: 1 if one does, which may hold the VIP, 0 if none does, or a negative errno.
 */
int lb_preflight_left(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks,
                      Error **reterr) {
        _cleanup_free_ char *list = NULL;
        const LbPeer *peer = lb_pair_find(pair, node);
        _cleanup_strv_ Strv addresses = NULL, running = NULL;
        int r;

        STRV_FOREACH(address, peer ? peer->look.peers : NULL)
                if (!is_of_cluster(c->cluster, *address))
                        strv_add(&addresses, *address);
        if (!addresses)
                return 0;
        r = ask(c, node, addresses, &running, reterr);
        if (r < 0)
                return r;
        if (!running) {
                check_add_on(checks, CHECK_OK, LEFT_PREFLIGHT, node, LEFT_PREFLIGHT,
                             "what was taken out does not run");
                return 0;
        }
        list = strv_join(running, ", ");
        check_advise(
                check_add_on(checks, CHECK_FAILED, LEFT_PREFLIGHT, node, LEFT_PREFLIGHT,
                             "the load balancer at %s runs still, and is not in the cluster file: left to "
                             "itself it would take the VIP, too",
                             list),
                "Where its node has another address now, or it is not to be reached any more: switch off the machine "
                "at %s. Else put it back into the cluster file, and take hardway off it: hardway reset --node "
                "NAME. Then take it out again.",
                list);
        return 1;
}
