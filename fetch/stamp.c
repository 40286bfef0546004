/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/stamp.h"

#include <string.h>

#include "common/alloc.h"

/* What has to be seen of the bytes behind a constant, and in front of it. */
#define BEHIND 2U
#define FRONT 1U

/**
 * stamp_init() - begin to look for a version
 * @s:          the search
 * @form:       how programs of that sort carry it
 * @version:    as in "v1.36.3"; one that is too long is not looked for
 */
void stamp_init(Stamp *s, StampForm form, const char *version) {
        const char *text = form == STAMP_CONSTANT && *version == 'v' ? version + 1 : version;
        size_t n = strlen(text) + (form == STAMP_LINKED); /* with its NUL */

        *s = (Stamp) { .form = form, .size = n < STAMP_TEXT_MAX ? n : 0 };
        memcpy(s->text, text, s->size);
}

/**
 * stamp_clear() - forget what was seen
 * @s:          the search
 */
void stamp_clear(Stamp *s) {
        s->found = false;
        s->tail_size = 0;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/*
 * "3.6.1" is not found in "13.6.1", "3.3.6.1" or "3.6.16". But in "3.6.1600", it is: constants that follow each
 * other, as no version has three digits at its end; and "3.6.16" is, whatever comes behind.
 */
static bool constant_stands(const Stamp *s, const char *p, const char *begin, const char *end) {
        size_t n = s->size;
        bool single = n >= 2 && !is_digit(s->text[n - 2]);

        if (p > begin && (is_digit(p[-1]) || p[-1] == '.'))
                return false;
        return !single || p + n >= end || !is_digit(p[n]) || (p + n + 1 < end && is_digit(p[n + 1]));
}

/* Only where enough is seen of what is around; at the beginning and the end of all, less is enough. */
static bool piece_has(const Stamp *s, const char *begin, size_t size, bool first, bool last) {
        const char *p = begin, *end = begin + size;

        while ((p = memmem(p, (size_t) (end - p), s->text, s->size))) {
                bool seen = (first || p >= begin + FRONT) && (last || p + s->size + BEHIND <= end);

                if (s->form == STAMP_LINKED || (seen && constant_stands(s, p, begin, end)))
                        return true;
                p++;
        }
        return false;
}

/**
 * stamp_add() - look into more bytes
 * @s:          the search
 * @data:       the bytes
 * @size:       how many
 */
void stamp_add(Stamp *s, const void *data, size_t size) {
        size_t keep = FRONT + s->size + BEHIND, head = size < keep ? size : keep;
        char joint[2 * sizeof(s->tail)];
        size_t n = s->tail_size;

        if (s->found || s->size == 0)
                return;

        memcpy(joint, s->tail, n);
        memcpy(joint + n, data, head);
        /* Whether the joint is where all begins does not matter unless something is cut off in front of it. */
        s->found = piece_has(s, joint, n + head, n < keep, /* last= */ false) ||
                   (size > head && piece_has(s, data, size, /* first= */ false, /* last= */ false));

        if (size >= keep) {
                memcpy(s->tail, (const char*) data + size - keep, keep);
                s->tail_size = keep;
                return;
        }
        n += head;
        if (n > keep)
                memmove(joint, joint + n - keep, keep);
        s->tail_size = n < keep ? n : keep;
        memcpy(s->tail, joint, s->tail_size);
}

/**
 * stamp_found() - whether the version is in what was added
 * @s:          the search; nothing may be added afterwards but behind stamp_clear()
 *
 * Return: true if it is.
 */
bool stamp_found(Stamp *s) {
        bool first = s->tail_size < FRONT + s->size + BEHIND; /* the tail is all there was */

        return s->size == 0 || s->found || piece_has(s, s->tail, s->tail_size, first, /* last= */ true);
}
