/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/steps.h"
#include "cli/verb.h"

/*
 * What the commands about keys and certificates do, one step after the other, and the same by hand
 *
 * Upstream: "PKI certificates and requirements", "Manual Rotation of CA Certificates".
 */

#define DRAIN_OTHERS STEP_SET_ASIDE("@balancer", "{controller.name}")
#define BRING_BACK STEP_BRING_BACK("@balancer", "{controller.name}")
#define SAME_AS_PLANNED "hardway plan --detailed-exitcode"
#define SHOWN                                                                                             \
        "@controller openssl s_client -connect {apiserver-at} </dev/null | openssl x509 -noout -serial\n" \
        "@controller openssl x509 -in pki/nodes/{name}/pki/apiserver.crt -noout -serial"

const VerbStep steps_pki_gen[] = {
        { "examine",
          "Looks at all that is there: is it whole, does it fit the cluster file, how long does it last?",
          "for file in $(find pki -name '*.crt'); do openssl x509 -in $file -noout -subject -enddate -ext subjectAltName; "
          "done" },
        { "make",
          "Makes what is missing and issues anew what no longer fits. Authorities, the key of service accounts and secrets "
          "are never replaced, and all there before the first certificate. By hand: these, and one certificate of each "
          "controller; the others are explained by their names (hardway pki list), with their commands.",
          "mkdir -p -m 0700 pki/etcd secrets\n"
          "(cd pki && {new-ca})\n"
          "(cd pki/etcd && {new-etcd-ca})\n"
          "(cd pki && {new-front-proxy-ca})\n"
          "(cd pki && {new-sa})\n"
          "(cd secrets && {new-secrets-identity})\n"
          "(cd secrets && {new-secrets-encryption-key})\n"
          "@controller (mkdir -p pki/nodes/{name}/pki && cd pki && {new-apiserver}) && mv pki/apiserver.crt "
          "pki/apiserver.key pki/nodes/{name}/pki/" },
        { "publish",
          "All new files appear at once, keys before their certificates, readable for you alone; after Ctrl-C those that were made by then.",
          "chmod -R go= pki secrets" },
        {},
};

const VerbStep steps_pki_list[] = {
        { "read",
          "Reads every entry of the store: what it is, who signed it, how long it lasts, where it goes.",
          "find pki secrets -type f\n"
          "for file in $(find pki -name '*.crt'); do openssl x509 -in $file -noout -subject -issuer -enddate; done" },
        {},
};

const VerbStep steps_pki_check[] = {
        { "store", "Compares the store with the cluster file: names, usages, keys, issuers, dates.",
          "@controller openssl verify -CAfile pki/ca.crt pki/nodes/{name}/pki/apiserver.crt\n"
          "@controller openssl x509 -in pki/nodes/{name}/pki/apiserver.crt -noout -dates -ext "
          "subjectAltName,extendedKeyUsage" },
        { "nodes", "Compares the nodes' files with the store.",
          "@controller {root} sha256sum /etc/kubernetes/pki/apiserver.crt; sha256sum "
          "pki/nodes/{name}/pki/apiserver.crt" },
        { "served",
          "Compares what the servers show with the store: a process may not have read what lies there.",
          SHOWN
          "\n"
          "@member for port in 2379 2380; do openssl s_client -connect {address}:$port </dev/null | openssl x509 -noout -serial; done" },
        { "clocks", "Looks at the nodes' clocks, by which certificates are judged.",
          "@node {root} date +%s\ndate +%s" },
        {},
};

const VerbStep steps_pki_csr[] = {
        { "choose",
          "Looks for certificates and kubeconfigs that are missing, no longer fit or end within 30 days, and whose "
          "CA's key is not here.",
          "ls pki/*.key pki/etcd/*.key\n"
          "@controller openssl x509 -in pki/nodes/{name}/pki/apiserver.crt -noout -checkend 2592000" },
        { "ask", "Makes a new key and a request for each, in pki/requests. What is in use stays in use.",
          "mkdir -p -m 0700 pki/requests\n"
          "@controller (mkdir -p pki/requests/nodes/{name}/pki && cd pki/requests/nodes/{name}/pki && {csr-apiserver})" },
        { "copy",
          "With --output: puts copies into one directory, to be sent away. Keys are never among them.",
          "@controller cp pki/requests/nodes/{name}/pki/apiserver.csr DIR/nodes-{name}-pki-apiserver.csr" },
        {},
};

const VerbStep steps_pki_import[] = {
        { "compare", "Holds each certificate against what was asked: key, issuer, names, usages, dates.",
          "@controller openssl pkey -in pki/requests/nodes/{name}/pki/apiserver.key -pubout >asked.pub && "
          "openssl x509 -in FILE -noout -pubkey | diff - asked.pub\n"
          "openssl verify -CAfile pki/ca.crt FILE\n"
          "openssl x509 -in FILE -noout -text" },
        { "take", "Takes all or none: certificate and key leave the requests together.",
          "@controller cp FILE pki/nodes/{name}/pki/apiserver.crt; mv pki/requests/nodes/{name}/pki/apiserver.key "
          "pki/nodes/{name}/pki/" },
        {},
};

