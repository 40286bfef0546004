/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/parse.h"
#include "common/strv.h"
#include "pki/store-internal.h"

/*
 * Editions: how the store came to what it holds
 *
 * pki/history has a line for each change of what nodes are given: a number that grows, and a random word, as two copies of
 * the directory may both go on from the same line. What somebody was given by another copy is known by that: a copy that was
 * made before does not have the line, nor has one that has gone another way. The line comes before what it is about, so
 * that nothing new is ever known by an old one; that a killed run leaves a line about nothing does no harm.
 */

#define HISTORY "history"
#define LINES_MAX 2000u /* of 20 bytes or so; what the nodes were given is among the last few */
#define WORD_SIZE 8

static uint64_t number_of(const char *edition) {
        _cleanup_free_ char *number = xstrndup(edition, strcspn(edition, " "));
        uint64_t n;

        return parse_uint64(number, 1, UINT64_MAX - 1, &n) < 0 ? 0 : n;
}

static const char* last_of(char *const *lines) {
        size_t n = strv_length(lines);

        return n > 0 ? lines[n - 1] : NULL;
}

/* None, if it cannot be read: nothing that others have is known then. */
static Strv read_lines(Store *s) {
        const Buffer *content;

        return store_file(s, HISTORY, &content, NULL) < 0 ? NULL : strv_split(buffer_str(content), "\n");
}

/**
 * store_edition() - what the store holds now
 * @s:          the store
 *
 * Return: its last line, "7 0123456789abcdef", or NULL where nothing was changed since there are editions; the caller frees.
 */
char* store_edition(Store *s) {
        _cleanup_strv_ Strv lines = read_lines(s);

        return xstrdup_null(last_of(lines));
}

/**
 * store_knows_edition() - is this what the store holds, or once held?
 * @s:          the store
 * @edition:    as store_edition() gave it, or another store's; NULL: of before there were editions
 * @ret_newer:  set if it is not: its number is higher than ours
 */
bool store_knows_edition(Store *s, const char *edition, bool *ret_newer) {
        _cleanup_strv_ Strv lines = read_lines(s);
        uint64_t number, first, last;

        if (!edition || strv_contains(lines, edition))
                return true;
        number = number_of(edition);
        first = lines ? number_of(lines[0]) : 0;
        last = lines ? number_of(last_of(lines)) : 0;
        if (number > 0 && number < first)
                return true; /* before the first line that is kept */
        *ret_newer = number > last;
        return false;
}

static int draw_word(char ret[static 2 * WORD_SIZE + 1], Error **reterr) {
        unsigned char bytes[WORD_SIZE];

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return pki_error(reterr, ERROR_INTERNAL, "cannot draw random bytes");
        format_hex(bytes, sizeof(bytes), ret);
        return 0;
}

/**
 * store_stage_edition() - what is staged after this is a new edition
 * @s:          the store
 * @batch:      where to
 * @reterr:     names the file
 *
 * Return: 0 or a negative errno.
 */
int store_stage_edition(Store *s, FsBatch *batch, Error **reterr) {
        _cleanup_free_ char *path = store_path(s, HISTORY);
        _cleanup_buffer_ Buffer found = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        char word[2 * WORD_SIZE + 1];
        size_t n;
        int r;

        r = fs_read_optional(AT_FDCWD, path, KEY_SIZE_MAX, &found, reterr);
        if (r >= 0)
                r = draw_word(word, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&found), "\n");
        n = strv_length(lines);
        for (size_t i = n >= LINES_MAX ? n - LINES_MAX + 1 : 0; i < n; i++)
                buffer_addf(&text, "%s\n", lines[i]);
        buffer_addf(&text, "%llu %s\n", (unsigned long long) (n > 0 ? number_of(lines[n - 1]) : 0) + 1,
                    word);
        r = store_stage(batch, path, &text, STORE_KEY_MODE, 0, reterr);
        return r < 0 ? r : 0;
}
