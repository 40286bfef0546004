/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Orders about what was on the node before hardway came: what is kept before it is replaced, and what comes back */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "host/host-internal.h"
#include "plan/taken.h"

/**
 * put_take() - order that what is replaced for the first time is kept
 * @o:          the orders of a put
 * @h:          the host, as it was looked at
 * @changes:    what is put
 */
void put_take(PutOrders *o, const Host *h, const Changes *changes) {
        for (size_t i = 0; i < changes->n_changes; i++) {
                const Change *c = changes->changes + i;

                /* put by this run before: what lies there is ours by now */
                if (!c->taken || taken_find(h->taken, c->item->path))
                        continue;
                strv_add(&o->taken, c->taken);
                if (taken_is_kept(c->taken))
                        buffer_addf(&o->keeps, "keep %s\n", c->item->path + 1);
                o->takes = true;
        }
        if (!o->takes)
                return;
        strv_add_all(&o->taken, h->taken);
        strv_sort(o->taken);
}

static bool is_recorded(const Host *h, const char *path) {
        return applied_find(h->applied, h->n_applied, path) && known_find(h, path);
}

static void give_back(PutOrders *o, char *const *words) {
        const char *path = words[TAKEN_PATH];
        _cleanup_free_ char *directory = fs_path_dirname(path + 1);

        buffer_addf(&o->backs, "back %s %s\n", words[TAKEN_WAS], path + 1);
        if (streq(words[TAKEN_WAS], "kept") && !strv_contains(o->sync_directories, directory))
                strv_add(&o->sync_directories, directory);
        if (words[TAKEN_UNIT])
                buffer_addf(&o->units_back, "unit_back %s %s %s\n", words[TAKEN_UNIT],
                            words[TAKEN_FILE_STATE], words[TAKEN_ACTIVE]);
        o->gives = true;
}

/**
 * put_give_back() - order that what was there before comes back where hardway's has gone
 * @o:          the orders of a put that is the last of its run
 * @h:          the host; puts since the last look are taken into account
 * @plan:       what stays
 */
void put_give_back(PutOrders *o, const Host *h, const Plan *plan) {
        STRV_FOREACH(line, h->taken) {
                _cleanup_strv_ Strv words = NULL;
                _cleanup_free_ char *path = xstrndup(*line, strcspn(*line, " "));

                if (taken_stays(*line, plan, is_recorded(h, path)) || taken_parse(*line, &words) < 0)
                        strv_add(&o->taken, *line);
                else
                        give_back(o, words);
        }
}
