/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a server shows: a handshake, and nothing said over it
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "http/http.h"
#include "http/trace.h"
#include "http/transfer.h"

#define SHOWN_SIZE_MAX (64U * 1024)

static int set_blob(CURL *curl, CURLoption option, const Buffer *pem, Error **reterr) {
        struct curl_blob blob = { .flags = CURL_BLOB_NOCOPY };

        if (!pem || pem->size == 0)
                return 0;
        blob.data = pem->data;
        blob.len = pem->size;
        return transfer_set_result(curl_easy_setopt(curl, option, &blob), reterr);
}

static int set_options(CURL *curl, const char *url, const HttpTrust *shown, uint64_t timeout_usec,
                       Error **reterr) {
        const TransferLong longs[] = {
                { CURLOPT_NOSIGNAL, 1 },
                { CURLOPT_CONNECT_ONLY, 1 },
                { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
                { CURLOPT_CERTINFO, 1 },
                /* What is shown is to be judged, also when it does not hold: the caller does that. */
                { CURLOPT_SSL_VERIFYPEER, 0 },
                { CURLOPT_SSL_VERIFYHOST, 0 },
                { CURLOPT_CONNECTTIMEOUT_MS, (long) (timeout_usec / USEC_PER_MSEC) },
        };
        const TransferText texts[] = {
                { CURLOPT_PROTOCOLS_STR, "https" },
                { CURLOPT_PROXY, "" },
                { CURLOPT_URL, url },
        };
        int r;

        r = transfer_set_longs(curl, longs, ARRAY_SIZE(longs), reterr);
        if (r < 0)
                return r;
        r = transfer_set_texts(curl, texts, ARRAY_SIZE(texts), reterr);
        if (r < 0)
                return r;
        r = set_blob(curl, CURLOPT_SSLCERT_BLOB, shown->certificate, reterr);
        if (r < 0)
                return r;
        return set_blob(curl, CURLOPT_SSLKEY_BLOB, shown->key, reterr);
}

/* The certificates in the order in which they came, each ended by a newline. */
static void add_chain(CURL *curl, Buffer *ret) {
        struct curl_certinfo *chain = NULL;

        if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain)
                return;
        for (int i = 0; i < chain->num_of_certs; i++)
                for (const struct curl_slist *line = chain->certinfo[i]; line; line = line->next) {
                        const char *pem = startswith(line->data, "Cert:");

                        if (!pem || ret->size + strlen(pem) > SHOWN_SIZE_MAX)
                                continue;
                        buffer_add_str(ret, pem);
                        if (!endswith(pem, "\n"))
                                buffer_add_char(ret, '\n');
                }
}

static int shake_hands(const char *address, const HttpTrust *shown, uint64_t timeout_usec, Buffer *ret,
                       Error **reterr) {
        _cleanup_(transfer_freep) CURL *curl = NULL;
        _cleanup_free_ char *url = xasprintf("https://%s/", address);
        char text[CURL_ERROR_SIZE] = "";
        bool tls_begun = false;
        CURLcode code;
        int r;

        r = transfer_init(reterr);
        if (r < 0)
                return r;
        curl = curl_easy_init();
        if (!curl)
                abort();
        r = set_options(curl, url, shown, timeout_usec, reterr);
        if (r < 0)
                return r;
        r = transfer_set_result(curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text), reterr);
        if (r < 0)
                return r;
        r = transfer_watch_tls(curl, &tls_begun, reterr);
        if (r < 0)
                return r;

        code = curl_easy_perform(curl);
        add_chain(curl, ret);
        if (code == CURLE_OK && ret->size > 0)
                return 0;
        if (code == CURLE_OK)
                return error_set(reterr, ERROR_UNAVAILABLE, EPROTO, "%s: shows no certificate", address);
        buffer_clear(ret);
        return transfer_failure(
                &(TransferAttempt) {
                        .curl = curl,
                        .code = code,
                        .text = text,
                        .where = address,
                        .tls_begun = tls_begun,
                        .private_server = true,
                },
                reterr);
}

/**
 * http_show() - which certificates does a server show?
 * @address:    "10.77.0.20:6443"
 * @shown:      certificate and key to show in turn, where the server asks for one; its ca is not looked at
 * @timeout_usec: for connection and handshake together
 * @ret:        the chain in PEM, the server's own certificate first, is appended
 * @reterr:     why there was no handshake; begins with the address
 *
 * The chain is not verified, so that one which does not hold can be told of; nothing is sent but what a
 * handshake consists of.
 *
 * Return: 0 or a negative errno, see the top of the header.
 */
int http_show(const char *address, const HttpTrust *shown, uint64_t timeout_usec, Buffer *ret,
              Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        uint64_t begin = clock_usec();
        int r = shake_hands(address, shown, timeout_usec, ret, &error);

        http_trace(&(HttpTold) {
                .where = address,
                .reason = http_trace_reason(error, address),
                .duration_usec = clock_usec() - begin,
        });
        return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : r;
}
