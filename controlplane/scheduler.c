/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-scheduler as a component (kubernetes cmd/kube-scheduler/app/options)
 *
 * Flags alone, no configuration file: with --config the leader election's flags would be ignored, and
 * nothing else of the file is needed.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "plan/ports.h"
#include "plan/service.h"

#define PKI "/etc/kubernetes/pki/"

static const Flag flags[] = {
        { "bind-address", "127.0.0.1", .why = "Health and metrics are for this node's own eyes.",
          .without = "All addresses of the node, the default: health and metrics would be a port more that "
                     "the network can reach." },
        { "kubeconfig", "%d/kubeconfig",
          .why = "Who it is, and where the API is: at this node's own apiserver, so that it does not depend "
                 "on the endpoint, and is never newer than the apiserver it talks to.",
          .without = "Without a cluster to talk to it ends at once." },
        { "authentication-kubeconfig", "%d/kubeconfig",
          .why = "With it, it asks the apiserver who somebody is that asks for its metrics.",
          .without = "It would know nobody who asks for metrics, and refuse." },
        { "authorization-kubeconfig", "%d/kubeconfig", .why = "And whether he may.",
          .without = "It would not know who may read metrics, and refuse." },
        { "tls-cert-file", "%d/scheduler.crt",
          .why = "What it shows to whoever asks for its health; without it, it would make a certificate "
                 "that nobody can check.",
          .without =
                  "It would make a certificate at each start that no CA vouches for; checks of its health "
                  "could not know whom they ask." },
        { "tls-private-key-file", "%d/scheduler.key", .why = "The key of that certificate.",
          .without = "It does not start: a certificate is of no use without its key." },
        { "tls-min-version", "VersionTLS12", .why = "Says what is the default, so that it can be seen.",
          .without = "Nothing: it is the default." },
        { "client-ca-file", "%d/ca.crt",
          .why = "Who shows a certificate of this CA is the user that its subject names.",
          .without = "Who shows a certificate would be a stranger to it, and could read no metrics." },
        { "requestheader-client-ca-file", "%d/front-proxy-ca.crt",
          .why = "Headers that name a user are believed from holders of a certificate of this CA alone.",
          .without = "It would look this up in the cluster; said here, it does not depend on that." },
        { "leader-elect", "true", .why = "One of them works, the others wait to take over.",
          .without =
                  "Nothing: it is the default. With false all of them would place the same pods, and only "
                  "the first would succeed." },
        { "leader-elect-lease-duration", .function = lease_duration,
          .why = "How long others wait for a leader that is silent. From the profile: on an SD card a write "
                 "may take seconds, and a leader that could not renew in time ends itself.",
          .without =
                  "15 s, the default: on slow disks a leader would lose its office while it still works." },
        { "leader-elect-renew-deadline", .function = lease_renew,
          .why = "How long the leader tries to renew until it gives up.",
          .without =
                  "10 s, the default; it has to be less than the lease and more than the tries between." },
        { "leader-elect-retry-period", .function = lease_retry, .why = "How often each tries.",
          .without = "2 s, the default: each try is a write to etcd, which slow disks feel." },
        { "profiling", "false",
          .why = "No profiles over the network; they slow it down and tell of its memory.",
          .without = "Whoever may read /debug/pprof could see into the process, and slow it down." },
};

static const Artifact artifacts[] = { { "kube-scheduler", ORIGIN_KUBERNETES } };

static const Credential credentials[] = {
        { .type = STORE_KUBECONFIG,
          .scope = PER_NODE,
          .name = "scheduler",
          .issuer = "ca",
          .common_name = "system:kube-scheduler",
          .usage = USAGE_CLIENT,
          .why = "Who kube-scheduler is to the apiserver; a role binding that every cluster has gives it "
                 "its rights.",
          .without = "It has no cluster to work for, and ends at once." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "scheduler",
          .issuer = "ca",
          .common_name = "kube-scheduler",
          .usage = USAGE_SERVER,
          .names = loopback_names,
          .why = "What kube-scheduler shows to whoever asks for its health and metrics.",
          .without = "It would make one at each start that nobody can check." },
};

static const ServedCertificate served[] = {
        { "scheduler", PORT_SCHEDULER, .copy = "scheduler.crt" },
};

#define SHOWN "What it shows to whoever asks for its health and metrics."

static const ServiceCredential handed_over[] = {
        { "kubeconfig", "/etc/kubernetes/scheduler.conf", .node = true,
          .why = "Who it is to the apiserver." },
        { "scheduler.crt", PKI "scheduler.crt", .node = true, .why = SHOWN },
        { "scheduler.key", PKI "scheduler.key", .node = true, .why = SHOWN },
        { "front-proxy-ca.crt", PKI "front-proxy-ca.crt",
          .why = "Certifies who may name users in headers." },
        { "ca.crt", PKI "ca.crt", .why = "The cluster's CA." },
};

static const UnitSetting settings[] = {
        ELECTED_SETTINGS,
};

static const Service service = {
        .component = &component_kube_scheduler,
        .documentation = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
        .why = "Runs this node's scheduler.",
};

static int scheduler_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = service_add(c, plan, &service, &unit, reterr);
        if (r < 0)
                return r;
        plan_unit_listens(unit, PORT_SCHEDULER);
        return 0;
}

static int scheduler_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        return loopback_ready(c, node, "scheduler", PORT_SCHEDULER, ret, reterr);
}

static int scheduler_verify(const ProbeContext *c, CheckList *checks) {
        check_leader(c, "kube-scheduler", "scheduler.leader", checks);
        return 0;
}

const Component component_kube_scheduler = {
        .name = "kube-scheduler",
        .summary = "Finds a node for each pod",
        .without = "New pods stay Pending. Those that run are not touched.",
        .manual = "kube-scheduler, "
                  "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/",
        .unit = "kube-scheduler.service",
        .roles = ROLE_CONTROLLER,
        .rank = 40,
        .artifacts = artifacts,
        .n_artifacts = ARRAY_SIZE(artifacts),
        .credentials = credentials,
        .n_credentials = ARRAY_SIZE(credentials),
        .served = served,
        .n_served = ARRAY_SIZE(served),
        .flags = flags,
        .n_flags = ARRAY_SIZE(flags),
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .service = &service,
        .plan = scheduler_plan,
        .ready = scheduler_ready,
        .verify = scheduler_verify,
        .ready_sec = 120,
};
