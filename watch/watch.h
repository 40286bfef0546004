/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * The watch: a timer of systemd's on each node that looks after certificates and health while nobody drives
 * hardway
 *
 * What it finds goes to the journal, with priorities, and if the cluster file asks for it into a file for
 * Prometheus. What it looks at is taken from the plan: every certificate and every unit of the node, the members
 * of etcd, its apiserver, and the endpoint.
 */
extern const Component component_watch;
