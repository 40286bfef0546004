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

#include "cluster/ports.h"
#include "common/alloc.h"
#include "etcd/etcd.h"
#include "etcd/internal.h"
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
                 "in etcd, so it is a CA of its own, and its key never leaves the driving machine.",
          .without = "etcd would have to believe the cluster's CA, and every client certificate of the "
                     "cluster would open the whole store." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "etcd/server",
          .issuer = "etcd/ca",
          .usage = USAGE_SERVER | USAGE_CLIENT,
          .names = member_names,
          .why = "What the member shows to clients. It is a client certificate, too: etcd's JSON gateway "
                 "uses it to dial the member itself.",
          .without = "etcd does not start, and no client could tell whom it talks to." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "etcd/peer",
          .issuer = "etcd/ca",
          .usage = USAGE_SERVER | USAGE_CLIENT,
          .names = member_names,
          .why = "What the member shows to other members, whether it dials or is dialled.",
          .without = "Members refuse each other, and there is no quorum." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = HEALTHCHECK,
          .issuer = "etcd/ca",
          .common_name = "kube-etcd-healthcheck-client",
          .usage = USAGE_CLIENT,
          .why = "What hardway and etcdctl show to the member.",
          .without = "hardway could not ask the members anything, and etcdctl on the node would need an "
                     "apiserver's certificate." },
        { .type = STORE_SECRET,
          .name = "secrets/identity",
          .secret_size = 16,
          .secret_hex = true,
          .why = "The identity of the cluster: etcd's cluster token, and the mark by which its data is "
                 "known.",
          .without = "A member of another cluster could be taken for one of this, and data that is not ours "
                     "be overwritten." },
};

static const ServedCertificate served[] = {
        { "etcd/server", PORT_ETCD_CLIENT, .client = "etcd/healthcheck-client" },
        { "etcd/peer", PORT_ETCD_PEER, .client = "etcd/healthcheck-client" },
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
        { "Unit", "Wants", "network-online.target", .why = "The addresses it listens on have to be there.",
          .without =
                  "At boot etcd may be started before the network: it cannot listen on an address that is "
                  "not there yet, and is started anew until it can." },
        { "Unit", "After", "network-online.target time-sync.target",
          .why = "Certificates are judged by the clock; a Raspberry Pi starts with an old one. Only an "
                 "order: where nothing synchronises the clock, this waits for nothing.",
          .without = "It would start beside the network and the clock; with an old clock, every certificate "
                     "is not valid yet." },
        { "Unit", "StartLimitIntervalSec", "0",
          .why = "Never give up: what keeps a member down (a peer, a disk, the clock) may end at any "
                 "time.",
          .without =
                  "After five starts within ten seconds systemd gives up, and a member stays down when its "
                  "peers are long back." },
        { "Unit", "AssertPathExists", "|!" ETCD_BEGAN_PATH,
          .why = "A member begins without data only where none has served before ...",
          .without =
                  "Where its disk is not mounted, or is a new one, a member would begin anew at the next boot, without what it "
                  "has promised to keep; one that is alone with an empty cluster." },
        { "Unit", "AssertPathIsDirectory", "|" ETCD_DATA "/member/wal",
          .why = "... or else if its data is there. Of the two, one is enough.",
          .without = "A member that has served once would not start any more." },
        { "Unit", "Upholds", .function = upholds,
          .why = "The apiserver goes down with its member (BindsTo= there), so that its clients turn to "
                 "another one at once; as soon as the member is back, this starts it again. To stop the "
                 "apiserver alone, mask it.",
          .without = "The apiserver, which went down with its member, would stay down until somebody starts "
                     "it." },
        { "Service", "Type", "notify",
          .why = "etcd says when it has joined: that is, when there is a quorum.",
          .without = "systemd would call it started before it has joined, and units that wait for it would "
                     "begin too early." },
        { "Service", "TimeoutStartSec", "120", .why = "So the first start lasts until other members are up.",
          .without =
                  "After 90 s systemd would end it while it waits for the other members, and begin anew." },
        { "Service", "Restart", "always", .why = "Whatever ended it.",
          .without = "A member that crashes or is killed stays down, and the next loss costs the quorum." },
        { "Service", "RestartSec", "1",
          .why = "Soon, as every second counts against the quorum; not so soon as to heat the node.",
          .without = "100 ms, the default: a member that cannot start would keep a processor busy with "
                     "trying." },
        { "Service", "ExecStartPost", "-+touch " ETCD_BEGAN_PATH,
          .why = "It has joined: from now on its data has to be there (AssertPathExists=). Not on the disk that may be missing; what "
                 "takes the data away (etcd replace, reset) removes it.",
          .without = "Nothing would know that there was data." },
        { "Service", "StateDirectory", "etcd", .why = "The one place that it may write to: " ETCD_DATA ".",
          .without = "With everything else read-only it could write nothing, and would not start.",
          .manual = "systemd.exec(5)" },
        { "Service", "StateDirectoryMode", "0700", .why = "etcd insists on it.",
          .without = "0755, the default: everybody on the node could list the data, and etcd warns and "
                     "corrects it.",
          .manual = "systemd.exec(5)" },
        { "Service", "LimitNOFILE", "65536", .why = "Each client and each watch is an open file.",
          .without = "1024 open files, the soft default: a busy cluster has more watches, and etcd would "
                     "refuse connections.",
          .manual = "systemd.exec(5)" },
        { "Service", "OOMScoreAdjust", "-900", .why = "When memory runs out, it goes last.",
          .without = "The kernel would choose by size when memory runs out, and etcd is large.",
          .manual = "systemd.exec(5)" },
        { "Service", "CPUWeight", "400",
          .why = "A heartbeat that is late because others computed costs an election.",
          .without = "Heartbeats come late while the node computes something else, and leaders change for "
                     "nothing.",
          .manual = "systemd.resource-control(5)" },
        { "Service", "IOWeight", "1000", .why = "Each write of the cluster waits for this disk.",
          .without = "Writes wait behind those of others, and each write of the cluster waits for them.",
          .manual = "systemd.resource-control(5)" },
        { "Service", "IOSchedulingClass", "best-effort",
          .why = "The same, for the schedulers that look at this.",
          .without = "Where the disk's scheduler knows no weights (mq-deadline, bfq by class), writes would "
                     "wait as any others.",
          .manual = "systemd.exec(5)" },
        { "Service", "IOSchedulingPriority", "0", .why = "The highest of its class (etcd docs, \"Tuning\").",
          .without = "4, the middle: others of the same class would be served as early.",
          .manual = "systemd.exec(5)" },
};

