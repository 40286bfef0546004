/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/x509_vfy.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "http/transfer.h"

/*
 * libcurl's failures in words
 *
 * A person who reads "SSL connect error" knows nothing: what has to be told apart is who has to act, and
 * that stands in several places: curl's code, the errno of the connection, OpenSSL's result of the
 * verification, and the alert that the other side sent, which only the text of the error has.
 */

typedef struct AlertRow {
        const char *text; /* OpenSSL's reason string, see ssl/ssl_err.c */
        const char *meaning;
} AlertRow;

/*
 * Alerts that a server sends about *our* certificate. With TLS 1.3 they come after our handshake has ended
 * well.
 */
static const AlertRow alert_table[] = {
        { "alert certificate required", "none was given" },
        { "alert bad certificate", "it is missing or not of a CA the server trusts" },
        { "alert unknown ca", "it is not of a CA the server trusts" },
        { "alert certificate expired", "it has expired, or the clocks differ" },
        { "alert certificate revoked", "it has been revoked" },
        { "alert certificate unknown", "the server does not say why" },
        { "alert unsupported cert", "it is of a kind the server does not take" },
        { "alert access denied", "the server does not say why" },
        { "alert decrypt error", "it and its key do not belong together" },
};

static int failure_connect(CURL *curl, const char *text, const char *where, Error **reterr) {
        long os = 0;

        (void) curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os);
        switch (os) {
        case ECONNREFUSED:
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED,
                                 "%s: connection refused, nothing listens there", where);
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENETDOWN:
        case EHOSTDOWN:
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH,
                                 "%s: no route to the host, it is down or on another network", where);
        case EACCES:
        case EPERM:
                return error_set(reterr, ERROR_UNAVAILABLE, EACCES,
                                 "%s: connecting is not allowed by a firewall on this machine", where);
        case ETIMEDOUT:
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                                 "%s: no answer to the connection attempt", where);
        default:
                return error_set(reterr, ERROR_UNAVAILABLE, (int) os ?: ECONNREFUSED,
                                 "%s: cannot connect: %s", where, text);
        }
}

static int failure_timeout(const TransferAttempt *t, const char *text, Error **reterr) {
        curl_off_t looked_up = 0, ready = 0, total = 0, received = 0;
        _cleanup_free_ char *span = NULL;

        (void) curl_easy_getinfo(t->curl, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
        (void) curl_easy_getinfo(t->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
        (void) curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &total);
        (void) curl_easy_getinfo(t->curl, CURLINFO_SIZE_DOWNLOAD_T, &received);
        span = clock_format_span(total > 0 ? (uint64_t) total : 0);

        if (ready == 0 && looked_up == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                                 "%s: no answer from name resolution within %s", t->where, span);
        if (ready == 0 && !t->tls_begun)
                return error_set(
                        reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                        "%s: no answer to the connection attempt within %s, the host is down or a firewall "
                        "drops the packets",
                        t->where, span);
        if (ready == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                                 "%s: connected, but the TLS handshake did not end within %s", t->where,
                                 span);
        if (received == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                                 "%s: connected, but no answer within %s", t->where, span);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                         "%s: %s, %" CURL_FORMAT_CURL_OFF_T " bytes had come after %s", t->where,
                         strstr(text, "too slow") ? "the connection stalled or became too slow" :
                                                    "the answer stalled",
                         received + (curl_off_t) t->before, span);
}

static int failure_validity(const char *where, const char *what, Error **reterr) {
        _cleanup_free_ char *now = clock_format_iso(clock_realtime());
        int r;

        r = error_set(reterr, ERROR_VERIFY, EKEYEXPIRED, "%s: the server's certificate %s", where, what);
        error_detail(reterr,
                     "The clock of this machine says %s. If that is right, the certificate must be renewed.",
                     now);
        return r;
}

static int failure_certificate(CURL *curl, const char *text, const char *where, Error **reterr) {
        long result = X509_V_OK;
        const char *quoted;

        (void) curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &result);
        /*
         * The chain holds, so it is the name, which curl compares itself; OpenSSL's result is not always
         * reset then.
         */
        if ((result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED) && strstr(text, "subject name")) {
                quoted = strchr(text, '\'');
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "%s: the server's certificate is valid, but not for this name%s%s", where,
                                 quoted ? " " : "", quoted ?: "");
        }

        switch (result) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return failure_validity(where, "has expired", reterr);
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return failure_validity(where, "is not valid yet", reterr);
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* a CA of the same name, but not ours */
        case X509_V_ERR_CERT_UNTRUSTED:
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "%s: the server's certificate is not of a CA that is trusted here (%s)",
                                 where, X509_verify_cert_error_string(result));
        case X509_V_ERR_CERT_REVOKED:
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "%s: the server's certificate is revoked", where);
        case X509_V_ERR_INVALID_PURPOSE:
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "%s: the server's certificate is not one for servers", where);
        default:
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "%s: the server's certificate does not hold: %s", where,
                                 X509_verify_cert_error_string(result));
        }
}

/* Alerts and broken handshakes. Returns 0 if the text tells of nothing of that sort. */
static int failure_tls_text(const char *text, const char *where, Error **reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(alert_table); i++)
                if (strstr(text, alert_table[i].text))
                        return error_set(reterr, ERROR_PERMISSION, EACCES,
                                         "%s: the server does not accept our client certificate: %s", where,
                                         alert_table[i].meaning);

        if (strstr(text, "wrong version number") || strstr(text, "http request") ||
            strstr(text, "packet length too long"))
                return error_set(reterr, ERROR_UNAVAILABLE, EPROTO,
                                 "%s: what listens there does not speak TLS", where);
        if (strstr(text, "alert protocol version") || strstr(text, "unsupported protocol"))
                return error_set(reterr, ERROR_UNAVAILABLE, EPROTO, "%s: the server has no TLS 1.2 or later",
                                 where);
        return 0;
}

