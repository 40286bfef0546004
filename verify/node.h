/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"
#include "verify/verify.h"

/* Is a node as planned, and do its units run what they should? Private to verify/. */
void verify_node(const VerifyRequest *request, HostPool *hosts, const Node *node, CheckList *checks);
