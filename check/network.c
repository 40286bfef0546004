/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules about names, the ways between nodes, and the virtual IP's network. */

#include <stdlib.h>
#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"
#include "common/parse.h"

/* --- names --- */

/* The address that a name should have: a node's, or the VIP's; NULL: the node's own name, any of its own. */
static const InetAddress* address_of_name(const CheckWorld *w, const CheckNode *n, const char *name) {
        const Node *node = cluster_find_node(w->cluster, name);

        if (streq_null(n->facts->hostname, name) || node == n->node)
                return NULL;
        return node ? &node->address : &w->cluster->endpoint.address;
}

static bool is_loopback(const char *address) {
        return startswith(address, "127.") || streq(address, "::1");
}

/* The first of the name's addresses if none is right, or NULL. */
static const char* wrong_address(const CheckWorld *w, const CheckNode *n, const NameAnswer *a) {
        const InetAddress *wanted = address_of_name(w, n, a->name);
        char text[INET_TEXT_SIZE] = "";

        if (wanted)
                inet_address_format(wanted, text);
        STRV_FOREACH(address, a->addresses)
                if (wanted ? streq(*address, text) :
                             is_loopback(*address) || strv_contains(n->facts->addresses, *address))
                        return NULL;
        return a->addresses ? a->addresses[0] : NULL;
}

/* hardway uses addresses only: a name that is not known harms nobody, one that leads elsewhere does. */
void rule_names(Judge *j, const CheckNode *n) {
        _cleanup_strv_ Strv wrong = NULL, slow = NULL;
        _cleanup_free_ char *wrong_list = NULL, *slow_list = NULL;

        if (!n->answers || n->answers->n_names == 0)
                return;
        for (const NameAnswer *a = n->answers->names; a < n->answers->names + n->answers->n_names; a++) {
                const char *address = wrong_address(j->world, n, a);

                if (a->slow && !streq_null(n->facts->hostname, a->name))
                        strv_add(&slow, a->name);
                else if (address)
                        strv_addf(&wrong, "%s to %s", a->name, address);
        }
        /* they came in the order in which they were found */
        if (wrong)
                strv_sort(wrong);
        if (slow)
                strv_sort(slow);
        wrong_list = strv_join(wrong, ", ");
        slow_list = strv_join(slow, ", ");
        if (wrong)
                check_advise(
                        judge(j, CHECK_WARNING, n->node, "resolves %s, which is not in the cluster file",
                              wrong_list),
                        "Put it right in the node's /etc/hosts or in your DNS: whoever uses the name ends "
                        "up elsewhere.");
        else if (slow)
                check_advise(judge(j, CHECK_WARNING, n->node, "takes more than 4 s to find %s", slow_list),
                             "Its name server does not answer: see /etc/resolv.conf on the node.");
        else
                judge(j, CHECK_OK, n->node, "no name leads elsewhere");
}

/* --- addresses --- */

/* A reserved one looks the same from here, so this can only be a question. */
void rule_addresses(Judge *j, const CheckNode *n) {
        char text[INET_TEXT_SIZE];

        inet_address_format(&n->node->address, text);
        if (n->facts->address_dynamic)
                check_advise(
                        judge(j, CHECK_WARNING, n->node, "has %s for a time only, from DHCP or a router",
                              text),
                        "Is it reserved there for this node? If so: --ignore addresses. If not, reserve it, or set it on "
                        "the node: with another address etcd and the apiserver do not come back, and no certificate "
                        "has that one.");
        else
                judge(j, CHECK_OK, n->node, "%s stays", text);
}

/* --- ways --- */

/* What is wrong with the way, as text; NULL: it is open, or nobody knows. */
static char* way_problem(const CheckWay *way, const Answers *answers) {
        const WayAnswer *a = answers_way(answers, &way->to->address, way->port);

        if (a && a->state == WAY_SILENT)
                return xasprintf("%s:%u does not answer", way->to->name, way->port);
        if (a && a->state == WAY_UNREACHABLE)
                return xasprintf("%s:%u: %s", way->to->name, way->port,
                                 a->error ? a->error : "cannot be reached");
        return NULL;
}

/* What was not found out is not taken for open: a node without bash cannot be asked. */
static void judge_open(Judge *j, const Node *from, size_t n, size_t n_known) {
        if (n > 0 && n_known == n)
                judge(j, CHECK_OK, from, "all ways are open%s", from ? "" : " from this machine");
        else if (n_known > 0)
                judge(j, CHECK_OK, from, "%zu of %zu ways are open, the others were not looked at", n_known,
                      n);
        else if (n > 0)
                judge(j, CHECK_OK, from, "not looked at: that takes bash");
}

