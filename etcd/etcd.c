/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd as a component: what it needs, and what it is on a node
 *
 * The plan is the same whether the data exists or not: initial-cluster-state is always "new", which etcd
 * does not look at once it has data. That the data found on a node is this cluster's own is checked before
 * anything is written (etcd_preflight()), by the mark that stands beside it.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "etcd/etcd.h"
#include "etcd/internal.h"
#include "plan/ports.h"
#include "plan/service.h"

static void ca_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        certificate_profile_add_dns(profile, "etcd-ca");
}

/* kubeadm cmd/kubeadm/app/util/pkiutil/pki_helpers.go, GetEtcdAltNames() */
static void member_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        static const char *const loopback[] = { "127.0.0.1", "::1" };

        certificate_profile_add_dns(profile, node->name);
        certificate_profile_add_dns(profile, "localhost");
        certificate_profile_add_address(profile, &node->address);
        for (size_t i = 0; i < ARRAY_SIZE(loopback); i++) {
                InetAddress address;

                if (inet_address_parse(loopback[i], &address) == 0)
                        certificate_profile_add_address(profile, &address);
        }
}

static const Artifact artifacts[] = {
        { "etcd", ORIGIN_ETCD },
        { "etcdctl", ORIGIN_ETCD },
        { "etcdutl", ORIGIN_ETCD },
};

#define HEALTHCHECK "etcd/healthcheck-client"

static const Credential credentials[] = {
        { .type = STORE_CA,
          .name = "etcd/ca",
          .common_name = "etcd-ca",
          .usage = USAGE_CA,
          .names = ca_names,
          .why = "The CA of etcd's members and clients. Whoever holds a certificate of it may do everything "
                 "in etcd, so it is a CA of its own, and its key never leaves the driving machine." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "etcd/server",
          .issuer = "etcd/ca",
          .usage = USAGE_SERVER | USAGE_CLIENT,
          .names = member_names,
          .why = "What the member shows to clients. It is a client certificate, too: etcd's JSON gateway "
                 "uses it to dial the member itself." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "etcd/peer",
          .issuer = "etcd/ca",
          .usage = USAGE_SERVER | USAGE_CLIENT,
          .names = member_names,
          .why = "What the member shows to other members, whether it dials or is dialled." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = HEALTHCHECK,
          .issuer = "etcd/ca",
          .common_name = "kube-etcd-healthcheck-client",
          .usage = USAGE_CLIENT,
          .why = "What hardway and etcdctl show to the member." },
        { .type = STORE_SECRET,
          .name = "secrets/identity",
          .secret_size = 16,
          .secret_hex = true,
          .why = "The identity of the cluster: etcd's cluster token, and the mark by which its data is "
                 "known." },
};

static const ServedCertificate served[] = {
        { "etcd/server", PORT_ETCD_CLIENT, .client = HEALTHCHECK },
        { "etcd/peer", PORT_ETCD_PEER, .client = HEALTHCHECK },
};

#define SERVER_WHY "What the member shows to clients."
#define PEER_WHY "What the member shows to other members."

static const ServiceCredential handed_over[] = {
        { "ca.crt", "/etc/kubernetes/pki/etcd/ca.crt", .why = "Certifies members and clients of etcd." },
        { "server.crt", "/etc/kubernetes/pki/etcd/server.crt", .node = true, .why = SERVER_WHY },
        { "server.key", "/etc/kubernetes/pki/etcd/server.key", .node = true, .why = SERVER_WHY },
        { "peer.crt", "/etc/kubernetes/pki/etcd/peer.crt", .node = true, .why = PEER_WHY },
        { "peer.key", "/etc/kubernetes/pki/etcd/peer.key", .node = true, .why = PEER_WHY },
};

/* Where etcd shares a node with an apiserver, that one uses no other member. */
static char* upholds(const PlanContext *c) {
        return c->node->roles & ROLE_CONTROLLER ? xstrdup("kube-apiserver.service") : NULL;
}

