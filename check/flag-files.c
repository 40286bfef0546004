/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Are the files there that flags of the user's name, and may the services read them?
 *
 * hardway does not bring such files to the nodes. One that is missing is found when the service ends at its start: of a
 * cluster that serves at the first node, of a new one, or of one that was replaced, with nothing else to say why.
 */

#include <stdlib.h>
#include <string.h>

#include "check/check-scripts.h"
#include "check/rules.h"
#include "common/alloc.h"
#include "common/shell.h"

#define FLAG_FILES "flag-files"

/* "kube-apiserver /etc/kubernetes/authn.yaml", a line each, or NULL: there are none. A service runs as a user of its own name. What
 * hardway brings there itself need not be there yet. The caller frees. */
static char* files_of(const CheckWorld *w, const CheckNode *n) {
        _cleanup_strv_ Strv lines = NULL;

        for (const Component *const *p = w->components; *p; p++) {
                _cleanup_strv_ Strv files = component_on_node(*p, w->cluster, n->node) ?
                                                    cluster_flag_files(w->cluster, (*p)->name) :
                                                    NULL;

                STRV_FOREACH(file, files)
                        if (!plan_find_path(n->plan, *file))
                                strv_addf(&lines, "%s %s", (*p)->name, *file);
        }
        return lines ? strv_join(lines, "\n") : NULL;
}

/* A user that is there is taken as it is: so whoever has a secret for it need not open that to all until hardway has made it. */
static void advise_to_open(Check *check, const char *service, int n, bool there) {
        if (there)
                check_advise(
                        check,
                        "It runs as the user %.*s. If nothing in it is secret: chmod 0644; else: chgrp %.*s, and "
                        "chmod 0640.",
                        n, service, n, service);
        else
                check_advise(
                        check,
                        "It will run as the user and in the group %.*s, which are not there yet. If nothing in it is "
                        "secret: chmod 0644; else make both, as hardway would: systemd-sysusers --inline "
                        "'u %.*s - - /nonexistent /usr/sbin/nologin'; then chgrp %.*s, and chmod 0640.",
                        n, service, n, service, n, service);
}

/* "missing kube-apiserver /etc/kubernetes/authn.yaml" */
static void judge_file(const Node *node, const char *line, CheckList *findings) {
        const char *missing = startswith(line, "missing "), *early = startswith(line, "early "),
                   *service = missing       ?:
                                      early ?:
                                              startswith(line, "closed ");
        const char *path = service ? strchr(service, ' ') : NULL;
        int n = path ? (int) (path - service) : 0;

        if (!path)
                return;
        path++;
        if (missing)
                check_advise(
                        check_add_on(findings, CHECK_FAILED, FLAG_FILES, node, FLAG_FILES,
                                     "%s is not there, which a flag of %.*s names (extra-args)", path, n,
                                     service),
                        "Put it on every node that has %.*s, where the user %.*s can read it: hardway does not bring "
                        "it there.",
                        n, service, n, service);
        else
                advise_to_open(check_add_on(findings, CHECK_FAILED, FLAG_FILES, node, FLAG_FILES,
                                            "%.*s could not read %s, which a flag of it names (extra-args)",
                                            n, service, path),
                               service, n, !early);
}

/**
 * check_named_files() - are files that flags of the user's name there, and may the services read them?
 * @c:          the context of the probe
 * @w:          the world
 * @n:          the node; asked only if a flag of what it carries names a file
 * @findings:   gets one for each that is missing or closed
 * @reterr:     why it could not be asked
 *
 * Return: 0 or a negative errno.
 */
int check_named_files(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, CheckList *findings,
                      Error **reterr) {
        _cleanup_free_ char *files = n->plan ? files_of(w, n) : NULL;
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        size_t before = findings->n_checks;
        int r;

        if (!files)
                return 0;
        shell_add_variable(&variables, "H_FILES", files);
        r = probe_exec(c, n->node,
                       "are the files there that extra-args name, and may the services read them?",
                       &variables, EMBED_FLAG_FILES_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines)
                judge_file(n->node, *line, findings);
        if (findings->n_checks == before)
                check_add_on(findings, CHECK_OK, FLAG_FILES, n->node, FLAG_FILES, "all are there");
        return 0;
}
