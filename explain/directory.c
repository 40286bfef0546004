/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What lies beside the cluster file, and belongs to nobody's declarations
 */

#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"

static const struct {
        const char *name, *why, *without, *manual, *by_hand;
} rows[] = {
        { "hardway.yaml",
          "The cluster file: which machines there are, what each is for, and what they are to be like. "
          "All that hardway does follows from it. Each of its keys is explained, too (hardway explain "
          "endpoint). Commit it.",
          "hardway would not know what the cluster should be. What the nodes have cannot say what was meant.",
          "hardway.yaml(5)", "hardway init --help" },
        { "hardway.lock",
          "URL, size and digests of every binary that was fetched, and what vouched for them. What is "
          "fetched later, or elsewhere, has to be the same. Commit it.",
          "The next fetch would believe what it is given, and two machines might install different bytes "
          "under one version.",
          "hardway(1)", "sha256sum kube-apiserver kube-controller-manager kube-scheduler kubectl etcd" },
        { "pki/",
          "The authorities, and keys and certificates of all nodes: for each in pki/nodes/NAME, as they "
          "will lie there. It is the only copy of the authorities.",
          "Nothing could be certified any more: no node added, no certificate renewed. The cluster goes on "
          "until the first of them ends.",
          MANUAL_PKI, "install -d -m 0700 pki" },
        { "secrets/",
          "What is random and no key of a certificate: what encrypts secrets in etcd, and who we are.",
          "Secrets in etcd, and in its snapshots, could not be read any more.", "hardway(1)",
          "install -d -m 0700 secrets" },
        { "pki/.cluster-file", "The name of the cluster file that the keys belong to.",
          "Another cluster file in this directory would share CAs, keys and identity with this one, and each "
          "would take the other's nodes for its own.",
          "hardway(1)", "echo hardway.yaml >pki/.cluster-file" },
        { "pki/history",
          "A line for each edition of the keys and certificates: its number, and a random word, as two copies of the directory may "
          "both go on from the same one. A node's applied.json has the edition that it was given.",
          "An older copy of the directory could take back what was renewed or rotated since, without a word.",
          "hardway(1)",
          "echo \"$(($(tail -n 1 pki/history | cut -d' ' -f1) + 1)) $(openssl rand -hex 8)\" >>pki/history" },
        { "pki/requests/", "What pki csr asks an authority elsewhere for, and the keys of it.",
          "Certificates that come back would have no key.", "hardway(1)",
          "openssl req -new -key NAME.key -out NAME.csr" },
        { "pki/rotation/",
          "Old and new of an authority, of sa.key, or of the key for secrets, while it is being replaced.",
          "A rotation that was interrupted could not be gone on with.", "hardway(1)",
          "mv ca.crt ca.key rotation/" },
        { "pki/retired/", "Authorities, keys of tokens, and keys for secrets, that were replaced.",
          "What they have signed, and what was saved under them, could not be checked any more, and secrets in snapshots of "
          "before not be read: etcd restore takes such a key from here.",
          "hardway(1)", "mv ca.crt ca.key retired/" },
        { "pki/former/", "Certificates that were replaced since their node got another address.",
          "A cluster that still lives where it was would not be found: an empty one could begin beside it.",
          "hardway(1)", "cp -p nodes/NAME/pki/etcd/server.crt former/NAME.crt" },
        { "snapshots/",
          "etcd's data, as etcd snapshot saved it, and install before it put another version on the "
          "nodes. They hold all that the cluster knows, secrets too.",
          "If etcd's data were lost on most nodes, all of it would be lost.", "hardway(1)",
          "etcdctl snapshot save snapshots/NAME.db" },
        { ".gitignore",
          "Keeps keys and other secrets out of git, and what has to go with them; init writes it.",
          "A git add of the directory would publish the cluster's keys.", "gitignore(5)",
          "printf '/pki/**/*.key\\n/pki/**/*.conf\\n/pki/.*\\n/pki/history\\n/secrets/\\n/*.conf\\n/snapshots/\\n/failover.*\\n' >>.gitignore" },
        { "secrets/served",
          "It says that a run has seen the cluster serve, and has the cluster's identity in it. From then on a member without "
          "data is one that has lost it, and no new one.",
          "While the others are off, one with an empty disk could be a quorum with one that lacks what was written last: "
          "that would be lost without a word.",
          "hardway(1)", "cp secrets/identity secrets/served" },
        { "secrets/failover.pending",
          "What a drill of verify --failover has broken and not put back yet. It is there while one is under way, and "
          "after one that was killed; the next verify or install puts it back then. A command of --power that stands in it is not run "
          "unasked.",
          "A unit that a killed drill has stopped, or a host that it has cut off, would stay so.",
          "hardway(1)", "hardway verify" },
        { "failover.json", "What verify --failover has measured: of each drill the last result.",
          "The drills would have to be done again to know how long failures last.", "hardway(1)",
          "hardway verify --failover" },
        { ".hardway-busy",
          "The lock that keeps two runs apart; who has it stands in it. It stays when the run has ended, and "
          "locks nothing then.",
          "Two runs could change the same nodes, each going by what the other is about to replace.",
          "flock(1)", "flock .hardway-busy COMMAND" },
        { "pki/.lock", "The lock that keeps two runs apart which write keys and certificates.",
          "A key of the one and a certificate of the other could end up beside each other.", "flock(1)",
          "flock pki/.lock COMMAND" },
};

void explain_directory(Catalogue *c) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Explanation *e = catalogue_enter(c, rows[i].name, "beside the cluster file", rows[i].why);

                explanation_set(&e->without, rows[i].without);
                explanation_set(&e->manual, rows[i].manual);
                explanation_set(&e->by_hand, rows[i].by_hand);
                e->absent = false;
                if (endswith(e->name, "/"))
                        explanation_alias(e, "%.*s", (int) strlen(e->name) - 1, e->name);
                else if (strchr(e->name, '/'))
                        explanation_alias(e, "%s", strrchr(e->name, '/') + 1);
        }
}
