/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/* Who holds a lock, as whoever finds it taken will read it: possibly on another machine, possibly tomorrow. */
char* holder_format(const char *command); /* the caller frees */
