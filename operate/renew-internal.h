/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operate/renew.h"

/* renew-choose.c */
int renew_check_names(const RenewRequest *q, const StoreRequests *requests, Error **reterr);
bool renew_choose(const RenewRequest *q, const StoreRequest *request, StoreOutcome outcome, int64_t expires);
