/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/http.h"

/*
 * A client that goes on asking, and remembers what became of it
 *
 * So and so many requests a second, each over a connection of its own, each with so and so long to be
 * answered well (a status below 300), whatever became of those before it: what somebody who begins to use a
 * server at that moment would see. It runs in threads of its own from prober_start() to prober_free().
 *
 *     prober_start(&request, &prober, reterr);
 *     since = clock_usec();
 *     ... something happens to the server ...
 *     prober_sum(prober, since, &sum);
 */
typedef struct ProberRequest {
        const HttpTrust *trust; /* lent while prober_start() runs; as url and method it is copied */
        const char *url;
        const char *method; /* NULL: GET */
        const char *content_type;
        char *(*body)(unsigned turn); /* of the turn'th request; or NULL: none */
        unsigned rate;                /* requests a second, 1 to 100 */
        uint64_t timeout_usec;        /* for the whole request */
} ProberRequest;

typedef struct ProberSum {
        unsigned answered, failed; /* requests that ended since then */
        uint64_t gap_usec;         /* the longest time without a good answer */
        uint64_t failing_usec;     /* when the last one failed that did; 0: none did */
        char *error;               /* what became of the last that failed, or NULL */
} ProberSum;

typedef struct Prober Prober;

int prober_start(const ProberRequest *request, Prober **ret, Error **reterr);
/* since: of clock_usec(). The caller calls prober_sum_done(). */
void prober_sum(Prober *p, uint64_t since, ProberSum *ret);
/* How long it has been answered well without a break: 0 if the last answer was none. */
uint64_t prober_well_usec(Prober *p);
void prober_sum_done(ProberSum *s);
Prober* prober_free(Prober *p); /* waits for what is under way */
DEFINE_CLEANUP(Prober*, prober_free)
