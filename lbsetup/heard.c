/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Listening on the network of the load balancers
 *
 * Ours speak to each other alone (unicast), and take no adverts of others: two of one id get along, until somebody turns that off.
 */

#include "lbsetup/heard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "common/shell.h"
#include "lbsetup/lbsetup-scripts.h"
#include "lbsetup/pair.h"

#define ASK_SECONDS "1.25" /* so often as an advert comes, and a bit */
#define LISTEN_SECONDS "4"
/* The script tells of a hundred at most, in lines of 45 bytes. */
#define HEARD_SIZE_MAX (16 * 1024)

/**
 * lb_listen() - who is there, as seen from a load balancer?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @ask:        ask who has the VIP, and the addresses of the load balancers; else it is only heard, and for longer, who advertises
 *              a virtual router
 * @ret:        lines, see the top of the header; the caller calls buffer_done()
 * @reterr:     why it cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int lb_listen(const ProbeContext *c, const Node *node, bool ask, Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv all = NULL;
        char text[INET_TEXT_SIZE];
        int r;

        shell_add_variable(&variables, "H_ADDRESS", inet_address_format(&node->address, text));
        shell_add_variable(&variables, "H_SECONDS", ask ? ASK_SECONDS : LISTEN_SECONDS);
        if (ask) {
                strv_add(&all, inet_address_format(&c->cluster->endpoint.address, text));
                CLUSTER_FOREACH_NODE(other, c->cluster, ROLE_LOADBALANCER)
                        strv_add(&all, inet_address_format(&other->address, text));
        }
        shell_add_list(&variables, "H_ALL", all);
        r = probe_exec(c, node,
                       ask ? "who else has the VIP, or is a virtual router?" :
                             "which virtual routers are there?",
                       &variables, EMBED_VRRP_LISTEN_SH, &out, reterr);
        if (r < 0)
                return r;
        if (out.size > HEARD_SIZE_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE, EFBIG,
                                 "%s: tells of more machines than there can be", node->name);
        *ret = TAKE_GENERIC(out, Buffer, BUFFER_NULL);
        return 0;
}

bool lb_heard_any(char *const *lines) {
        return strv_contains(lines, "listened");
}

/* The MAC address in a line about that address, or NULL. */
static const char* mac_of(const char *line, const InetAddress *address) {
        char text[INET_TEXT_SIZE];
        const char *rest = startswith(line, "mac ");

        rest = rest ? startswith(rest, inet_address_format(address, text)) : NULL;
        return rest && *rest == ' ' ? rest + 1 : NULL;
}

/* One of our own that cannot be asked just now may hold it. */
static bool is_of_pair(const Cluster *cluster, char *const *lines, const char *mac) {
        STRV_FOREACH(line, lines)
                CLUSTER_FOREACH_NODE(node, cluster, ROLE_LOADBALANCER) {
                        const char *own = mac_of(*line, &node->address);

                        if (own && streq(own, mac))
                                return true;
                }
        return false;
}

const char* lb_heard_on_vip(const Cluster *cluster, char *const *lines) {
        STRV_FOREACH(line, lines) {
                const char *mac = mac_of(*line, &cluster->endpoint.address);

                if (mac && !is_of_pair(cluster, lines, mac))
                        return mac;
        }
        return NULL;
}

char* lb_heard_router(const Cluster *cluster, char *const *lines) {
        STRV_FOREACH(line, lines) {
                const char *address = startswith(*line, "vrrp "),
                           *blank = address ? strchr(address, ' ') : NULL;
                _cleanup_free_ char *who = blank ? xstrndup(address, (size_t) (blank - address)) : NULL;
                unsigned id;

                if (who && parse_unsigned(blank + 1, 0, 255, &id) >= 0 && id == cluster->endpoint.vrrp_id &&
                    !lb_is_address(cluster, who))
                        return TAKE_PTR(who);
        }
        return NULL;
}
