/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/download.h"
#include "http/transfer.h"

/*
 * One transfer of a Downloads set: how it is set up, what its end means, and whether it is worth another
 * try.
 */
typedef struct Attempt {
        DownloadRequest request; /* url is ours, below */
        char *url;
        CURL *curl;
        bool running;
        unsigned n_failed;
        uint64_t not_before;
        const volatile int *cancelled;

        /* of the attempt under way */
        bool begun;
        uint64_t received;
        size_t headers_size;
        bool tls_begun;
        bool too_large;
        char *encoding; /* Content-Encoding, which nobody asked for */
        int local_result;
        Error *local_error;
        char text[CURL_ERROR_SIZE];
} Attempt;

Attempt* attempt_new(const DownloadRequest *request, const volatile int *cancelled);
int attempt_prepare(Attempt *a, const DownloadOptions *options,
                    Error **reterr); /* fresh, for the next try */
DownloadOutcome attempt_judge(Attempt *a, CURLcode code, Error **reterr);
uint64_t attempt_wait(const Attempt *a, CURLcode code,
                      const DownloadOptions *options); /* 0: it is not tried again */
Attempt* attempt_free(Attempt *a);
DEFINE_CLEANUP(Attempt*, attempt_free)
