/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: can the apiserver read what it has encrypted?
 *
 * Another key in the store, by hand or from another directory, would be rolled out like any change, and each secret in
 * etcd be lost with the old one. So the key that the apiserver writes with has to be among ours; those behind it, which it only
 * reads with, may go: that is how the replacement of a key ends. An apiserver that does not run proves nothing: a snapshot of
 * another cluster is restored with that cluster's key.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"

#define FILE_PATH "secrets/encryption-key"

/* Is the key with that digest one of those? */
static bool has_key(const Secret *ours, const char *digest) {
        for (size_t i = 0; i < ours->n_lines; i++) {
                char hex[SHA256_HEX_SIZE];

                sha256_hex(ours->lines[i].text, strlen(ours->lines[i].text), hex);
                if (strncmp(digest, hex, SHA256_HEX_SIZE - 1) == 0)
                        return true;
        }
        return false;
}

/* answer: a digest a line, the first is that of the key which writes. None: no apiserver runs. */
static bool is_other(const char *answer, const Secret *ours) {
        return strspn(answer, "0123456789abcdef") == SHA256_HEX_SIZE - 1 && !has_key(ours, answer);
}

static int read_ours(const ProbeContext *c, Secret *ret) {
        const Buffer *content;
        int r = probe_store_file(c, FILE_PATH, &content, NULL);

        return r < 0 ? r : secret_parse(FILE_PATH, content->data, content->size, ret, NULL);
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
        Check *check;
        int r;

        if (read_ours(c, &ours) < 0)
                return 0; /* whoever makes the plan tells of it */
        shell_add_variable(&variables, "H_CONFIG", ENCRYPTION_CONFIG);
        r = probe_exec(c, node, "with which key are secrets encrypted there?", &variables,
                       EMBED_ENCRYPTION_KEY_SH, &out, reterr);
        if (r < 0)
                return r;
        if (!is_other(buffer_str(&out), &ours)) {
                check_add_on(checks, CHECK_OK, ENCRYPTION_PREFLIGHT, node, ENCRYPTION_PREFLIGHT, "%s",
                             out.size > 0 ? "that of the apiserver that runs" : "no apiserver runs here");
                return 0;
        }
        check = check_add_on(checks, CHECK_FAILED, ENCRYPTION_PREFLIGHT, node, ENCRYPTION_PREFLIGHT,
                             "the apiserver encrypts secrets with another key than secrets/encryption-key: "
                             "none of them could be read any more");
        check_advise(
                check,
                "Put the key of before back. A backup has it: hardway restore FILE --directory DIR, then "
                "cp DIR/secrets/encryption-key secrets/. If " ENCRYPTION_CONFIG
                " on %s was changed by hand: remove it there, then hardway install",
                node->name);
        return 0;
}