/* from: NULL for this machine */
static void judge_ways(Judge *j, const Node *from, const Answers *answers) {
        _cleanup_free_ CheckWay *ways = NULL;
        _cleanup_strv_ Strv bad = NULL;
        _cleanup_free_ char *list = NULL;
        const char *why = NULL;
        size_t n = check_ways(j->world, from, &ways), n_known = 0;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *problem = way_problem(ways + i, answers);

                n_known += answers_way(answers, &ways[i].to->address, ways[i].port) != NULL;
                if (!problem)
                        continue;
                strv_add(&bad, problem);
                why = why ? why : ways[i].why;
        }
        if (!bad) {
                judge_open(j, from, n, n_known);
                return;
        }
        list = strv_join(bad, ", ");
        check_advise(judge(j, CHECK_FAILED, from, "%s%s", from ? "" : "from this machine ", list),
                     "A firewall in between or on the nodes drops that, most likely. It is needed for: %s.",
                     why);
}

void rule_reach(Judge *j, const CheckNode *n) {
        if (n->answers)
                judge_ways(j, n->node, n->answers);
}

void rule_reach_here(Judge *j) {
        if (j->world->here)
                judge_ways(j, NULL, j->world->here);
}

/* --- the virtual IP --- */

/* "eth0 10.77.0.11/24": is the address in it, on this interface? */
static bool network_has(const char *network, const char *interface, const InetAddress *address) {
        const char *rest = startswith(network, interface), *slash;
        _cleanup_free_ char *text = NULL;
        InetAddress own;
        unsigned prefix;
        size_t bytes;

        if (!rest || *rest != ' ' || !(slash = strchr(rest, '/')) ||
            parse_unsigned(slash + 1, 0, 128, &prefix) < 0)
                return false;
        text = xstrndup(rest + 1, (size_t) (slash - rest - 1));
        if (inet_address_parse(text, &own) < 0 || own.family != address->family)
                return false;
        bytes = prefix / 8;
        if (memcmp(own.bytes, address->bytes, bytes) != 0)
                return false;
        return prefix % 8 == 0 || ((own.bytes[bytes] ^ address->bytes[bytes]) >> (8 - prefix % 8)) == 0;
}

/* What is not ours is not looked at, and that is said. */
void rule_endpoint(Judge *j) {
        _cleanup_free_ char *url = cluster_endpoint_url(j->world->cluster);

        if (j->world->cluster->endpoint.kind == ENDPOINT_FOREIGN)
                judge(j, CHECK_OK, NULL,
                      "%s is a load balancer that is not hardway's: it is not looked at, and has to pass TCP "
                      "connections on to port %u of the controllers",
                      url, j->world->cluster->apiserver_port);
}

/* Whoever looks for the VIP asks its own network for it, and there only the load balancers answer. */
void rule_vip_network(Judge *j, const CheckNode *n) {
        const Endpoint *e = &j->world->cluster->endpoint;
        char vip[INET_TEXT_SIZE];
        const char *interface;

        if (!(n->node->roles & ROLE_LOADBALANCER) || !n->facts->networks)
                return;
        interface = facts_vip_interface(j->world->cluster, n->node, n->facts);
        inet_address_format(&e->address, vip);
        STRV_FOREACH(network, n->facts->networks)
                if (network_has(*network, interface, &e->address)) {
                        judge(j, CHECK_OK, n->node, "%s belongs on %s", vip, interface);
                        return;
                }
        check_advise(
                judge(j, CHECK_FAILED, n->node, "%s is in none of the networks on its %s", vip, interface),
                "Choose an address of the load balancers' network (endpoint.address), or name the "
                "interface (endpoint.interface).");
}

/*
 * haproxy listens on every address, or on the VIP with IP_FREEBIND, so that need not be there for it to start
 * (net.ipv4.ip_nonlocal_bind),
 * and what it forwards it connects anew (net.ipv4.ip_forward): neither is needed. But with arp_ignore 2 or
 * more (Documentation/networking/ip-sysctl.rst) a host does not answer for an address without a network.
 */
void rule_sysctls(Judge *j, const CheckNode *n) {
        const Endpoint *e = &j->world->cluster->endpoint;

        if (!n->answers || !(n->node->roles & ROLE_LOADBALANCER))
                return;
        if (n->answers->arp_ignore >= 2 && e->address.family == AF_INET && e->prefix_length == 32)
                check_advise(judge(j, CHECK_FAILED, n->node,
                                   "net.ipv4.conf...arp_ignore is %u: it would not answer for the VIP",
                                   n->answers->arp_ignore),
                             "Set it to 0 or 1 in /etc/sysctl.d, for all interfaces and for this one.");
        else
                judge(j, CHECK_OK, n->node, "none in the way");
}
