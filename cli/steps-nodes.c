/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/steps.h"
#include "cli/verb.h"

/*
 * What commands do that change nodes or the cluster directory, one step after the other, for `hardway explain install`:
 * the order is that of the code, and a step is named as the progress line names it where there is one (install/stage.h). By
 * hand: see explain_fill().
 */

#define LOCK_ALL STEP_LOCK("node")

const VerbStep steps_install[] = {
        { "plan",
          "Makes each node's plan from the cluster file, pki/ and hardway.lock, and refuses here what cannot be "
          "right.",
          "hardway plan --offline\n@node hardway plan --script --node {name}" },
        { "facts",
          "Looks at all nodes at once, one round trip each: what it is, and what of the plan is there.",
          "@node {root} cat /etc/os-release /var/lib/hardway/applied.json\n"
          "@node {root} systemctl show {all-units} --property=Id,ActiveState,UnitFileState,MainPID" },
        { "compare", "What differs is what will be done. If nothing does, nothing is written.",
          "@node {root} find /etc/hardway /etc/kubernetes /opt/hardway -type f -exec sha256sum '{}' +" },
        { "leavers",
          "Is a member of etcd healthy that is not in the cluster file? The file may be an old copy: without --yes it "
          "ends here.",
          STEP_ETCDCTL " member list --write-out=table" },
        { "serving",
          "Does the cluster serve? If not, all nodes are changed at once. If so, binaries go everywhere, and "
          "then one node after the other is changed. Where no member answers, its node is asked, too: what serves and "
          "cannot be asked is not changed.",
          "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
          " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/health" },
        { "lock",
          "Takes a lock on each node that lasts as long as this run is heard of, and looks again: on those "
          "that differ, and on all if something of a cluster that serves is to be stopped or started.",
          LOCK_ALL },
        { "questions",
          "Asks what speaks against it: ports that others hold, an address that is in use, data of "
          "another cluster, a clock that is wrong. All of it is said before the first write.",
          "@node {root} ss --listening --tcp --processes --numeric\n"
          "@member {root} cat /var/lib/hardway/etcd-identity\ncat secrets/identity\n@node {root} date +%s" },
        { "snapshot",
          "Of a cluster that serves, before binaries of another version: a snapshot of etcd into snapshots/, as a newer "
          "etcd may change its data in a way that the older one cannot read.",
          "hardway explain etcd snapshot   # its steps" },
        { "waits for its turn",
          "Of a cluster that serves: who does not work comes first; load balancers before the controllers if one joins that "
          "they have to know, else after them; etcd's own hosts before controllers; who leads, or holds the VIP, last of "
          "its kind. Binaries, which nothing uses before a unit names them, are put on all nodes ahead.",
          "@controller kubectl --kubeconfig admin.conf --server {apiserver} get --raw /readyz\n" STEP_ETCDCTL
          " endpoint status --cluster --write-out=table   # who leads" },
        { "gate",
          "Before and after a node of a serving cluster: is every member healthy, every apiserver up, one "
          "load balancer the owner, and would etcd have a quorum without this node? If not, the run ends "
          "here.",
          "hardway verify" },
        { "put",
          "One stream of what differs (\"3 binaries, 12 files\"). Files lie beside their targets until all are complete, "
          "checked and on the disk; then each is renamed over the old one. What is replaced and is not hardway's is kept "
          "before, with what its units did (/var/lib/hardway/before), and comes back by a reset; the script does that, too.",
          "hardway plan --output tree --secrets   # all files, keys among them\n"
          "@node hardway plan --script --node {name} >tree/{name}.sh   # what is done with them there: to be read\n"
          "@node tar -c -C tree {name} {name}.sh | {root} tar -x -C /root\n"
          "@node {root} sh /root/{name}.sh --secrets /root/{name}\n"
          "@node {root} rm -r /root/{name} /root/{name}.sh\n"
          "rm -r tree\n"
          "@balancer {root} haproxy -c -f /etc/haproxy/haproxy.cfg" },
        { "record",
          "Writes applied.json: what was put there, so that a later plan can take it away. Where this plan has taken "
          "something away, what was there before hardway came is put back.",
          "@node {root} cat /var/lib/hardway/applied.json" },
        { "leadership handed over",
          "Before something that works is restarted: if its member leads, another voter becomes etcd's leader, as else the "
          "writes wait for an election; and if it holds the VIP, another load balancer takes it.",
          STEP_HAND_OVER "\n" STEP_VIP_LEAVES },
        { "set aside",
          "The load balancers send its apiserver nothing new, and what is under way ends by itself. Afterwards, once it is "
          "ready, they use it again. What a run has set aside that was killed is brought back by the next one.",
          STEP_SET_ASIDE("@balancer", "{controller.name}") "\n" STEP_BRING_BACK(
                  "@balancer", "{controller.name}") "   # after its restart" },
        { "join",
          "A member that is new in a cluster that serves is added as a learner, which does not vote, and started with the "
          "list as it is now; it becomes a voter once it has caught up.",
          "hardway explain etcd replace   # the same from its step \"add\" on" },
        { "units",
          "Reloads systemd, enables units, and starts or restarts those that do not run what they should.",
          "@node {root} systemctl daemon-reload\n@node {root} systemctl enable --now {all-units}" },
        { "ready",
          "Waits for each component to do its work, by asking it, and says for what it waits: the line has the "
          "component's name.",
          "@controller curl --cacert pki/ca.crt {apiserver}/readyz\n"
          "@member {root} etcdctl --endpoints={client} --cacert=/etc/kubernetes/pki/etcd/ca.crt"
          " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
          " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key endpoint health" },
        { "objects",
          "Applies what the plans have of the cluster's own objects: role bindings for administrators and for the apiservers "
          "on their way to kubelets, and the mark in etcd's data that says which cluster it is of.",
          "hardway explain hardway:cluster-admins   # with the whole object; the others:\n"
          "hardway explain hardway:apiserver-kubelet-client\n"
          "kubectl --kubeconfig admin.conf --namespace kube-system get configmap hardway --output yaml" },
        { "members out",
          "Takes members of etcd out of its list that are not in the cluster file: lost ones before anything that works is "
          "stopped, and at the end; one that works with --yes only.",
          STEP_ETCDCTL
          " member list --write-out=table   # the ID of who is not in hardway.yaml\n" STEP_ETCDCTL
          " member remove ID" },
        { "endpoint", "Asks the VIP for its version: the proof that a client would see the same.",
          "curl --cacert pki/ca.crt {endpoint}/version" },
        {},
};

