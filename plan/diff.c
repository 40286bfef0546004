/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unified diffs, by the longest common subsequence of lines
 *
 * What both texts begin and end with is cut off first. The rest is a table of lengths, which is quadratic:
 * where it would grow beyond a few megabytes the middle is shown as replaced altogether, which is right if
 * not short.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/diff.h"

#define CELLS_MAX (4u * 1024u * 1024u)
#define CONTEXT 3

typedef struct Line {
        const char *text;
        size_t size; /* with its newline, if it has one */
} Line;

typedef struct Lines {
        Line *lines;
        size_t n;
} Lines;

/* One step of the way from old to new: ' ' both have it, '-' only old, '+' only new */
typedef struct Step {
        char kind;
        size_t old, new; /* line numbers, from 0 */
} Step;

typedef struct Steps {
        Step *steps;
        size_t n;
} Steps;

static Lines split(const Buffer *b) {
        Lines l = {};
        const char *p = buffer_str(b), *end = p + b->size;

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                const char *next = newline ? newline + 1 : end;

                l.lines = xrealloc(l.lines, l.n + 1, sizeof(Line));
                l.lines[l.n++] = (Line) { p, (size_t) (next - p) };
                p = next;
        }
        return l;
}

static bool same(const Line *a, const Line *b) {
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static void add_step(Steps *s, char kind, size_t old, size_t new) {
        s->steps = xrealloc(s->steps, s->n + 1, sizeof(Step));
        s->steps[s->n++] = (Step) { kind, old, new };
}

/* cell (i, j): how many lines a[i..] and b[j..] have in common, at best */
static uint16_t* common_lengths(const Line *a, size_t n, const Line *b, size_t m) {
        uint16_t *t = xnew(uint16_t, (n + 1) * (m + 1));

        for (size_t i = n; i-- > 0;)
                for (size_t j = m; j-- > 0;) {
                        uint16_t down = t[(i + 1) * (m + 1) + j], right = t[i * (m + 1) + j + 1];

                        if (same(a + i, b + j))
                                t[i * (m + 1) + j] = (uint16_t) (t[(i + 1) * (m + 1) + j + 1] + 1);
                        else
                                t[i * (m + 1) + j] = down > right ? down : right;
                }
        return t;
}

static void walk_middle(const Lines *a, size_t a_end, const Lines *b, size_t b_end, size_t start, Steps *s) {
        size_t n = a_end - start, m = b_end - start, i = 0, j = 0;
        _cleanup_free_ uint16_t *t = NULL;

        if ((n + 1) * (m + 1) <= CELLS_MAX)
                t = common_lengths(a->lines + start, n, b->lines + start, m);
        while (i < n || j < m) {
                if (t && i < n && j < m && same(a->lines + start + i, b->lines + start + j)) {
                        add_step(s, ' ', start + i, start + j);
                        i++;
                        j++;
                } else if (i < n && (j == m || !t || t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1])) {
                        add_step(s, '-', start + i, start + j);
                        i++;
                } else {
                        add_step(s, '+', start + i, start + j);
                        j++;
                }
        }
}

static Steps find_steps(const Lines *a, const Lines *b) {
        size_t start = 0, a_end = a->n, b_end = b->n;
        Steps s = {};

        for (; start < a_end && start < b_end && same(a->lines + start, b->lines + start); start++)
                add_step(&s, ' ', start, start);
        while (a_end > start && b_end > start && same(a->lines + a_end - 1, b->lines + b_end - 1)) {
                a_end--;
                b_end--;
        }
        walk_middle(a, a_end, b, b_end, start, &s);
        for (; a_end < a->n; a_end++, b_end++)
                add_step(&s, ' ', a_end, b_end);
        return s;
}

static void write_range(char sign, size_t first, size_t count, Buffer *out) {
        buffer_addf(out, "%c%zu", sign, count == 0 ? first : first + 1);
        if (count != 1)
                buffer_addf(out, ",%zu", count);
}

static void write_hunk(const Lines *a, const Lines *b, const Step *steps, size_t n, Buffer *out) {
        size_t n_old = 0, n_new = 0;

        for (size_t i = 0; i < n; i++) {
                n_old += steps[i].kind != '+';
                n_new += steps[i].kind != '-';
        }
        buffer_add_str(out, "@@ ");
        write_range('-', steps[0].old, n_old, out);
        buffer_add_char(out, ' ');
        write_range('+', steps[0].new, n_new, out);
        buffer_add_str(out, " @@\n");
        for (size_t i = 0; i < n; i++) {
                const Line *l = steps[i].kind == '+' ? b->lines + steps[i].new : a->lines + steps[i].old;

                buffer_add_char(out, steps[i].kind);
                buffer_add(out, l->text, l->size);
                if (l->text[l->size - 1] != '\n')
                        buffer_add_str(out, "\n\\ No newline at end of file\n");
        }
}

/* Where the hunk that begins with the change at first ends: behind its last change and three lines of
 * context. */
static size_t hunk_end(const Steps *s, size_t first) {
        size_t last = first;

        for (size_t i = first; i < s->n && i <= last + 2 * CONTEXT + 1; i++)
                if (s->steps[i].kind != ' ')
                        last = i;
        return last + CONTEXT + 1 < s->n ? last + CONTEXT + 1 : s->n;
}

static bool is_text(const Buffer *b) {
        return b->size <= DIFF_SIZE_MAX && !memchr(buffer_str(b), '\0', b->size);
}

/**
 * diff_unified() - the difference between two texts
 * @old_name:   stands behind "---"
 * @old:        the text that is there
 * @new_name:   stands behind "+++"
 * @new:        the text that is to be
 * @out:        gets the diff; nothing if the texts are equal
 */
void diff_unified(const char *old_name, const Buffer *old, const char *new_name, const Buffer *new,
                  Buffer *out) {
        _cleanup_free_ Line *old_lines = NULL, *new_lines = NULL;
        _cleanup_free_ Step *steps = NULL;
        Lines a, b;
        Steps s;

        if (old->size == new->size && memcmp(buffer_str(old), buffer_str(new), old->size) == 0)
                return;
        if (!is_text(old) || !is_text(new)) {
                buffer_addf(out, "%s and %s differ\n", old_name, new_name);
                return;
        }
        a = split(old);
        b = split(new);
        old_lines = a.lines;
        new_lines = b.lines;
        s = find_steps(&a, &b);
        steps = s.steps;

        buffer_addf(out, "--- %s\n+++ %s\n", old_name, new_name);
        for (size_t i = 0; i < s.n;) {
                size_t start, end;

                if (s.steps[i].kind == ' ') {
                        i++;
                        continue;
                }
                start = i > CONTEXT ? i - CONTEXT : 0;
                end = hunk_end(&s, i);
                write_hunk(&a, &b, s.steps + start, end - start, out);
                i = end;
        }
}
