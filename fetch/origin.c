/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/origin.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/json.h"

#define TEXT_SIZE_MAX 4096U

static bool text_is_plain(const char *s) {
        size_t n = 0;

        for (; s[n]; n++)
                if (s[n] < ' ' || s[n] > '~')
                        return false;
        return n > 0 && n <= TEXT_SIZE_MAX;
}

static int text_take(const json_t *tree, const char *key, bool optional, char **ret) {
        const char *text = json_text(tree, key);

        if (!json_object_get(tree, key))
                return optional ? 0 : -EBADMSG;
        if (!text || !text_is_plain(text))
                return -EBADMSG;
        *ret = xstrdup(text);
        return 0;
}

static int origin_read(const json_t *tree, Origin *ret) {
        const json_t *size = json_object_get(tree, "size");

        if (text_take(tree, "url", /* optional= */ false, &ret->url) < 0 ||
            text_take(tree, "validator", /* optional= */ true, &ret->validator) < 0 ||
            text_take(tree, "sha256", /* optional= */ true, &ret->sha256) < 0)
                return -EBADMSG;
        if (ret->sha256 && (strspn(ret->sha256, "0123456789abcdef") != SHA256_HEX_SIZE - 1 ||
                            ret->sha256[SHA256_HEX_SIZE - 1]))
                return -EBADMSG;
        if (!json_is_integer(size) || json_integer_value(size) < 0)
                return -EBADMSG;
        ret->size = (uint64_t) json_integer_value(size);
        return 0;
}

/**
 * origin_parse() - read what lies beside an unfinished download
 * @path:       its name for messages
 * @data:       the JSON text
 * @size:       its size
 * @ret:        the origin; the caller gives it back with origin_done()
 * @reterr:     that it is not of our making
 *
 * Return: 0 or a negative errno.
 */
int origin_parse(const char *path, const void *data, size_t size, Origin *ret, Error **reterr) {
        _cleanup_(origin_done) Origin o = ORIGIN_NULL;
        _cleanup_json_ json_t *tree = NULL;
        int r;

        if (size > ORIGIN_SIZE_MAX)
                return error_set(reterr, ERROR_VERIFY, EFBIG, "%s: larger than %u bytes", path,
                                 ORIGIN_SIZE_MAX);
        r = json_parse(path, data, size, &tree, reterr);
        if (r < 0)
                return r;
        if (origin_read(tree, &o) < 0)
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: not what hardway writes there", path);
        *ret = o;
        o = ORIGIN_NULL;
        return 0;
}

static void text_put(json_t *tree, const char *key, const char *text) {
        if (text)
                (void) json_object_set_new(tree, key, json_string(text));
}

/**
 * origin_write() - an origin as text
 * @o:          the origin
 * @ret:        where to append it
 */
void origin_write(const Origin *o, Buffer *ret) {
        _cleanup_json_ json_t *tree = json_object();

        text_put(tree, "url", o->url);
        text_put(tree, "validator", o->validator);
        text_put(tree, "sha256", o->sha256);
        (void) json_object_set_new(tree, "size", json_integer((json_int_t) o->size));
        json_write(tree, ret);
}

/**
 * origin_copy() - copy an origin
 * @o:          the origin
 * @ret:        the copy; the caller gives it back with origin_done()
 */
void origin_copy(const Origin *o, Origin *ret) {
        *ret = (Origin) {
                .url = xstrdup_null(o->url),
                .validator = xstrdup_null(o->validator),
                .sha256 = xstrdup_null(o->sha256),
                .size = o->size,
        };
}

/**
 * origin_done() - free what an origin holds
 * @o:          the origin, empty and ready for use afterwards
 */
void origin_done(Origin *o) {
        free(o->url);
        free(o->validator);
        free(o->sha256);
        *o = ORIGIN_NULL;
}
