/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * The control plane proper: what clients talk to, what keeps the cluster as it should be, and what finds
 * places for pods
 *
 * Each controller carries all three. The apiservers are all active, behind the endpoint; of the other two
 * one of each leads. They talk to the apiserver of their own node, so that they do not depend on the
 * endpoint.
 */
extern const Component component_kube_apiserver;
extern const Component component_kube_controller_manager;
extern const Component component_kube_scheduler;

/*
 * Who holds the lease of one of the two, "kube-scheduler": "controller-0_4d1f...", the host's name and a random id.
 * -ENOENT: nobody, or it cannot be asked. The caller frees.
 */
int controlplane_leader(const ProbeContext *c, const char *lease, char **ret);
