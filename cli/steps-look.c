/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

/* What commands do that begin or only look, one step after the other, and the same by hand. */

const VerbStep steps_init[] = {
        { "refuse", "A cluster file that is there is not replaced, and pki/ of another one not taken over.",
          "ls hardway.yaml pki" },
        { "write",
          "Writes the cluster file, with a comment for each key, once it is one that would be accepted.",
          "editor hardway.yaml   # man hardway.yaml" },
        { "ignore", "Keeps keys and secrets out of git.",
          "printf '%s\\n' '/pki/**/*.key' '/pki/**/*.conf' '/pki/.*' /pki/history /secrets/ '/*.conf' /snapshots/ '/failover.*' >>.gitignore" },
        { "trust",
          "With --trust-hosts: asks the nodes for their host keys, and writes those that you confirm.",
          "@node ssh-keyscan -t ed25519 {address}\n"
          "@node {root} ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub   # on the node itself" },
        {},
};

const VerbStep steps_kubeconfig[] = {
        { "read", "Reads admin.conf of the store, which points at the VIP.", "cat admin.conf" },
        { "write",
          "With --output: writes it there, readable for you alone, where nothing is or with --force.",
          "mkdir -p -m 0700 ~/.kube\ninstall -m 0600 admin.conf ~/.kube/config\n"
          "kubectl --server {endpoint} get --raw /version" },
        { "certify",
          "With --user: makes a key instead, and has the cluster's CA certify whose it is: the user's name (CN), the "
          "groups (O), for a week unless told otherwise. Neither is kept here. Where the CA's key is kept elsewhere, "
          "only the request can be made.",
          "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out USER.key\n"
          "openssl req -new -key USER.key -subj /O=GROUP/CN=USER -out USER.csr\n"
          "printf 'keyUsage=critical,digitalSignature\\nextendedKeyUsage=clientAuth\\n' >USER.ext\n"
          "openssl x509 -req -in USER.csr -CA pki/ca.crt -CAkey pki/ca.key -days 7 -extfile USER.ext -out USER.crt\n"
          "kubectl --kubeconfig USER.conf config set-cluster {cluster} --server {endpoint} "
          "--certificate-authority pki/ca.crt --embed-certs\n"
          "kubectl --kubeconfig USER.conf config set-credentials USER --client-certificate USER.crt --client-key "
          "USER.key --embed-certs\n"
          "kubectl --kubeconfig USER.conf config set-context USER --cluster {cluster} --user USER\n"
          "kubectl --kubeconfig USER.conf config use-context USER\n"
          "rm USER.key USER.csr USER.ext" },
        { "authorize", "Is left to you: a user may do nothing until a role binding says so.",
          "kubectl --kubeconfig admin.conf create clusterrolebinding GROUP-view --clusterrole=view --group=GROUP" },
        {},
};

const VerbStep steps_status[] = {
        { "ask",
          "Asks what verify asks: the VIP, every apiserver, every member of etcd, the load balancers.",
          "curl --cacert pki/ca.crt {endpoint}/version\n"
          "@controller curl --cacert pki/ca.crt {apiserver}/readyz\n"
          "@member curl --cacert pki/etcd/ca.crt --cert pki/nodes/{name}/pki/etcd/healthcheck-client.crt"
          " --key pki/nodes/{name}/pki/etcd/healthcheck-client.key {client}/health\n"
          "@node {root} systemctl is-active {all-units}" },
        { "remember", "Adds what the last verify --failover has shown.", "cat failover.json" },
        {},
};

const VerbStep steps_check[] = {
        { "look",
          "Looks at all nodes at once, by one script: architecture, systemd, clock, memory, disks, ports, sysctls, "
          "leftovers of other installations.",
          "@node {root} uname -m\n@node {root} date +%s\n@node {root} df -Pk /var/lib /opt\n"
          "@node {root} ss --listening --tcp --udp --processes --numeric" },
        { "reach",
          "Has the nodes ask each other for the ports that will be used: refused means that the way is open, silence "
          "that something filters.",
          "@member {root} nc -vz -w 3 {this.address} 2380   # from each to each" },
        { "disks", "Measures how long a small synchronous write takes where etcd's data will be.",
          "@member {root} dd if=/dev/zero of=/var/lib/hardway-sync bs=2k count=200 oflag=dsync && {root} rm "
          "/var/lib/hardway-sync" },
        { "judge",
          "One line for each finding, and what to do; hardway explain check NAME says why it matters.",
          NULL },
        {},
};

const VerbStep steps_explain[] = {
        { "collect",
          "Collects what components, plans, the cluster file and the commands say of themselves, with the values of "
          "this cluster.",
          "hardway plan --offline --output tree" },
        { "find", "Looks for the word: as a name, then as one of the shorter words for it.",
          "grep -r -- WORD tree" },
        {},
};
