/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/checksums.h"

#include <string.h>

#include "common/alloc.h"

typedef struct ChecksumLine {
        char digest[SHA512_HEX_SIZE];
        const char *name; /* NULL: a bare digest */
        size_t name_size;
} ChecksumLine;

static char hex_lower(char c) {
        return c >= 'A' && c <= 'F' ? (char) (c - 'A' + 'a') : c;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* "DIGEST", "DIGEST  NAME" or "DIGEST *NAME". */
static int line_parse(const char *line, size_t size, size_t length, ChecksumLine *ret) {
        size_t i;

        while (size > 0 && is_blank(line[size - 1]))
                size--;
        if (size < length)
                return -EBADMSG;
        for (i = 0; i < length; i++) {
                ret->digest[i] = hex_lower(line[i]);
                if (!memchr("0123456789abcdef", ret->digest[i], 16))
                        return -EBADMSG;
        }
        ret->digest[length] = '\0';
        ret->name = NULL;
        ret->name_size = 0;
        if (i == size)
                return 0;

        if (!is_blank(line[i]))
                return -EBADMSG;
        while (is_blank(line[i]))
                i++; /* ends: the last character is no blank */
        if (line[i] == '*')
                i++;
        if (i == size)
                return -EBADMSG;
        ret->name = line + i;
        ret->name_size = size - i;
        return 0;
}

/* Lists may name files with folders in front. */
static bool line_names(const ChecksumLine *line, const char *name) {
        size_t n = strlen(name);
        const char *end;

        if (!line->name || line->name_size < n)
                return false;
        end = line->name + line->name_size - n;
        return memcmp(end, name, n) == 0 && (end == line->name || end[-1] == '/');
}

static int checksums_add(const ChecksumLine *line, const char *name, size_t n_lines, char *found,
                         Error **reterr) {
        if (!line->name && n_lines > 1)
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "line %zu has no name", n_lines);
        if (line->name && !line_names(line, name))
                return 0;
        if (*found && !streq(found, line->digest))
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "two different digests for %s", name);
        memcpy(found, line->digest, strlen(line->digest) + 1);
        return 0;
}

static int find(const void *data, size_t size, const char *name, size_t length, char *ret, Error **reterr) {
        const char *p = data, *end = p + size;
        char found[SHA512_HEX_SIZE] = "";
        size_t n_lines = 0;
        bool bare = false;
        int r;

        if (size > CHECKSUMS_SIZE_MAX)
                return error_set(reterr, ERROR_VERIFY, EFBIG, "larger than %u KiB",
                                 CHECKSUMS_SIZE_MAX / 1024);

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                size_t n = (size_t) ((newline ?: end) - p);
                ChecksumLine line = {};

                if (n > 0 && !(n == 1 && *p == '\r')) {
                        n_lines++;
                        if (bare || line_parse(p, n, length, &line) < 0)
                                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                                 "line %zu is not a SHA-%zu checksum", n_lines, length * 4);
                        bare = !line.name;
                        r = checksums_add(&line, name, n_lines, found, reterr);
                        if (r < 0)
                                return r;
                }
                p += n + (newline ? 1 : 0);
        }

        if (!*found)
                return error_set(
                        reterr, ERROR_VERIFY, n_lines > 0 ? ENOENT : EBADMSG,
                        n_lines > 0 ? "no checksum of %s in it" : "no checksum in it, not even of %s", name);
        memcpy(ret, found, length + 1);
        return 0;
}

/**
 * checksums_find() - the published digest of a file
 * @data:       the checksum file
 * @size:       its size
 * @name:       the file's name, without folders
 * @ret:        64 small hex digits
 * @reterr:     says what is wrong with the checksum file
 *
 * Return: 0, -ENOENT if it is a list without that name, -EBADMSG if it is no checksum file, -EFBIG.
 */
int checksums_find(const void *data, size_t size, const char *name, char ret[static SHA256_HEX_SIZE],
                   Error **reterr) {
        return find(data, size, name, SHA256_HEX_SIZE - 1, ret, reterr);
}

/**
 * checksums_find_512() - the published SHA-512 of a file
 * @data:       the checksum file
 * @size:       its size
 * @name:       the file's name, without folders
 * @ret:        128 small hex digits
 * @reterr:     says what is wrong with the checksum file
 *
 * Return: as checksums_find().
 */
int checksums_find_512(const void *data, size_t size, const char *name, char ret[static SHA512_HEX_SIZE],
                       Error **reterr) {
        return find(data, size, name, SHA512_HEX_SIZE - 1, ret, reterr);
}
