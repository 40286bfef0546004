/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

/*
 * What commands do, one step after the other, for `hardway explain install`: the order is that of the code,
 * and a step is named as the progress line names it where there is one.
 */

const VerbStep steps_install[] = {
        { "plan",
          "Makes each node's plan from the cluster file, pki/ and hardway.lock, and refuses here what "
          "cannot "
          "be right.",
          "hardway plan --offline" },
        { "facts",
          "Looks at all nodes at once, one round trip each: what it is, and what of the plan is there.",
          "ssh NODE stat, sha256sum, systemctl show" },
        { "compare", "What differs is what will be done. If nothing does, nothing is written.",
          "hardway plan" },
        { "lock",
          "Takes a lock on each node that lasts as long as this run is heard of, and looks again: on those "
          "that differ, and on all if something of a cluster that serves is to be stopped or started.",
          "flock /run/hardway/run.lock" },
        { "serving",
          "Does the cluster serve? If not, all nodes are changed at once. If so, files go everywhere, and "
          "then one node after the other is restarted, leaders last, after they handed over. Where no "
          "member answers, its node is asked, too: what serves and cannot be asked is not changed.",
          "etcdctl endpoint status --cluster" },
        { "refuse",
          "Asks what speaks against it: ports that others hold, an address that is in use, data of "
          "another cluster, a clock that is wrong. All of it is said before the first write.",
          NULL },
        { "put",
          "One stream of what differs. Files lie beside their targets until all are complete, checked and "
          "on "
          "the disk; then each is renamed over the old one.",
          "install; haproxy -c -f; mv; sync" },
        { "record", "Writes applied.json: what was put there, so that a later plan can take it away.",
          NULL },
        { "units",
          "Reloads systemd, enables units, and starts or restarts those that do not run what they should.",
          "systemctl daemon-reload; systemctl enable --now UNIT" },
        { "ready", "Waits for each component to do its work, by asking it, and says for what it waits.",
          "curl https://NODE:6443/readyz" },
        { "gate",
          "Before and after a node of a serving cluster: is every member healthy, every apiserver up, one "
          "load balancer the owner, and would etcd have a quorum without this node? If not, the run ends "
          "here.",
          "hardway verify" },
        { "objects", "Applies what the cluster's own credentials need: two role bindings.",
          "kubectl --kubeconfig super-admin.conf apply -f object.json" },
        { "endpoint", "Asks the VIP for its version: the proof that a client would see the same.",
          "curl --cacert pki/ca.crt https://VIP:6443/version" },
        {},
};

const VerbStep steps_plan[] = {
        { "plan",
          "Makes each node's plan. Without pki/ or hardway.lock it is incomplete, and says what it lacks.",
          NULL },
        { "facts", "Looks at the nodes, as hardway install does. Nothing is locked and nothing written.",
          NULL },
        { "compare", "Shows for each node what differs, and how; hardway install would mend exactly that.",
          NULL },
        {},
};

const VerbStep steps_fetch[] = {
        { "list", "What the nodes need, for the architectures they have.", NULL },
        { "checksums", "Gets the published digests, and compares them with hardway.lock.",
          "curl -LO https://dl.k8s.io/VERSION/bin/linux/ARCH/NAME.sha256" },
        { "download", "Gets each binary, and hashes it while it arrives.",
          "curl -LO https://dl.k8s.io/VERSION/bin/linux/ARCH/NAME; sha256sum -c" },
        { "pin", "Writes what is new to hardway.lock, and lets it appear in the cache.", NULL },
        {},
};

const VerbStep steps_verify[] = {
        { "ask",
          "Each component says what is to be looked at, and looks: at the VIP, at every apiserver, at every "
          "member of etcd, at the load balancers.",
          "kubectl get --raw /readyz?verbose; etcdctl endpoint health --cluster" },
        { "nodes", "Compares every node with its plan.", "hardway plan" },
        { "judge", "One line for each check, and what to do where one failed.", NULL },
        { "break",
          "With --failover, instead: looks whether all is well, breaks one thing, measures what clients notice, "
          "puts it back, waits until all is well, and goes on with the next.",
          "systemctl kill --signal=KILL UNIT, with curl in a loop" },
        {},
};

const VerbStep steps_reset[] = {
        { "lock", "Takes a lock on each of these nodes, and on all others if the cluster serves.",
          "flock /run/hardway/run.lock" },
        { "facts", "Looks at all of them at once: what is there of hardway, and of which cluster.",
          "cat /var/lib/hardway/applied.json" },
        { "refuse",
          "Of a cluster that serves, only what etcd's quorum can do without goes, and nothing of another "
          "cluster; unless with --force.",
          "hardway etcd members" },
        { "ask",
          "Says what it is about to do, and asks; then counts once more what the cluster serves with.",
          NULL },
        { "drained",
          "Where the cluster goes on without them, one node after the other: has another member lead and another "
          "load balancer hold the VIP, and the load balancers send the apiserver nothing new.",
          "etcdctl move-leader; echo 'set server apiservers/NODE state drain' | socat - /run/haproxy/admin.sock" },
        { "stop", "Stops and disables the units.", "systemctl disable --now UNIT" },
        { "remove",
          "Removes what the record says hardway has put there, packages and users that came with it, and "
          "the data.",
          "rm; apt-get purge; userdel" },
        {},
};

const VerbStep steps_pki_gen[] = {
        { "examine",
          "Looks at all that is there: is it whole, does it fit the cluster file, how long does it last?",
          "openssl x509 -in FILE -text" },
        { "make",
          "Makes what is missing and issues anew what no longer fits. Authorities are never replaced.",
          "openssl req -x509 -CA ... (see each certificate by its name)" },
        { "publish", "All new files appear at once, keys before their certificates.", NULL },
        {},
};

const VerbStep steps_backup[] = {
        { "collect", "All that only this directory has: authorities, keys, secrets, cluster file, lock.",
          NULL },
        { "seal", "Encrypts it under a key made of the passphrase.", "tar -c ... | openssl enc (or age)" },
        { "remember", "Notes what is in it, so that install can tell when it is out of date.", NULL },
        {},
};

const VerbStep steps_restore[] = {
        { "open", "Decrypts it and checks that it is whole.", NULL },
        { "compare", "What is there already has to be the same, else nothing is written.", NULL },
        { "write", "Writes what is missing.", NULL },
        {},
};