const VerbStep steps_pki_import_ca[] = {
        { "examine", "Is it a CA, does the key fit, is it valid, does the chain end in a root?",
          "openssl x509 -in CERT -noout -text   # CA:TRUE, keyCertSign\n"
          "openssl pkey -in KEY -pubout >key.pub\n"
          "openssl x509 -in CERT -noout -pubkey | diff - key.pub\n"
          "openssl verify -CAfile CHAIN CERT" },
        { "refuse", "A CA that is there already is never replaced by it.", "ls pki/ca.crt" },
        { "take", "Puts it into the store.",
          "install -m 0644 CERT pki/ca.crt\ninstall -m 0600 KEY pki/ca.key" },
        {},
};

const VerbStep steps_pki_renew[] = {
        { "unproven", "Looks for what a run has left that was stopped: it is finished along with this one.",
          "hardway pki check" },
        { "as planned",
          "The nodes concerned have to be as the cluster file says, so that what goes wrong after this can be told "
          "apart.",
          SAME_AS_PLANNED },
        { "make",
          "Issues the certificates anew, each with a new key; the old ones are kept until the new are seen in use. "
          "Here one of each node, so each of them: hardway explain etcd/server.crt",
          "@controller (cd pki && {new-apiserver}) && cp -a pki/nodes/{name} pki/old-{name} && mv pki/apiserver.crt "
          "pki/apiserver.key pki/nodes/{name}/pki/" },
        { "drained", "One node after the other: the load balancers send its apiserver nothing new.",
          DRAIN_OTHERS },
        { "put", "Puts the new ones there, keys readable for root alone, and restarts what reads them.",
          "{controller.root} install -m 0644 /dev/stdin /etc/kubernetes/pki/apiserver.crt "
          "<pki/nodes/{controller.name}/pki/apiserver.crt\n"
          "{controller.root} install -m 0600 /dev/stdin /etc/kubernetes/pki/apiserver.key "
          "<pki/nodes/{controller.name}/pki/apiserver.key\n"
          "{controller.root} systemctl restart kube-apiserver.service" },
        { "gate", "Is the cluster as well as before?", "hardway verify\n" BRING_BACK },
        { "proof", "Compares what the node's servers show now with what they were given.", SHOWN },
        { "taken back",
          "If the node is not well with them, or does not show them: it gets its old ones back, is restarted with these, and "
          "the run ends.",
          "cp pki/old-{controller.name}/pki/apiserver.* pki/nodes/{controller.name}/pki/   # only then; and again from \"put\" on" },
        { "settle", "Removes the old ones once all is proven.", "@controller rm -r pki/old-{name}" },
        {},
};

#define ROLL_OUT_CA                                                                                    \
        "@controller {root} install -m 0644 /dev/stdin /etc/kubernetes/pki/ca.crt <pki/ca.crt\n"       \
        "@balancer {root} install -m 0644 /dev/stdin /etc/haproxy/kube-ca.crt <pki/ca.crt\n"           \
        "@balancer {root} systemctl reload haproxy.service\n"                                          \
        "@controller {root} systemctl restart kube-apiserver.service kube-controller-manager.service " \
        "kube-scheduler.service && hardway verify"

const VerbStep steps_pki_rotate_ca[] = {
        { "as planned", "All nodes have to be as the cluster file says.", SAME_AS_PLANNED },
        { "begin",
          "Makes the new CA beside the old one, in pki/rotation. By hand: the cluster's; etcd's and the front proxy's "
          "go the same way.",
          "mkdir -p -m 0700 pki/rotation\n"
          "for end in crt key; do cp pki/ca.$end pki/rotation/old.$end; done\n"
          "(cd pki/rotation && {new-ca} && mv ca.crt new.crt && mv ca.key new.key)" },
        { "trust",
          "All nodes trust both, one node after the other, before anybody is shown something of the new one. "
          "Kubeconfigs get both, too.",
          "cat pki/rotation/old.crt pki/rotation/new.crt >pki/ca.crt\n" ROLL_OUT_CA },
        { "reissue",
          "All certificates and kubeconfigs are issued by the new one, and rolled out as pki renew does it. Both are "
          "trusted.",
          "for end in crt key; do cp pki/rotation/new.$end pki/ca.$end; done\n"
          "@controller (cd pki && {new-apiserver}) && mv pki/apiserver.crt pki/apiserver.key pki/nodes/{name}/pki/\n"
          "cat pki/rotation/old.crt pki/rotation/new.crt >pki/ca.crt\n"
          "hardway explain pki renew   # how they are put there" },
        { "finish", "The old one is trusted no more. What it has signed stops working.",
          "cp pki/rotation/new.crt pki/ca.crt\n" ROLL_OUT_CA },
        { "retire", "Keeps the old one: backups and snapshots may need it.",
          "mkdir -p -m 0700 pki/retired\nmv pki/rotation/old.* pki/retired/\nrm -r pki/rotation" },
        {},
};

