/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * keepalived as a component
 */

#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"
#include "lbsetup/lbsetup.h"

/*
 * As with haproxy's: the scripts it names may be staged still, the files it tracks come with the first
 * start, and keepalived looks whether all are there. It reads regular files only; and 2.2.7 ends its own
 * test by SIGTERM if scripts run as another user than root (acassen/keepalived#2587).
 */
#define CONFIG_CHECK                                                                                   \
        "[ ! -e " KEEPALIVED_HEALTH ".hw-new ] || new=.hw-new; f=$(mktemp); "                          \
        "sed \"s,/etc/keepalived/hardway-[a-z]*,&$new,; s/script_user .*/script_user root/; s," LB_RUN \
        "/[a-z.]*,$f,\" \"$1\" >$f; "                                                                  \
        "keepalived -t -f $f; r=$?; rm -f $f; exit $r"

static void add_files(const PlanContext *c, Plan *plan) {
        _cleanup_buffer_ Buffer config = BUFFER_NULL;
        PlanItem *item;

        config_text_render(&keepalived_config, c, &config);
        item = plan_add_file(plan, "keepalived", "config", KEEPALIVED_CONFIG, 0644, buffer_str(&config),
                             "Says who holds the VIP, and when it moves.");
        plan_item_explain(item, "keepalived does not start, and this node never holds the VIP.", NULL);
        item->reload = true;
        item->file.check = xstrdup(CONFIG_CHECK);
        item->file.check_package = xstrdup("keepalived");
        plan_item_input_of(item, KEEPALIVED_UNIT);

        plan_item_explain(plan_add_file(plan, "keepalived", "health", KEEPALIVED_HEALTH, 0755,
                                        EMBED_VRRP_HEALTH_BASH,
                                        "Fails if haproxy hangs, or is alone in reaching no apiserver."),
                          "keepalived cannot run it, and this node never holds the VIP.", NULL);
        plan_item_explain(plan_add_file(plan, "keepalived", "notify", KEEPALIVED_NOTIFY, 0755,
                                        EMBED_VRRP_NOTIFY_SH,
                                        "Keeps what keepalived says of itself where hardway finds it."),
                          "hardway could not tell a backup from a load balancer that is unfit.", NULL);
}

static int keepalived_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        UnitFile *u;
        PlanItem *item;
        int r;

        item = plan_add_package(plan, "keepalived", "keepalived",
                                "The distribution's own, with its security updates.");
        plan_item_explain(item, "There is no keepalived, and no unit that our drop-in could be for.",
                          "apt-get(8)");
        strv_add(&item->package.units, KEEPALIVED_UNIT);
        plan_item_explain(plan_add_user(plan, "keepalived", KEEPALIVED_SCRIPT_USER, "/nonexistent",
                                        "Runs keepalived's scripts, and may do nothing else."),
                          "keepalived refuses to run scripts as a user that is not there.", "sysusers.d(5)");
        add_files(c, plan);

        r = lb_drop_in(c, &component_keepalived, &u, reterr);
        if (r < 0)
                return r;
        plan_item_explain(
                plan_add_drop_in(plan, "keepalived", KEEPALIVED_UNIT, u,
                                 "Restarts it, clears away what a killed one leaves, and fences "
                                 "it in."),
                "keepalived would run as the distribution has it: with more rights, and a VIP that "
                "stays behind when it is killed.",
                "systemd.unit(5)");
        return 0;
}

static const CheckName preflights[] = {
        { LEFT_PREFLIGHT, "No load balancer runs that was taken out of the cluster file.",
          "It hears nothing of the others any more and takes the VIP, too: clients reach the one or the other by "
          "chance.",
          "@balancer {root} grep -A8 unicast_peer /etc/keepalived/keepalived.conf   # who is not in hardway.yaml?\n"
          "@balancer {root} ip neighbour show {vip}" },
        { TOLD_PREFLIGHT,
          "All load balancers that run and know less than the cluster file says are changed together.",
          "One that the others do not know hears nothing of them and takes the VIP, too.",
          "@balancer {root} grep -A8 unicast_peer /etc/keepalived/keepalived.conf   # who of hardway.yaml is not there?" },
        { VIP_PREFLIGHT, "Nobody answers for the VIP yet, or one of the load balancers does.",
          "Clients reach that machine or ours, by chance.",
          "@balancer {root} ping -c 1 -W 1 {vip}\n@balancer {root} ip neighbour show {vip}   # whose MAC address?" },
        { VRRP_REACH_PREFLIGHT, "VRRP gets from each load balancer to the others.",
          "Each would take the VIP for itself, and clients reach the one or the other by chance.",
          "@balancer {root} timeout 5 tcpdump -ni any vrrp   # the adverts of the others" },
        { VRRP_PREFLIGHT, "Nobody else advertises a virtual router of that number, as far as can be heard.",
          "Devices that know virtual routers by their number mix the two up. Ours take adverts from each "
          "other alone.",
          "@balancer {root} timeout 5 tcpdump -vni any vrrp   # vrid {vrrp-id} of an address that is not ours" },
};

const Component component_keepalived = {
        .name = "keepalived",
        .summary = "Keeps the VIP on the load balancer that can serve",
        .without = "There is no VIP, or it stays on a machine that is gone. The controllers' own addresses "
                   "still answer.",
        .manual = "keepalived.conf(5), https://www.keepalived.org/manpage.html",
        .unit = KEEPALIVED_UNIT,
        .roles = ROLE_LOADBALANCER,
        .rank = 60,
        .flags = keepalived_flags,
        .n_flags = KEEPALIVED_N_FLAGS,
        .settings = keepalived_settings,
        .n_settings = KEEPALIVED_N_SETTINGS,
        .fence = lb_fence,
        .n_fence = LB_FENCE_N_SETTINGS,
        .config = &keepalived_config,
        .plan = keepalived_plan,
        .ready = keepalived_ready,
        .gate = keepalived_gate,
        .leads = keepalived_leads,
        .hand_over = keepalived_hand_over,
        .take_back = keepalived_take_back,
        .verify = keepalived_verify,
        .join = keepalived_join,
        .peers = true,
        .preflight = keepalived_preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
};
