/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include "common/alloc.h"
#include "common/clock.h"

#define HTTP_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define HTTP_CONNECT_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define HTTP_HEADERS_LIMIT (256U * 1024)

/**
 * exchange_done() - free what a request under way holds
 * @e:          the exchange
 */
void exchange_done(Exchange *e) {
        buffer_done(&e->body);
        e->sink_error = error_free(e->sink_error);
        transfer_list_freep(&e->headers);
        transfer_list_freep(&e->connect_to);
}

/* Whatever is returned other than size makes libcurl stop. */
static size_t exchange_write(char *data, size_t one, size_t size, void *userdata) {
        Exchange *e = userdata;

        if (e->request->sink) {
                long status = 0;

                (void) curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &status);
                if (status == 200) {
                        e->sink_result = e->request->sink(e->request->userdata, data, size, &e->sink_error);
                        return e->sink_result < 0 ? 0 : size;
                }
        }
        if (size > e->limit - e->body.size) {
                e->too_large = true;
                return 0;
        }
        buffer_add(&e->body, data, size);
        return size;
}

/* Headers are not kept, but a server that never ends them must not keep us either. */
static size_t exchange_header(char *data, size_t one, size_t size, void *userdata) {
        Exchange *e = userdata;

        e->headers_size += size;
        if (e->headers_size > HTTP_HEADERS_LIMIT) {
                e->too_large = true;
                return 0;
        }
        return size;
}

static int exchange_progress(void *userdata, curl_off_t total, curl_off_t now, curl_off_t up_total,
                             curl_off_t up) {
        Exchange *e = userdata;

        return (e->request->cancelled && *e->request->cancelled) || (e->cancelled && *e->cancelled);
}

static int exchange_set_times(Exchange *e, Error **reterr) {
        const HttpRequest *q = e->request;
        uint64_t whole = q->timeout_usec ?: (q->stall_usec ? 0 : HTTP_TIMEOUT_USEC);
        uint64_t connect = q->connect_timeout_usec ?: HTTP_CONNECT_TIMEOUT_USEC;
        uint64_t stall = q->stall_usec ? (q->stall_usec + USEC_PER_SEC - 1) / USEC_PER_SEC : 0;
        /* Rounded up: 0 would be no limit at all. */
        const TransferLong longs[] = {
                { CURLOPT_TIMEOUT_MS, (long) ((whole + USEC_PER_MSEC - 1) / USEC_PER_MSEC) },
                { CURLOPT_CONNECTTIMEOUT_MS, (long) ((connect + USEC_PER_MSEC - 1) / USEC_PER_MSEC) },
                { CURLOPT_LOW_SPEED_LIMIT, stall > 0 ? 1 : 0 },
                { CURLOPT_LOW_SPEED_TIME, (long) stall },
                { CURLOPT_NOPROGRESS, 0 },
        };

        return transfer_set_longs(e->curl, longs, ARRAY_SIZE(longs), reterr);
}

static int exchange_set_body(Exchange *e, Error **reterr) {
        const HttpRequest *q = e->request;
        const char *method = q->method ?: "GET";
        int r;

        if (q->accept) {
                _cleanup_free_ char *accept = xasprintf("Accept: %s", q->accept);

                transfer_list_add(&e->headers, accept);
        }
        if (streq(method, "HEAD"))
                return transfer_set_result(curl_easy_setopt(e->curl, CURLOPT_NOBODY, 1L), reterr);

        if (q->body || streq(method, "POST")) {
                _cleanup_free_ char *type =
                        xasprintf("Content-Type: %s", q->content_type ?: "application/json");

                transfer_list_add(&e->headers, type);
                transfer_list_add(&e->headers,
                                  "Expect:"); /* no round trip to ask whether a body may be sent */
                r = transfer_set_result(curl_easy_setopt(e->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                                         (curl_off_t) (q->body ? q->body_size : 0)),
                                        reterr);
                if (r < 0)
                        return r;
                r = transfer_set_result(curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, q->body ?: ""),
                                        reterr);
                if (r < 0)
                        return r;
        }
        return transfer_set_result(curl_easy_setopt(e->curl, CURLOPT_CUSTOMREQUEST, method), reterr);
}

