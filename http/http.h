/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "common/buffer.h"
#include "common/error.h"

/*
 * One HTTPS client over libcurl, for the apiserver, etcd's JSON gateway and health checks
 *
 * An HttpClient is a trust: the CA that a server must be certified by and, if there is one, our own client
 * certificate, both given as PEM bytes in memory (CURLOPT_CAINFO_BLOB), never as files. Nothing but HTTPS,
 * no redirects, no proxy, TLS 1.2 at least, names verified. A client belongs to one thread at a time and
 * keeps its connections between requests.
 *
 * Errors tell apart, by errno and in words that name the address: refused (ECONNREFUSED), no route
 * (EHOSTUNREACH), timed out (ETIMEDOUT; while connecting, in the TLS handshake, or waiting for the answer),
 * name not resolved (EADDRNOTAVAIL), unknown CA or wrong name (EKEYREJECTED), expired or not yet valid
 * (EKEYEXPIRED), our certificate not accepted (EACCES), no TLS (EPROTO), cut off (ECONNRESET), answer too
 * large (EFBIG), stopped (ECANCELED). For http_request() an HTTP status is not an error: the caller reads
 * status.
 */
typedef struct HttpTrust {
        const Buffer *ca;          /* PEM */
        const Buffer *certificate; /* PEM, or NULL: no client certificate */
        const Buffer *key;         /* PEM, or NULL */
} HttpTrust;

typedef struct HttpRequest {
        const char *method; /* NULL: GET */
        const char *url;
        const char *content_type; /* for a body; NULL: application/json */
        const char *accept;       /* what the answer shall be; NULL: whatever the server gives */
        const void *body;
        size_t body_size;
        uint64_t timeout_usec;  /* whole request; 0: 10 s */
        size_t limit;           /* of the answer; 0: 4 MiB */
        bool fresh;             /* over a connection of its own */
        bool often;             /* one of many: told of (http_set_trace()) only if it is not answered well */
        const char *connect_to; /* "ADDRESS:PORT" to connect to instead of the URL's host, or NULL */
        uint64_t connect_timeout_usec; /* TCP and TLS together; 0: 5 s */
        /* Not 0: fail when nothing arrives for so long; then 0 for timeout_usec means that there is none. */
        uint64_t stall_usec;
        /* Looked at about once a second; non-zero ends the request with -ECANCELED. May be NULL. */
        const volatile int *cancelled;
        /*
         * Takes the body of an answer with status 200 piece by piece, instead of HttpResponse.body; then
         * limit is only for answers with another status. A negative errno ends the request with it, and with
         * the Error that it set.
         */
        int (*sink)(void *userdata, const void *data, size_t size, Error **reterr);
        void *userdata;
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
void http_client_set_cancelled(HttpClient *c, const volatile int *cancelled);  /* of all its requests */
int http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);

/*
 * Sends and receives JSON; a status of 300 or more is an Error with the server's own "message" and an errno
 * for it: 401 and 403 EACCES, 404 ENOENT, 409 EEXIST, 429, 502 and 503 EAGAIN, 408 and 504 ETIMEDOUT, 400,
 * 412 and 422 EINVAL, 500 and the rest EIO. An empty answer is an empty object. body may be NULL; that of a
 * PATCH is sent as application/apply-patch+yaml (server-side apply). http_request_json() is the same for a
 * request with timeouts or an address of its own; it takes no body but this one.
 */
int http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
              Error **reterr);
int http_request_json(HttpClient *c, const HttpRequest *request, const json_t *body, json_t **ret,
                      Error **reterr);

/*
 * show.c: the certificates that a server shows in a handshake, in PEM, unverified: for whoever judges them.
 * shown: certificate and key for a server that asks for one, or NULL in both.
 */
int http_show(const char *address, const HttpTrust *shown, uint64_t timeout_usec, Buffer *ret,
              Error **reterr);

/* What was asked, and what became of it; never what was sent or came in bodies and headers. */
typedef struct HttpTold {
        const char *method;     /* "GET"; NULL: a handshake and no more, see http_show() */
        const char *where;      /* the URL, or of a handshake the address */
        const char *connect_to; /* or NULL, as in HttpRequest */
        long status;            /* 0: there was no answer */
        const char *reason;     /* why not, in words without the address; or NULL: there was one */
        uint64_t duration_usec;
} HttpTold;

typedef void (*HttpTrace)(void *userdata, const HttpTold *told);
void http_set_trace(HttpTrace to, void *userdata); /* trace.c: every request of the program, at its end */

/* The Error for a status of 300 or more, as http_json() gives it. */
int http_response_error(const HttpResponse *r, const HttpRequest *request, Error **reterr);
void http_response_done(HttpResponse *r);
HttpClient* http_client_free(HttpClient *c);
DEFINE_CLEANUP(HttpClient*, http_client_free)
