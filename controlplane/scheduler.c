/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-scheduler as a component (kubernetes cmd/kube-scheduler/app/options)
 *
 * Flags alone, no configuration file: with --config the leader election's flags would be ignored, and
 * nothing else of the file is needed.
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "plan/service.h"

#define PKI "/etc/kubernetes/pki/"

static const Flag flags[] = {
        LOOPBACK_FLAGS("scheduler"),
        { "leader-elect", "true", .why = "One of them works, the others wait to take over.",
          .without =
                  "Nothing: it is the default. With false all of them would place the same pods, and only "
                  "the first would succeed." },
        LEASE_FLAGS,
        PROFILING_FLAG,
};

static const Artifact artifacts[] = { { "kube-scheduler", ORIGIN_KUBERNETES } };

static const Credential credentials[] = {
        LOOPBACK_CREDENTIALS("scheduler", "kube-scheduler"),
};

static const ServedCertificate served[] = {
        { "scheduler", PORT_SCHEDULER, .copy = "scheduler.crt" },
};

static const ServiceCredential handed_over[] = {
        LOOPBACK_HANDED_OVER("scheduler"),
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
