/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/init.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/parse.h"
#include "common/process.h"
#include "pki/pem.h"

/*
 * Trust on first use, once and in the open: the keys are written into the cluster file, where they hold for
 * every later run, and their fingerprints are shown in the form in which ssh and the nodes' own consoles
 * show them.
 */

#define SCAN_TIMEOUT_SEC "5"

/* Asked for in this order; the first that a node has is taken. */
static const char *const types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa" };

/* "SHA256:..." as ssh-keygen -l prints it: the digest of the decoded key, in base64 without padding. */
static char* fingerprint(const char *key) {
        _cleanup_buffer_ Buffer blob = BUFFER_NULL, text = BUFFER_NULL;
        const char *base64 = strchr(key, ' ');
        char hex[SHA256_HEX_SIZE];
        uint8_t digest[32];

        if (!base64 || base64_decode(base64 + 1, strlen(base64 + 1), &blob) < 0)
                return NULL;

        sha256_hex(blob.data, blob.size, hex);
        if (parse_hex(hex, digest, sizeof(digest)) < 0)
                return NULL;
        base64_encode(digest, sizeof(digest), &text);
        return xasprintf("SHA256:%.*s", (int) strcspn(buffer_str(&text), "="), buffer_str(&text));
}

/* The key of this type in ssh-keyscan's output, lines of "HOST TYPE BASE64"; the caller frees. */
static char* find_key(const char *output, const char *address, const char *type) {
        _cleanup_strv_ Strv lines = strv_split(output, "\n");

        STRV_FOREACH(line, lines) {
                _cleanup_strv_ Strv words = strv_split(*line, " ");

                if (strv_length(words) == 3 && streq(words[0], address) && streq(words[1], type))
                        return xasprintf("%s %s", words[1], words[2]);
        }
        return NULL;
}

static int take_key(VerbContext *v, ClusterDraftNode *node, const char *output, Error **reterr) {
        _cleanup_free_ char *key = NULL, *print = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(types) && !key; i++)
                key = find_key(output, node->address, types[i]);
        print = key ? fingerprint(key) : NULL;
        if (!print)
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH,
                                 "node %s: no ssh server told its host key on %s, port 22", node->name,
                                 node->address);

        verb_note(v, "%-16s %-16s %s", node->name, node->address, print);
        node->host_key = TAKE_PTR(key);
        return 0;
}

/**
 * init_trust_hosts() - get the host keys of nodes
 * @v:          the context
 * @nodes:      the nodes; those that are not local get their host key
 * @n_nodes:    how many
 * @reterr:     a node that did not answer
 *
 * Return: 0, or a negative errno.
 */
int init_trust_hosts(VerbContext *v, ClusterDraftNode *nodes, size_t n_nodes, Error **reterr) {
        _cleanup_strv_ Strv argv =
                strv_new("ssh-keyscan", "-T", SCAN_TIMEOUT_SEC, "-t", "ed25519,ecdsa,rsa", "--", NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        size_t n = 0;
        int r;

        for (size_t i = 0; i < n_nodes; i++)
                if (!nodes[i].local) {
                        strv_add(&argv, nodes[i].address);
                        n++;
                }
        if (n == 0)
                return 0;

        /* Its exit status says nothing: what it found is what it printed. */
        r = process_run(argv, NULL, 60 * USEC_PER_SEC, &result, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "ssh-keyscan");

        for (size_t i = 0; i < n_nodes; i++) {
                if (nodes[i].local)
                        continue;
                r = take_key(v, &nodes[i], buffer_str(&result.out), reterr);
                if (r < 0)
                        return r;
        }
        verb_note(v,
                  "These host keys are trusted from now on. To be sure, compare them with what each node's");
        verb_note(v, "own console says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
        return 0;
}
