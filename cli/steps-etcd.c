/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

/*
 * What the commands about etcd do, one step after the other, and the same by hand: with etcdctl and etcdutl, as
 * upstream's "Disaster recovery", "Runtime reconfiguration" and "Maintenance" have it
 *
 * A function, as etcdctl refuses to be told a thing by its environment and by a flag (pkg/flags/flag.go).
 */
const char steps_etcdctl[] = "# here, beside the cluster file, with etcdctl and etcdutl {etcd} in the path\n"
                             "e() { etcdctl --cacert=pki/etcd/ca.crt"
                             " --cert=pki/nodes/{this.name}/pki/etcd/healthcheck-client.crt"
                             " --key=pki/nodes/{this.name}/pki/etcd/healthcheck-client.key \"$@\"; }\n"
                             "ALL={endpoints}";

/* A lock that lasts as long as its standard input does. */
#define LOCK(who) "@" who " sleep 1h | {root} flock --nonblock /run/hardway/run.lock cat &"

#define ID_OF_THIS(endpoints)                          \
        "ID=$(e --endpoints=" endpoints " member list" \
        " | awk -F', ' '$3 == \"{this.name}\" { print $1 }')\n"

#define TO_HAPROXY " | {root} socat - /run/haproxy/admin.sock"

const VerbStep steps_etcd_members[] = {
        { "ask",
          "Asks every member at once for its own view, and whether it can read through a quorum. One that does not "
          "answer is asked on its peer port whether its process runs at all.",
          "e --endpoints=$ALL endpoint status --write-out=table\n"
          "e --endpoints=$ALL endpoint health --write-out=table\n"
          "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
          " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {peer}/version" },
        { "list",
          "Gets the list of members from whoever gives it, through the quorum if there is one: who votes, who is "
          "a learner, who is in the list and not in the cluster file.",
          "e --endpoints=$ALL member list --write-out=table" },
        { "judge",
          "Are enough voters healthy? If not, it says which members would restore the quorum: half of the voters, "
          "rounded down, and one.",
          NULL },
        {},
};

const VerbStep steps_etcd_snapshot[] = {
        { "choose",
          "Chooses a voter that reaches a quorum, rather not the leader, which has enough to do; or takes the one "
          "that --node names.",
          "e --endpoints=$ALL endpoint health\n"
          "e --endpoints=$ALL endpoint status --write-out=table" },
        { "room", "Looks whether there is room for it here.",
          "mkdir -p -m 0700 snapshots\ndf -Pk snapshots" },
        { "save",
          "Has the data sent, under another name until it is whole and its SHA-256 was found right; then it is "
          "synced and renamed.",
          "FILE=snapshots/{cluster}-$(date -u +%Y-%m-%dT%H%M%SZ).db\n"
          "(umask 077; e --endpoints={this.client} --command-timeout=10m snapshot save $FILE)" },
        { "examine", "Has etcdutl walk through it, before it gets its name: revision, keys, hash.",
          "etcdutl snapshot status $FILE --write-out=table" },
        { "pull",
          "With --pull, instead: brings the newest that each node took by itself here, and computes its digest.",
          "@member echo 'cd {snapshots} && cat \"$(ls [0-9]*.db | tail -n 1)\"' | {root} sh"
          " >snapshots/{cluster}-{name}.db" },
        {},
};

