/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "plan/component.h"

/*
 * Are keys and certificates in order?
 *
 * pki_check_run() compares the store with the cluster file, the nodes' files with the store, and what is
 * really shown in handshakes with both, and looks at every date and every clock. It changes nothing.
 *
 * The list comes worst first, what ends soonest before the rest. CHECK_FAILED is for what does not work, or
 * will not for longer than critical_sec; CHECK_WARNING for what is due, and for what could not be looked at.
 * "seconds_left" in a check's data is the life that is left to its certificate.
 */
#define PKI_URGENT_SEC (7 * INT64_C(86400))

typedef struct PkiCheckRequest {
        const Cluster *cluster;
        const Component *const *components;
        Store *store;
        const HostOptions *host;
        const Node *const *nodes; /* those to look at; what all nodes share is looked at in any case */
        size_t n_nodes;
        bool no_nodes;    /* the store alone: no connection is made */
        int64_t now;      /* seconds since 1970 */
        int64_t warn_sec; /* life left from which on renewal is due; 0: 30 days, or a third of a shorter life */
        int64_t critical_sec; /* ... from which on somebody has to come; 0: 7 days, or a tenth */
} PkiCheckRequest;

int pki_check_run(const PkiCheckRequest *request, CheckList *ret, Error **reterr);
