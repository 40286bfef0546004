/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a member counts: how long it waits for its disk, and whom of the others it is in touch with
 *
 * etcd counts how long each sync of its log took in a histogram, etcd_disk_wal_fsync_duration_seconds
 * (server/storage/wal/metrics.go), served as text (Prometheus' exposition format 0.0.4). The 99th percentile
 * is found in it as Prometheus' histogram_quantile() does: by a straight line through the bucket.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "etcd/internal.h"

#define BUCKET "etcd_disk_wal_fsync_duration_seconds_bucket{le=\""
#define BUCKETS_MAX 64
#define METRICS_SIZE_MAX (2u * 1024 * 1024)
#define SYNCS_MIN 100 /* fewer say nothing about the slowest of a hundred */

typedef struct Bucket {
        double bound; /* seconds */
        double count; /* of all that took no longer */
} Bucket;

/* "0.001", "12", "1.234567e+06", as Go prints floating point numbers that are not negative */
static int parse_number(const char *text, size_t size, double *ret) {
        _cleanup_free_ char *copy = xstrndup(text, size);
        char *exponent = strchr(copy, 'e'), *dot;
        uint64_t whole, fraction = 0;
        double value, scale = 1;
        unsigned power = 0;

        if (exponent)
                *exponent++ = 0;
        dot = strchr(copy, '.');
        if (dot)
                *dot++ = 0;
        if (parse_uint64(copy, 0, UINT64_MAX, &whole) < 0 ||
            (dot && (strlen(dot) > 18 || parse_uint64(dot, 0, UINT64_MAX, &fraction) < 0)) ||
            (exponent &&
             ((*exponent != '+' && *exponent != '-') || parse_unsigned(exponent + 1, 0, 18, &power) < 0)))
                return -EINVAL;
        for (size_t i = 0; dot && i < strlen(dot); i++)
                scale *= 10;
        value = (double) whole + (double) fraction / scale;
        for (; power > 0; power--)
                value = *exponent == '+' ? value * 10 : value / 10;
        *ret = value;
        return 0;
}

/* le="+Inf" is the last one, and counts them all. */
static int parse_bucket(const char *line, Bucket *ret) {
        const char *bound = startswith(line, BUCKET), *quote = bound ? strchr(bound, '"') : NULL;
        const char *count = quote ? startswith(quote, "\"} ") : NULL;
        Bucket b = { .bound = -1 };

        if (!count || parse_number(count, strlen(count), &b.count) < 0)
                return -EINVAL;
        if (!startswith(bound, "+Inf\"") && parse_number(bound, (size_t) (quote - bound), &b.bound) < 0)
                return -EINVAL;
        *ret = b;
        return 0;
}

static size_t parse_buckets(const char *text, Bucket buckets[static BUCKETS_MAX]) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        size_t n = 0;

        STRV_FOREACH(line, lines)
                if (n < BUCKETS_MAX && parse_bucket(*line, buckets + n) >= 0)
                        n++;
        return n;
}

/**
 * etcd_fsync_percentile() - how long 99 of 100 syncs of the log took at most
 * @text:       what a member serves at /metrics
 * @ret_msec:   the time, in milliseconds
 *
 * Return: 0, or -ENODATA if the text has no such histogram, or too few syncs in it.
 */
int etcd_fsync_percentile(const char *text, double *ret_msec) {
        Bucket buckets[BUCKETS_MAX], before = {};
        size_t n = parse_buckets(text, buckets);
        double total = n > 0 ? buckets[n - 1].count : 0, wanted = total * 0.99;

        if (total < SYNCS_MIN)
                return -ENODATA;
        for (size_t i = 0; i < n; i++) {
                const Bucket *b = buckets + i;

                if (b->count < wanted) {
                        before = *b;
                        continue;
                }
                /* beyond the last bound nothing is known but that */
                if (b->bound < 0 || b->count <= before.count)
                        *ret_msec = before.bound * 1e3;
                else
                        *ret_msec =
                                1e3 * (before.bound + (b->bound - before.bound) * (wanted - before.count) /
                                                              (b->count - before.count));
                return 0;
        }
        return -ENODATA;
}

static int ask(const EtcdPeer *p, Buffer *ret) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *url = xasprintf("%s/metrics", p->url);
        const HttpRequest request = {
                .url = url,
                .timeout_usec = p->endpoint.timeout_usec,
                .limit = METRICS_SIZE_MAX,
        };
        int r;

        r = http_request(p->http, &request, &response, NULL);
        if (r < 0)
                return r;
        if (response.status != 200)
                return -EIO;
        *ret = TAKE_GENERIC(response.body, Buffer, BUFFER_NULL);
        return 0;
}

/**
 * etcd_fsync() - the same, asked of a member
 * @p:          the member
 * @ret_msec:   the time, in milliseconds
 *
 * Return: 0, or a negative errno.
 */
int etcd_fsync(const EtcdPeer *p, double *ret_msec) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = ask(p, &text);
        return r < 0 ? r : etcd_fsync_percentile(buffer_str(&text), ret_msec);
}

/**
 * etcd_is_in_touch() - has a member a connection to another one that is not idle?
 * @p:          the member that is asked
 * @id:         of the other
 *
 * It counts them (server/etcdserver/api/rafthttp/peer_status.go: activePeers): a peer is active until a stream from or
 * to it has failed, which takes some seconds where its host is gone.
 *
 * Return: 1 if it has, 0 if not, or a negative errno.
 */
int etcd_is_in_touch(const EtcdPeer *p, uint64_t id) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        _cleanup_free_ char *remote = xasprintf("Remote=\"%" PRIx64 "\"} 1", id);
        int r;

        r = ask(p, &text);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&text), "\n");
        STRV_FOREACH(line, lines)
                if (startswith(*line, "etcd_network_active_peers{") && strstr(*line, remote))
                        return 1;
        return 0;
}