#define SET(option, value)                                                      \
        do {                                                                    \
                CURLcode _code_ = curl_easy_setopt(e->curl, (option), (value)); \
                if (_code_ != CURLE_OK)                                         \
                        return transfer_set_result(_code_, reterr);             \
        } while (false)

/**
 * exchange_set() - have libcurl send a request, and its callbacks take the answer
 * @e:          the exchange, with curl, request, cancelled and limit set; libcurl is lent it until the request is over
 * @reterr:     says which option was refused
 *
 * Return: 0 or a negative errno.
 */
int exchange_set(Exchange *e, Error **reterr) {
        int r;

        r = exchange_set_times(e, reterr);
        if (r < 0)
                return r;
        r = exchange_set_body(e, reterr);
        if (r < 0)
                return r;

        if (e->request->connect_to) {
                _cleanup_free_ char *line = xasprintf("::%s", e->request->connect_to);

                transfer_list_add(&e->connect_to, line);
                SET(CURLOPT_CONNECT_TO, e->connect_to);
        }
        SET(CURLOPT_FRESH_CONNECT, e->request->fresh ? 1L : 0L);
        SET(CURLOPT_FORBID_REUSE, e->request->fresh ? 1L : 0L);
        if (e->headers)
                SET(CURLOPT_HTTPHEADER, e->headers);
        SET(CURLOPT_URL, e->request->url);
        SET(CURLOPT_ERRORBUFFER, e->text);
        SET(CURLOPT_WRITEFUNCTION, exchange_write);
        SET(CURLOPT_WRITEDATA, e);
        SET(CURLOPT_HEADERFUNCTION, exchange_header);
        SET(CURLOPT_HEADERDATA, e);
        SET(CURLOPT_XFERINFOFUNCTION, exchange_progress);
        SET(CURLOPT_XFERINFODATA, e);
        return transfer_watch_tls(e->curl, &e->tls_begun, reterr);
}

/**
 * exchange_failure() - say why there is no answer
 * @e:          the exchange
 * @code:       what libcurl said
 * @where:      whom we asked, for the message
 * @reterr:     the sink's own error, that the answer is too large, or what transfer_failure() makes of it
 *
 * Return: a negative errno.
 */
int exchange_failure(Exchange *e, CURLcode code, const char *where, Error **reterr) {
        if (e->sink_result < 0)
                return e->sink_error ? error_propagate(reterr, TAKE_PTR(e->sink_error)) :
                                       error_set_errno(reterr, e->sink_result, "%s", where);
        if (e->too_large)
                return error_set(reterr, ERROR_VERIFY, EFBIG, "%s: the answer is larger than %zu KiB", where,
                                 e->limit / 1024);
        return transfer_failure(
                &(TransferAttempt) {
                        .curl = e->curl,
                        .code = code,
                        .text = e->text,
                        .where = where,
                        .tls_begun = e->tls_begun,
                        .private_server = true,
                },
                reterr);
}

/**
 * exchange_leaf() - the certificate that the server showed
 * @e:          the exchange, over
 *
 * It is the first entry of CURLINFO_CERTINFO.
 *
 * Return: PEM, libcurl's; NULL if the connection was made earlier.
 */
const char* exchange_leaf(Exchange *e) {
        struct curl_certinfo *chain = NULL;

        if (curl_easy_getinfo(e->curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
            chain->num_of_certs < 1)
                return NULL;
        for (const struct curl_slist *line = chain->certinfo[0]; line; line = line->next) {
                const char *pem = startswith(line->data, "Cert:");

                if (pem)
                        return pem;
        }
        return NULL;
}
