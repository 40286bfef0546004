/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * Does a node show the certificates of the store? Each that its components declare as served is looked at,
 * in a handshake or, on loopback, in the copy that the process was given. -EKEYREJECTED (ERROR_VERIFY) if another one is shown.
 */
int served_check(const ProbeContext *probes, const Component *const *components, const Node *node,
                 Error **reterr);
