/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/steps.h"
#include "cli/verb.h"

/*
 * What the commands about etcd do, one step after the other, and the same by hand: with etcdctl and etcdutl, as
 * upstream's "Disaster recovery", "Runtime reconfiguration" and "Maintenance" have it
 *
 * A function, as etcdctl refuses to be told a thing by its environment and by a flag (pkg/flags/flag.go).
 */
#define JOIN_DIRECTORY "/run/systemd/system/etcd.service.d"

const char steps_etcdctl[] = "# here, beside the cluster file, with etcdctl and etcdutl {etcd} in the path\n"
                             "e() { etcdctl --cacert=pki/etcd/ca.crt"
                             " --cert=pki/nodes/{this.name}/pki/etcd/healthcheck-client.crt"
                             " --key=pki/nodes/{this.name}/pki/etcd/healthcheck-client.key \"$@\"; }\n"
                             "ALL={endpoints}";

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
        { "snapshot",
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
        { "lock",
          "Takes a lock on each member's node, and on those of load balancers, which are told what to spare.",
          STEP_LOCK("node") },
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
        { "room",
          "One member after the other, the leader last. Before each one it looks again whether all are well, and whether "
          "there is room for a second database beside the first, and 128 MB for the log: a member whose log finds the disk "
          "full ends. By hand here and below: of one member; of another one with --node.",
          "e --endpoints=$ALL endpoint health\n"
          "e --endpoints={this.client} endpoint status --write-out=json | grep -o '\"dbSizeInUse\":[0-9]*'\n"
          "{this.root} df -Pk /var/lib/etcd/member" },
        { "hand over", "The leader hands over to another voter first, so that the pause costs no election.",
          STEP_HERE_ANOTHER_VOTER
          "e --endpoints={this.client} move-leader $OTHER   # refused where it does not lead" },
        { "load balancers",
          "They send the apiserver beside it nothing new: it knows no other member, and what is asked there would hang "
          "until this one is back.",
          STEP_SET_ASIDE("@spares", "{this.name}") },
        { "defragmented",
          "Has the member write its database anew; it answers nobody meanwhile. Waits until it is healthy.",
          "e --endpoints={this.client} --command-timeout=10m defrag\n"
          "until e --endpoints={this.client} endpoint health; do sleep 1; done" },
        { "back", "The load balancers use the apiserver again; then comes the next one.",
          STEP_BRING_BACK("@spares", "{this.name}") },
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
        { "looked at", "Takes the locks of all nodes, and looks at the members once more.",
          STEP_LOCK("node") },
        { "whose", "Data that lies on the node has to be of this cluster.",
          "{this.root} cat /var/lib/hardway/etcd-identity\ncat secrets/identity" },
        { "check",
          "What would speak against installing the node is asked while nothing is stopped yet: the disk, packages, ports, "
          "the binaries, the ways between it and the other nodes, and what it must not have in common with one of them. The others are "
          "asked as well where they have to be told of another address.",
          "hardway check" },
        { "hand over",
          "If it leads, another member is made the leader: else the writes wait for an election.",
          STEP_HERE_ANOTHER_VOTER
          "e --endpoints={this.client} move-leader $OTHER   # refused where it does not lead" },
        { "load balancers", "They send the node's apiserver nothing new, and finish what is under way.",
          STEP_SET_ASIDE("@spares", "{this.name}") },
        { "old member stopped",
          "Stops what is left of the old member, and puts its data out of the way. One that has moved may run still where it "
          "was: there it is stopped first, for good.",
          "ssh OLD-ADDRESS sudo systemctl disable --now kube-controller-manager kube-scheduler kube-apiserver etcd"
          "   # only if it has moved\n"
          "{this.root} systemctl stop kube-apiserver.service etcd.service\n"
          "{this.root} mv -T /var/lib/etcd/member /var/lib/etcd/replaced\n"
          "{this.root} rm -f /var/lib/hardway/etcd-began" },
        { "old member out", "Takes the old member out of the list.",
          STEP_HERE_ID_OF_THIS("{others}") "e --endpoints={others} member remove $ID" },
        { "add",
          "Puts everything on the node, as install does, and adds the new member as a learner: it does not vote "
          "while it catches up.",
          "e --endpoints={others} member add {this.name} --learner --peer-urls={this.peer}" },
        { "start",
          "Starts it with the list as it is now and as a member of a cluster that exists, by a drop-in that is "
          "removed again after this first start.",
          "{this.root} cat /etc/systemd/system/etcd.service >etcd.service\n"
          "{this.root} mkdir -p " JOIN_DIRECTORY "\n"
          "{ printf '[Service]\\nExecStart=\\n'; sed -n '/^ExecStart=/,/[^\\\\]$/p' etcd.service; } "
          "| sed 's/--initial-cluster-state=[a-z]*/--initial-cluster-state=existing/; "
          "s|--initial-cluster=[^ ]*|--initial-cluster={initial-cluster}|' "
          "| {this.root} tee " JOIN_DIRECTORY "/join.conf\n"
          "{this.root} systemctl daemon-reload\n"
          "{this.root} systemctl start {this.units}\n"
          "{this.root} rm " JOIN_DIRECTORY "/join.conf\n"
          "{this.root} systemctl daemon-reload" },
        { "promote", "Makes it a voter once it has caught up; etcd refuses it before.",
          STEP_HERE_ID_OF_THIS(
                  "{others}") "until e --endpoints={others} member promote $ID; do sleep 1; done" },
        { "finish",
          "Looks whether it is healthy and votes; only then the old data goes, and the load balancers use "
          "the apiserver again.",
          "e --endpoints={this.client} endpoint health\n"
          "{this.root} rm -rf /var/lib/etcd/replaced\n" STEP_BRING_BACK("@spares", "{this.name}") },
        {},
};

