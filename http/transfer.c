/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/transfer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static pthread_once_t transfer_once = PTHREAD_ONCE_INIT;
static CURLcode transfer_once_result = CURLE_FAILED_INIT;

static void transfer_init_once(void) {
        transfer_once_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/**
 * transfer_init() - make libcurl ready, once for the whole program
 * @reterr:     says why it cannot be used
 *
 * May be called from any thread. There is no counterpart: what libcurl holds globally is given back by exit.
 *
 * Return: 0; -ENOENT (ERROR_UNAVAILABLE) if libcurl is not there; -ENOTSUP.
 */
int transfer_init(Error **reterr) {
        int r = transfer_load(reterr);

        if (r < 0)
                return r;
        if (pthread_once(&transfer_once, transfer_init_once) != 0 || transfer_once_result != CURLE_OK)
                return error_set(reterr, ERROR_INTERNAL, ENOTSUP, "libcurl cannot be initialised: %s",
                                 curl_easy_strerror(transfer_once_result));
        return 0;
}

/**
 * transfer_set_result() - turn the answer of curl_easy_setopt() into ours
 * @code:       what it returned
 * @reterr:     says what this libcurl lacks
 *
 * Return: 0 or -ENOTSUP.
 */
int transfer_set_result(CURLcode code, Error **reterr) {
        if (code == CURLE_OK)
                return 0;
        if (code == CURLE_OUT_OF_MEMORY)
                abort();
        return error_set(reterr, ERROR_INTERNAL, ENOTSUP,
                         "libcurl %s does not take an option that is needed: %s",
                         curl_version_info(CURLVERSION_NOW)->version, curl_easy_strerror(code));
}

/**
 * transfer_set_longs() - set options that are numbers
 * @curl:       the handle
 * @options:    the options
 * @n_options:  how many
 * @reterr:     says what this libcurl lacks
 *
 * Return: 0 or -ENOTSUP.
 */
int transfer_set_longs(CURL *curl, const TransferLong *options, size_t n_options, Error **reterr) {
        for (size_t i = 0; i < n_options; i++) {
                int r = transfer_set_result(curl_easy_setopt(curl, options[i].option, options[i].value),
                                            reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * transfer_set_texts() - set options that are strings, which libcurl copies
 * @curl:       the handle
 * @options:    the options
 * @n_options:  how many
 * @reterr:     says what this libcurl lacks
 *
 * Return: 0 or -ENOTSUP.
 */
int transfer_set_texts(CURL *curl, const TransferText *options, size_t n_options, Error **reterr) {
        for (size_t i = 0; i < n_options; i++) {
                int r = transfer_set_result(curl_easy_setopt(curl, options[i].option, options[i].value),
                                            reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static CURLcode transfer_tls_begins(CURL *curl, void *context, void *userdata) {
        bool *begun = userdata;

        *begun = true;
        return CURLE_OK;
}

/**
 * transfer_watch_tls() - note when a handshake begins
 * @curl:       the handle
 * @begun:      set to true then; must live as long as the transfer
 * @reterr:     says what this libcurl lacks
 *
 * Return: 0 or -ENOTSUP.
 */
int transfer_watch_tls(CURL *curl, bool *begun, Error **reterr) {
        int r;

        r = transfer_set_result(curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, transfer_tls_begins),
                                reterr);
        if (r < 0)
                return r;
        return transfer_set_result(curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, begun), reterr);
}

/**
 * transfer_list_add() - append to a list of strings
 * @list:       the list, NULL while it is empty
 * @text:       what to append, copied
 */
void transfer_list_add(TransferList *list, const char *text) {
        TransferList longer = curl_slist_append(*list, text);

        if (!longer)
                abort();
        *list = longer;
}

/**
 * transfer_origin() - scheme, host and port of an URL, as it is written
 * @url:        the URL
 *
 * Return: the URL up to its path; the caller frees.
 */
char* transfer_origin(const char *url) {
        const char *authority = strstr(url, "://");

        authority = authority ? authority + 3 : url;
        return xstrndup(url, (size_t) (authority - url) + strcspn(authority, "/?#"));
}

typedef struct StatusRow {
        long status;
        int errnum;
        ErrorKind kind;
        const char *text;
} StatusRow;

/*
 * Those that are answered differently by a caller, or that a person should not have to look up (RFC 9110).
 */
static const StatusRow status_table[] = {
        { 400, EINVAL, ERROR_UNAVAILABLE, "bad request" },
        { 401, EACCES, ERROR_PERMISSION, "not authenticated" },
        { 403, EACCES, ERROR_PERMISSION, "not allowed" },
        { 404, ENOENT, ERROR_UNAVAILABLE, "not found" },
        { 405, ENOTSUP, ERROR_UNAVAILABLE, "method not allowed" },
        { 407, EACCES, ERROR_PERMISSION, "the proxy wants a login" },
        { 408, ETIMEDOUT, ERROR_UNAVAILABLE, "the server timed out" },
        { 409, EEXIST, ERROR_UNAVAILABLE, "conflict" },
        { 410, ENOENT, ERROR_UNAVAILABLE, "gone" },
        { 412, EINVAL, ERROR_UNAVAILABLE, "precondition failed" },
        { 413, EFBIG, ERROR_UNAVAILABLE, "request too large" },
        { 422, EINVAL, ERROR_UNAVAILABLE, "not accepted" },
        { 429, EAGAIN, ERROR_UNAVAILABLE, "too many requests" },
        { 500, EIO, ERROR_UNAVAILABLE, "error in the server" },
        { 502, EAGAIN, ERROR_UNAVAILABLE, "bad gateway" },
        { 503, EAGAIN, ERROR_UNAVAILABLE, "not available now" },
        { 504, ETIMEDOUT, ERROR_UNAVAILABLE, "the gateway timed out" },
};

static const StatusRow* status_find(long status) {
        for (size_t i = 0; i < ARRAY_SIZE(status_table); i++)
                if (status_table[i].status == status)
                        return status_table + i;
        return NULL;
}

/**
 * transfer_status_errno() - the errno that stands for an HTTP status
 * @status:     300 or more
 *
 * Return: positive; EIO for what is not known better.
 */
int transfer_status_errno(long status) {
        const StatusRow *row = status_find(status);

        return row ? row->errnum : EIO;
}

/**
 * transfer_status_kind() - who has to act on an HTTP status
 * @status:     300 or more
 *
 * Return: the kind.
 */
ErrorKind transfer_status_kind(long status) {
        const StatusRow *row = status_find(status);

        return row ? row->kind : ERROR_UNAVAILABLE;
}

/**
 * transfer_status_text() - an HTTP status in words
 * @status:     the status
 *
 * Return: a few words, or NULL for one that is seldom seen.
 */
const char* transfer_status_text(long status) {
        const StatusRow *row = status_find(status);

        if (!row && status >= 300 && status < 400)
                return "a redirect";
        return row ? row->text : NULL;
}
