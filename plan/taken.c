/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines of what was there before, and what they decide */

#include "plan/taken.h"

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/traces.h"

static bool is_line(char *const *words) {
        size_t n = strv_length(words);

        return (n == TAKEN_UNIT || n == _TAKEN_WORD_MAX) && trace_path_is_deep(words[TAKEN_PATH]) &&
               (streq(words[TAKEN_WAS], "kept") || streq(words[TAKEN_WAS], "nothing")) &&
               (n == TAKEN_UNIT ||
                (unit_name_is_valid(words[TAKEN_UNIT]) &&
                 (streq(words[TAKEN_ACTIVE], "active") || streq(words[TAKEN_ACTIVE], "inactive"))));
}

/**
 * taken_parse() - take a line apart
 * @line:       as a node tells it
 * @ret:        its words, by TakenWord; a shell takes them as they are; the caller frees
 *
 * Return: 0, or -EINVAL.
 */
int taken_parse(const char *line, Strv *ret) {
        _cleanup_strv_ Strv words = NULL;

        if (trace_split(line, &words) < 0 || !is_line(words))
                return -EINVAL;
        *ret = TAKE_PTR(words);
        return 0;
}

const char* taken_find(char *const *lines, const char *path) {
        STRV_FOREACH(line, lines) {
                const char *rest = startswith(*line, path);

                if (rest && *rest == ' ')
                        return *line;
        }
        return NULL;
}

bool taken_is_kept(const char *line) {
        const char *was = line ? strchr(line, ' ') : NULL;

        return was && (streq(was, " kept") || startswith(was, " kept "));
}

/* Of one that has a file of ours already, systemd says what we have made of it. */
static bool is_our_unit(const Plan *p, const Observation *o, const char *name) {
        _cleanup_free_ char *word = xasprintf(" %s ", name);

        STRV_FOREACH(line, o->taken)
                if (strstr(*line, word))
                        return true;
        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (streq(item->unit.name, name) && observation_is_ours(o, item->path))
                        return true;
        return false;
}

static bool is_up(const ObservedUnit *u) {
        return streq_null(u->active_state, "active") || streq_null(u->active_state, "activating") ||
               streq_null(u->active_state, "reloading");
}

/* The unit as it was, or NULL: there was none. */
static const ObservedUnit* unit_before(const Plan *p, const Observation *o, const PlanItem *item) {
        const ObservedUnit *u = item->type == PLAN_UNIT ? observation_unit(o, item->unit.name) : NULL;

        return u && u->load_state && !streq(u->load_state, "not-found") &&
                               !is_our_unit(p, o, item->unit.name) ?
                       u :
                       NULL;
}

char* taken_line(const Plan *p, const Observation *o, const PlanItem *item) {
        const ObservedPath *found;
        const ObservedUnit *u;
        const char *was;

        if (!plan_item_is_file(item) || observation_is_ours(o, item->path))
                return NULL;
        found = observation_path(o, item->path);
        was = found && found->type != OBSERVED_ABSENT ? "kept" : "nothing";
        u = unit_before(p, o, item);
        if (!u)
                return xasprintf("%s %s", item->path, was);
        return xasprintf("%s %s %s %s %s", item->path, was, u->name,
                         u->file_state && *u->file_state ? u->file_state : "none",
                         is_up(u) ? "active" : "inactive");
}

static bool plan_has(const Plan *p, char *const *words) {
        for (size_t i = 0; i < p->n_items; i++) {
                const PlanItem *item = p->items[i];

                if (plan_item_is_file(item) &&
                    (streq(item->path, words[TAKEN_PATH]) || (item->type == PLAN_UNIT && words[TAKEN_UNIT] &&
                                                              streq(item->unit.name, words[TAKEN_UNIT]))))
                        return true;
        }
        return false;
}

bool taken_stays(const char *line, const Plan *p, bool recorded) {
        _cleanup_strv_ Strv words = NULL;

        /* a mark that a reset has left beside data is for another to take away */
        if (startswith(line, "/var/lib/hardway/"))
                return true;
        return recorded || taken_parse(line, &words) < 0 || plan_has(p, words);
}

static bool is_recorded(const Observation *o, const char *line) {
        for (size_t i = 0; i < o->n_applied; i++) {
                const char *path = o->applied[i].path, *rest = startswith(line, path);
                const ObservedPath *found = rest && *rest == ' ' ? observation_path(o, path) : NULL;

                if (found && (found->type == OBSERVED_FILE || found->type == OBSERVED_SYMLINK))
                        return true;
        }
        return false;
}

bool taken_is_left(const Plan *p, const Observation *o) {
        STRV_FOREACH(line, o->taken)
                if (!taken_stays(*line, p, is_recorded(o, *line)))
                        return true;
        return false;
}
