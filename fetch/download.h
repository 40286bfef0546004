/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * Downloads: several transfers at once over one pool of connections (libcurl's multi interface), each tried
 * again when what failed may pass
 *
 *      downloads_new(&options, &d, reterr);
 *      downloads_add(d, &request);                     ... again and again, also from within done()
 *      while ((r = downloads_step(d, reterr)) > 0)
 *              ;
 *
 * https:// with the server's certificate verified, redirects followed to https:// only and not too often,
 * proxies from the environment as curl takes them; file:// for mirrors on a disk. Nothing is kept in memory:
 * the bytes go to the request's functions as they arrive. begin() is called before the first byte of each
 * attempt.
 *
 * A caller that keeps what it has got says so in have(), which is asked before each attempt: the rest is then
 * asked for by Range, with If-Range and what the server said of the file before (its ETag, or Last-Modified).
 * begin() tells what came of it: from how many bytes on, or from the beginning, with all that came before
 * void. A server that answers with a part of another file, or of another place in it, is asked for the whole.
 *
 * Each request ends in exactly one call of done(), unless downloads_free() comes first.
 */
typedef enum DownloadOutcome {
        DOWNLOAD_DONE,    /* all bytes were taken */
        DOWNLOAD_MISSING, /* there is no such file; worth trying elsewhere, or doing without */
        DOWNLOAD_FAILED,  /* the server, the network or the trust in it; worth trying elsewhere */
        DOWNLOAD_REFUSED, /* larger than the limit, or compressed: these are not the bytes */
        DOWNLOAD_LOCAL,   /* begin() or write() failed: not worth trying at all */
} DownloadOutcome;

/* What the caller has of a file already. */
typedef struct DownloadPart {
        uint64_t size;         /* 0: nothing */
        const char *validator; /* lent; NULL: the caller can tell by other means whether it fits */
} DownloadPart;

typedef struct DownloadBegin {
        uint64_t offset;       /* of the bytes that will come; 0: what the caller had is void */
        uint64_t size;         /* of the whole; 0: not known */
        const char *validator; /* to be given to have() another time; lent; may be NULL */
} DownloadBegin;

typedef struct DownloadRequest {
        const char *url;
        uint64_t limit;                                  /* of bytes, of the whole */
        void (*have)(void *userdata, DownloadPart *ret); /* may be NULL: nothing */
        int (*begin)(void *userdata, const DownloadBegin *begin, Error **reterr);
        int (*write)(void *userdata, const void *data, size_t size, Error **reterr);
        void (*done)(void *userdata, DownloadOutcome outcome,
                     Error *error); /* takes the error, NULL if done */
        void (*again)(void *userdata, const Error *error,
                      uint64_t wait_usec); /* before another attempt; may be NULL */
        void *userdata;
} DownloadRequest;

typedef struct DownloadOptions {
        const char *ca_bundle; /* or NULL: the system's */
        unsigned retries;      /* of one transfer */
        uint64_t backoff_usec; /* before the first, doubled for each further one */
        uint64_t connect_timeout_usec;
        unsigned connections;          /* and transfers at once, to one server, at most */
        uint64_t stall_usec;           /* slower than DOWNLOAD_SPEED_MIN for so long is an end */
        const volatile int *cancelled; /* may be NULL */
} DownloadOptions;

#define DOWNLOAD_SPEED_MIN 1024 /* bytes a second */

typedef struct Downloads Downloads;

int downloads_new(const DownloadOptions *options, Downloads **ret, Error **reterr); /* options are copied */
void downloads_add(Downloads *d, const DownloadRequest *request);                   /* the URL is copied */
int downloads_step(Downloads *d,
                   Error **reterr); /* 1: something is under way, 0: nothing is; waits 0.1 s at most */
Downloads* downloads_free(Downloads *d);
DEFINE_CLEANUP(Downloads*, downloads_free)
