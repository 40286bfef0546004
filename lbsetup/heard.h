/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/probe.h"

/*
 * Who is on the network of the load balancers, as they tell: "mac ADDRESS MAC" of who answers for an address, "vrrp ADDRESS ID" of who
 * advertises a virtual router, and "listened" of one that was able to hear both.
 */
int lb_listen(const ProbeContext *c, const Node *node, bool ask, Buffer *ret, Error **reterr);
bool lb_heard_any(char *const *lines);
/* The MAC address that answers for the VIP, and is none of the load balancers'; or NULL. Lent by the lines. */
const char* lb_heard_on_vip(const Cluster *cluster, char *const *lines);
/* The address of who else advertises our virtual router, or NULL; the caller frees. */
char* lb_heard_router(const Cluster *cluster, char *const *lines);
