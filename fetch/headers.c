/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/parse.h"

#define ENCODING_SIZE_MAX 64U
#define VALIDATOR_SIZE_MAX 256U

/* A value is sent back to servers and written to disk: printable ASCII, and not long. */
static bool value_is_plain(const char *value, size_t size, size_t max) {
        if (size == 0 || size > max)
                return false;
        for (size_t i = 0; i < size; i++)
                if (value[i] < ' ' || value[i] > '~')
                        return false;
        return true;
}

static void value_put(char **ret, char *value) {
        free(*ret);
        *ret = value;
}

/* We offer no compression, and bytes that come compressed all the same are not those that were published. */
static void header_encoding(Headers *h, const char *value, size_t size) {
        bool plain = size == 0 || (size == 8 && strncasecmp(value, "identity", size) == 0);

        value_put(&h->encoding,
                  plain ? NULL : xstrndup(value, size < ENCODING_SIZE_MAX ? size : ENCODING_SIZE_MAX));
}

/* RFC 9110, 8.8.3 and 13.1.5: a weak one (W/"...") must not be used to continue a file. */
static void header_etag(Headers *h, const char *value, size_t size) {
        bool strong = size >= 2 && value[0] == '"' && value[size - 1] == '"' &&
                      !memchr(value + 1, '"', size - 2) && value_is_plain(value, size, VALIDATOR_SIZE_MAX);

        value_put(&h->etag, strong ? xstrndup(value, size) : NULL);
}

static void header_last_modified(Headers *h, const char *value, size_t size) {
        bool date = value_is_plain(value, size, VALIDATOR_SIZE_MAX) && value[0] != '"';

        value_put(&h->last_modified, date ? xstrndup(value, size) : NULL);
}

static int number_take(char **p, char end, uint64_t *ret) {
        char *s = *p, *stop = strchr(s, end);
        int r;

        if (!stop)
                return -EINVAL;
        *stop = '\0';
        r = parse_uint64(s, 0, INT64_MAX, ret);
        *p = stop + 1;
        return r;
}

/* "bytes 100-199/200" or "bytes 100-199/" and an asterisk (RFC 9110, 14.4). */
static void header_range(Headers *h, const char *value, size_t size) {
        _cleanup_free_ char *copy = xstrndup(value, size < 128 ? size : 128);
        uint64_t start, last, total = 0;
        char *p = copy;

        h->ranged = false;
        if (strncasecmp(p, "bytes ", 6) != 0)
                return;
        p += 6;
        if (number_take(&p, '-', &start) < 0 || number_take(&p, '/', &last) < 0 || start > last)
                return;
        if (!streq(p, "*") && (parse_uint64(p, 1, INT64_MAX, &total) < 0 || last >= total))
                return;
        h->ranged = true;
        h->range_start = start;
        h->range_end = last;
        h->range_total = total;
}

typedef struct HeaderRow {
        const char *name;
        void (*take)(Headers *h, const char *value, size_t size);
} HeaderRow;

static const HeaderRow header_table[] = {
        { "content-encoding:", header_encoding },
        { "content-range:", header_range },
        { "etag:", header_etag },
        { "last-modified:", header_last_modified },
};

static void headers_clear(Headers *h) {
        free(h->encoding);
        free(h->etag);
        free(h->last_modified);
        *h = (Headers) { .size = h->size };
}

/**
 * headers_add() - take in one line
 * @h:          what is known so far
 * @line:       the line, not ended by a NUL
 * @size:       its size
 */
void headers_add(Headers *h, const char *line, size_t size) {
        h->size += size;
        if (size > 5 && strncasecmp(line, "HTTP/", 5) == 0)
                headers_clear(h);

        for (size_t i = 0; i < ARRAY_SIZE(header_table); i++) {
                size_t n = strlen(header_table[i].name), end = size;

                if (size < n || strncasecmp(line, header_table[i].name, n) != 0)
                        continue;
                while (n < end && memchr(" \t", line[n], 2))
                        n++;
                while (end > n && memchr(" \t\r\n", line[end - 1], 4))
                        end--;
                header_table[i].take(h, line + n, end - n);
        }
}

/**
 * headers_validator() - what says that a file is still the same
 * @h:          the headers
 *
 * Return: the ETag, else Last-Modified, else NULL; lent.
 */
const char* headers_validator(const Headers *h) {
        return h->etag ?: h->last_modified;
}

/**
 * validator_is_etag() - which of the two a validator is
 * @validator:  as headers_validator() gave it
 *
 * Return: true for an ETag, false for a date.
 */
bool validator_is_etag(const char *validator) {
        return validator[0] == '"';
}

/**
 * headers_done() - free what headers hold
 * @h:          the headers, empty and ready for use afterwards
 */
void headers_done(Headers *h) {
        headers_clear(h);
        *h = HEADERS_NULL;
}
