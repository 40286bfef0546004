/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * keepalived.conf, line by line
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

#include "cluster/ports.h"
#include "common/alloc.h"
#include "lbsetup/internal.h"

/*
 * Which of the pair is preferred matters only when both start at once. But a backup waits (256 - priority)
 * / 256 of an advert's interval before it takes over (RFC 5798 6.1, Skew_Time), also when it was told to:
 * near the maximum, that is next to nothing. 255 means that the address is the node's own.
 */
#define PRIORITY_FIRST 254
#define PRIORITY_STEP 10
/* Of more than two, several are told of a fault at once: further apart, and the first has taken over before
 * the next one would. */
#define PRIORITY_STEP_OF_MANY 30

static char* priority(const PlanContext *c) {
        unsigned p = PRIORITY_FIRST;
        unsigned step =
                cluster_count(c->cluster, ROLE_LOADBALANCER) > 2 ? PRIORITY_STEP_OF_MANY : PRIORITY_STEP;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                if (node == c->node)
                        break;
                p -= step;
        }
        return xasprintf("%u", p);
}

static bool is_peer(const PlanContext *c, const Node *node) {
        return node->index != c->node->index;
}

/*
 * How long a load balancer has to be blind alone: when all apiservers become unready, each of the pair
 * notices in its own time, and the VIP is to stay where it is.
 */
static unsigned patience_msec(const PlanContext *c) {
        return c->cluster->timings.haproxy_check_msec + 500;
}

static char* router_id(const PlanContext *c) {
        return xstrdup(c->node->name);
}

static char* health_script(const PlanContext *c) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        unsigned patience = patience_msec(c);

        buffer_addf(&text, "\"" KEEPALIVED_HEALTH " %u %u.%u", PORT_HAPROXY_MONITOR, patience / 1000,
                    patience % 1000 / 100);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                char address[INET_TEXT_SIZE];

                if (is_peer(c, node))
                        buffer_addf(&text, " %s", inet_address_format(&node->address, address));
        }
        buffer_add_char(&text, '"');
        return buffer_take(&text);
}

/* Two tries of half a second, the wait, and two more; keepalived 2.2 knows whole seconds only. */
static char* health_timeout(const PlanContext *c) {
        return xasprintf("%u", (patience_msec(c) + 2999) / 1000);
}

static char* interface(const PlanContext *c) {
        return xstrdup(facts_vip_interface(c->cluster, c->node, c->facts));
}

static char* virtual_router(const PlanContext *c) {
        return xasprintf("%u", c->cluster->endpoint.vrrp_id);
}

static char* advert_interval(const PlanContext *c) {
        unsigned advert = c->cluster->timings.vrrp_advert_msec;

        return xasprintf("%u.%02u", advert / 1000, advert % 1000 / 10);
}

static char* source_address(const PlanContext *c) {
        if (cluster_count(c->cluster, ROLE_LOADBALANCER) < 2)
                return NULL;
        return inet_address_to_string(&c->node->address);
}

/* The one of a load balancer that is alone has no peers, and speaks to all by multicast. */
static char* if_paired(const PlanContext *c, const char *text) {
        return cluster_count(c->cluster, ROLE_LOADBALANCER) < 2 ? NULL : xstrdup(text);
}

static char* peers_begin(const PlanContext *c) {
        return if_paired(c, "{");
}

static char* peers_end(const PlanContext *c) {
        return if_paired(c, "");
}

static char* peers(const PlanContext *c) {
        _cleanup_strv_ Strv addresses = NULL;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                char address[INET_TEXT_SIZE];

                if (is_peer(c, node))
                        strv_add(&addresses, inet_address_format(&node->address, address));
        }
        return addresses ? strv_join(addresses, "\n") : NULL;
}

static char* vip(const PlanContext *c) {
        const Endpoint *e = &c->cluster->endpoint;
        char address[INET_TEXT_SIZE];

        return xasprintf("%s/%u dev %s", inet_address_format(&e->address, address), e->prefix_length,
                         facts_vip_interface(c->cluster, c->node, c->facts));
}

