/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * haproxy as a component
 */

#include "cluster/ports.h"
#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"
#include "lbsetup/lbsetup.h"

/*
 * The staged configuration is checked with the CA that will lie beside it: the one that is staged, if
 * there is one. The text goes through a pipe, as a second file would have to be cleared away.
 */
#define CONFIG_CHECK                                                                              \
        "ca=" HAPROXY_CA "; [ ! -e $ca.hw-new ] || new=.hw-new; sed \"s,$ca,$ca$new,\" \"$1\" | " \
        "haproxy -c -q -f /dev/stdin"

static const char tmpfiles[] =
        "# Written by hardway. What haproxy's unit and hardway tell keepalived (0: all is well); "
        "haproxy is down until it has said\n"
        "# otherwise. What keepalived tells hardway. And what haproxy knows of its servers, for a reload: at a "
        "start nothing (1: the format).\n"
        "d " LB_RUN " 0755 root root -\n"
        "f " LB_HAPROXY_DOWN " 0644 root root - 1\n"
        "f " LB_HANDOVER " 0644 root root - 0\n"
        "f+ " LB_SERVERS " 0600 root root - 1\\n\n"
        "f " LB_STATE " 0644 " KEEPALIVED_SCRIPT_USER " root -\n";

static int add_files(const PlanContext *c, Plan *plan, Error **reterr) {
        _cleanup_buffer_ Buffer config = BUFFER_NULL;
        PlanItem *item;
        int r;

        config_text_render(&haproxy_config, c, &config);
        item = plan_add_file(plan, "haproxy", "config", HAPROXY_CONFIG, 0644, buffer_str(&config),
                             "Spreads the connections to the VIP over the apiservers that are ready.");
        plan_item_explain(item, "haproxy does not start, or starts with what the distribution brought.",
                          NULL);
        item->reload = true;
        item->file.check = xstrdup(CONFIG_CHECK);
        item->file.check_package = xstrdup("haproxy");
        plan_item_input_of(item, HAPROXY_UNIT);

        plan_item_explain(
                plan_add_file(plan, "haproxy", "tmpfiles", LB_TMPFILES, 0644, tmpfiles,
                              "At boot haproxy counts as down, until it has said otherwise."),
                "keepalived would watch files that are not there, and might take the VIP to a node "
                "whose haproxy is not up yet.",
                "tmpfiles.d(5)");
        plan_item_explain(
                plan_add_file(plan, "haproxy", "servers", HAPROXY_KEEP, 0755, EMBED_HAPROXY_SERVERS_SH,
                              "At a reload tells the new haproxy what the old one knows of the apiservers."),
                "A reload begins from nothing: the first check that fails takes an apiserver out.", NULL);

        /* OpenSSL, and so haproxy, takes no intermediate CA for the end of a chain: it wants to see a root. */
        r = plan_add_store_file(
                c, plan, "haproxy", "ca", plan_ca_has_chain(c, "ca") ? "ca.bundle" : "ca.crt", HAPROXY_CA,
                HAPROXY_UNIT,
                "The cluster's CA: whoever answers without a certificate of it is not taken for an "
                "apiserver.",
                reterr);
        if (r < 0)
                return r;
        item = plan->items[plan->n_items - 1];
        item->reload = true;
        plan_item_explain(item, "haproxy does not start: haproxy.cfg names it.", NULL);
        return 0;
}

static int haproxy_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        UnitFile *u;
        PlanItem *item;
        int r;

        item = plan_add_package(plan, "haproxy", "haproxy",
                                "The distribution's own, with its security updates.");
        plan_item_explain(item, "There is no haproxy, and no unit that our drop-in could be for.",
                          "apt-get(8)");
        strv_add(&item->package.units, HAPROXY_UNIT);
        strv_add(&item->package.leaves, "/var/lib/haproxy"); /* its chroot, with a socket in it */

        r = add_files(c, plan, reterr);
        if (r < 0)
                return r;
        r = lb_drop_in(c, &component_haproxy, &u, reterr);
        if (r < 0)
                return r;
        item = plan_add_drop_in(plan, "haproxy", HAPROXY_UNIT, u,
                                "Restarts it at once, says whether it is there, and fences it in.");
        plan_item_explain(item,
                          "haproxy would run as the distribution has it: with more rights, and keepalived "
                          "would never learn that it serves.",
                          "systemd.unit(5)");
        plan_unit_listens(item, c->cluster->endpoint.port);
        plan_unit_listens(item, PORT_HAPROXY_MONITOR);
        return 0;
}

static unsigned endpoint_port(const Cluster *c) {
        return c->endpoint.port;
}

static const Reach reaches[] = {
        { .port_of = endpoint_port, .from_here = true, .why = "the way to the API, for everybody" },
        { PORT_HAPROXY_MONITOR, .from = ROLE_LOADBALANCER,
          .why = "the load balancers among each other: does the other one reach an apiserver?" },
};

static const CheckName preflights[] = {
        { CONFIGS_PREFLIGHT, "haproxy and keepalived work for nobody else on that machine.",
          "Their configuration would be replaced, and what it did would be gone until a reset puts it back.",
          "@balancer {root} dpkg --verify haproxy keepalived   # names a configuration that is not the package's" },
};

const Component component_haproxy = {
        .name = "haproxy",
        .summary = "The load balancer in front of the apiservers",
        .without = "The VIP leads to nothing, and keepalived lets go of it.",
        .manual = "HAProxy Configuration Manual, https://docs.haproxy.org/",
        .unit = HAPROXY_UNIT,
        .roles = ROLE_LOADBALANCER,
        .rank = 50,
        .settings = haproxy_settings,
        .n_settings = HAPROXY_N_SETTINGS,
        .fence = lb_fence,
        .n_fence = LB_FENCE_N_SETTINGS,
        .config = &haproxy_config,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .plan = haproxy_plan,
        .ready = haproxy_ready,
        .gate = haproxy_gate,
        .set_aside = haproxy_set_aside,
        .bring_back = haproxy_bring_back,
        .verify = haproxy_verify,
        .spare = haproxy_spare,
        .preflight = haproxy_preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
        .ready_sec = 180, /* the controllers' first start */
};
