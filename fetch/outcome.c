/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/attempt.h"

/* What the end of a transfer means, and whether it is worth another try. */

#define RETRY_AFTER_MAX 60
#define RETRIES_CONNECT_MAX 1U
#define ADVANCE_SIZE (1024U * 1024) /* an attempt that brought so much was not in vain */

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
        if (a->wrong_part) {
                *ret = DOWNLOAD_FAILED;
                return error_set(reterr, ERROR_UNAVAILABLE, ESTALE,
                                 "%s: asked for the rest of a file, the server sent a part of another",
                                 where);
        }
        if (a->too_large && a->headers.size > HEADERS_SIZE_MAX) {
                *ret = DOWNLOAD_FAILED;
                return error_set(reterr, ERROR_VERIFY, EFBIG, "%s: headers without an end", where);
        }
        if (a->too_large)
                return error_set(reterr, ERROR_VERIFY, EFBIG,
                                 "%s: larger than %" PRIu64 " bytes, which is too large", where,
                                 a->request.limit);
        if (a->headers.encoding && attempt_is_body(a))
                return error_set(
                        reterr, ERROR_VERIFY, EBADMSG,
                        "%s: sent compressed (Content-Encoding: %s), although that was not asked for", where,
                        a->headers.encoding);
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

        if (code == CURLE_OK && attempt_is_body(a) && !a->begun && !a->headers.encoding)
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
        if ((code == CURLE_OK || code == CURLE_WRITE_ERROR) && !attempt_is_body(a))
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
                        .before = a->begun ? a->offset : 0,
                },
                reterr);
        return DOWNLOAD_FAILED;
}

/*
 * How often it is worth trying: what answers at all may do better in a moment; what does not, mostly does
 * not.
 */
static unsigned attempt_retries(const Attempt *a, CURLcode code, unsigned retries) {
        long proxy = 0;

        (void) curl_easy_getinfo(a->curl, CURLINFO_HTTP_CONNECTCODE, &proxy);
        if (proxy >= 300 && proxy < 500)
                return 0;
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
 * come back together. An attempt that got on counts as the first: a line that breaks now and then is slow,
 * not dead. What cannot be had in parts is asked for as a whole, at once. A server that says Retry-After is
 * believed up to a minute; one that wants more is not waited for.
 *
 * Return: microseconds, or 0 if it is not.
 */
uint64_t attempt_wait(Attempt *a, CURLcode code, const DownloadOptions *options) {
        uint64_t wait, spread = 0;
        curl_off_t retry_after = 0;

        if (!a->whole && (a->wrong_part || (a->offset > 0 && attempt_status(a) == 416))) {
                a->whole = true;
                return 1;
        }
        if (a->received >= ADVANCE_SIZE)
                a->n_failed = 0;
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
