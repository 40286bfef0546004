/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests to the cluster's API, as probes make them: an answer of any status is an answer
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "controlplane/internal.h"

#define TIMEOUT (5 * USEC_PER_SEC)
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define TEXT_MAX 200

/**
 * api_request() - one request to an apiserver
 * @http:       who asks
 * @method:     "GET", "PATCH" (server-side apply), "DELETE"
 * @base:       "https://10.77.0.10:6443"
 * @path:       what stands behind it
 * @body:       what to send, or NULL
 * @ret:        the answer; freed by api_answer_done()
 * @reterr:     there was none
 *
 * Return: 0 or a negative errno.
 */
int api_request(HttpClient *http, const char *method, const char *base, const char *path, const json_t *body,
                ApiAnswer *ret, Error **reterr) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *url = xasprintf("%s%s", base, path);
        _cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
        const HttpRequest request = {
                .method = method,
                .url = url,
                .content_type = streq(method, "PATCH") ? "application/apply-patch+yaml" : NULL,
                .body = text,
                .body_size = text ? strlen(text) : 0,
                .timeout_usec = TIMEOUT,
                .connect_timeout_usec = CONNECT_TIMEOUT,
        };
        int r;

        r = http_request(http, &request, &response, reterr);
        if (r < 0)
                return r;
        *ret = (ApiAnswer) {
                .status = response.status,
                .duration_usec = response.duration_usec,
                .body = TAKE_GENERIC(response.body, Buffer, BUFFER_NULL),
                .served = TAKE_GENERIC(response.served, Buffer, BUFFER_NULL),
        };
        if (ret->body.size > 0 && ret->body.data[0] == '{')
                (void) json_parse(url, ret->body.data, ret->body.size, &ret->tree, NULL);
        return 0;
}

void api_answer_done(ApiAnswer *a) {
        buffer_done(&a->body);
        buffer_done(&a->served);
        json_decref(a->tree);
        *a = (ApiAnswer) {};
}

char* api_answer_text(const ApiAnswer *a) {
        const char *message = json_text(a->tree, "message"),
                   *text = message ? message : buffer_str(&a->body);
        size_t n = strcspn(text, "\r\n");

        return xasprintf("HTTP status %ld%s%.*s", a->status, n > 0 ? ": " : "",
                         (int) (n < TEXT_MAX ? n : TEXT_MAX), text);
}

/**
 * readyz_text() - what /readyz has against itself
 * @body:       its answer with a status other than 200: lines "[+]ping ok", "[-]etcd failed: reason
 * withheld"
 *
 * Return: the bad ones without "reason withheld" (which says nothing), with commas between; the caller
 * frees.
 */
char* readyz_text(const char *body) {
        _cleanup_strv_ Strv lines = strv_split(body, "\r\n"), bad = NULL;

        STRV_FOREACH(line, lines) {
                const char *end = strstr(*line, ": reason withheld");

                if (startswith(*line, "[-]"))
                        strv_addf(&bad, "%.*s", end ? (int) (end - *line) : TEXT_MAX, *line);
        }
        return strv_join(bad, ", ");
}
