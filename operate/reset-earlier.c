/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What earlier plans made on a node and its plan of today does not name, as with a role that it lost. All of it stands in the
 * record on the node. Directories: see reset-directories.c; users: reset-users.sh.
 */

#include <string.h>

#include "common/alloc.h"
#include "operate/reset-internal.h"
#include "plan/taken.h"
#include "plan/traces.h"

static void add_unit(const Plan *plan, const char *path, Strv *units) {
        _cleanup_free_ char *unit = plan_unit_of_path(path);

        if (unit && !plan_has_unit(plan, unit))
                strv_add_once(units, unit);
}

static void add_trace(char *const *words, ResetEarlier *ret) {
        if (streq(words[0], "file"))
                strv_add(&ret->files, words[1]);
        else if (streq(words[0], "package"))
                strv_addf(&ret->packages, "%s %s", words[1], words[2]);
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
 * reset_earlier() - find what earlier plans made, but for directories
 * @plan:       of the node as it is in the cluster file
 * @o:          what was found there, or NULL: nothing is known
 * @keep:       what stays
 * @ret:        what the plan does not name; the caller calls reset_earlier_done()
 */
void reset_earlier(const Plan *plan, const Observation *o, const ResetKeep *keep, ResetEarlier *ret) {
        _cleanup_strv_ Strv own = plan_traces(plan);

        *ret = (ResetEarlier) {};
        for (size_t i = o ? o->n_applied : 0; i > 0; i--)
                add_unit(plan, o->applied[i - 1].path, &ret->units);
        add_taken(plan, o, keep, ret);
        STRV_FOREACH(trace, o ? o->traces : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (strv_contains(own, *trace) || trace_parse(*trace, &words) < 0)
                        continue;
                if (!trace_is_directory(words))
                        add_trace(words, ret);
        }
}

void reset_earlier_done(ResetEarlier *e) {
        strv_free(e->units);
        strv_free(e->files);
        strv_free(e->packages);
        *e = (ResetEarlier) {};
}
