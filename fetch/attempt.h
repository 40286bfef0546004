/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/download.h"
#include "fetch/headers.h"
#include "http/transfer.h"

/*
 * One transfer of a Downloads set: how it is set up, what its end means, and whether it is worth another
 * try.
 */
typedef struct Attempt {
        DownloadRequest request; /* url is ours, below */
        char *url;
        char *origin; /* of the url: transfers to one server wait for each other */
        CURL *curl;
        bool running;
        unsigned n_failed;
        uint64_t not_before;
        const volatile int *cancelled;

        bool whole; /* parts of this server's are not to be had */

        /* of the attempt under way */
        uint64_t offset;    /* what was asked for by Range; 0: all of it */
        char *validator;    /* what stood in If-Range, or NULL */
        TransferList lines; /* of the request */
        bool connected;     /* it had a connection to ask over, at one address or another */
        bool begun;
        uint64_t received; /* of what came, without what was there before */
        Headers headers;
        bool tls_begun;
        bool too_large;
        bool wrong_part; /* a part, but not the one that was asked for */
        int local_result;
        Error *local_error;
        char text[CURL_ERROR_SIZE];
} Attempt;

Attempt* attempt_new(const DownloadRequest *request, const volatile int *cancelled);
int attempt_prepare(Attempt *a, const DownloadOptions *options,
                    Error **reterr); /* fresh, for the next try */
int attempt_begin(Attempt *a);       /* the first byte is there, or the end of an empty file */
long attempt_status(const Attempt *a);
bool attempt_is_body(const Attempt *a); /* what comes is the file, or a part of it */

/* fetch/outcome.c */
DownloadOutcome attempt_judge(Attempt *a, CURLcode code, Error **reterr);
uint64_t attempt_wait(Attempt *a, CURLcode code,
                      const DownloadOptions *options); /* 0: it is not tried again */
Attempt* attempt_free(Attempt *a);
DEFINE_CLEANUP(Attempt*, attempt_free)
