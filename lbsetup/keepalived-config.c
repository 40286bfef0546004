/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * keepalived.conf
 *
 * Both load balancers are BACKUP with nopreempt, and whatever is tracked has weight 0: it does not lower a
 * priority, which nopreempt would make useless (a backup then accepts adverts of a lower priority), but
 * puts the instance into FAULT. That sends an advert of priority 0, and the other takes over at once; when
 * the fault is gone nothing moves (keepalived, keepalived/vrrp/vrrp.c). track_process is not used: without
 * the kernel's process events it fails on both, and there is no VIP.
 *
 * Keywords are those of keepalived 2.2.4 to 2.3 (doc/man/man5/keepalived.conf.5.in).
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "plan/ports.h"

/*
 * Which of the pair is preferred matters only when both start at once. But a backup waits (256 - priority)
 * / 256 of an advert's interval before it takes over (RFC 5798 6.1, Skew_Time), also when it was told to:
 * near the maximum, that is next to nothing. 255 means that the address is the node's own.
 */
#define PRIORITY_FIRST 254
#define PRIORITY_STEP 10

static unsigned priority(const PlanContext *c) {
        unsigned p = PRIORITY_FIRST;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                if (node == c->node)
                        break;
                p -= PRIORITY_STEP;
        }
        return p;
}

static bool is_peer(const PlanContext *c, const Node *node) {
        return node->index != c->node->index;
}

static void add_global(const PlanContext *c, Buffer *out) {
        buffer_addf(out,
                    "# Written by hardway, which replaces what is changed here.\n"
                    "\n"
                    "global_defs {\n"
                    "        router_id %s\n"
                    "        vrrp_version 3\n"
                    "        # adverts are taken from the addresses in unicast_peer only\n"
                    "        vrrp_check_unicast_src\n"
                    "        # for switches and hosts that forgot\n"
                    "        vrrp_garp_master_refresh 60\n"
                    "        # scripts run as a user that may do nothing, and not if somebody else could "
                    "change them\n"
                    "        enable_script_security\n"
                    "        script_user " KEEPALIVED_SCRIPT_USER "\n"
                    "}\n"
                    "\n",
                    c->node->name);
}

/*
 * How long a load balancer has to be blind alone: when all apiservers become unready, each of the pair
 * notices in its own time, and the VIP is to stay where it is.
 */
static unsigned patience_msec(const PlanContext *c) {
        return c->cluster->timings.haproxy_check_msec + 500;
}

static void add_tracked(Buffer *out) {
        buffer_add_str(out, "# Not 0: haproxy does not run here. Seen at once, by inotify.\n"
                            "track_file haproxy {\n"
                            "        file \"" LB_HAPROXY_DOWN "\"\n"
                            "        weight 0\n"
                            "}\n"
                            "\n"
                            "# Not 0: hardway hands the VIP over.\n"
                            "track_file handover {\n"
                            "        file \"" LB_HANDOVER "\"\n"
                            "        weight 0\n"
                            "}\n"
                            "\n");
}

static void add_peers(const PlanContext *c, Buffer *out) {
        char text[INET_TEXT_SIZE];

        if (cluster_count(c->cluster, ROLE_LOADBALANCER) < 2)
                return;
        buffer_addf(out,
                    "        unicast_src_ip %s\n"
                    "        unicast_peer {\n",
                    inet_address_format(&c->node->address, text));
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER)
                if (is_peer(c, node))
                        buffer_addf(out, "                %s\n", inet_address_format(&node->address, text));
        buffer_add_str(out, "        }\n");
}

static void add_health(const PlanContext *c, Buffer *out) {
        unsigned patience = patience_msec(c);

        buffer_add_str(
                out, "# Fails if haproxy hangs, or reaches no apiserver while another load balancer does.\n"
                     "vrrp_script health {\n");
        buffer_addf(out, "        script \"" KEEPALIVED_HEALTH " %u %u.%u", PORT_HAPROXY_MONITOR,
                    patience / 1000, patience % 1000 / 100);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                char text[INET_TEXT_SIZE];

                if (is_peer(c, node))
                        buffer_addf(out, " %s", inet_address_format(&node->address, text));
        }
        buffer_add_str(out, "\"\n"
                            "        interval 1\n");
        /* two tries of half a second, the wait, and two more; keepalived 2.2 knows whole seconds only */
        buffer_addf(out, "        timeout %u\n", (patience + 2999) / 1000);
        buffer_add_str(out, "        fall 1\n"
                            "        rise 2\n"
                            "}\n"
                            "\n");
}

static void add_instance(const PlanContext *c, Buffer *out) {
        const Endpoint *e = &c->cluster->endpoint;
        unsigned advert = c->cluster->timings.vrrp_advert_msec;
        const char *interface = facts_vip_interface(c->cluster, c->node, c->facts);
        char text[INET_TEXT_SIZE];

        buffer_addf(out,
                    "vrrp_instance kubernetes {\n"
                    "        state BACKUP\n"
                    "        nopreempt\n"
                    "        interface %s\n"
                    "        virtual_router_id %u\n"
                    "        priority %u\n"
                    "        advert_int %u.%02u\n",
                    interface, e->vrrp_id, priority(c), advert / 1000, advert % 1000 / 10);
        add_peers(c, out);
        buffer_addf(out,
                    "        virtual_ipaddress {\n"
                    "                %s/%u dev %s\n"
                    "        }\n"
                    "        track_file {\n"
                    "                haproxy\n"
                    "                handover\n"
                    "        }\n"
                    "        track_script {\n"
                    "                health\n"
                    "        }\n"
                    "        notify " KEEPALIVED_NOTIFY "\n"
                    "}\n",
                    inet_address_format(&e->address, text), e->prefix_length, interface);
}

/**
 * keepalived_config() - the text of keepalived.conf
 * @c:          the context of the plan
 * @out:        where to append it
 */
void keepalived_config(const PlanContext *c, Buffer *out) {
        add_global(c, out);
        add_tracked(out);
        add_health(c, out);
        add_instance(c, out);
}
