/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "verify/verify.h"

/* What the store has begun and not ended: a rotation, a renewal. */
void verify_store(const VerifyRequest *request, CheckList *checks);
