/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: can the apiserver read what it has encrypted?
 *
 * Another key in the store, by hand or from another directory, would be rolled out like any change, and each secret in
 * etcd be lost with the old one. An apiserver that does not run proves nothing: a snapshot of another cluster is restored
 * with that cluster's key.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"

static int digest_of_ours(const ProbeContext *c, char ret[static SHA256_HEX_SIZE], Error **reterr) {
        _cleanup_secret_ char *key = NULL;
        const Buffer *content;
        int r;

        r = probe_store_file(c, "secrets/encryption-key", &content, reterr);
        if (r < 0)
                return r;
        key = encryption_key(content);
        sha256_hex(key, strlen(key), ret);
        return 0;
}

static bool is_other(const char *answer, const char *ours) {
        char none[SHA256_HEX_SIZE];
        size_t n = strspn(answer, "0123456789abcdef");

        sha256_hex("", 0, none);
        return n == SHA256_HEX_SIZE - 1 && strncmp(answer, none, n) != 0 && strncmp(answer, ours, n) != 0;
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
        char ours[SHA256_HEX_SIZE];
        Check *check;
        int r;

        if (digest_of_ours(c, ours, NULL) < 0)
                return 0; /* whoever makes the plan tells of it */
        shell_add_variable(&variables, "H_CONFIG", ENCRYPTION_CONFIG);
        r = probe_exec(c, node, "with which key are secrets encrypted there?", &variables,
                       EMBED_ENCRYPTION_KEY_SH, &out, reterr);
        if (r < 0)
                return r;
        if (!is_other(buffer_str(&out), ours)) {
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
