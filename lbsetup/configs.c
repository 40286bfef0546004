/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before the first write: do haproxy or keepalived work for somebody else there?
 *
 * Each has one configuration, and it is about to be replaced: what it did would be gone, until a reset puts it back.
 */

#include "common/alloc.h"
#include "common/shell.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

static void judge(const Node *node, char *const *lines, CheckList *checks) {
        _cleanup_free_ char *list = NULL;
        _cleanup_strv_ Strv theirs = NULL;
        bool certain = false;

        STRV_FOREACH(line, lines) {
                const char *unknown = startswith(*line, "? ");

                strv_add(&theirs, unknown ? unknown : *line);
                certain = certain || !unknown;
        }
        if (!theirs) {
                check_add_on(checks, CHECK_OK, CONFIGS_PREFLIGHT, node, CONFIGS_PREFLIGHT, "nobody else's");
                return;
        }
        list = strv_join(theirs, " and ");
        check_advise(
                check_add_on(
                        checks, certain ? CHECK_FAILED : CHECK_WARNING, CONFIGS_PREFLIGHT, node,
                        CONFIGS_PREFLIGHT,
                        certain ?
                                "%s: written by somebody else, and hardway's would take its place" :
                                "%s would be replaced, and whether somebody has changed it cannot be told here",
                        list),
                "What it does would end until hardway reset puts it back. If it is needed, let another machine be the load "
                "balancer. If not: move it away.");
}

/**
 * haproxy_preflight() - do haproxy or keepalived work for somebody else?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @checks:     gets a finding
 * @reterr:     why the node cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int haproxy_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        int r;

        shell_add_variable(&variables, "root", "");
        shell_add_variable(&variables, "record", "/var/lib/hardway/applied.paths");
        r = probe_exec(c, node, "do haproxy or keepalived work for somebody else?", &variables,
                       EMBED_LB_CONFIGS_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        judge(node, lines, checks);
        return 0;
}
