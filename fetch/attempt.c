/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/attempt.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/clock.h"

#define HEADERS_SIZE_MAX (256U * 1024)
#define REFUSAL_SIZE_MAX (64U * 1024) /* of the page that comes with a 404 */
#define RETRY_AFTER_MAX 60
#define RETRIES_CONNECT_MAX 1U

Attempt* attempt_new(const DownloadRequest *request, const volatile int *cancelled) {
        Attempt *a = xnew(Attempt, 1);

        a->request = *request;
        a->url = xstrdup(request->url);
        a->request.url = a->url;
        a->cancelled = cancelled;
        return a;
}

Attempt* attempt_free(Attempt *a) {
        if (!a)
                return NULL;

        transfer_freep(&a->curl);
        error_free(a->local_error);
        free(a->encoding);
        free(a->url);
        free(a);
        return NULL;
}

static bool attempt_is_file(const Attempt *a) {
        return startswith(a->url, "file://");
}

static long attempt_status(const Attempt *a) {
        long status = 0;

        (void) curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

static int attempt_begin(Attempt *a) {
        curl_off_t length = -1;

        (void) curl_easy_getinfo(a->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        a->begun = true;
        if (length > 0 && (uint64_t) length > a->request.limit) {
                a->too_large = true;
                return -EFBIG;
        }
        return a->request.begin(a->request.userdata, length > 0 ? (uint64_t) length : 0, &a->local_error);
}

/* Anything but size makes libcurl end the transfer; attempt_judge() then finds out why. */
static size_t attempt_write(char *data, size_t one, size_t size, void *userdata) {
        Attempt *a = userdata;

        if (a->cancelled && *a->cancelled)
                return 0;
        a->received += size;
        if (!attempt_is_file(a) && attempt_status(a) != 200)
                return a->received > REFUSAL_SIZE_MAX ? 0 : size;
        if (a->encoding)
                return 0;
        if (!a->begun) {
                a->local_result = attempt_begin(a);
                if (a->local_result < 0)
                        return 0;
        }
        if (a->received > a->request.limit) {
                a->too_large = true;
                return 0;
        }
        a->local_result = a->request.write(a->request.userdata, data, size, &a->local_error);
        return a->local_result < 0 ? 0 : size;
}

/*
 * The status line begins the headers of each answer on the way of redirects. Of the headers only one is of
 * interest: we offer no compression, and bytes that come compressed all the same are not those that were
 * published.
 */
static size_t attempt_header(char *data, size_t one, size_t size, void *userdata) {
        static const char name[] = "content-encoding:";
        Attempt *a = userdata;
        size_t n = sizeof(name) - 1, end = size;

        a->headers_size += size;
        if (a->headers_size > HEADERS_SIZE_MAX) {
                a->too_large = true;
                return 0;
        }
        if (size > 5 && strncasecmp(data, "HTTP/", 5) == 0) {
                free(a->encoding);
                a->encoding = NULL;
        }
        if (size <= n || strncasecmp(data, name, n) != 0)
                return size;

        while (n < end && strchr(" \t", data[n]))
                n++;
        while (end > n && strchr(" \t\r\n", data[end - 1]))
                end--;
        free(a->encoding);
        a->encoding = end == n || (end - n == 8 && strncasecmp(data + n, "identity", 8) == 0) ?
                              NULL :
                              xstrndup(data + n, end - n < 64 ? end - n : 64);
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
                { CURLOPT_PROTOCOLS_STR, attempt_is_file(a) ? "file" : "https" },
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

        a->begun = a->tls_begun = a->too_large = false;
        a->received = a->headers_size = 0;
        a->local_result = 0;
        a->local_error = error_free(a->local_error);
        free(a->encoding);
        a->encoding = NULL;
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
        SET(CURLOPT_WRITEFUNCTION, attempt_write);
        SET(CURLOPT_WRITEDATA, a);
        SET(CURLOPT_HEADERFUNCTION, attempt_header);
        SET(CURLOPT_HEADERDATA, a);
        return transfer_watch_tls(a->curl, &a->tls_begun, reterr);
}

/* libcurl says no more of a file than that it cannot be read. */
static DownloadOutcome attempt_judge_file(const Attempt *a, Error **reterr) {
        _cleanup_close_ int fd = -EBADF;
        char *path = curl_easy_unescape(a->curl, startswith(a->url, "file://") ?: a->url, 0, NULL);
        int errnum;

        fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
        errnum = fd >= 0 ? EISDIR : errno;
        curl_free(path);
        if (errnum != ENOENT && errnum != ENOTDIR) {
                (void) error_set_errno(reterr, errnum, "%s", a->url);
                return DOWNLOAD_FAILED;
        }
        (void) error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: no such file", a->url);
        return DOWNLOAD_MISSING;
}

static DownloadOutcome attempt_judge_status(long status, const char *where, Error **reterr) {
        const char *words = transfer_status_text(status);

        (void) error_set(reterr, transfer_status_kind(status), transfer_status_errno(status),
                         "%s: HTTP status %ld%s%s%s", where, status, words ? " (" : "", words ?: "",
                         words ? ")" : "");
        return status == 404 || status == 410 ? DOWNLOAD_MISSING : DOWNLOAD_FAILED;
}

/* What a write function made of the transfer counts more than how libcurl then saw it end. */
static int attempt_judge_local(Attempt *a, const char *where, DownloadOutcome *ret, Error **reterr) {
        *ret = DOWNLOAD_REFUSED;
        if (a->cancelled && *a->cancelled) {
                *ret = DOWNLOAD_LOCAL;
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "%s: stopped", where);
        }
        if (a->too_large && a->headers_size > HEADERS_SIZE_MAX) {
                *ret = DOWNLOAD_FAILED;
                return error_set(reterr, ERROR_VERIFY, EFBIG, "%s: headers without an end", where);
        }
        if (a->too_large)
                return error_set(reterr, ERROR_VERIFY, EFBIG,
                                 "%s: larger than %" PRIu64 " bytes, which is too large", where,
                                 a->request.limit);
        if (a->encoding)
                return error_set(
                        reterr, ERROR_VERIFY, EBADMSG,
                        "%s: sent compressed (Content-Encoding: %s), although that was not asked for", where,
                        a->encoding);
        if (a->local_result < 0) {
                *ret = DOWNLOAD_LOCAL;
                return a->local_error ? error_propagate(reterr, TAKE_PTR(a->local_error)) :
                                        error_set_errno(reterr, a->local_result, "%s", where);
        }
        return 0;
}

/* "URL", and where it led to if that is somewhere else. */
static char* attempt_where(const Attempt *a) {
        const char *effective = NULL;

        (void) curl_easy_getinfo(a->curl, CURLINFO_EFFECTIVE_URL, &effective);
        if (!effective || streq(effective, a->url))
                return xstrdup(a->url);
        return xasprintf("%s (redirected to %s)", a->url, effective);
}

/**
 * attempt_judge() - what the end of a transfer means
 * @a:          the transfer
 * @code:       what libcurl says
 * @reterr:     set unless the outcome is DOWNLOAD_DONE; begins with the URL
 *
 * Return: the outcome.
 */
DownloadOutcome attempt_judge(Attempt *a, CURLcode code, Error **reterr) {
        _cleanup_free_ char *where = attempt_where(a);
        long status = attempt_status(a);
        DownloadOutcome outcome;

        if (code == CURLE_OK && (attempt_is_file(a) || status == 200) && !a->begun && !a->encoding)
                a->local_result = attempt_begin(a); /* an empty file */
        if (attempt_judge_local(a, where, &outcome, reterr) < 0)
                return outcome;
        if (code == CURLE_FILE_COULDNT_READ_FILE)
                return attempt_judge_file(a, reterr);
        if (code == CURLE_UNSUPPORTED_PROTOCOL) {
                (void) error_set(reterr, ERROR_VERIFY, EPROTONOSUPPORT, "%s: only https:// is followed",
                                 where);
                return DOWNLOAD_FAILED;
        }
        /* A write error without a reason of our own: the page that came with the status was too long. */
        if ((code == CURLE_OK || code == CURLE_WRITE_ERROR) && !attempt_is_file(a) && status != 200)
                return attempt_judge_status(status, where, reterr);
        if (code == CURLE_OK)
                return DOWNLOAD_DONE;

        (void) transfer_failure(
                &(TransferAttempt) {
                        .curl = a->curl,
                        .code = code,
                        .text = a->text,
                        .where = where,
                        .tls_begun = a->tls_begun,
                },
                reterr);
        return DOWNLOAD_FAILED;
}

/*
 * How often it is worth trying: what answers at all may do better in a moment; what does not, mostly does
 * not.
 */
static unsigned attempt_retries(const Attempt *a, CURLcode code, unsigned retries) {
        switch (code) {
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_SSL_CONNECT_ERROR:
                return retries < RETRIES_CONNECT_MAX ? retries : RETRIES_CONNECT_MAX;
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
                return retries;
        default:
                break;
        }
        switch (attempt_status(a)) {
        case 408:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
                return retries;
        default:
                return 0;
        }
}

/**
 * attempt_wait() - whether a transfer that failed is tried again, and when
 * @a:          the transfer
 * @code:       what it ended with
 * @options:    how often, and how long the first pause is
 *
 * The pause doubles each time and is spread by half, so that five machines that a server turned away do not
 * come back together. A server that says Retry-After is believed up to a minute; one that wants more is not
 * waited for.
 *
 * Return: microseconds, or 0 if it is not.
 */
uint64_t attempt_wait(const Attempt *a, CURLcode code, const DownloadOptions *options) {
        uint64_t wait, spread = 0;
        curl_off_t retry_after = 0;

        if (a->n_failed >= attempt_retries(a, code, options->retries))
                return 0;
        (void) curl_easy_getinfo(a->curl, CURLINFO_RETRY_AFTER, &retry_after);
        if (retry_after > RETRY_AFTER_MAX)
                return 0;

        wait = options->backoff_usec << (a->n_failed < 16 ? a->n_failed : 16);
        if (getrandom(&spread, sizeof(spread), 0) < 0)
                spread = clock_usec();
        wait = wait / 2 + spread % (wait + 1);
        if (retry_after > 0 && wait < (uint64_t) retry_after * USEC_PER_SEC)
                wait = (uint64_t) retry_after * USEC_PER_SEC;
        return wait ?: 1;
}
