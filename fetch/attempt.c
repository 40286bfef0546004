/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/attempt.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"

#define REFUSAL_SIZE_MAX (64U * 1024) /* of the page that comes with a 404 */

Attempt* attempt_new(const DownloadRequest *request, const volatile int *cancelled) {
        Attempt *a = xnew(Attempt, 1);

        a->request = *request;
        a->url = xstrdup(request->url);
        a->request.url = a->url;
        a->origin = transfer_origin(a->url);
        a->cancelled = cancelled;
        return a;
}

Attempt* attempt_free(Attempt *a) {
        if (!a)
                return NULL;

        transfer_freep(&a->curl);
        error_free(a->local_error);
        transfer_list_freep(&a->lines);
        headers_done(&a->headers);
        free(a->validator);
        free(a->url);
        free(a->origin);
        free(a);
        return NULL;
}

static bool is_file(const Attempt *a) {
        return startswith(a->url, "file://");
}

long attempt_status(const Attempt *a) {
        long status = 0;

        (void) curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

/* Whether the body that comes with this status is (a part of) the file. */
bool attempt_is_body(const Attempt *a) {
        long status = attempt_status(a);

        return is_file(a) || status == 200 || (status == 206 && a->offset > 0);
}

/*
 * A part must begin where ours ends, reach to the end, and be of the file that ours is of. A server may get
 * If-Range wrong; what it says of the file itself is then looked at, too.
 */
static bool attempt_part_fits(const Attempt *a) {
        const Headers *h = &a->headers;

        if (!h->ranged || h->range_start != a->offset ||
            (h->range_total && h->range_end + 1 != h->range_total))
                return false;
        if (!a->validator)
                return true;
        if (validator_is_etag(a->validator))
                return !h->etag || streq(h->etag, a->validator);
        return !h->last_modified || streq(h->last_modified, a->validator);
}

int attempt_begin(Attempt *a) {
        DownloadBegin begin = { .validator = headers_validator(&a->headers) };
        curl_off_t length = -1;

        a->begun = true;
        (void) curl_easy_getinfo(a->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (!is_file(a) && attempt_status(a) == 206) {
                if (!attempt_part_fits(a)) {
                        a->wrong_part = true;
                        return -ESTALE;
                }
                begin.offset = a->offset;
        }
        if (length > 0)
                begin.size = begin.offset + (uint64_t) length;
        else if (begin.offset > 0)
                begin.size = a->headers.range_total;
        if (begin.size > a->request.limit) {
                a->too_large = true;
                return -EFBIG;
        }
        a->offset = begin.offset;
        return a->request.begin(a->request.userdata, &begin, &a->local_error);
}

/* Called when there is a connection to ask over, at each address that one is redirected to. */
static int attempt_connected(void *userdata, char *peer, char *self, int peer_port, int self_port) {
        Attempt *a = userdata;

        a->connected = true;
        return CURL_PREREQFUNC_OK;
}

/* Anything but size makes libcurl end the transfer; attempt_judge() then finds out why. */
static size_t attempt_write(char *data, size_t one, size_t size, void *userdata) {
        Attempt *a = userdata;

        if (a->cancelled && *a->cancelled)
                return 0;
        a->received += size;
        if (!attempt_is_body(a))
                return a->received > REFUSAL_SIZE_MAX ? 0 : size;
        if (a->headers.encoding)
                return 0;
        if (!a->begun) {
                a->local_result = attempt_begin(a);
                if (a->local_result < 0)
                        return 0;
        }
        if (a->received > a->request.limit - a->offset) {
                a->too_large = true;
                return 0;
        }
        a->local_result = a->request.write(a->request.userdata, data, size, &a->local_error);
        return a->local_result < 0 ? 0 : size;
}

static size_t attempt_header(char *data, size_t one, size_t size, void *userdata) {
        Attempt *a = userdata;

        headers_add(&a->headers, data, size);
        if (a->headers.size > HEADERS_SIZE_MAX) {
                a->too_large = true;
                return 0;
        }
        return size;
}

#define SET(option, value)                                                      \
        do {                                                                    \
                CURLcode _code_ = curl_easy_setopt(a->curl, (option), (value)); \
                if (_code_ != CURLE_OK)                                         \
                        return transfer_set_result(_code_, reterr);             \
        } while (false)

static int attempt_set_network(Attempt *a, const DownloadOptions *o, Error **reterr) {
        const TransferLong longs[] = {
                { CURLOPT_NOSIGNAL, 1 },
                { CURLOPT_FOLLOWLOCATION, 1 },
                { CURLOPT_MAXREDIRS, 10 },
                { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 }, /* a proxy's answer is not the server's */
                { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
                { CURLOPT_SSL_VERIFYPEER, 1 },
                { CURLOPT_SSL_VERIFYHOST, 2 },
                { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS },
                { CURLOPT_BUFFERSIZE, 256 * 1024L },
                { CURLOPT_CONNECTTIMEOUT_MS, (long) (o->connect_timeout_usec / USEC_PER_MSEC) },
                { CURLOPT_LOW_SPEED_LIMIT, DOWNLOAD_SPEED_MIN },
                { CURLOPT_LOW_SPEED_TIME, (long) ((o->stall_usec + USEC_PER_SEC - 1) / USEC_PER_SEC) },
        };
        const TransferText texts[] = {
                { CURLOPT_PROTOCOLS_STR, is_file(a) ? "file" : "https" },
                { CURLOPT_REDIR_PROTOCOLS_STR, "https" },
                { CURLOPT_USERAGENT, "hardway" },
        };
        int r;

        r = transfer_set_longs(a->curl, longs, ARRAY_SIZE(longs), reterr);
        if (r < 0)
                return r;
        r = transfer_set_texts(a->curl, texts, ARRAY_SIZE(texts), reterr);
        if (r < 0)
                return r;
        if (o->ca_bundle) {
                SET(CURLOPT_CAINFO, o->ca_bundle);
                SET(CURLOPT_CAPATH, NULL); /* or the system's CAs would be trusted as well */
        }
        return 0;
}

/* Asks for what the caller does not have yet (RFC 9110, 13.1.5 and 14.2). */
static int attempt_set_part(Attempt *a, Error **reterr) {
        _cleanup_free_ char *range = NULL, *line = NULL;
        DownloadPart part = {};

        a->offset = 0;
        free(TAKE_PTR(a->validator));
        transfer_list_freep(&a->lines);
        if (a->request.have && !a->whole && !is_file(a))
                a->request.have(a->request.userdata, &part);
        if (part.size == 0 || part.size >= a->request.limit)
                return 0;

        a->offset = part.size;
        a->validator = xstrdup_null(part.validator);
        range = xasprintf("%" PRIu64 "-", part.size);
        SET(CURLOPT_RANGE, range);
        if (!a->validator)
                return 0;
        line = xasprintf("If-Range: %s", a->validator);
        transfer_list_add(&a->lines, line);
        SET(CURLOPT_HTTPHEADER, a->lines);
        return 0;
}

/**
 * attempt_prepare() - set a transfer up for its first or next try
 * @a:          the transfer
 * @options:    of the set
 * @reterr:     says what this libcurl lacks
 *
 * Return: 0 or a negative errno.
 */
int attempt_prepare(Attempt *a, const DownloadOptions *options, Error **reterr) {
        int r;

        a->connected = a->begun = a->tls_begun = a->too_large = a->wrong_part = false;
        a->received = 0;
        a->local_result = 0;
        a->local_error = error_free(a->local_error);
        headers_done(&a->headers);
        a->text[0] = '\0';

        /*
         * A new handle each time: one that failed early keeps a buffer whose size then cannot be set (7.88).
         */
        transfer_freep(&a->curl);
        a->curl = curl_easy_init();
        if (!a->curl)
                abort();
        r = attempt_set_network(a, options, reterr);
        if (r < 0)
                return r;
        SET(CURLOPT_URL, a->url);
        SET(CURLOPT_PRIVATE, a);
        SET(CURLOPT_ERRORBUFFER, a->text);
        SET(CURLOPT_PREREQFUNCTION, attempt_connected);
        SET(CURLOPT_PREREQDATA, a);
        SET(CURLOPT_WRITEFUNCTION, attempt_write);
        SET(CURLOPT_WRITEDATA, a);
        SET(CURLOPT_HEADERFUNCTION, attempt_header);
        SET(CURLOPT_HEADERDATA, a);
        r = attempt_set_part(a, reterr);
        if (r < 0)
                return r;
        return transfer_watch_tls(a->curl, &a->tls_begun, reterr);
}
