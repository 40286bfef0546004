/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/secret.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "pki/pem.h"

static int refuse(Error **reterr, const char *what, size_t line, const char *problem) {
        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: line %zu %s", what, line, problem);
}

/* "2 BASE64" or "BASE64"; takes the words out of line, which is changed. */
static int parse_line(const char *what, char *line, Secret *s, Error **reterr) {
        char *space = strchr(line, ' '), *text = space ? space + 1 : line;
        unsigned number = 1;

        if (space)
                *space = '\0';
        if (space && parse_unsigned(line, 2, SECRET_NUMBER_MAX, &number) < 0)
                return refuse(reterr, what, s->n_lines + 1, "begins with no number of a key, 2 or more");
        if (!*text)
                return refuse(reterr, what, s->n_lines + 1, "is empty");
        if (secret_find(s, number))
                return refuse(reterr, what, s->n_lines + 1, "has the number of another one");
        if (s->n_lines == SECRET_LINES_MAX)
                return refuse(reterr, what, s->n_lines + 1, "is one too many");
        s->lines = xrealloc(s->lines, s->n_lines + 1, sizeof(SecretLine));
        s->lines[s->n_lines++] = (SecretLine) { .number = number, .text = xstrdup(text) };
        return 0;
}

/**
 * secret_parse() - read the lines of a secret
 * @what:       its name for the message
 * @data:       the text; the newline behind the last line may be missing
 * @size:       its size
 * @ret:        the lines; secret_done()
 * @reterr:     which line is wrong, and why; never what is in it
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int secret_parse(const char *what, const void *data, size_t size, Secret *ret, Error **reterr) {
        _cleanup_buffer_secret_ Buffer copy = BUFFER_NULL; /* wiped whole, although it is cut into words */
        _cleanup_(secret_done) Secret s = {};
        char *rest, *line;
        int r = 0;

        buffer_add(&copy, data, size);
        if (strlen(buffer_str(&copy)) != size)
                return refuse(reterr, what, 1, "has a byte 0 in it");
        if (size == 0)
                return refuse(reterr, what, 1, "is empty");
        rest = copy.data;
        if (rest[size - 1] == '\n')
                rest[size - 1] = '\0';
        while (r >= 0 && (line = strsep(&rest, "\n")))
                r = parse_line(what, line, &s, reterr);
        if (r >= 0)
                *ret = TAKE_GENERIC(s, Secret, ((Secret) {}));
        return r;
}

bool secret_has_size(const Secret *s, size_t size) {
        for (size_t i = 0; i < s->n_lines; i++) {
                _cleanup_buffer_secret_ Buffer bytes = BUFFER_NULL;

                if (base64_decode(s->lines[i].text, strlen(s->lines[i].text), &bytes) < 0 ||
                    bytes.size != size)
                        return false;
        }
        return true;
}

const SecretLine* secret_find(const Secret *s, unsigned number) {
        for (size_t i = 0; i < s->n_lines; i++)
                if (s->lines[i].number == number)
                        return s->lines + i;
        return NULL;
}

void secret_write_line(unsigned number, const char *text, Buffer *out) {
        if (number > 1)
                buffer_addf(out, "%u ", number);
        buffer_add_str(out, text);
}

void secret_done(Secret *s) {
        for (size_t i = 0; i < s->n_lines; i++)
                secret_freep(&s->lines[i].text);
        free(s->lines);
        *s = (Secret) {};
}
