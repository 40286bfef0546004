/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before the first write: will the load balancers hear each other?
 *
 * If VRRP does not get through, each thinks that the other is gone, and all of them hold the VIP. Where keepalived
 * runs, its adverts are the answer, and `verify` tells of it.
 */

#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

/* Those that can be asked, and have nobody listening yet. */
static bool is_to_be_asked(const LbPeer *peer, const Node *from) {
        return peer->node->index != from->index && peer->result >= 0 &&
               !streq(peer->look.keepalived, "active");
}

static void add_variables(const LbPair *pair, const Node *node, Buffer *variables) {
        _cleanup_strv_ Strv peers = NULL;
        char text[INET_TEXT_SIZE];

        shell_add_variable(variables, "H_ADDRESS", inet_address_format(&node->address, text));
        LB_FOREACH_PEER(peer, pair)
                if (is_to_be_asked(peer, node))
                        strv_add(&peers, inet_address_format(&peer->node->address, text));
        shell_add_list(variables, "H_PEERS", peers);
}

/* What "ADDRESS STATE" says of a node, or NULL. */
static const char* state_of(char *const *lines, const Node *node) {
        char text[INET_TEXT_SIZE];

        inet_address_format(&node->address, text);
        STRV_FOREACH(line, lines) {
                const char *rest = startswith(*line, text);

                if (rest && *rest == ' ')
                        return rest + 1;
        }
        return NULL;
}

static const char* problem_of(const char *state) {
        static const char *const problems[][2] = {
                { "silent", "does not answer" },
                { "denied", "is kept from it by a firewall" },
                { "unreachable", "cannot be reached" },
        };

        for (size_t i = 0; state && i < ARRAY_SIZE(problems); i++)
                if (streq(state, problems[i][0]))
                        return problems[i][1];
        return NULL;
}

/* Check of a load balancer that some do not hear. */
static void add_failure(const Node *node, char *const *bad, char *const *deaf, CheckList *checks) {
        _cleanup_free_ char *list = strv_join(bad, ", "), *names = strv_join(deaf, " and ");
        char own[INET_TEXT_SIZE];
        Check *check;

        check = check_add_on(checks, CHECK_FAILED, VRRP_REACH_PREFLIGHT, node, VRRP_REACH_PREFLIGHT,
                             "VRRP (IP protocol 112): %s", list);
        check->kind = ERROR_UNAVAILABLE;
        check_advise(
                check,
                "A firewall drops it, most likely, and each load balancer would hold the VIP, as it hears "
                "of no other. On %s, where it is nftables: nft insert rule inet filter input %s %s "
                "meta l4proto 112 accept; and where the firewall's rules are kept.",
                names, node->address.family == AF_INET6 ? "ip6 saddr" : "ip saddr",
                inet_address_format(&node->address, own));
}

static void judge_ways(const LbPair *pair, const Node *node, char *const *lines, CheckList *checks) {
        _cleanup_strv_ Strv bad = NULL, deaf = NULL;

        LB_FOREACH_PEER(peer, pair) {
                const char *problem = problem_of(state_of(lines, peer->node));

                if (!problem)
                        continue;
                strv_addf(&bad, "%s %s", peer->node->name, problem);
                strv_add(&deaf, peer->node->name);
        }
        if (!strv_contains(lines, "asked"))
                check_add_on(checks, CHECK_OK, VRRP_REACH_PREFLIGHT, node, VRRP_REACH_PREFLIGHT,
                             "not looked at: that takes perl");
        else if (bad)
                add_failure(node, bad, deaf, checks);
        else
                check_add_on(checks, CHECK_OK, VRRP_REACH_PREFLIGHT, node, VRRP_REACH_PREFLIGHT,
                             "VRRP gets to the others");
}

/**
 * lb_preflight_reach() - does VRRP get from a load balancer to the others?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @pair:       all of them, as they were found; nothing is said where there is nobody to be asked
 * @checks:     gets what was found
 * @reterr:     why the node cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int lb_preflight_reach(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks,
                       Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        size_t n = 0;
        int r;

        LB_FOREACH_PEER(peer, pair)
                n += is_to_be_asked(peer, node);
        if (n == 0)
                return 0;
        add_variables(pair, node, &variables);
        r = probe_exec(c, node, "does VRRP get to the other load balancers?", &variables,
                       EMBED_VRRP_REACH_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        judge_ways(pair, node, lines, checks);
        return 0;
}