const VerbStep steps_pki_rotate_sa[] = {
        { "as planned", "All nodes have to be as the cluster file says.", SAME_AS_PLANNED },
        { "begin", "Makes the new key pair beside the old one, in pki/rotation.",
          "mkdir -p -m 0700 pki/rotation\n"
          "for end in pub key; do cp pki/sa.$end pki/rotation/old.$end; done\n"
          "(cd pki/rotation && {new-sa} && mv sa.pub new.pub && mv sa.key new.key)" },
        { "trust",
          "Every apiserver accepts tokens of both (--service-account-key-file), one node after the other.",
          "cat pki/rotation/old.pub pki/rotation/new.pub >pki/sa.pub\n"
          "@controller {root} install -m 0644 /dev/stdin /etc/kubernetes/pki/sa.pub <pki/sa.pub && {root} systemctl "
          "restart kube-apiserver.service && hardway verify" },
        { "reissue",
          "Tokens are signed with the new one (--service-account-signing-key-file and "
          "--service-account-private-key-file).",
          "cp pki/rotation/new.key pki/sa.key\n"
          "@controller {root} install -m 0600 /dev/stdin /etc/kubernetes/pki/sa.key <pki/sa.key && {root} systemctl "
          "restart kube-apiserver.service kube-controller-manager.service && hardway verify" },
        { "finish",
          "With --until finish, once tokens of the old key have run out or were replaced: those are refused.",
          "kubectl --kubeconfig super-admin.conf get secrets --all-namespaces --field-selector "
          "type=kubernetes.io/service-account-token   # these never run out\n"
          "cp pki/rotation/new.pub pki/sa.pub\n"
          "@controller {root} install -m 0644 /dev/stdin /etc/kubernetes/pki/sa.pub <pki/sa.pub && {root} systemctl "
          "restart kube-apiserver.service && hardway verify" },
        { "retire", "Keeps the old one.",
          "mkdir -p -m 0700 pki/retired\nmv pki/rotation/old.* pki/retired/\nrm -r pki/rotation" },
        {},
};

/* From secrets/encryption-key, whose lines may have a number in front. */
#define ROLL_OUT_KEYS                                                                                                              \
        "(umask 077; { printf 'apiVersion: apiserver.config.k8s.io/v1\\nkind: EncryptionConfiguration\\n"                          \
        "resources:\\n- resources: [secrets]\\n  providers:\\n  - secretbox:\\n      keys:\\n'; awk '{ printf \""                  \
        "      - name: \\\"key%d\\\"\\n        secret: \\\"%s\\\"\\n\", (NF > 1 ? $1 : 1), $NF }' secrets/encryption-key; printf " \
        "'  - identity: {}\\n'; } >encryption-config.yaml)\n"                                                                      \
        "@controller {root} install -m 0600 /dev/stdin /etc/kubernetes/encryption-config.yaml "                                    \
        "<encryption-config.yaml && {root} systemctl restart kube-apiserver.service && hardway verify"

const VerbStep steps_pki_rotate_key[] = {
        { "as planned", "All nodes have to be as the cluster file says.", SAME_AS_PLANNED },
        { "begin",
          "Makes the new key beside the old one, in pki/rotation. It has the next number, as what it encrypts will carry it: "
          "key2 behind key1.",
          "mkdir -p -m 0700 pki/rotation\n"
          "cp -p secrets/encryption-key pki/rotation/old.key\n"
          "(umask 077; { awk '{ n = (NF > 1 ? $1 : 1); if (n > m) m = n } END { printf \"%d \", m + 1 }' "
          "secrets/encryption-key; openssl rand -base64 32; } >pki/rotation/new.key)" },
        { "trust",
          "Every apiserver can read with both, one node after the other, before any of them writes with the new one: the old "
          "one stands first.",
          "(cd pki/rotation && awk 1 old.key new.key) >secrets/encryption-key\n" ROLL_OUT_KEYS },
        { "reissue", "What is written from now on is encrypted with the new one: it stands first.",
          "(cd pki/rotation && awk 1 new.key old.key) >secrets/encryption-key\n" ROLL_OUT_KEYS },
        { "rewrite",
          "Each secret is written anew, by a change of nothing, so that none is encrypted with the old one any more. With many of "
          "them this takes some milliseconds for each.",
          "kubectl --kubeconfig super-admin.conf get secrets --all-namespaces -o json | kubectl --kubeconfig "
          "super-admin.conf replace -f -" },
        { "finish", "The old one goes from all apiservers: the new one stands there alone.",
          "cp pki/rotation/new.key secrets/encryption-key\n" ROLL_OUT_KEYS },
        { "retire", "Keeps the old one: snapshots of before need it.",
          "mkdir -p -m 0700 pki/retired\n"
          "mv pki/rotation/old.key pki/retired/encryption-key-$(date -u +%Y-%m-%dT%H.%M.%SZ).key\n"
          "rm -r pki/rotation encryption-config.yaml" },
        {},
};
