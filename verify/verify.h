/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "plan/component.h"

/*
 * Does the cluster do what it is for?
 *
 * verify_run() asks every component for its checks and every node whether it is as planned, all at the same time, and gives one list: what
 * users see first (the endpoint), then the components in their order, then the nodes. It changes nothing but the ConfigMap
 * that the write check makes and removes.
 */
typedef struct VerifyRequest {
        const Cluster *cluster;
        const Component *const *components;
        Store *store;
        const Lock *lock;
        const HostOptions *host;
        bool deep;     /* hash every file on the nodes, not only those that were touched */
        bool no_nodes; /* leave out what needs ssh */
} VerifyRequest;

void verify_run(const VerifyRequest *request, CheckList *ret);
