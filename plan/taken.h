/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/observation.h"

/*
 * What lay and ran on a node before hardway came
 *
 * Before a plan puts something where hardway has put nothing yet, a line of /var/lib/hardway/taken says what was there:
 *
 *     PATH nothing|kept [UNIT FILE_STATE active|inactive]
 *
 * "kept": it lies in /var/lib/hardway/before, below its own path, with its mode, owner and times. UNIT is the one whose file
 * it is, if systemd knew that before, with what systemd said of it. All of it comes back, and the line goes, when what hardway has
 * put there goes: with a reset, or with a later plan.
 *
 * A path that has a line, or stands in applied.json, is hardway's: nothing that lies there is kept again, whatever a run that was
 * killed has left there. So the lines, and what is kept, are on the disk before the first file is replaced.
 */
typedef enum TakenWord {
        TAKEN_PATH,
        TAKEN_WAS,  /* "nothing", "kept" */
        TAKEN_UNIT, /* the last three may be missing */
        TAKEN_FILE_STATE,
        TAKEN_ACTIVE,
        _TAKEN_WORD_MAX,
} TakenWord;

int taken_parse(const char *line, Strv *ret); /* its words; -EINVAL */
const char* taken_find(char *const *lines, const char *path);
bool taken_is_kept(const char *line);

/* The line that is due before item is put where o was found; NULL if its path is hardway's already. The caller frees. */
char* taken_line(const Plan *p, const Observation *o, const PlanItem *item);
/* Does what the line is about stay with hardway under this plan? recorded: its path is in applied.json, and something is there. */
bool taken_stays(const char *line, const Plan *p, bool recorded);
/* Is there a line that does not? A run was killed before it could give back what it had to. */
bool taken_is_left(const Plan *p, const Observation *o);