const VerbStep steps_plan[] = {
        { "plan",
          "Makes each node's plan. Without pki/ or hardway.lock it is incomplete, and says what it lacks.",
          "hardway plan --offline --output tree" },
        { "facts", "Looks at the nodes, as hardway install does. Nothing is locked and nothing written.",
          "@node {root} cat /var/lib/hardway/applied.json\n"
          "@node {root} systemctl show {all-units} --property=Id,ActiveState,UnitFileState,MainPID" },
        { "compare",
          "Shows for each node what differs, and how, but no secrets, and no line of files that are not "
          "hardway's, which may hold some; hardway install would mend exactly that.",
          "@node {root} cat /etc/systemd/system/UNIT | diff - tree/{name}/etc/systemd/system/UNIT" },
        { "serving",
          "If anything differs: does the cluster serve elsewhere than the cluster file says, or where it "
          "cannot be asked, or not take the versions of the cluster file? Then hardway install would refuse to begin, and this is said.",
          "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
          " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/health" },
        {},
};

const VerbStep steps_fetch[] = {
        { "list", "What the nodes need, for the architectures they have.", "@node echo {arch}" },
        { "checksums", "Gets the published digests, and compares them with hardway.lock.",
          "@controller curl -LO https://dl.k8s.io/{kubernetes}/bin/linux/{arch}/kube-apiserver.sha256   # and the others\n"
          "curl -LO https://github.com/etcd-io/etcd/releases/download/{etcd}/SHA256SUMS" },
        { "download", "Gets each binary, and hashes it while it arrives.",
          "@controller curl -LO https://dl.k8s.io/{kubernetes}/bin/linux/{arch}/kube-apiserver\n"
          "@member curl -LO https://github.com/etcd-io/etcd/releases/download/{etcd}/etcd-{etcd}-linux-{arch}.tar.gz\n"
          "echo \"$(cat kube-apiserver.sha256)  kube-apiserver\" | sha256sum --check\n"
          "sha256sum --check --ignore-missing SHA256SUMS" },
        { "signature",
          "Looks whether Kubernetes' release was signed by who releases it; etcd's is not signed.",
          "@controller curl -LO https://dl.k8s.io/{kubernetes}/bin/linux/{arch}/kube-apiserver.sig\n"
          "@controller curl -LO https://dl.k8s.io/{kubernetes}/bin/linux/{arch}/kube-apiserver.cert\n"
          "cosign verify-blob kube-apiserver --signature kube-apiserver.sig --certificate kube-apiserver.cert"
          " --certificate-identity krel-staging@k8s-releng-prod.iam.gserviceaccount.com"
          " --certificate-oidc-issuer https://accounts.google.com" },
        { "pin", "Writes what is new to hardway.lock, and lets it appear in the cache.",
          "sha256sum kube-apiserver etcd-{etcd}-linux-*.tar.gz" },
        {},
};

