/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: can the apiservers read what each other has encrypted?
 *
 * Another key in the store, by hand or from another directory, would be rolled out like any change, and each secret in
 * etcd be lost with the old one. So the key that the apiserver writes with has to be among ours; those behind it, which it only
 * reads with, may go: that is how the replacement of a key ends. And the key that ours would write with has to be one that it
 * can read with, as the others do until their turn. An apiserver that does not run proves nothing: a snapshot of another cluster
 * is restored with that cluster's key.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"
#include "plan/names.h"

#define DIGITS "0123456789abcdef"

/* As the node's script makes it of a line: a key goes by its name, too, as what it has encrypted carries that. */
static void digest_of(const SecretLine *line, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_secret_ char *text = xasprintf(NAME_ENCRYPTION_KEY "%u %s", line->number, line->text);

        sha256_hex(text, strlen(text), ret);
}

static bool has_key(const Secret *ours, const char *digest) {
        for (size_t i = 0; i < ours->n_lines; i++) {
                char hex[SHA256_HEX_SIZE];

                digest_of(ours->lines + i, hex);
                if (strncmp(digest, hex, SHA256_HEX_SIZE - 1) == 0)
                        return true;
        }
        return false;
}

/* What would come of it; NULL: nothing bad. answer: "configured", and a digest a line; nothing if no apiserver runs. */
static const char* judge(const char *answer, const Secret *ours) {
        const char *theirs = startswith(answer, "configured\n");
        char first[SHA256_HEX_SIZE];

        if (!theirs)
                return NULL;
        if (strspn(theirs, DIGITS) != SHA256_HEX_SIZE - 1)
                return "no key is found in " ENCRYPTION_CONFIG
                       ", with which the apiserver encrypts secrets: "
                       "they may be unreadable with that of secrets/encryption-key";
        if (!has_key(ours, theirs))
                return "the apiserver encrypts secrets with another key than secrets/encryption-key: "
                       "none of them could be read any more";
        digest_of(ours->lines, first);
        if (!strstr(theirs, first))
                return "the first key of secrets/encryption-key is none that the apiserver can read with: what one "
                       "writes with it, the others could not read";
        return NULL;
}

static int read_ours(const ProbeContext *c, Secret *ret) {
        const Buffer *content;
        int r = probe_store_file(c, NAME_ENCRYPTION_KEY_FILE, &content, NULL);

        return r < 0 ? r : secret_parse(NAME_ENCRYPTION_KEY_FILE, content->data, content->size, ret, NULL);
}

/**
 * apiserver_preflight() - refuse another key for secrets than that of the apiserver that runs
 * @c:          the context of the probe
 * @node:       its node
 * @checks:     gets the findings
 * @reterr:     why it cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int apiserver_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_(secret_done) Secret ours = {};
        const char *problem;
        Check *check;
        int r;

        if (read_ours(c, &ours) < 0)
                return 0; /* whoever makes the plan tells of it */
        shell_add_variable(&variables, "H_CONFIG", ENCRYPTION_CONFIG);
        r = probe_exec(c, node, "with which key are secrets encrypted there?", &variables,
                       EMBED_ENCRYPTION_KEY_SH, &out, reterr);
        if (r < 0)
                return r;
        problem = judge(buffer_str(&out), &ours);
        if (!problem) {
                check_add_on(checks, CHECK_OK, ENCRYPTION_PREFLIGHT, node, ENCRYPTION_PREFLIGHT, "%s",
                             out.size > 0 ? "that of the apiserver that runs" : "no apiserver runs here");
                return 0;
        }
        check = check_add_on(checks, CHECK_FAILED, ENCRYPTION_PREFLIGHT, node, ENCRYPTION_PREFLIGHT, "%s",
                             problem);
        check_advise(
                check,
                "Put the key of before back. A backup has it: hardway restore FILE --directory DIR, then "
                "cp DIR/secrets/encryption-key secrets/. Another one comes by hardway pki rotate-key. If " ENCRYPTION_CONFIG
                " on %s was changed by hand: remove it there, then hardway install",
                node->name);
        return 0;
}
