/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/http.h"
#include "http/transfer.h"

/*
 * One request under way, as libcurl sees it: its options, and what the callbacks work on
 *
 * Only for client.c.
 */
typedef struct Exchange {
        CURL *curl;
        const HttpRequest *request;
        const volatile int *cancelled; /* the client's */
        Buffer body;
        size_t limit;
        size_t headers_size;
        bool too_large;
        bool tls_begun;
        int sink_result;
        Error *sink_error;
        TransferList headers, connect_to;
        char text[CURL_ERROR_SIZE];
} Exchange;

void exchange_done(Exchange *e);
int exchange_set(Exchange *e, Error **reterr);
int exchange_failure(Exchange *e, CURLcode code, const char *where, Error **reterr);
const char* exchange_leaf(Exchange *e);
