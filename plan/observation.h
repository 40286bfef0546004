/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/strv.h"
#include "fetch/fetch.h"
#include "plan/plan.h"

/*
 * What was found on a node, as host/ saw it in one round trip; and the difference to the plan
 *
 * plan_compare() is pure: the plan and an Observation in, the changes out, in the order in which they must
 * be made.
 */
typedef enum ObservedType {
        OBSERVED_ABSENT,
        OBSERVED_FILE,
        OBSERVED_DIRECTORY,
        OBSERVED_SYMLINK,
        OBSERVED_OTHER
} ObservedType;

typedef struct ObservedPath {
        char *path;
        ObservedType type;
        mode_t mode;
        char *owner; /* "root:root" */
        uint64_t size;
        char *stamp;  /* "size:mtime:ctime:inode", nanoseconds: equal means not touched since recorded */
        char *sha256; /* of files; may come from the record in applied.json if the stamp is the same */
        char *target; /* of symlinks */
} ObservedPath;

typedef struct ObservedUnit {
        char *name;
        char *load_state, *active_state, *sub_state, *file_state, *result;
        bool needs_reload;
        bool queued; /* systemd has a job for it, which waits or runs */
        unsigned n_restarts, main_pid;
        char *inputs;   /* HARDWAY_INPUTS of the running main process, or NULL */
        char *loaded;   /* content of /run/hardway/UNIT.loaded, or NULL */
        char *fragment; /* path of the unit file in force; "" or NULL: there is none */
        Strv drop_ins;  /* paths of the drop-ins in force */
} ObservedUnit;

/*
 * A file, unit file or binary that an earlier run put there. Its path is among those observed, too, with the
 * sha256 that it has now: it goes away if it is in the plan no more and still is what was recorded. Of
 * symlinks, sha256 is "link:TARGET".
 */
typedef struct AppliedFile {
        char *path, *sha256, *stamp;
} AppliedFile;

typedef struct Observation {
        ObservedPath *paths;
        size_t n_paths;
        ObservedUnit *units;
        size_t n_units;
        Strv users;           /* those of the plan, and those that earlier runs made, that exist */
        Strv packages;        /* those of the plan that are installed */
        Strv sysctls;         /* "key=value" of those of the plan */
        AppliedFile *applied; /* what an earlier run recorded in /var/lib/hardway/applied.json */
        size_t n_applied;
        Strv taken;      /* what was there before hardway came, see plan/taken.h; recorded there, too */
        Strv made;       /* directories that hardway made or changed, see plan/made.h; recorded there, too */
        bool made_whole; /* those are all, but for what was there as planned */
        Strv traces; /* what it and earlier runs left besides files, of plan_traces(); recorded there, too */
        char *identity; /* of the cluster it was installed for, by that record or its data's mark; or NULL */
        char *edition;  /* of the store, that it was given last; recorded there, too; NULL: none yet */
        uint64_t generation; /* of applied.json; 0: none */
} Observation;

/* The record of a file among those of a run, or NULL: there is none. */
const AppliedFile* applied_find(const AppliedFile *files, size_t n_files, const char *path);
const AppliedFile* observation_applied(const Observation *o,
                                       const char *path); /* the same of what was found */
const ObservedPath* observation_path(const Observation *o, const char *path);
const ObservedUnit* observation_unit(const Observation *o, const char *name);
bool observation_is_ours(const Observation *o, const char *path); /* has hardway put what lies there? */
#define VERSIONS_CHECK "versions" /* of these against the cluster file's, in check/ */
int observation_version(const Observation *o, ArtifactOrigin origin, Version *ret); /* -ENOENT: none */
Observation* observation_free(Observation *o);
DEFINE_CLEANUP(Observation*, observation_free)

typedef enum ChangeType {
        CHANGE_CREATE,        /* item is missing */
        CHANGE_UPDATE,        /* content differs */
        CHANGE_ATTRIBUTES,    /* only mode or owner differ */
        CHANGE_REMOVE,        /* path: of an older plan, still what we wrote */
        CHANGE_ENABLE,        /* unit is not enabled */
        CHANGE_START,         /* unit does not run */
        CHANGE_RESTART,       /* unit runs something else than it should */
        CHANGE_RELOAD,        /* unit has loaded something else than it should */
        CHANGE_DAEMON_RELOAD, /* systemd has not read the unit files that are there */
} ChangeType;

typedef struct Change {
        ChangeType type;
        const PlanItem *item; /* lent by the plan; NULL for CHANGE_REMOVE and CHANGE_DAEMON_RELOAD */
        char *path;           /* what CHANGE_REMOVE removes */
        char *taken;          /* what has to be written down before, see plan/taken.h; or NULL */
        char *reason; /* "content differs", "mode 0644, should be 0600", "started with other inputs" */
} Change;

/*
 * What is not as hardway left it, and stays as it is: a drop-in of somebody else that overrides a unit
 * (systemctl edit is how a node's owner may have the last word), or a file of an older plan that was edited.
 */
typedef struct Remark {
        char *path;
        char *text;       /* "overrides etcd.service, and is not ours" */
        bool of_the_plan; /* it makes something of the plan other than planned */
} Remark;

typedef struct Changes {
        Change *changes;
        size_t n_changes;
        Remark *remarks;
        size_t n_remarks;
        uint64_t put_size;          /* bytes that have to travel */
        size_t n_files, n_binaries; /* created or updated */
} Changes;

void plan_compare(const Plan *p, const Observation *o, Changes *ret);
/* Is anything of the plan otherwise on the node, whether or not it would be changed? */
bool changes_differ(const Changes *c);
bool changes_have(const Changes *c, ChangeType type, const char *unit);
void changes_done(Changes *c);
const char* change_type_to_string(ChangeType t);
