/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What earlier plans made on a node and its plan of today does not name: a directory of snapshots that are taken no more, a
 * role that it lost. All of it stands in the record on the node.
 */

#include <string.h>

#include "common/alloc.h"
#include "etcd/snapshot.h"
#include "operate/reset-internal.h"
#include "plan/taken.h"
#include "plan/traces.h"

static void add_unit(const Plan *plan, const char *path, Strv *units) {
        _cleanup_free_ char *unit = plan_unit_of_path(path);

        if (unit && !plan_has_unit(plan, unit))
                strv_add_once(units, unit);
}

/* The directory of a service is the service's; others go only if they are empty. */
static void sort_directory(const char *path, const char *owner, bool place, bool chosen,
                           const ResetKeep *keep, ResetEarlier *ret) {
        _cleanup_free_ char *user = xstrndup(owner, strcspn(owner, ":"));
        bool shared = streq(owner, "root:root");

        if (reset_keeps(keep, path) || strv_contains(keep->users, user)) {
                if (!shared)
                        strv_add(&ret->kept, path);
                return;
        }
        strv_add(shared ? &ret->empty : chosen ? &ret->chosen : place ? &ret->places : &ret->state, path);
}

static void add_directories(const Plan *plan, const ResetKeep *keep, ResetEarlier *ret) {
        PLAN_FOREACH(item, plan, PLAN_DIRECTORY)
                sort_directory(item->path, item->owner ?: "root:root", etcd_is_place(item),
                               item->directory.chosen, keep, ret);
}

static void add_trace(char *const *words, const ResetKeep *keep, ResetEarlier *ret) {
        if (trace_is_directory(words))
                sort_directory(words[1], words[2], etcd_was_place(words[1], words[2]),
                               streq(words[0], "chosen"), keep, ret);
        else if (streq(words[0], "file"))
                strv_add(&ret->files, words[1]);
        else if (streq(words[0], "package"))
                strv_addf(&ret->packages, "%s %s", words[1], words[2]);
        else if (!strv_contains(keep->users, words[1]))
                strv_add(&ret->users, words[1]);
}

/* Of a run that was killed before it could record what it did, for another plan than that of today. */
static void add_taken(const Plan *plan, const Observation *o, const ResetKeep *keep, ResetEarlier *ret) {
        STRV_FOREACH(line, o ? o->taken : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (taken_parse(*line, &words) < 0 || plan_find_path(plan, words[TAKEN_PATH]) ||
                    observation_applied(o, words[TAKEN_PATH]))
                        continue;
                add_unit(plan, words[TAKEN_PATH], &ret->units);
                if (!taken_is_kept(*line) && !reset_keeps(keep, words[TAKEN_PATH]))
                        strv_add(&ret->files, words[TAKEN_PATH]);
        }
}

/**
 * reset_earlier() - find what earlier plans made, and sort directories by what becomes of them
 * @plan:       of the node as it is in the cluster file
 * @o:          what was found there, or NULL: nothing is known
 * @keep:       what stays
 * @ret:        what the plan does not name, but of directories also those that it names; the caller calls reset_earlier_done()
 */
void reset_earlier(const Plan *plan, const Observation *o, const ResetKeep *keep, ResetEarlier *ret) {
        _cleanup_strv_ Strv own = plan_traces(plan);

        *ret = (ResetEarlier) {};
        add_directories(plan, keep, ret);
        for (size_t i = o ? o->n_applied : 0; i > 0; i--)
                add_unit(plan, o->applied[i - 1].path, &ret->units);
        add_taken(plan, o, keep, ret);
        STRV_FOREACH(trace, o ? o->traces : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (strv_contains(own, *trace) || trace_parse(*trace, &words) < 0)
                        continue;
                if (!trace_is_directory(words) || !plan_find_path(plan, words[1]))
                        add_trace(words, keep, ret);
        }
}

void reset_earlier_done(ResetEarlier *e) {
        strv_free(e->units);
        strv_free(e->files);
        strv_free(e->state);
        strv_free(e->empty);
        strv_free(e->kept);
        strv_free(e->places);
        strv_free(e->chosen);
        strv_free(e->users);
        strv_free(e->packages);
        *e = (ResetEarlier) {};
}
