/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests, told to whoever shows them
 *
 * Clients are made in many places, each for a probe or two, so this is one for the whole program, and no request is missed.
 */

#include "http/trace.h"

#include "common/alloc.h"

static HttpTrace trace;
static void *trace_userdata;

/**
 * http_set_trace() - from now on tell of every request, at its end
 * @to:         whom; called by the threads that ask
 * @userdata:   for @to
 *
 * To be called before there are other threads.
 */
void http_set_trace(HttpTrace to, void *userdata) {
        trace = to;
        trace_userdata = userdata;
}

void http_trace(const HttpTold *told) {
        if (trace)
                trace(trace_userdata, told);
}

const char* http_trace_reason(const Error *error, const char *where) {
        const char *behind = error ? startswith(error->message, where) : NULL;

        behind = behind ? startswith(behind, ": ") : NULL;
        return behind || !error ? behind : error->message;
}
