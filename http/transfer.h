/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <curl/curl.h>

#include "common/error.h"

/*
 * What every user of libcurl in hardway needs: one initialisation for all threads, options that are checked
 * when they are set, and curl's failures said in words
 *
 * Only http/ and fetch/ include this. An option that cannot be set is never ignored: several of them are
 * what keeps a connection honest, and a libcurl that lacks one must not be used as if it had it.
 */

typedef struct TransferLong {
        CURLoption option;
        long value;
} TransferLong;

typedef struct TransferText {
        CURLoption option;
        const char *value;
} TransferText;

int transfer_load(Error **reterr); /* curl-library.c; transfer_init() does it */
int transfer_init(Error **reterr);
int transfer_set_longs(CURL *curl, const TransferLong *options, size_t n_options, Error **reterr);
int transfer_set_texts(CURL *curl, const TransferText *options, size_t n_options, Error **reterr);
int transfer_set_result(CURLcode code, Error **reterr); /* of a curl_easy_setopt() with a pointer */

/*
 * What a transfer ended with. curl is asked for more: times, errno, result of the verification. It does not
 * say whether TCP was connected when a handshake took too long (7.88): who wants that told apart gives
 * TransferAttempt.tls_begun to transfer_watch_tls().
 */
typedef struct TransferAttempt {
        CURL *curl;
        CURLcode code;
        const char *text;  /* its CURLOPT_ERRORBUFFER, may be empty */
        const char *where; /* what a message begins with: an URL, or an address */
        bool tls_begun;
        uint64_t before;     /* bytes of the file that an earlier transfer has brought */
        bool private_server; /* one that asks for a client certificate */
} TransferAttempt;

int transfer_watch_tls(CURL *curl, bool *begun, Error **reterr);
int transfer_failure(const TransferAttempt *t, Error **reterr);

char* transfer_origin(const char *url); /* "https://10.77.0.10:6443" of an URL below it */

/* errno and kind that stand for an HTTP status of 300 or more. */
int transfer_status_errno(long status);
ErrorKind transfer_status_kind(long status);
const char* transfer_status_text(long status); /* "not found"; NULL if there is nothing to say */

/* For handles; they may be NULL. */
static inline void transfer_freep(CURL **curl) {
        curl_easy_cleanup(*curl);
        *curl = NULL;
}

typedef struct curl_slist *TransferList;

static inline void transfer_list_freep(TransferList *list) {
        curl_slist_free_all(*list);
        *list = NULL;
}

void transfer_list_add(TransferList *list, const char *text);
