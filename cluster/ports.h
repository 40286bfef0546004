/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The ports of a cluster that are the same everywhere
 * (https://kubernetes.io/docs/reference/networking/ports-and-protocols/); those of apiservers and of the VIP
 * stand in the cluster file.
 */
#define PORT_ETCD_CLIENT 2379
#define PORT_ETCD_PEER 2380
#define PORT_ETCD_METRICS 2381        /* plain http, on loopback only */
#define PORT_CONTROLLER_MANAGER 10257 /* on loopback only */
#define PORT_SCHEDULER 10259          /* on loopback only */
#define PORT_HAPROXY_MONITOR 8405     /* on loopback, and for the other load balancers */
