/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-controller-manager and kube-scheduler serve on loopback only (CIS Kubernetes Benchmark 1.3.7, 1.4.2),
 * so they are asked on their node. The one program there that speaks TLS for certain is our own kubectl.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"

void loopback_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        InetAddress address;

        certificate_profile_add_dns(profile, node->name);
        certificate_profile_add_dns(profile, "localhost");
        if (inet_address_parse("127.0.0.1", &address) == 0)
                certificate_profile_add_address(profile, &address);
}

static int ask(const ProbeContext *c, const Node *node, const char *kubeconfig, unsigned port, Buffer *ret,
               Error **reterr) {
        _cleanup_free_ char *kubectl = plan_binary_path(c->cluster, ORIGIN_KUBERNETES, "kubectl"),
                            *path = xasprintf("/etc/kubernetes/%s.conf", kubeconfig);
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;

        shell_add_number(&variables, "H_PORT", port);
        shell_add_variable(&variables, "H_KUBECTL", kubectl);
        shell_add_variable(&variables, "H_KUBECONFIG", path);
        return probe_exec(c, node, "is what listens on loopback healthy?", &variables, EMBED_LOOPBACK_SH,
                          ret, reterr);
}

/**
 * loopback_ready() - is what listens on a node's loopback healthy?
 * @c:          the context of the probe
 * @node:       the node
 * @kubeconfig: whose certificate to show: "scheduler"
 * @port:       its port
 * @ret:        ready if /healthz says ok, its certificate is the cluster's, and one of its kind leads
 * @reterr:     not set: a node that cannot be asked is waited for
 *
 * Return: 0.
 */
int loopback_ready(const ProbeContext *c, const Node *node, const char *kubeconfig, unsigned port,
                   ProbeResult *ret, Error **reterr) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        _cleanup_free_ char *lease = xasprintf("kube-%s", kubeconfig);
        _cleanup_error_ Error *error = NULL;
        const char *text;

        if (ask(c, node, kubeconfig, port, &out, &error) < 0) {
                probe_result_set(ret, PROBE_WAITING, "%s", error->message);
                return 0;
        }
        text = buffer_str(&out);
        if (streq(text, "ok") || streq(text, "ok\n"))
                leader_ready(c, node, lease, ret);
        else
                probe_result_set(ret, PROBE_WAITING, "%.*s", (int) strcspn(text, "\n"), text);
        return 0;
}
