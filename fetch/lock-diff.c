/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "common/alloc.h"
#include "fetch/lock.h"

/**
 * lock_copy() - the same lock once more
 * @l:          the lock
 *
 * Return: the copy, unchanged; the caller frees.
 */
Lock* lock_copy(const Lock *l) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Lock *copy = NULL;

        lock_write(l, &text);
        if (lock_parse("hardway.lock", text.data, text.size, &copy, NULL) < 0)
                abort(); /* what was written can be read */
        return copy;
}

static void diff_line(char sign, const LockEntry *e, Buffer *ret) {
        buffer_addf(ret, "%c%s %s %s: sha256 %s, %s%s (%s)\n", sign, e->name, e->version, e->architecture,
                    e->sha256, e->proof ?: "mirror", e->archive ? ", in an archive" : "", e->url);
}

static bool entry_same(const LockEntry *a, const LockEntry *b) {
        return streq(a->sha256, b->sha256) && streq(a->url, b->url) && a->size == b->size &&
               streq_null(a->archive, b->archive) && streq_null(a->sha512, b->sha512) &&
               streq_null(a->proof, b->proof);
}

/**
 * lock_diff() - what has changed in pins that were there
 * @before:     the lock as it was
 * @after:      as it is now
 * @ret:        where to append the lines, each pin as it was and as it is
 *
 * A pin that is new is no change: it is written when something is used for the first time.
 *
 * Return: how many pins differ.
 */
size_t lock_diff(const Lock *before, const Lock *after, Buffer *ret) {
        size_t n = 0;

        for (size_t i = 0; i < lock_count(before); i++) {
                const LockEntry *old = lock_nth(before, i),
                                *new = lock_find(after, old->name, old->version, old->architecture);

                if (!new || entry_same(old, new))
                        continue;
                diff_line('-', old, ret);
                diff_line('+', new, ret);
                n++;
        }
        return n;
}
