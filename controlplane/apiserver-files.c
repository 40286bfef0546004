/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files that kube-apiserver reads, and the objects it needs in its own cluster
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "controlplane/controlplane-files.h"
#include "controlplane/internal.h"
#include "plan/names.h"

#define UNIT "kube-apiserver.service"
#define RBAC "rbac.authorization.k8s.io"

/* Anonymous requests are what haproxy's health checks and a client that has nothing but the CA make
 * (KEP-4633). */
static void add_authentication(Plan *plan) {
        _cleanup_json_ json_t *tree = json_pack(
                "{s:s,s:s,s:{s:b,s:[{s:s},{s:s},{s:s},{s:s}]}}", "apiVersion", "apiserver.config.k8s.io/v1",
                "kind", "AuthenticationConfiguration", "anonymous", "enabled", 1, "conditions", "path",
                "/livez", "path", "/readyz", "path", "/healthz", "path", "/version");
        PlanItem *item =
                plan_add_file(plan, "kube-apiserver", "authentication-config", AUTHENTICATION_CONFIG, 0644,
                              "", "Lets anonymous requests through to health and version only.");

        plan_item_explain(
                item,
                "The apiserver does not start: its flag names a file that is not there; unless you have it name "
                "another one (extra-args).",
                "Authenticating, "
                "https://kubernetes.io/docs/reference/access-authn-authz/authentication/");
        json_write_yaml(tree, "Who may ask without saying who he is, and for what.", &item->content);
        plan_item_input_of(item, UNIT);
}

int apiserver_add_files(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *item;
        int r;

        r = encryption_add(c, plan, reterr);
        if (r < 0)
                return r;
        add_authentication(plan);
        item = plan_add_file(plan, "kube-apiserver", "audit-policy", AUDIT_POLICY, 0644,
                             EMBED_AUDIT_POLICY_YAML, "Says what is written to the audit log.");
        plan_item_explain(
                item,
                "The apiserver does not start: its flag names a file that is not there; unless you have it name "
                "another one (extra-args).",
                "Auditing, https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/");
        plan_item_input_of(item, UNIT);
        return 0;
}

static void add_binding(Plan *plan, const char *noun, const char *name, const char *role,
                        const char *subject_kind, const char *subject, const char *why,
                        const char *without) {
        _cleanup_free_ char *api = xasprintf("/apis/" RBAC "/v1/clusterrolebindings/%s", name);
        json_t *body = json_pack("{s:s,s:s,s:{s:s},s:{s:s,s:s,s:s},s:[{s:s,s:s,s:s}]}", "apiVersion",
                                 RBAC "/v1", "kind", "ClusterRoleBinding", "metadata", "name", name,
                                 "roleRef", "apiGroup", RBAC, "kind", "ClusterRole", "name", role,
                                 "subjects", "apiGroup", RBAC, "kind", subject_kind, "name", subject);

        plan_item_explain(plan_add_object(plan, "kube-apiserver", noun, api, body, why), without,
                          "Using RBAC Authorization, "
                          "https://kubernetes.io/docs/reference/access-authn-authz/rbac/");
}

/* etcd/ looks for this mark in snapshots. */
static void add_mark(const PlanContext *c, Plan *plan) {
        _cleanup_free_ char *identity = NULL, *mark = NULL;
        json_t *body;

        (void) plan_identity(c->store, &identity, NULL); /* that it is missing, etcd's plan says */
        mark = xasprintf(NAME_MARK "%s", identity ? identity : "not-made-yet");
        body = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s,s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                         "metadata", "name", "hardway", "namespace", "kube-system", "data", "cluster",
                         c->cluster->name, "mark", mark);
        plan_item_explain(
                plan_add_object(
                        plan, "kube-apiserver", "mark", "/api/v1/namespaces/kube-system/configmaps/hardway",
                        body, "Says in the data itself which cluster it is of: a snapshot is known by it."),
                "hardway etcd restore takes a snapshot for that of another cluster, and wants --force.",
                "hardway: etcd/snapshot.h");
}

/**
 * apiserver_add_objects() - the objects without which the cluster's own credentials are of no use
 * @c:          the context of the plan
 * @plan:       the plan of a controller; each has them, they are applied once
 *
 * kubeadm has the first two under its own name (cmd/kubeadm/app/constants,
 * ClusterAdminsGroupAndClusterRoleBinding; k/k#138957).
 */
void apiserver_add_objects(const PlanContext *c, Plan *plan) {
        add_binding(plan, "cluster-admins", "hardway:cluster-admins", "cluster-admin", "Group",
                    "hardway:cluster-admins",
                    "Gives admin.conf its power, in a way that can be taken back by deleting this binding.",
                    "admin.conf may do next to nothing; super-admin.conf still may do everything.");
        add_binding(plan, "kubelet-client", "hardway:apiserver-kubelet-client", "system:kubelet-api-admin",
                    "User", "kube-apiserver-kubelet-client",
                    "Lets the apiservers talk to kubelets, for logs and exec: their certificate is in no "
                    "group.",
                    "kubectl logs, exec and port-forward do not work: kubelets ask, and the answer is no.");
        add_mark(c, plan);
}