static const UnitSetting settings[] = {
        { "Unit", "Wants", "network-online.target", .why = "The addresses it listens on have to be there." },
        { "Unit", "After", "network-online.target time-sync.target",
          .why = "Certificates are judged by the clock; a Raspberry Pi starts with an old one. Only an "
                 "order: where nothing synchronises the clock, this waits for nothing." },
        { "Unit", "StartLimitIntervalSec", "0",
          .why = "Never give up: what keeps a member down (a peer, a disk, the clock) may end at any "
                 "time." },
        { "Unit", "Upholds", .function = upholds,
          .why = "The apiserver goes down with its member (BindsTo= there), so that its clients turn to "
                 "another one at once; as soon as the member is back, this starts it again. To stop the "
                 "apiserver alone, mask it." },
        { "Service", "Type", "notify",
          .why = "etcd says when it has joined: that is, when there is a quorum." },
        { "Service", "TimeoutStartSec", "120",
          .why = "So the first start lasts until other members are up." },
        { "Service", "Restart", "always", .why = "Whatever ended it." },
        { "Service", "RestartSec", "1",
          .why = "Soon, as every second counts against the quorum; not so soon as to heat the node." },
        { "Service", "StateDirectory", "etcd", .why = "The one place that it may write to: " ETCD_DATA "." },
        { "Service", "StateDirectoryMode", "0700", .why = "etcd insists on it." },
        { "Service", "LimitNOFILE", "65536", .why = "Each client and each watch is an open file." },
        { "Service", "OOMScoreAdjust", "-900", .why = "When memory runs out, it goes last." },
        { "Service", "CPUWeight", "400",
          .why = "A heartbeat that is late because others computed costs an election." },
        { "Service", "IOWeight", "1000", .why = "Each write of the cluster waits for this disk." },
        { "Service", "IOSchedulingClass", "best-effort",
          .why = "The same, for the schedulers that look at this." },
        { "Service", "IOSchedulingPriority", "0",
          .why = "The highest of its class (etcd docs, \"Tuning\")." },
};

static const Service service = {
        .component = &component_etcd,
        .documentation = "https://etcd.io/docs/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .why = "Runs this node's member.",
};

static void add_identity(const PlanContext *c, Plan *plan) {
        _cleanup_free_ char *identity = NULL, *text = NULL;
        PlanItem *item;

        if (plan_identity(c->store, &identity, NULL) < 0)
                plan_missing(plan, "secrets/identity (run: hardway pki gen)");
        text = xasprintf("%s\n", identity ? identity : "not-made-yet");
        item = plan_add_file(plan, "etcd", "identity", ETCD_IDENTITY, 0644, text,
                             "The mark of the cluster whose data lies in " ETCD_DATA
                             ". hardway never touches data without its mark.");
        item->store_path = xstrdup("secrets/identity");
}

static int etcd_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = service_add(c, plan, &service, &unit, reterr);
        if (r < 0)
                return r;
        plan_unit_listens(unit, PORT_ETCD_CLIENT);
        plan_unit_listens(unit, PORT_ETCD_PEER);
        plan_unit_listens(unit, PORT_ETCD_METRICS);

        plan_add_directory(plan, "etcd", "data", ETCD_DATA, 0700, "etcd:etcd", "Holds the member's data.");
        add_identity(c, plan);
        /* for etcdctl on the node: kubeadm puts it there, and people expect it */
        return plan_add_credential(c, plan, &component_etcd, HEALTHCHECK, /* with_key= */ true, NULL,
                                   reterr);
}

static const Reach reaches[] = {
        { PORT_ETCD_PEER, .from = ROLE_ETCD, .why = "etcd's members among each other" },
        { PORT_ETCD_CLIENT, .from = ROLE_ETCD | ROLE_CONTROLLER, .from_here = true,
          .why = "the watch on the nodes, apiservers where etcd has hosts of its own, and hardway's questions" },
};

static const PreflightName preflights[] = {
        { ETCD_PREFLIGHT, "Whose data lies in " ETCD_DATA },
};

const Component component_etcd = {
        .name = "etcd",
        .summary = "The key-value store in which everything of the cluster stands",
        .unit = "etcd.service",
        .roles = ROLE_ETCD,
        .rank = 10,
        .artifacts = artifacts,
        .n_artifacts = ARRAY_SIZE(artifacts),
        .credentials = credentials,
        .n_credentials = ARRAY_SIZE(credentials),
        .served = served,
        .n_served = ARRAY_SIZE(served),
        .flags = etcd_flags,
        .n_flags = ETCD_N_FLAGS,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .data = ETCD_DATA,
        .data_mark = ETCD_IDENTITY,
        .plan = etcd_plan,
        .ready = etcd_ready,
        .serving = etcd_serving,
        .gate = etcd_gate,
        .leads = etcd_leads,
        .hand_over = etcd_hand_over,
        .verify = etcd_verify,
        .spare = etcd_spare,
        .preflight = etcd_preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
        .before_rollout = etcd_before_rollout,
        .ready_sec = 120,
};