const VerbStep steps_etcd_defrag[] = {
        { "lock", "Takes a lock on each member's node.", LOCK("member") },
        { "refuse", "Every voter has to be healthy, as each is away from its clients while it is at work.",
          "e --endpoints=$ALL endpoint health" },
        { "alarms",
          "Asks for alarms. Of a full database (NOSPACE) outdated revisions are compacted first, and the space they "
          "took is free in the file after that.",
          "e --endpoints=$ALL alarm list\n"
          "REV=$(e --endpoints={this.client} endpoint status --write-out=json | grep -o '\"revision\":[0-9]*' | "
          "grep -o '[0-9]*')\n"
          "e --endpoints={this.client} compaction --physical=true $REV   # with NOSPACE only" },
        { "choose",
          "Leaves those alone that would hardly shrink: less than 32 MiB or a quarter of the file unused "
          "(unless with --all).",
          "e --endpoints=$ALL endpoint status --write-out=json | grep -o '\"dbSize[a-zA-Z]*\":[0-9]*'" },
        { "defragment",
          "One member after the other, the leader last. Before each one it looks again whether all are well; the "
          "leader hands over to another voter first; after each one it waits until that one is healthy.",
          "@member e --endpoints={client} --command-timeout=10m defrag && e --endpoints=$ALL endpoint health\n"
          "e --endpoints=$ALL move-leader ID-OF-ANOTHER   # before the leader's turn" },
        { "disarm",
          "Clears NOSPACE once every member is below 80% of its quota, and CORRUPT of members that are gone. One "
          "whose data differs is to be replaced.",
          "e --endpoints=$ALL alarm disarm" },
        {},
};

const VerbStep steps_etcd_replace[] = {
        { "refuse",
          "Looks at all members: the others have to be a quorum by themselves, and a member that is healthy is only "
          "replaced with --force.",
          "e --endpoints={others} endpoint health\ne --endpoints={others} member list --write-out=table" },
        { "ask", "Says whose member goes, and asks.", NULL },
        { "lock", "Takes the locks of all nodes, and looks at the members once more.",
          "@node sleep 1h | {root} flock --nonblock /run/hardway/run.lock cat &" },
        { "whose", "Data that lies on the node has to be of this cluster.",
          "{this.root} cat /var/lib/hardway/etcd-identity\ncat secrets/identity" },
        { "check",
          "What would speak against installing the node is asked while nothing is stopped yet: the disk, packages, ports, "
          "the binaries, the ways between it and the other nodes, and what it must not have in common with one of them; of those, too, where "
          "they have to be told of another address.",
          "hardway check" },
        { "hand over",
          "If it leads, another member is made the leader: else the writes wait for an election.",
          "e --endpoints={this.client} move-leader ID-OF-ANOTHER" },
        { "load balancers", "They send the node's apiserver nothing new, and finish what is under way.",
          "@spares echo 'set server apiservers/{this.name} state drain; disable health checks/{this.name}'" TO_HAPROXY },
        { "stop",
          "Stops what is left of the old member, and puts its data out of the way. One that has moved may run still where it "
          "was: there it is stopped first, for good.",
          "ssh OLD-ADDRESS sudo systemctl disable --now kube-controller-manager kube-scheduler kube-apiserver etcd\n"
          "{this.root} systemctl stop kube-apiserver.service etcd.service\n"
          "{this.root} mv -T /var/lib/etcd/member /var/lib/etcd/replaced" },
        { "remove", "Takes the old member out of the list.",
          ID_OF_THIS("{others}") "e --endpoints={others} member remove $ID" },
        { "add",
          "Puts everything on the node, as install does, and adds the new member as a learner: it does not vote "
          "while it catches up.",
          "e --endpoints={others} member add {this.name} --learner --peer-urls={this.peer}" },
        { "start",
          "Starts it with the list as it is now and as a member of a cluster that exists, by a drop-in that is "
          "removed again after this first start.",
          "{this.root} systemctl edit --runtime etcd.service   # [Service], ExecStart= and ExecStart=... with "
          "--initial-cluster-state=existing --initial-cluster={initial-cluster}\n"
          "{this.root} systemctl start {this.units}\n"
          "{this.root} systemctl revert etcd.service" },
        { "promote", "Makes it a voter once it has caught up; etcd refuses it before.",
          ID_OF_THIS("{others}") "until e --endpoints={others} member promote $ID; do sleep 1; done" },
        { "finish",
          "Looks whether it is healthy and votes; only then the old data goes, and the load balancers use "
          "the apiserver again.",
          "e --endpoints={this.client} endpoint health\n"
          "{this.root} rm -rf /var/lib/etcd/replaced\n"
          "@spares echo 'enable health checks/{this.name}; set server apiservers/{this.name} state ready'" TO_HAPROXY },
        {},
};