static const ConfigLine lines[] = {
        { 0, .comment = "Written by hardway, which replaces what is changed here." },
        {},
        { 0, "global_defs", .value = "{", .why = "What holds for the whole process.",
          .without = "The keywords in it would belong to nothing." },
        { 1, "router_id", .function = router_id, .why = "The node's name, for mails and logs.",
          .without =
                  "The host name, the default; here they are the same unless somebody renames the host." },
        { 1, "vrrp_version", .value = "3", .why = "Version 3 of VRRP counts in hundredths of seconds.",
          .without = "Version 2, the default, counts in seconds: a failover would take three of them." },
        { 1, "vrrp_check_unicast_src",
          .comment = "adverts are taken from the addresses in unicast_peer only",
          .why = "Adverts count from the other load balancer alone.",
          .without = "Whoever can send a packet to this node could take the VIP from it." },
        { 1, "vrrp_garp_master_refresh", .value = "60", .comment = "for switches and hosts that forgot",
          .why = "The owner of the VIP says so again every minute.",
          .without = "A switch or a host that has forgotten, or missed the one announcement, would send to "
                     "the wrong machine." },
        { 1, "enable_script_security",
          .comment = "scripts run as a user that may do nothing, and not if somebody else could change them",
          .why = "Scripts that somebody else than root could change are not run as root.",
          .without = "Who can write to a script's directory would be root." },
        { 1, "script_user", .value = KEEPALIVED_SCRIPT_USER, .why = "Who runs the scripts.",
          .without = "keepalived looks for that very name by itself, and takes root if there is none." },
        { 0, "}" },
        {},
        { 0, "track_file", .value = "haproxy {",
          .comment = "Not 0: haproxy does not run here. Seen at once, by inotify.",
          .why = "Watches whether haproxy runs.",
          .without = "The VIP would stay for a second where no haproxy is." },
        { 1, "file", .value = "\"" LB_HAPROXY_DOWN "\"", .why = "haproxy.service writes 0 or 1 here.",
          .without = "There would be nothing to watch: keepalived refuses the block." },
        { 1, "weight", .value = "0",
          .why = "Anything but 0 in the file makes this load balancer unfit, whatever its priority.",
          .without = "The number would be added to the priority, which nopreempt makes useless." },
        { 0, "}" },
        {},
        { 0, "track_file", .value = "handover {", .comment = "Not 0: hardway hands the VIP over.",
          .why = "Lets hardway give the VIP away.",
          .without = "Planned work on the owner would interrupt clients as a failure does." },
        { 1, "file", .value = "\"" LB_HANDOVER "\"", .why = "hardway writes 1 here, until the VIP has left.",
          .without = "There would be nothing to watch: keepalived refuses the block." },
        { 1, "weight", .value = "0", .why = "As above.", .without = "As above." },
        { 0, "}" },
        {},
        { 0, "vrrp_script", .value = "health {",
          .comment = "Fails if haproxy hangs, or reaches no apiserver while another load balancer does.",
          .why = "Asks haproxy whether it sees an apiserver.",
          .without = "A haproxy that hangs, or is cut off from all controllers, would keep the VIP." },
        { 1, "script", .function = health_script,
          .why = "The script, the port it asks, how patient it is, and the other load balancers.",
          .without = "There would be nothing to run: keepalived refuses the block." },
        { 1, "interval", .value = "1", .why = "Once a second.",
          .without = "1 is the default; said, as failover by this way takes so long." },
        { 1, "timeout", .function = health_timeout,
          .why = "So long it may take; then it has failed. From the profile of the cluster file.",
          .without =
                  "The interval, a second, would be used: the script needs longer to ask its neighbour." },
        { 1, "fall", .value = "1",
          .why = "One failure is enough: the script has tried several times itself.",
          .without = "1 is the default." },
        { 1, "rise", .value = "2", .why = "Two successes make it fit again.",
          .without = "1, the default: one that comes and goes would be fit every other second." },
        { 0, "}" },
        {},
        { 0, "vrrp_instance", .value = "kubernetes {", .why = "The VIP, and who has it.",
          .without = "There would be no VIP." },
        { 1, "state", .value = "BACKUP", .why = "Both begin as backups.",
          .without = "One that begins as master takes the VIP although the other has it." },
        { 1, "nopreempt", .why = "Who has the VIP keeps it until it fails.",
          .without = "The VIP would move back when the preferred one returns: a second interruption for "
                     "nothing." },
        { 1, "interface", .function = interface,
          .why = "Where VRRP is spoken, and the VIP is put. What the node has, or endpoint.interface of "
                 "the cluster file.",
          .without = "keepalived refuses the instance." },
        { 1, "virtual_router_id", .function = virtual_router,
          .why = "Tells this pair from others in the same network. From the VIP's last number, or "
                 "endpoint.vrrp_id.",
          .without = "keepalived refuses the instance; the number of another pair would take its VIP." },
        { 1, "priority", .function = priority,
          .why = "Decides when both start at once; and near the maximum a backup takes over without "
                 "waiting long.",
          .without = "100 on both, the default: the higher address wins, and a takeover waits for longer." },
        { 1, "advert_int", .function = advert_interval,
          .why = "Seconds between signs of life; three that are missed move the VIP. From the profile of "
                 "the cluster file.",
          .without = "1 s, the default: three seconds until the VIP moves." },
        { 1, "unicast_src_ip", .function = source_address, .why = "Where adverts come from.",
          .without = "keepalived would choose; the other one takes adverts from this address only." },
        { 1, "unicast_peer", .function = peers_begin,
          .why = "Where adverts go to: the other load balancers.",
          .without = "Multicast, the default, which Wi-Fi and many switches treat badly." },
        { 2, "", .function = peers, .why = "Each other load balancer, by its address.",
          .without = "It would hear nothing of this one, and take the VIP beside it." },
        { 1, "}", .function = peers_end },
        { 1, "virtual_ipaddress", .value = "{", .why = "What is held between them.",
          .without = "keepalived refuses the instance." },
        { 2, "", .function = vip, .why = "The VIP, with its interface.",
          .without = "There would be nothing to hold." },
        { 1, "}" },
        { 1, "track_file", .value = "{", .why = "The files that make this one unfit.",
          .without = "They would be watched for nothing." },
        { 2, "haproxy" },
        { 2, "handover" },
        { 1, "}" },
        { 1, "track_script", .value = "{", .why = "The script that makes this one unfit.",
          .without = "It would run for nothing." },
        { 2, "health" },
        { 1, "}" },
        { 1, "notify", .value = KEEPALIVED_NOTIFY,
          .why = "Told of every change of state, and keeps it where hardway looks.",
          .without = "hardway could not tell a backup from one that is unfit." },
        { 0, "}" },
};

static const ConfigWord words[] = {
        { "state", "BACKUP", "It begins without the VIP, and takes it when nobody else says that he has it.",
          "MASTER takes it at once, also from one that has it and serves." },
        { "", "dev", "The interface that the VIP is put on.",
          "That of the instance, where interface names another one: the VIP may be where nobody asks for it." },
};

const ConfigText keepalived_config = {
        .path = KEEPALIVED_CONFIG,
        .manual = "keepalived.conf(5), https://www.keepalived.org/manpage.html",
        .lines = lines,
        .n_lines = ARRAY_SIZE(lines),
        .words = words,
        .n_words = ARRAY_SIZE(words),
};
