/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's command line
 *
 * All rows are valid for etcd 3.6 and 3.7, which is what Kubernetes 1.34 to 1.37 are paired with (etcd
 * server/etcdmain/help.go; kubeadm cmd/kubeadm/app/phases/etcd/local.go). Nothing is given by ETCD_
 * variables: a flag that is set in both ways ends the program (etcd-io/etcd#11111).
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "etcd/internal.h"

static char* url(const Node *node, unsigned port) {
        _cleanup_free_ char *endpoint = inet_endpoint_to_string(&node->address, port);

        return xasprintf("https://%s", endpoint);
}

static char* name(const PlanContext *c) {
        return xstrdup(c->node->name);
}

static char* listen_client(const PlanContext *c) {
        _cleanup_free_ char *own = url(c->node, PORT_ETCD_CLIENT);

        return xasprintf("https://127.0.0.1:%d,%s", PORT_ETCD_CLIENT, own);
}

static char* metrics_url(const PlanContext *c) {
        return xasprintf("http://127.0.0.1:%d", PORT_ETCD_METRICS);
}

static char* client_url(const PlanContext *c) {
        return url(c->node, PORT_ETCD_CLIENT);
}

static char* peer_url(const PlanContext *c) {
        return url(c->node, PORT_ETCD_PEER);
}

static char* initial_cluster(const PlanContext *c) {
        _cleanup_strv_ Strv members = NULL;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_free_ char *peer = url(node, PORT_ETCD_PEER);

                strv_addf(&members, "%s=%s", node->name, peer);
        }
        return strv_join(members, ",");
}

static char* token(const PlanContext *c) {
        char *text = etcd_token(c->store);

        return text ? text : xstrdup("not-made-yet");
}

static char* heartbeat(const PlanContext *c) {
        return xasprintf("%u", c->cluster->timings.etcd_heartbeat_msec);
}

static char* election(const PlanContext *c) {
        return xasprintf("%u", c->cluster->timings.etcd_election_msec);
}

