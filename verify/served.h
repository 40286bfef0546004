/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/* The port at which a component shows a certificate, and "10.77.0.20:6443"; the caller frees. */
unsigned served_port(const Cluster *cluster, const ServedCertificate *row);
char* served_address(const Cluster *cluster, const Node *node, const ServedCertificate *row);
/* Which it shows there, by a handshake or, on loopback, by the copy that the process was given: the chain in PEM, unverified. */
int served_show(const ProbeContext *c, const Component *component, const ServedCertificate *row,
                const Node *node, Buffer *ret, Error **reterr);
