/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "common/buffer.h"
#include "common/error.h"

/*
 * One HTTPS client over libcurl, for the apiserver, etcd's JSON gateway and health checks
 *
 * An HttpClient is a trust: the CA that a server must be certified by and, if there is one, our own client certificate, both
 * given as PEM bytes in memory (CURLOPT_CAINFO_BLOB), never as files. Nothing but HTTPS, no redirects, no proxy, TLS 1.2 at
 * least, names verified. A client belongs to one thread at a time and keeps its connections between requests.
 *
 * Errors tell apart: refused, no route, timed out, TLS (unknown CA, expired or not yet valid, wrong name, our certificate not
 * accepted), cut off, answer too large. An HTTP status is not an error: the caller reads status.
 */
typedef struct HttpTrust {
        const Buffer *ca;          /* PEM */
        const Buffer *certificate; /* PEM, or NULL: no client certificate */
        const Buffer *key;         /* PEM, or NULL */
} HttpTrust;

typedef struct HttpRequest {
        const char *method;       /* NULL: GET */
        const char *url;
        const char *content_type; /* for a body; NULL: application/json */
        const void *body;
        size_t body_size;
        uint64_t timeout_usec;    /* whole request; 0: 10 s */
        size_t limit;             /* of the answer; 0: 4 MiB */
        const char *connect_to;   /* "ADDRESS:PORT" to connect to instead of the URL's host, or NULL */
} HttpRequest;

typedef struct HttpResponse {
        long status;
        Buffer body;
        Buffer served; /* PEM of the leaf certificate that the server showed */
        uint64_t duration_usec;
} HttpResponse;

#define HTTP_RESPONSE_NULL ((HttpResponse) {})

typedef struct HttpClient HttpClient;

int http_client_new(const HttpTrust *trust, HttpClient **ret, Error **reterr); /* copies the bytes */
int http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
/* Sends and receives JSON; a status of 400 or more is an Error with the server's own "message". body may be NULL. */
int http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret, Error **reterr);
void http_response_done(HttpResponse *r);
HttpClient* http_client_free(HttpClient *c);
DEFINE_CLEANUP(HttpClient*, http_client_free)
