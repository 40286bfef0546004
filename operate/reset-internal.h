/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operate/reset.h"

/* What the files of reset share. */

/* What stays: directories, single files, and the users that own them. */
typedef struct ResetKeep {
        Strv directories, files, users;
} ResetKeep;

/* The data of the node's components, its mark and its owner. */
void reset_keep_data(const Component *const *components, const Plan *plan, const Observation *o,
                     ResetKeep *ret);
bool reset_keeps(const ResetKeep *keep, const char *path);
void reset_keep_done(ResetKeep *keep);

/* Of earlier plans, as the record on the node has it, and not of its plan of today. Directories: ResetDirectories; users: reset-users.sh */
typedef struct ResetEarlier {
        Strv units, files;
        Strv packages; /* "NAME DIRECTORY", which their removal would leave */
} ResetEarlier;

void reset_earlier(const Plan *plan, const Observation *o, const ResetKeep *keep, ResetEarlier *ret);
void reset_earlier_done(ResetEarlier *e);
#define _cleanup_earlier_ _cleanup_(reset_earlier_done)

/* What becomes of a directory */
typedef enum ResetWay {
        RESET_LEAVE,     /* somebody else's, or nobody knows */
        RESET_KEEP,      /* ours, and to stay */
        RESET_EMPTY,     /* it goes if nothing is in it */
        RESET_TREE,      /* it goes with all that is in it */
        RESET_OWN,       /* what its user has in it goes */
        RESET_PLACE,     /* snapshots in it go */
        RESET_HAND_BACK, /* it becomes what it was */
} ResetWay;

typedef struct ResetDirectory {
        char *path, *owner;
        char *mode, *before; /* what it was, "-" if it was none or nobody knows; and whose */
        ResetWay way;
} ResetDirectory;

typedef struct ResetDirectories {
        ResetDirectory *list;
        size_t n;
} ResetDirectories;

void reset_directories(const Plan *plan, const Observation *o, const ResetKeep *keep, ResetDirectories *ret);
void reset_directories_done(ResetDirectories *d);
#define _cleanup_directories_ _cleanup_(reset_directories_done)
void reset_script_directories(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out);
void reset_script_keep_directories(const Plan *plan, const Observation *o, const ResetKeep *keep,
                                   Buffer *out);

/* What is hardway's, and what comes back when it goes; o may be NULL */
bool reset_is_recorded(const Observation *o);
bool reset_is_by_hand(const Observation *o);
bool reset_owns(const Observation *o, const char *path);
/* reset-script.c: does a file of the plan go? What something else takes the place of goes by that. */
bool reset_removes(const Observation *o, const ResetKeep *keep, const char *path);
bool reset_owns_unit(const Plan *plan, const Observation *o, const char *name);
bool reset_puts_back(const Observation *o, const char *path);
/* Those of the plan and of earlier ones that are hardway's; those that wait for others stand before them. */
Strv reset_units(const Plan *plan, const Observation *o, const ResetEarlier *earlier);
Strv reset_files_back(const Observation *o);
Strv reset_units_back(const Observation *o);
void reset_script_files_back(const Observation *o, Buffer *out);
void reset_script_units_back(const Observation *o, Buffer *out);

/* Users that hardway has made, and that stay */
Strv reset_users_kept(const Plan *plan, const Observation *o, const ResetKeep *keep);

/* The script that does it. o may be NULL. */
void reset_script(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out);
int reset_is_ours(const Node *node, const Observation *o, const char *identity, Error **reterr);
bool reset_cluster_serves(const ResetRequest *q, const ProbeContext *c);
int reset_spare(const ResetRequest *q, const ProbeContext *c, const Node *const *nodes, size_t n_nodes,
                Buffer *text, Error **reterr);
void reset_tell_last(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, Buffer *out);
void reset_tell(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out);
