/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: are the files there that flags of the user's name, and may the services read them?
 *
 * hardway does not bring such files to the nodes. One that is missing is found when the service ends at its start: of a
 * cluster that serves at the first controller, of a new one, or of one that was replaced, with nothing else to say why.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"

/* Each runs as a user of its own name. */
static const char *const services[] = { "kube-apiserver", "kube-controller-manager", "kube-scheduler" };

/* What hardway brings there itself need not be there yet. */
static bool is_ours(const char *path) {
        static const char *const ours[] = { AUDIT_POLICY, AUTHENTICATION_CONFIG, ENCRYPTION_CONFIG,
                                            "/etc/kubernetes/controller-manager.conf",
                                            "/etc/kubernetes/scheduler.conf" };

        for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
                if (streq(path, ours[i]))
                        return true;
        return startswith(path, "/etc/kubernetes/pki/");
}

/* "kube-apiserver /etc/kubernetes/authn.yaml", a line each, or NULL: there are none. The caller frees. */
static char* files_of(const Cluster *c) {
        _cleanup_strv_ Strv lines = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
                _cleanup_strv_ Strv files = cluster_flag_files(c, services[i]);

                STRV_FOREACH(file, files)
                        if (!is_ours(*file))
                                strv_addf(&lines, "%s %s", services[i], *file);
        }
        return lines ? strv_join(lines, "\n") : NULL;
}

/* "missing kube-apiserver /etc/kubernetes/authn.yaml" */
static void judge_file(const Node *node, const char *line, CheckList *checks) {
        const char *missing = startswith(line, "missing "),
                   *service = missing ?: startswith(line, "closed ");
        const char *path = service ? strchr(service, ' ') : NULL;
        int n = path ? (int) (path - service) : 0;

        if (!path)
                return;
        path++;
        if (missing)
                check_advise(
                        check_add_on(checks, CHECK_FAILED, FLAG_FILES_PREFLIGHT, node, FLAG_FILES_PREFLIGHT,
                                     "%s is not there, which a flag of %.*s names (extra-args)", path, n,
                                     service),
                        "Put it on every controller, where the user %.*s can read it: hardway does not bring it there.",
                        n, service);
        else
                check_advise(
                        check_add_on(checks, CHECK_FAILED, FLAG_FILES_PREFLIGHT, node, FLAG_FILES_PREFLIGHT,
                                     "%.*s could not read %s, which a flag of it names (extra-args)", n,
                                     service, path),
                        "It runs as the user %.*s. If nothing in it is secret: chmod 0644; else: chgrp %.*s, once hardway "
                        "has made the user, and chmod 0640.",
                        n, service, n, service);
}

/**
 * flag_files_preflight() - refuse flags of the user's that name files which the services would not find
 * @c:          the context of the probe
 * @node:       its node, a controller
 * @checks:     gets the findings
 * @reterr:     why it cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int flag_files_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_free_ char *files = files_of(c->cluster);
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        size_t before = checks->n_checks;
        int r;

        if (!files)
                return 0;
        shell_add_variable(&variables, "H_FILES", files);
        r = probe_exec(c, node, "are the files there that extra-args name, and may the services read them?",
                       &variables, EMBED_FLAG_FILES_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines)
                judge_file(node, *line, checks);
        if (checks->n_checks == before)
                check_add_on(checks, CHECK_OK, FLAG_FILES_PREFLIGHT, node, FLAG_FILES_PREFLIGHT,
                             "all are there");
        return 0;
}
