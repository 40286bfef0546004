/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/* etcd, the key-value store in which everything of the cluster stands: one member on every controller, or on
 * nodes of its own. */
extern const Component component_etcd;
