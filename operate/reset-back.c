/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a reset puts back: what lay and ran on the node before hardway came (plan/taken.h); and so what it takes for hardway's
 */

#include "common/alloc.h"
#include "common/shell.h"
#include "operate/operate-scripts.h"
#include "operate/reset-internal.h"
#include "plan/taken.h"

/* Has anybody written down that hardway was there? */
bool reset_is_recorded(const Observation *o) {
        return o->n_applied > 0 || o->identity || strv_length(o->taken) > 0;
}

/* Was it installed, and did nobody write down what was there before? */
bool reset_is_by_hand(const Observation *o) {
        return !o || (strv_length(o->taken) == 0 && reset_is_recorded(o));
}

/**
 * reset_owns() - does what lies under a path of the plan go?
 * @o:          what was found there, or NULL: nothing is known
 * @path:       the path
 *
 * Where nobody wrote down what was there before (an installation by hand), all of the plan goes, if the node says that it
 * was installed at all. A node that was reset says nothing, and what was put back there stays.
 *
 * Return: true if hardway has put it there.
 */
bool reset_owns(const Observation *o, const char *path) {
        return reset_is_by_hand(o) || observation_is_ours(o, path);
}

bool reset_owns_unit(const Plan *plan, const Observation *o, const char *name) {
        PLAN_FOREACH(item, plan, PLAN_UNIT)
                if (streq(item->unit.name, name) && reset_owns(o, item->path))
                        return true;
        return false;
}

/* Is something kept that comes back there? */
bool reset_puts_back(const Observation *o, const char *path) {
        return o && taken_is_kept(taken_find(o->taken, path));
}

/**
 * reset_files_back() - all that is kept
 * @o:          what was found there, or NULL
 *
 * Return: the paths at which something comes back. The caller frees.
 */
Strv reset_files_back(const Observation *o) {
        Strv paths = NULL;

        STRV_FOREACH(line, o ? o->taken : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (taken_is_kept(*line) && taken_parse(*line, &words) >= 0)
                        strv_add(&paths, words[TAKEN_PATH]);
        }
        return paths;
}

/* One that was disabled and stopped is that already. */
static bool unit_comes_back(char *const *words) {
        return words[TAKEN_UNIT] &&
               (streq(words[TAKEN_FILE_STATE], "enabled") || streq(words[TAKEN_FILE_STATE], "masked") ||
                streq(words[TAKEN_ACTIVE], "active"));
}

/**
 * reset_units_back() - units that are not left stopped and disabled
 * @o:          what was found there, or NULL
 *
 * Return: of each "NAME FILE_STATE ACTIVE", as it was. The caller frees.
 */
Strv reset_units_back(const Observation *o) {
        Strv units = NULL;

        STRV_FOREACH(line, o ? o->taken : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (taken_parse(*line, &words) >= 0 && unit_comes_back(words))
                        strv_addf(&units, "%s %s %s", words[TAKEN_UNIT], words[TAKEN_FILE_STATE],
                                  words[TAKEN_ACTIVE]);
        }
        return units;
}

void reset_script_files_back(const Observation *o, Buffer *out) {
        _cleanup_strv_ Strv paths = reset_files_back(o);

        if (!paths)
                return;
        buffer_add_str(out, "# what lay there before\n");
        shell_add_variable(out, "root", "");
        shell_add_list(out, "paths", paths);
        buffer_add_str(out, EMBED_RESET_FILES_BACK_SH);
}

void reset_script_units_back(const Observation *o, Buffer *out) {
        _cleanup_strv_ Strv units = reset_units_back(o);

        if (!units)
                return;
        buffer_add_str(out, "# what ran before\n");
        shell_add_list(out, "units", units);
        buffer_add_str(out, EMBED_RESET_UNITS_BACK_SH);
}
