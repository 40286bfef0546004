/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * Draining a node of a cluster that serves, before something is stopped there as planned: what plan/probe.h
 * says of hand_over, take_back, set_aside and bring_back, of all components.
 */

int drain_hand_over(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr);
int drain_take_back(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr);
int drain_set_aside(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr);
int drain_bring_back(const Component *const *components, const ProbeContext *c, Error **reterr);
