/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"

/*
 * Renewing certificates of a cluster that serves
 *
 * Chosen ones are made anew in the store, each with a new key, and rolled out as any other change is: one
 * node at a time, leaders last and after they handed over, gates before and after. After each node the
 * certificates that it shows are compared with the store; see operate/proven.h for what happens if a node
 * fails. A renewal that was cancelled or killed is gone on with by the next: alone, if that one is asked for
 * everything, else along with what it is asked for.
 */
typedef struct RenewRequest {
        InstallRequest install; /* the rollout; its nodes are those whose certificates may be chosen */
        bool only_nodes;        /* nothing that is of no node (admin.conf), unless it is named */
        char *const *names;     /* as renew_name_matches() takes them; NULL: all */
        bool due; /* only what ends within due_sec, or does not fit the cluster file any more */
        int64_t due_sec;
        int64_t now;
        StoreReport report; /* each certificate and kubeconfig that is or would be made anew; or NULL */
        void *userdata;
} RenewRequest;

typedef struct RenewResult {
        size_t n_renewed; /* dry_run: would be */
        Strv nodes;       /* those concerned */
        bool resumed;     /* an earlier renewal was not finished */
        InstallResult install;
} RenewResult;

int renew_run(const RenewRequest *request, RenewResult *ret, ErrorList *errors);
void renew_result_done(RenewResult *r);

/* Names as the store has them ("nodes/c0/pki/etcd/server"), without their place ("etcd/server"), or as
 * kubeadm has them ("etcd-server", "scheduler.conf"). */
bool renew_name_matches(const StoreRequest *request, const char *name);
