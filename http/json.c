/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "http/http.h"
#include "http/transfer.h"

#define MESSAGE_SIZE_MAX 512

/*
 * Where servers put the sentence: Kubernetes' Status and grpc-gateway v2 (etcd 3.6) in "message",
 * grpc-gateway v1 in "message" and "error", and a stream that fails in "error.message" (facts: etcd's
 * api/v3rpc/rpctypes, apimachinery's Status).
 */
static const char* body_message(const json_t *tree) {
        static const char *const paths[] = { "message", "error.message", "error" };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                const char *text = json_path_text(tree, paths[i]);

                if (text && *text)
                        return text;
        }
        return NULL;
}

/*
 * What the server itself said about a failure: "message" of a Status object or of etcd's gateway, else the first line; cut at
 * a sensible length, and empty if there is none. The caller frees.
 */
static char* response_message(const HttpResponse *r) {
        _cleanup_json_ json_t *tree = NULL;
        const char *text = NULL;
        size_t size;

        if (json_parse("", r->body.data, r->body.size, &tree, NULL) >= 0)
                text = body_message(tree);
        if (text)
                return xstrndup(text, MESSAGE_SIZE_MAX);
        /* A page of HTML tells nobody anything. */
        text = buffer_str(&r->body) + strspn(buffer_str(&r->body), " \t\r\n");
        if (*text == '<' || *text == '{' || *text == '[')
                return xstrdup("");
        size = strcspn(text, "\r\n");
        return xstrndup(text, size < MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX);
}

/**
 * http_response_error() - an HTTP status as an Error
 * @r:          the answer; its status is 300 or more
 * @request:    what was asked, to be named
 * @reterr:     holds method, URL, status, and the server's own words if it said any
 *
 * Return: the negative errno that stands for the status, see the header.
 */
int http_response_error(const HttpResponse *r, const HttpRequest *request, Error **reterr) {
        _cleanup_free_ char *said = response_message(r);
        const char *words = transfer_status_text(r->status);

        return error_set(reterr, transfer_status_kind(r->status), transfer_status_errno(r->status),
                         "%s %s: HTTP status %ld%s%s%s%s%s", request->method ?: "GET", request->url,
                         r->status, words ? " (" : "", words ?: "", words ? ")" : "", *said ? ": " : "",
                         said);
}

/**
 * http_request_json() - send a request whose body and answer are JSON
 * @c:          the client
 * @request:    method, URL, times, limit; its body is not used
 * @body:       what to send, or NULL
 * @ret:        the answer; the caller gives it back with json_decref(); may be NULL
 * @reterr:     also for a status of 300 or more, and for an answer that is no JSON
 *
 * Return: 0 or a negative errno.
 */
int http_request_json(HttpClient *c, const HttpRequest *request, const json_t *body, json_t **ret,
                      Error **reterr) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_json_ json_t *tree = NULL;
        _cleanup_free_ char *text = NULL;
        HttpRequest q = *request;
        int r;

        if (body) {
                text = json_dumps(body, JSON_COMPACT);
                if (!text)
                        return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: a body that is no JSON",
                                         q.url);
                q.body = text;
                q.body_size = strlen(text);
                if (!q.content_type && q.method && streq(q.method, "PATCH"))
                        q.content_type = "application/apply-patch+yaml";
        }

        r = http_request(c, &q, &response, reterr);
        if (r < 0)
                return r;
        if (response.status >= 300)
                return http_response_error(&response, &q, reterr);

        if (response.body.size == 0)
                tree = json_object();
        else {
                r = json_parse(q.url, response.body.data, response.body.size, &tree, reterr);
                if (r < 0)
                        return r;
        }
        if (ret)
                *ret = TAKE_PTR(tree);
        return 0;
}

/**
 * http_json() - http_request_json() with nothing but method, URL and body
 * @c:          the client
 * @method:     the method, or NULL for GET
 * @url:        the address
 * @body:       what to send, or NULL
 * @ret:        the answer; the caller gives it back with json_decref(); may be NULL
 * @reterr:     also for a status of 300 or more, and for an answer that is no JSON
 *
 * Return: 0 or a negative errno.
 */
int http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
              Error **reterr) {
        const HttpRequest request = { .method = method, .url = url };

        return http_request_json(c, &request, body, ret, reterr);
}