const VerbStep steps_etcd_restore[] = {
        { "examine",
          "Looks at the snapshot: its own SHA-256, what etcdutl says of it, and whether it carries this cluster's "
          "mark (else: --force).",
          "FILE=snapshots/{cluster}.db   # the snapshot\n"
          "etcdutl snapshot status $FILE --write-out=table\n"
          "grep -aom1 'hardway-identity:[0-9a-f]*' $FILE\ncat secrets/identity\nsha256sum $FILE" },
        { "lock", "Takes the locks of all nodes.", STEP_LOCK("node") },
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
        { "etcd's programs", "Puts etcd's programs, user and files on hosts that have nothing.",
          "@member {root} test -x {etcdutl} || echo {name}: hardway explain {etcdutl}" },
        { "looked at", "Room is looked for on all of them: the new data lies beside the old at first.",
          "@member {root} df -Pk /var/lib/etcd /var/lib/hardway" },
        { "control plane stopped",
          "Stops the control plane on all nodes. It is disabled first: a power cut must not start it with what it "
          "finds half way.",
          "@control {root} systemctl disable --now {units}" },
        { "snapshot", "Sends the snapshot to each member, and has its digest computed there.",
          "@member {root} tee /var/lib/hardway/restore.db <$FILE >/dev/null\n"
          "@member {root} sha256sum /var/lib/hardway/restore.db" },
        { "unpacked",
          "Unpacks the snapshot on each member, beside the old data. A new token makes it a new cluster, whose "
          "members never talk to those of the old one; revisions are raised, so that no client takes old data for "
          "new.",
          "TOKEN=$(openssl rand -hex 16)\n"
          "@member {root} {etcdutl} snapshot restore /var/lib/hardway/restore.db --name={name}"
          " --data-dir=/var/lib/etcd/restored-$TOKEN --initial-cluster={initial-cluster}"
          " --initial-cluster-token=$TOKEN --initial-advertise-peer-urls={peer}"
          " --bump-revision=1000000000 --mark-compacted   # and --skip-hash-check for a database that was copied\n"
          "@member {root} chown -R etcd:etcd /var/lib/etcd/restored-$TOKEN\n"
          "@member {root} rm /var/lib/hardway/restore.db" },
        { "commit",
          "Writes the token down here, with the id that the new cluster will have, which etcd makes of it and of the "
          "members' addresses: so one that comes back with the data of before is known for what it is. Until now all is as "
          "it was; from now on it goes to its end.",
          "@member printf %s {peer}$TOKEN | sha1sum | cut -c1-16 >>ids\n"
          "ID=$(LC_ALL=C sort ids | perl -ne 'print pack \"H16\", $_' | sha1sum | cut -c1-16)\n"
          "rm ids\n"
          "(umask 077; printf '%s\\n' $TOKEN $ID >secrets/etcd-token)" },
        { "data swapped",
          "The new data takes the place of the old, which stays aside; the mark says whose it is.",
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
        { "started again",
          "If anything fails before the commit: what was unpacked goes, and what was stopped is started again, as it was.",
          "@member {root} rm -rf /var/lib/etcd/restored-$TOKEN /var/lib/hardway/restore.db\n"
          "@control {root} systemctl enable --now --no-block {units}" },
        { "clean", "Only then the old data goes.", "@member {root} rm -rf /var/lib/etcd/before-$TOKEN" },
        {},
};
