/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "http/exchange.h"
#include "http/trace.h"

#define HTTP_LIMIT (4U * 1024 * 1024)

/*
 * The leaf that an origin showed when its connection was made: libcurl says it only then, not when it is
 * used again.
 */
typedef struct ServedRow {
        char *peer;
        char *pem;
} ServedRow;

struct HttpClient {
        CURL *curl;
        Buffer ca, certificate, key; /* libcurl is lent these */
        const volatile int *cancelled;
        ServedRow *served;
        size_t n_served;
};

/**
 * http_client_new() - make a client
 * @trust:      CA, and certificate and key if there are any; copied
 * @ret:        the client; the caller frees
 * @reterr:     says what is missing
 *
 * Return: 0 or a negative errno.
 */
int http_client_new(const HttpTrust *trust, HttpClient **ret, Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        int r;

        r = transfer_init(reterr);
        if (r < 0)
                return r;
        if (!trust->ca || trust->ca->size == 0)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "an HTTPS client needs a CA");
        if (!trust->certificate != !trust->key)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "a client certificate needs its key");

        c = xnew(HttpClient, 1);
        c->curl = curl_easy_init();
        if (!c->curl)
                abort();
        buffer_add(&c->ca, trust->ca->data, trust->ca->size);
        if (trust->certificate) {
                buffer_add(&c->certificate, trust->certificate->data, trust->certificate->size);
                buffer_add(&c->key, trust->key->data, trust->key->size);
        }

        *ret = TAKE_PTR(c);
        return 0;
}

void http_client_set_cancelled(HttpClient *c, const volatile int *cancelled) {
        c->cancelled = cancelled;
}

/**
 * http_client_free() - close the connections of a client and free it
 * @c:          the client, may be NULL
 *
 * Return: NULL.
 */
HttpClient* http_client_free(HttpClient *c) {
        if (!c)
                return NULL;

        curl_easy_cleanup(c->curl);
        buffer_done(&c->ca);
        buffer_done(&c->certificate);
        buffer_wipe(&c->key);
        for (size_t i = 0; i < c->n_served; i++) {
                free(c->served[i].peer);
                free(c->served[i].pem);
        }
        free(c->served);
        free(c);
        return NULL;
}

/**
 * http_response_done() - free what a response holds
 * @r:          the response, empty and ready for use afterwards
 */
void http_response_done(HttpResponse *r) {
        buffer_done(&r->body);
        buffer_done(&r->served);
        *r = HTTP_RESPONSE_NULL;
}

static int client_set_blob(CURL *curl, CURLoption option, const Buffer *pem, Error **reterr) {
        struct curl_blob blob = { .data = pem->data, .len = pem->size, .flags = CURL_BLOB_NOCOPY };

        if (pem->size == 0)
                return 0;
        return transfer_set_result(curl_easy_setopt(curl, option, &blob), reterr);
}