static int failure_tls(const char *text, const char *where, Error **reterr) {
        int r;

        r = failure_tls_text(text, where, reterr);
        if (r < 0)
                return r;
        if (strstr(text, "SSL_ERROR_SYSCALL") || strstr(text, "unexpected eof") ||
            strstr(text, "reset by peer") || strstr(text, "Broken pipe"))
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET,
                                 "%s: the connection was closed during the TLS handshake", where);
        return error_set(reterr, ERROR_UNAVAILABLE, EPROTO, "%s: no TLS connection: %s", where, text);
}

static int failure_cut(const TransferAttempt *t, const char *text, Error **reterr) {
        curl_off_t length = -1, received = 0;
        int r;

        r = failure_tls_text(text, t->where, reterr);
        if (r < 0)
                return r;

        (void) curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        (void) curl_easy_getinfo(t->curl, CURLINFO_SIZE_DOWNLOAD_T, &received);
        received += (curl_off_t) t->before;
        if (length > 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET,
                                 "%s: the connection was cut off after %" CURL_FORMAT_CURL_OFF_T
                                 " of %" CURL_FORMAT_CURL_OFF_T " bytes",
                                 t->where, received, length + (curl_off_t) t->before);
        if (received > 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET,
                                 "%s: the connection was cut off after %" CURL_FORMAT_CURL_OFF_T " bytes",
                                 t->where, received);
        r = error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET,
                      "%s: the connection was closed without an answer", t->where);
        if (t->private_server)
                error_detail(reterr,
                             "A server that wants another client certificate may close it like this, too.");
        return r;
}

/* What it says of the tunnel; curl takes that for a connection that was closed. */
static int failure_proxy(long status, const char *where, Error **reterr) {
        const char *words = transfer_status_text(status);

        return error_set(
                reterr, status == 407 ? ERROR_PERMISSION : ERROR_UNAVAILABLE, transfer_status_errno(status),
                "%s: the proxy (environment variable https_proxy) does not connect us: HTTP status %ld%s%s%s",
                where, status, words ? " (" : "", words ?: "", words ? ")" : "");
}

static int failure_other(CURLcode code, const char *text, const char *where, Error **reterr) {
        switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
                return error_set(
                        reterr, ERROR_UNAVAILABLE, EADDRNOTAVAIL,
                        "%s: the host's name cannot be resolved, is it spelt right and does DNS work here?",
                        where);
        case CURLE_COULDNT_RESOLVE_PROXY:
                return error_set(
                        reterr, ERROR_UNAVAILABLE, EADDRNOTAVAIL,
                        "%s: the name of the proxy (environment variable https_proxy) cannot be resolved",
                        where);
        case CURLE_SSL_CACERT_BADFILE:
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "%s: the CA to verify the server with cannot be read: %s", where, text);
        case CURLE_SSL_CERTPROBLEM:
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "%s: our client certificate or its key cannot be used: %s", where, text);
        case CURLE_FILESIZE_EXCEEDED:
                return error_set(reterr, ERROR_VERIFY, EFBIG, "%s: the answer is larger than is allowed",
                                 where);
        case CURLE_TOO_MANY_REDIRECTS:
                return error_set(reterr, ERROR_UNAVAILABLE, ELOOP, "%s: redirected too often", where);
        case CURLE_UNSUPPORTED_PROTOCOL:
                return error_set(reterr, ERROR_VERIFY, EPROTONOSUPPORT,
                                 "%s: not an address that is safe to read from: %s", where, text);
        case CURLE_URL_MALFORMAT:
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s: not an URL", where);
        case CURLE_ABORTED_BY_CALLBACK:
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "%s: stopped", where);
        case CURLE_OUT_OF_MEMORY:
                return error_set(reterr, ERROR_INTERNAL, ENOMEM, "%s: out of memory", where);
        default:
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "%s: %s", where, text);
        }
}

/**
 * transfer_failure() - say what a transfer failed with
 * @t:          the transfer; its code is not CURLE_OK
 * @reterr:     the message says what happened and, where one can, what to do
 *
 * The errno tells apart: ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, EADDRNOTAVAIL (name), EKEYREJECTED (unknown
 * CA or wrong name), EKEYEXPIRED (expired or not yet valid), EACCES (our certificate), EPROTO (no TLS),
 * ECONNRESET (cut off), EFBIG, ELOOP, EPROTONOSUPPORT, ECANCELED.
 *
 * Return: the negative errno.
 */
int transfer_failure(const TransferAttempt *t, Error **reterr) {
        const char *text = t->text && *t->text ? t->text : curl_easy_strerror(t->code);
        long proxy = 0;

        (void) curl_easy_getinfo(t->curl, CURLINFO_HTTP_CONNECTCODE, &proxy);
        if (proxy >= 300)
                return failure_proxy(proxy, t->where, reterr);
        switch (t->code) {
        case CURLE_COULDNT_CONNECT:
                return failure_connect(t->curl, text, t->where, reterr);
        case CURLE_OPERATION_TIMEDOUT:
                return failure_timeout(t, text, reterr);
        case CURLE_PEER_FAILED_VERIFICATION:
                return failure_certificate(t->curl, text, t->where, reterr);
        case CURLE_SSL_CONNECT_ERROR:
                return failure_tls(text, t->where, reterr);
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
                return failure_cut(t, text, reterr);
        default:
                return failure_other(t->code, text, t->where, reterr);
        }
}