const VerbStep steps_verify[] = {
        { "ask",
          "Each component says what is to be looked at, and looks: at the VIP, at every apiserver, at every "
          "member of etcd, at the load balancers.",
          "kubectl --kubeconfig admin.conf get --raw '/readyz?verbose'\n"
          "@controller curl --cacert pki/ca.crt {apiserver}/readyz?verbose\n"
          "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
          " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/health\n"
          "@balancer echo 'show stat' | {root} socat - /run/haproxy/admin.sock" },
        { "nodes", "Compares every node with its plan.", "hardway plan" },
        { "judge", "One line for each check, and what to do where one failed.", NULL },
        { "is the cluster healthy?",
          "With --failover, instead, behind the locks of all nodes: nothing is broken on purpose where something is broken. "
          "What an interrupted run has left broken is put back first.",
          "hardway verify" },
        { "waiting for the command of --power of an interrupted drill",
          "Where one is still at work to put a host back: it would undo what is done next.",
          "cat secrets/failover.pending   # what is broken now, if anything" },
        { "waiting until all is well",
          "Two clients ask through the endpoint from here on: for the version, and to change a ConfigMap of ours. Each drill "
          "begins when both have had all their answers for two seconds.",
          "while :; do curl --silent --fail --output /dev/null --cacert pki/ca.crt --max-time 1 {endpoint}/version || date; "
          "sleep 0.05; done &\n"
          "READS=$!\n"
          "kubectl --kubeconfig admin.conf create configmap drill\n"
          "while :; do kubectl --kubeconfig admin.conf --request-timeout 1s patch configmap drill --type merge --patch "
          "\"{\\\"data\\\":{\\\"turn\\\":\\\"$(date +%N)\\\"}}\" >/dev/null || date; sleep 0.1; done &\n"
          "WRITES=$!" },
        { "drill",
          "One after the other, as far as this cluster can do without what is broken: the line says what it is, and where. "
          "Each is explained by its name: hardway explain drill haproxy-hung.",
          "hardway explain drills   # all of them, each with what is done by hand" },
        { "broken, watching what clients notice",
          "From the moment it breaks until both clients are well again and somebody else leads: the longest gap between two "
          "answers, how many requests failed, and until when. Put back it is in any case, by the node itself or by a "
          "process of its own if this one dies.",
          "hardway explain drills" },
        { "put back, waiting until all is healthy",
          "The next one begins when the cluster is as it was; what was seen is kept in failover.json.",
          "until hardway verify; do sleep 1; done\n"
          "kill $READS $WRITES\n"
          "kubectl --kubeconfig admin.conf delete configmap drill" },
        {},
};

const VerbStep steps_reset[] = {
        { "lock", "Takes a lock on each of these nodes, and on all others if the cluster serves.",
          LOCK_ALL },
        { "facts", "Looks at all of them at once: what is there of hardway, and of which cluster.",
          "@node {root} cat /var/lib/hardway/applied.json" },
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
          STEP_HAND_OVER "\n" STEP_VIP_LEAVES "\n" STEP_SET_ASIDE("@spares", "{this.name}") },
        { "removal",
          "Stops and disables the units; removes what the record says hardway has put there, packages and users that came "
          "with it, directories that it made with the data in them, and out of others what is its services'; puts back what "
          "lay there before, and enables and starts the units that were enabled and "
          "ran.",
          "@node {root} systemctl disable --now {all-units}\n"
          "@node {root} cat /var/lib/hardway/applied.paths | sed s,^,/, | {root} xargs rm -f\n"
          "@balancer {root} cat /var/lib/hardway/packages   # those that came with hardway; of them:\n"
          "@balancer {root} apt-get purge haproxy keepalived\n"
          "@node {root} grep kept /var/lib/hardway/taken   # these: cp --archive /var/lib/hardway/before/PATH /PATH\n"
          "@control for d in {directories}; do {root} grep -q \"[[:space:]]$d[[:space:]].*nothing$\" /var/lib/hardway/directories && {root} rm -rf $d; done\n"
          "@control for user in {users}; do {root} grep -q -x $user /var/lib/hardway/users && {root} userdel $user; done\n"
          "@node {root} systemctl daemon-reload\n"
          "@node {root} grep active /var/lib/hardway/taken   # PATH WAS UNIT STATE ACTIVE: enable, start UNIT as it says\n"
          "@node {root} rm -rf /var/lib/hardway /opt/hardway" },
        {},
};

const VerbStep steps_backup[] = {
        { "collect", "All that only this directory has: authorities, keys, secrets, cluster file, lock.",
          "ls -R hardway.yaml hardway.lock pki secrets" },
        { "seal", "Encrypts it (AES-256-GCM) under a key that scrypt makes of the passphrase.",
          "tar -c hardway.yaml hardway.lock pki secrets | gpg --symmetric --output {cluster}.tar.gpg" },
        { "remember", "Notes what is in it, so that install can tell when it is out of date.",
          "find pki secrets -type f -exec sha256sum '{}' + >contents.of-the-backup" },
        {},
};

const VerbStep steps_restore[] = {
        { "open", "Decrypts it and checks that it is whole.",
          "gpg --decrypt {cluster}.tar.gpg >{cluster}.tar" },
        { "compare", "What is there already has to be the same, else nothing is written.",
          "tar --compare -f {cluster}.tar" },
        { "write", "Writes what is missing.", "tar -x --skip-old-files -f {cluster}.tar" },
        {},
};