/* What holds for every request: whom we trust, and what we do not do. */
static int client_set_trust(HttpClient *c, Error **reterr) {
        static const TransferLong longs[] = {
                { CURLOPT_NOSIGNAL, 1 },
                { CURLOPT_FOLLOWLOCATION, 0 },
                { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
                { CURLOPT_SSL_VERIFYPEER, 1 },
                { CURLOPT_SSL_VERIFYHOST, 2 },
                { CURLOPT_CERTINFO, 1 },
                /*
                 * One request at a time gains nothing by HTTP/2, and the alerts of TLS arrive unwrapped by
                 * it.
                 */
                { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        };
        static const TransferText texts[] = {
                { CURLOPT_PROTOCOLS_STR, "https" },
                { CURLOPT_PROXY, "" },    /* the cluster's own addresses: the environment is not asked */
                { CURLOPT_CAPATH, NULL }, /* or the system's CAs would be trusted as well */
                { CURLOPT_CAINFO, NULL },
                { CURLOPT_USERAGENT, "hardway" },
        };
        int r;

        r = transfer_set_longs(c->curl, longs, ARRAY_SIZE(longs), reterr);
        if (r < 0)
                return r;
        r = transfer_set_texts(c->curl, texts, ARRAY_SIZE(texts), reterr);
        if (r < 0)
                return r;
        r = client_set_blob(c->curl, CURLOPT_CAINFO_BLOB, &c->ca, reterr);
        if (r < 0)
                return r;
        r = client_set_blob(c->curl, CURLOPT_SSLCERT_BLOB, &c->certificate, reterr);
        if (r < 0)
                return r;
        return client_set_blob(c->curl, CURLOPT_SSLKEY_BLOB, &c->key, reterr);
}

/* "https://k8s.lan:6443", or with "(at 10.0.0.7:6443)" behind it if that is where we really connect. */
static char* request_where(const HttpRequest *request) {
        _cleanup_free_ char *origin = transfer_origin(request->url);

        if (!request->connect_to)
                return TAKE_PTR(origin);
        return xasprintf("%s (at %s)", origin, request->connect_to);
}

static void client_served(HttpClient *c, Exchange *e, const char *peer, Buffer *ret) {
        const char *pem = exchange_leaf(e);
        ServedRow *row = NULL;

        for (size_t i = 0; i < c->n_served && !row; i++)
                if (streq(c->served[i].peer, peer))
                        row = c->served + i;
        if (pem && !row) {
                c->served = xrealloc(c->served, c->n_served + 1, sizeof(ServedRow));
                row = c->served + c->n_served++;
                *row = (ServedRow) { .peer = xstrdup(peer) };
        }
        if (pem) {
                free(row->pem);
                row->pem = xstrdup(pem);
        }
        if (row)
                buffer_add_str(ret, row->pem);
}

static void tell(const HttpRequest *request, const char *where, long status, uint64_t duration_usec,
                 const Error *error) {
        if (request->often && !error && status < 300)
                return;
        http_trace(&(HttpTold) {
                .method = request->method ?: "GET",
                .where = request->url,
                .connect_to = request->connect_to,
                .status = status,
                .reason = http_trace_reason(error, where),
                .duration_usec = duration_usec,
        });
}

static int perform(HttpClient *c, const HttpRequest *request, const char *where, HttpResponse *ret,
                   Error **reterr) {
        _cleanup_(exchange_done) Exchange e = {
                .curl = c->curl,
                .request = request,
                .cancelled = c->cancelled,
                .limit = request->limit ?: HTTP_LIMIT,
        };
        CURLcode code;
        int r;

        curl_easy_reset(c->curl); /* keeps connections and sessions, forgets what the last request set */
        r = client_set_trust(c, reterr);
        if (r < 0)
                return r;
        r = exchange_set(&e, reterr);
        if (r < 0)
                return r;

        code = curl_easy_perform(c->curl);
        if (code != CURLE_OK)
                return exchange_failure(&e, code, where, reterr);

        *ret = (HttpResponse) { .body = e.body };
        e.body = BUFFER_NULL;
        (void) curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        client_served(c, &e, where, &ret->served);
        return 0;
}

/**
 * http_request() - send a request and wait for its answer
 * @c:          the client
 * @request:    what to send, and how long to wait
 * @ret:        the answer, whatever its status; the caller gives it back with http_response_done()
 * @reterr:     says why there is none, see the top of the header
 *
 * Return: 0 or a negative errno.
 */
int http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        _cleanup_free_ char *where = request_where(request);
        _cleanup_error_ Error *error = NULL;
        uint64_t begin = clock_usec(), duration;
        int r;

        r = perform(c, request, where, ret, &error);
        duration = clock_usec() - begin;
        tell(request, where, r < 0 ? 0 : ret->status, duration, error);
        if (r < 0)
                return error_propagate(reterr, TAKE_PTR(error));
        ret->duration_usec = duration;
        return 0;
}