const Flag etcd_flags[] = {
        { "name", .function = name,
          .why = "The member's name in the member list; the node's own, so that people find it.",
          .without =
                  "The member would be called \"default\", which initial-cluster does not name: etcd does "
                  "not start." },
        { "data-dir", ETCD_DATA,
          .why = "Where the member keeps its log and its database. The disk under it decides how fast the "
                 "cluster is.",
          .without = "The data would lie in a directory below the working directory, where the service may "
                     "not write." },

        { "listen-client-urls", .function = listen_client,
          .why = "Loopback is for this node's own apiserver; the node's address is for hardway, and for the "
                 "apiservers where etcd has nodes of its own.",
          .without = "The default is loopback without TLS: hardway could neither ask this member nor take a "
                     "snapshot of it." },
        { "advertise-client-urls", .function = client_url,
          .why = "What the member list tells clients. It is empty until a member has started once.",
          .without = "etcd does not start: it wants this one wherever listen-client-urls is given." },
        { "listen-peer-urls", .function = peer_url, .why = "Where the other members reach this one.",
          .without = "The default is loopback: other members do not reach this one, and no quorum comes "
                     "about." },
        { "initial-advertise-peer-urls", .function = peer_url,
          .why = "The address under which this member stands in initial-cluster.",
          .without = "etcd would compare its default, on loopback, with initial-cluster, and not start." },
        { "initial-cluster", .function = initial_cluster, .first_start = true,
          .why = "All first members. Read at the first start only; later the member list is in the data.",
          .without = "Each member would make a cluster of its own, with data of its own." },
        { "initial-cluster-token", .function = token, .first_start = true,
          .why = "The identity of this cluster, random, made with its keys. It goes into the ids of cluster "
                 "and members, so that members of two clusters can never take each other for their own; "
                 "after a restore it is another, so that those of before are strangers, too.",
          .without =
                  "All clusters would have the same token: a cluster made anew from the same addresses has "
                  "the same ids, and a forgotten member of the old one could join it." },
        { "initial-cluster-state", "new", .first_start = true,
          .why = "Read at the first start only. A member that replaces a lost one is started with a drop-in "
                 "that says existing.",
          .without = "Nothing: it is the default, named so that the drop-in of a replacement can be seen to "
                     "differ." },

        { "cert-file", "%d/server.crt", .why = "What the member shows to clients.",
          .without = "etcd does not start: its client URLs are https, and it has nothing to show there." },
        { "key-file", "%d/server.key", .why = "The key of that certificate.",
          .without = "etcd does not start: a certificate is of no use without its key." },
        { "trusted-ca-file", "%d/ca.crt",
          .why = "Clients have to be certified by etcd's own CA, which certifies nobody else.",
          .without =
                  "Client certificates would be judged by the node's own list of public CAs: ours would be "
                  "refused, and strangers' taken." },
        { "client-cert-auth", "true",
          .why = "Without it anybody who reaches the port could read and write everything, secrets "
                 "included.",
          .without = "trusted-ca-file alone has etcd ask for certificates, too; without both, the port is "
                     "open to everybody." },
        { "peer-cert-file", "%d/peer.crt", .why = "What the member shows to other members.",
          .without = "etcd does not start: its peer URLs are https, and it has nothing to show there." },
        { "peer-key-file", "%d/peer.key", .why = "The key of that certificate.",
          .without = "etcd does not start: a certificate is of no use without its key." },
        { "peer-trusted-ca-file", "%d/ca.crt", .why = "Other members have to be certified by etcd's own CA.",
          .without = "Members would judge each other by the node's list of public CAs, and refuse each "
                     "other." },
        { "peer-client-cert-auth", "true",
          .why = "Without it anybody could join the conversation of the members.",
          .without = "peer-trusted-ca-file alone has etcd ask for certificates, too; without both, anybody "
                     "could speak as a member." },
        { "tls-min-version", "TLS1.2", .why = "Says what is the default, so that it can be seen.",
          .without = "Nothing: it is the default." },

        { "heartbeat-interval", .function = heartbeat,
          .why = "Milliseconds between the leader's signs of life: about the round trip between members, "
                 "more where disks are slow. The same on all members; from the profile of the cluster "
                 "file.",
          .without = "100 ms, the default, holds on wires and SSDs; on SD cards leaders would be late with "
                     "it, and elections follow each other." },
        { "election-timeout", .function = election,
          .why = "Milliseconds without a sign of life until an election: ten heartbeats. Shorter, and a "
                 "slow write to an SD card costs the leader its office; longer, and a dead leader is missed "
                 "later.",
          .without = "1000 ms, the default: etcd does not start if that is less than five heartbeats, and "
                     "with slow disks leaders would lose office for nothing." },
        { "snapshot-count", "10000",
          .why = "Entries after which the log is cut. The default of 3.6, named because older ones kept ten "
                 "times as many in memory.",
          .without = "Nothing with etcd 3.6 and 3.7, whose default it is." },
        { "quota-backend-bytes", "2147483648",
          .why = "At this size the database refuses writes and raises an alarm (NOSPACE). The default, 2 "
                 "GiB, is many times what a cluster of this size needs, and fits into the memory of a small "
                 "node.",
          .without = "Nothing: it is the default. Stated, it can be seen, and found when the alarm comes." },
        { "feature-gates", "InitialCorruptCheck=true,CompactHashCheck=true",
          .why = "A member compares its data with the others before it serves, and at every compaction: "
                 "corruption is found early and on one member, not late and on all.",
          .without = "A member whose data is damaged would serve it, and nobody would notice until two "
                     "members disagree." },
        { "watch-progress-notify-interval", "5s",
          .why = "How often idle watches hear how far the store is. The apiservers' watch caches answer "
                 "consistent reads from memory thanks to it; the default of ten minutes would make them "
                 "wait (kubeadm sets the same).",
          .without = "On a quiet cluster, lists that have to be up to date would wait, and fall back to "
                     "reading from etcd." },
        { "listen-metrics-urls", .function = metrics_url,
          .why = "Health and metrics for tools on this node, which have no certificate; they tell nothing "
                 "of the data.",
          .without =
                  "Monitoring on the node would need a client certificate of etcd's CA, that is: the right "
                  "to do everything." },
        { "enable-grpc-gateway", "true",
          .why = "The JSON form of the API, which hardway itself uses for members, health and snapshots. "
                 "The default; hardway is blind without it.",
          .without =
                  "Nothing in etcd itself; hardway verify, status and snapshots would find no API to ask." },
};
