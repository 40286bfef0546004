/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * The load balancer pair in front of the apiservers: haproxy spreads connections over them, keepalived
 * keeps the virtual IP (VIP) on the one load balancer of the pair that can serve.
 */
extern const Component component_haproxy;
extern const Component component_keepalived;
