/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before the first write: is the VIP free?
 *
 * A datagram to the VIP makes the kernel ask the network who has it; the answer stands in the neighbour
 * table. Where the VIP is not on the node's own network nothing can be seen that way, and nothing is said.
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "lbsetup/pair.h"

/*
 * Prints "ADDRESS MAC" of each of $all that is answered for. All nodes wait for this, so it is short: the VIP
 * is asked for twice, 0.3 s apart, which is plenty on any network that VRRP works on.
 */
static const char script[] =
        "case $(ip -o route get \"$vip\" 2>/dev/null) in '' | *' via '* | local*) exit 0 ;; esac\n"
        "ask() { timeout 1 bash -c 'echo >\"/dev/udp/$1/9\"' bash \"$1\" 2>/dev/null || :; }\n"
        "for a in $all; do [ \"$a\" = \"$vip\" ] || ask \"$a\"; done\n"
        "n=0\n"
        "while [ $n -lt 6 ]; do\n"
        "case $n in 0 | 3) ip neigh flush to \"$vip\" 2>/dev/null || :; ask \"$vip\" ;; esac\n"
        "sleep 0.1; n=$((n + 1))\n"
        "if ip neigh show to \"$vip\" | grep -q lladdr; then break; fi\n"
        "done\n"
        "for a in $all; do ip neigh show to \"$a\" | sed -n \"s/.* lladdr \\([0-9a-f:]*\\).*/$a "
        "\\1/p\"; done\n";

static char* complete_script(const Cluster *cluster, const Node *node) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char text[INET_TEXT_SIZE];

        inet_address_format(&cluster->endpoint.address, text);
        buffer_addf(&b, "vip=%s\nall='%s", text, text);
        CLUSTER_FOREACH_NODE(other, cluster, ROLE_LOADBALANCER)
                if (other->index != node->index)
                        buffer_addf(&b, " %s", inet_address_format(&other->address, text));
        buffer_addf(&b, "'\n%s", script);
        return buffer_take(&b);
}

/* The MAC address in "ADDRESS MAC", if this is the line of address. */
static const char* mac_of(const char *line, const InetAddress *address) {
        char text[INET_TEXT_SIZE];
        const char *rest = startswith(line, inet_address_format(address, text));

        return rest && *rest == ' ' ? rest + 1 : NULL;
}

/* One of our own that cannot be asked just now may hold it. */
static bool is_of_pair(const Cluster *cluster, Strv lines, const char *mac) {
        STRV_FOREACH(line, lines)
                CLUSTER_FOREACH_NODE(node, cluster, ROLE_LOADBALANCER) {
                        const char *own = mac_of(*line, &node->address);

                        if (own && streq(own, mac))
                                return true;
                }
        return false;
}

static void judge(const Cluster *cluster, const Node *node, Strv lines, ErrorList *errors) {
        char vip[INET_TEXT_SIZE];

        STRV_FOREACH(line, lines) {
                const char *mac = mac_of(*line, &cluster->endpoint.address);
                Error *error = NULL;

                if (!mac || is_of_pair(cluster, lines, mac))
                        continue;
                (void) error_set(&error, ERROR_CONFIG, EADDRINUSE,
                                 "%s: the VIP %s is answered by another machine (MAC address %s)",
                                 node->name, inet_address_format(&cluster->endpoint.address, vip), mac);
                error_detail(&error, "Choose an address that is free, and that no DHCP server hands out "
                                     "(endpoint.address), or take it "
                                     "off that machine.\n");
                error_list_take(errors, error);
        }
}

/**
 * keepalived_preflight() - is the VIP free?
 * @c:          the context of the probe
 * @node:       the load balancer from which it is looked for
 * @errors:     names the machine that has it
 *
 * Nothing is said if one of the cluster's own load balancers holds it.
 */
void keepalived_preflight(const ProbeContext *c, const Node *node, ErrorList *errors) {
        _cleanup_free_ char *text = NULL;
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        _cleanup_pair_ LbPair pair = {};
        const LbPeer *holder;

        lb_pair_look(c, &pair);
        if (lb_pair_holders(&pair, &holder) > 0)
                return;
        text = complete_script(c->cluster, node);
        if (c->exec(c->userdata, node, text, &out, NULL) < 0)
                return; /* what keeps it from being asked is said elsewhere */
        lines = strv_split(buffer_str(&out), "\n");
        judge(c->cluster, node, lines, errors);
}
