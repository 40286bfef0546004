/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/http.h"

/* Only http/ includes this: tells of a request to whoever http_set_trace() has named, if anybody. */
void http_trace(const HttpTold *told);
/* The message without the address in front, which is told anyway; NULL for no error. Lent by the error. */
const char* http_trace_reason(const Error *error, const char *where);