static const Service service = {
        .component = &component_etcd,
        .documentation = "https://etcd.io/docs/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
        .why = "Runs this node's member.",
};

static void add_mark(const PlanContext *c, Plan *plan) {
        _cleanup_free_ char *identity = etcd_identity(c->store), *token = etcd_token(c->store), *text = NULL;
        PlanItem *item;

        if (!identity)
                plan_missing(plan, "secrets/identity (run: hardway pki gen)");
        text = identity ? etcd_mark_text(identity, token) : xstrdup("not-made-yet\n");
        item = plan_add_file(plan, "etcd", "identity", ETCD_MARK_PATH, 0644, text,
                             "The mark of the cluster whose data lies in " ETCD_DATA
                             ". hardway never touches data without its mark.");
        item->store_path = xstrdup("secrets/identity");
        plan_item_explain(item, "hardway would take the data for a stranger's, and refuse to install here.",
                          "hardway(1)");
}

static int etcd_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit, *data;
        int r;

        r = service_add(c, plan, &service, &unit, reterr);
        if (r < 0)
                return r;
        plan_unit_listens(unit, PORT_ETCD_CLIENT);
        plan_unit_listens(unit, PORT_ETCD_PEER);
        plan_unit_listens(unit, PORT_ETCD_METRICS);

        data = plan_add_directory(plan, "etcd", "data", ETCD_DATA, 0700, "etcd:etcd",
                                  "Holds the member's data.");
        data->directory.asked = true;
        data->directory.mark = ETCD_MARK_PATH;
        plan_item_explain(data,
                          "etcd makes it at its first start; afterwards, without it the member has lost its "
                          "data and must be replaced.",
                          NULL);
        add_mark(c, plan);
        r = etcd_plan_schedule(c, plan, reterr);
        if (r < 0)
                return r;
        /* for etcdctl on the node: kubeadm puts it there, and people expect it */
        return plan_add_credential(c, plan, &component_etcd, HEALTHCHECK, /* with_key= */ true, NULL,
                                   reterr);
}

static const Reach reaches[] = {
        { PORT_ETCD_PEER, .from = ROLE_ETCD, .from_here = true,
          .why = "etcd's members among each other, and hardway's look at which certificates they show" },
        { PORT_ETCD_CLIENT, .from = ROLE_ETCD | ROLE_CONTROLLER, .from_here = true,
          .why = "the watch on the nodes, apiservers where etcd has hosts of its own, and hardway's questions" },
};

static const CheckName preflights[] = {
        { ETCD_PREFLIGHT,
          "The data in " ETCD_DATA
          " is of this cluster, and of a member at this address; or there is none, and was none.",
          "The member would start with another cluster's data, or destroy it; or it and the others would not find "
          "each other; or it would be part of a quorum, and know nothing of what was written.",
          "cat secrets/identity\n@member {root} cat /var/lib/hardway/etcd-identity\n@member {root} ls -l " ETCD_DATA },
        { SNAPSHOTS_PREFLIGHT, "The directory for scheduled snapshots is not there, empty, or ours already.",
          "Somebody else's directory would become etcd's, and be closed to who used it.",
          "@member {root} ls -la {snapshots}" },
};

const Component component_etcd = {
        .name = "etcd",
        .summary = "The key-value store in which everything of the cluster stands",
        .without = "Nothing remembers anything: every apiserver is unready until a majority of members is "
                   "back.",
        .manual = "etcd documentation, https://etcd.io/docs/",
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
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .others = etcd_schedule_settings,
        .n_others = ETCD_SCHEDULE_N_SETTINGS,
        .timer = etcd_schedule_timer,
        .n_timer = ETCD_SCHEDULE_N_TIMER,
        .service = &service,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .data = ETCD_DATA,
        .data_mark = ETCD_MARK_PATH,
        .plan = etcd_plan,
        .ready = etcd_ready,
        .serving = etcd_serving,
        .gate = etcd_gate,
        .leads = etcd_leads,
        .hand_over = etcd_hand_over,
        .verify = etcd_verify,
        .spare = etcd_spare,
        .join = etcd_join,
        .settle = etcd_settle,
        .leavers = etcd_leavers,
        .prune = etcd_prune,
        .preflight = etcd_preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
        .before_rollout = etcd_before_rollout,
        .ready_sec = 120,
};
