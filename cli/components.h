/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/* Every component that hardway knows, ended by NULL: the one place that names them all. */
extern const Component *const components[];
