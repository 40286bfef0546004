/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/fetch.h"

/* What this program knows of official releases without asking anybody. */
const char* known_digest(const FetchRequest *request);
