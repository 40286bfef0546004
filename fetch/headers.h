/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * What fetch/ wants to know of an answer's headers, line by line as they arrive
 *
 * The status line begins the headers of each answer on the way of redirects, and empties what was known of the
 * one before. Headers come from outside: whatever is not of the one form that is expected counts as absent.
 */
typedef struct Headers {
        size_t size;                     /* of all lines of all answers */
        char *encoding;                  /* Content-Encoding, unless it is "identity" */
        char *etag;                      /* a strong one only, with its quotes */
        char *last_modified;             /* as it was written */
        bool ranged;                     /* Content-Range: bytes ... */
        uint64_t range_start, range_end; /* the first and the last byte */
        uint64_t range_total;            /* of the whole file; 0: the server does not say */
} Headers;

#define HEADERS_NULL ((Headers) {})
#define HEADERS_SIZE_MAX (256U * 1024)

void headers_add(Headers *h, const char *line, size_t size); /* with or without its end */
const char* headers_validator(const Headers *h);             /* for If-Range: NULL if there is none */
bool validator_is_etag(const char *validator);
void headers_done(Headers *h);