const VerbStep steps_etcd_restore[] = {
        { "examine",
          "Looks at the snapshot: its own SHA-256, what etcdutl says of it, and whether it carries this cluster's "
          "mark (else: --force).",
          "FILE=snapshots/{cluster}.db   # the snapshot\n"
          "etcdutl snapshot status $FILE --write-out=table\n"
          "grep -aom1 'hardway-identity:[0-9a-f]*' $FILE\ncat secrets/identity\nsha256sum $FILE" },
        { "lock", "Takes the locks of all nodes.",
          "@node sleep 1h | {root} flock --nonblock /run/hardway/run.lock cat &" },
        { "look",
          "Looks at all nodes and members: whose data lies there, and what etcd serves now. A node that is left out "
          "(--without) must not run.",
          "@member {root} cat /var/lib/hardway/etcd-identity\n"
          "e --endpoints=$ALL endpoint status --write-out=table" },
        { "ask", "Says what will be lost, and asks.", NULL },
        { "take",
          "With --survivor: takes a snapshot of that member. One that answers nobody is stopped, which makes it "
          "write down all it has, and its database is taken as it lies.",
          "e --endpoints={this.client} snapshot save $FILE\n"
          "{this.root} systemctl stop kube-apiserver.service etcd.service   # if that fails: stop, and copy\n"
          "{this.root} cat /var/lib/etcd/member/snap/db >$FILE" },
        { "equip",
          "Puts etcd's programs, user and files on hosts that have nothing, and room is looked for on all: the new "
          "data lies beside the old at first.",
          "@member {root} test -x {etcdutl}\n@member {root} df -Pk /var/lib/etcd /var/lib/hardway" },
        { "stop",
          "Stops the control plane on all nodes. It is disabled first: a power cut must not start it with what it "
          "finds half way.",
          "@control {root} systemctl disable --now {units}" },
        { "unpack",
          "Unpacks the snapshot on each member, beside the old data. A new token makes it a new cluster, whose "
          "members never talk to those of the old one; revisions are raised, so that no client takes old data for "
          "new.",
          "TOKEN=$(openssl rand -hex 16)\n"
          "@member {root} tee /var/lib/hardway/restore.db <$FILE >/dev/null\n"
          "@member {root} {etcdutl} snapshot restore /var/lib/hardway/restore.db --name={name}"
          " --data-dir=/var/lib/etcd/restored-$TOKEN --initial-cluster={initial-cluster}"
          " --initial-cluster-token=$TOKEN --initial-advertise-peer-urls={peer}"
          " --bump-revision=1000000000 --mark-compacted   # and --skip-hash-check for a database that was copied\n"
          "@member {root} chown -R etcd:etcd /var/lib/etcd/restored-$TOKEN\n"
          "@member {root} rm /var/lib/hardway/restore.db" },
        { "commit",
          "Writes the token down here, with the id that the new cluster will have. Until now all is as it was; from "
          "now on it goes to its end.",
          "echo $TOKEN >secrets/etcd-token" },
        { "swap", "The new data takes the place of the old, which stays aside; the mark says whose it is.",
          "@member {root} mv -T /var/lib/etcd/member /var/lib/etcd/before-$TOKEN\n"
          "@member {root} mv -T /var/lib/etcd/restored-$TOKEN/member /var/lib/etcd/member\n"
          "@member {root} rmdir /var/lib/etcd/restored-$TOKEN\n"
          "@member printf '%s\\n' \"$(cat secrets/identity)\" $TOKEN | {root} tee /var/lib/hardway/etcd-identity" },
        { "start", "Gives etcd's unit the new token, and starts everything, as install does.",
          "@member {root} sed -i s/--initial-cluster-token=[0-9a-f]*/--initial-cluster-token=$TOKEN/ "
          "/etc/systemd/system/etcd.service\n"
          "@control {root} systemctl daemon-reload\n"
          "@control {root} systemctl enable --now --no-block {units}" },
        { "serve", "Waits until every member is healthy, and none is behind what was restored.",
          "until e --endpoints=$ALL endpoint health; do sleep 1; done\n"
          "e --endpoints=$ALL endpoint status --write-out=table" },
        { "clean", "Only then the old data goes.", "@member {root} rm -rf /var/lib/etcd/before-$TOKEN" },
        {},
};
