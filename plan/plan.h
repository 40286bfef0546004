/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "cluster/cluster.h"
#include "plan/facts.h"
#include "units/unit-file.h"

/* What hardway brings lies below it: programs, a directory for each version, and scripts. */
#define PLAN_ROOT "/opt/hardway"

/*
 * The plan of one node: everything that hardway wants to be true there, as data
 *
 * Components add items; plan_finish() sorts them, refuses two items for one path, and computes for each unit
 * the digest of all its inputs, which stands in the unit as Environment=HARDWAY_INPUTS=... and so can be
 * compared with what a running process was started with. A plan is a function of (Cluster, Facts, Store,
 * Lock): no network, no clock, no randomness.
 *
 * Every item has a stable id ("etcd/unit"), the component it is of, and why it is there. An item that is the
 * input of a systemd unit names it; the unit is restarted when such an item changed. Inputs that a reload
 * takes in (reload true) are not part of HARDWAY_INPUTS: their unit records what it loaded in
 * /run/hardway/UNIT.loaded (lines of sha256sum) by ExecStartPost= and ExecReload=, and is reloaded when that
 * differs.
 *
 * Paths are absolute, without "..", and made of letters, digits and "/._@:+-" only, so that the scripts on
 * the node need no quoting; plan_finish() refuses others. Directories in which something of the plan lies,
 * and which are neither in the plan nor part of every system, are added to it (0755 root:root).
 */
typedef enum PlanItemType {
        PLAN_PACKAGE, /* in the order in which they are realised */
        PLAN_USER,
        PLAN_DIRECTORY,
        PLAN_SYSCTL,
        PLAN_FILE,
        PLAN_SYMLINK,
        PLAN_BINARY,
        PLAN_UNIT,
        PLAN_OBJECT,
        _PLAN_ITEM_TYPE_MAX,
} PlanItemType;

typedef struct PlanItem {
        PlanItemType type;
        char *id;              /* COMPONENT/NOUN, unique in the plan */
        const char *component; /* lent */
        Strv input_of;         /* the units whose input this is ("etcd.service"); see plan_item_input_of() */
        bool reload;           /* ... which takes it in by a reload */
        char *why;             /* one sentence for people */
        const char *without;   /* what breaks without it; lent, a constant: see plan_item_explain() */
        const char *manual;    /* what upstream's documentation is called; NULL: its component's; lent */
        const struct Credential *credential; /* the file is (part of) this one; or NULL; lent */
        char *path;        /* of directories, files, symlinks, binaries, units (their file); else NULL */
        mode_t mode;       /* of directories, files, binaries */
        char *owner;       /* "root:root" */
        bool secret;       /* content must not be shown */
        Buffer content;    /* of files and, after plan_finish(), of units */
        char *fingerprint; /* of a secret file: stands for its content in digests */
        char *store_path;  /* of a file that comes from the store, or is made of what is there: where from */
        char *sha256; /* of content or of the binary, hex; filled in by plan_finish() for files and units */
        union {
                struct {
                        char *check; /* shell command line that accepts the staged file "$1", or NULL */
                        char *check_package; /* the package without which check cannot run yet, or NULL */
                } file;
                struct {
                        bool chosen;      /* by a person, with a flag: others may have put something there */
                        bool shared;      /* made where it is missing, and else somebody's: left as it is */
                        bool asked;       /* whose it is, is for its component's preflight to find out */
                        const char *mark; /* the file that says whose data is in it; or NULL; lent */
                } directory;
                struct {
                        char *target;
                } symlink;
                struct {
                        char *artifact, *version, *architecture; /* key of the lock entry */
                        uint64_t size;
                } binary;
                struct {
                        char *name, *comment, *home;
                        Strv groups;
                } user;
                struct {
                        char *name;
                        Strv units;  /* masked while the package manager runs */
                        Strv leaves; /* directories that stay behind when it is removed */
                } package;
                struct {
                        char *key, *value; /* applied now; the file of the same component keeps it */
                } sysctl;
                struct {
                        char *name;
                        UnitFile *file;
                        bool drop_in; /* path is below NAME.d/: the unit itself is the distribution's */
                        bool enabled;
                        bool running; /* false: only started by others (a timer's service) */
                        int rank;     /* order of planned restarts on one node; 0: the component's */
                        unsigned ports
                                [8]; /* TCP ports that its process listens on, see plan_unit_listens() */
                        size_t n_ports;
                        Strv leaves; /* files that it, or systemd for it, writes elsewhere: go with it */
                        Strv unread; /* "--initial-cluster=": flags that a running process looks at no more */
                        char *inputs;     /* digest of all inputs but these, as in HARDWAY_INPUTS; of
                                         plan_finish() */
                        Strv users_flags; /* of its command line, those that the cluster file's extra-args
                                           * gave: "--v" */
                } unit;
                struct {
                        json_t *body; /* of an object that is applied through the API once it answers */
                        char *api;    /* "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/NAME" */
                } object;
        };
} PlanItem;

typedef struct Plan {
        const Cluster *cluster;                    /* lent */
        const Node *node;                          /* lent */
        const struct Component *const *components; /* lent, the table it is made from; set by plan_node() */
        PlanItem **items;
        size_t n_items;
        bool incomplete; /* made without keys or digests: can be shown, not installed */
        Strv missing;    /* what it lacked */
} Plan;

Plan* plan_new(const Cluster *c, const Node *node);
PlanItem* plan_item_free(PlanItem *item);
Plan* plan_free(Plan *p);
DEFINE_CLEANUP(Plan*, plan_free)

/*
 * Each adds an item and lends it, for further fields to be set. id is "COMPONENT/noun" built from component
 * and noun; where no noun is asked for, it is "unit", "drop-in", "user" or "package" for what bears the
 * component's own name and NAME else. A unit is enabled and running unless said otherwise. Two items of one
 * path are refused by plan_finish(), but for directories, users, packages and sysctls that agree: those are
 * one.
 */
PlanItem* plan_add(Plan *p, PlanItemType type, const char *component, const char *noun, const char *why);
PlanItem* plan_add_directory(Plan *p, const char *component, const char *noun, const char *path, mode_t mode,
                             const char *owner, const char *why);
PlanItem* plan_add_file(Plan *p, const char *component, const char *noun, const char *path, mode_t mode,
                        const char *content, const char *why);
PlanItem* plan_add_symlink(Plan *p, const char *component, const char *noun, const char *path,
                           const char *target, const char *why);
PlanItem* plan_add_user(Plan *p, const char *component, const char *name, const char *home, const char *why);
PlanItem* plan_add_package(Plan *p, const char *component, const char *name, const char *why);
PlanItem* plan_add_sysctl(Plan *p, const char *component, const char *key, const char *value,
                          const char *why);
PlanItem* plan_add_unit(Plan *p, const char *component, const char *name, UnitFile *file,
                        const char *why); /* takes file */
PlanItem* plan_add_drop_in(Plan *p, const char *component, const char *unit, UnitFile *file,
                           const char *why); /* takes file */
PlanItem* plan_add_object(Plan *p, const char *component, const char *noun, const char *api, json_t *body,
                          const char *why); /* takes body */
/* Says what breaks without the item, and where upstream tells of it (NULL: see Component); constants. */
void plan_item_explain(PlanItem *item, const char *without, const char *manual);
/* Declares item an input of unit; may be called for several units (ca.crt is read by three). */
void plan_item_input_of(PlanItem *item, const char *unit);
bool plan_item_is_input_of(const PlanItem *item, const char *unit);
bool plan_has_unit(const Plan *p, const char *name);
/* The user of an item's owner, "USER:GROUP"; "" for NULL. The caller frees. */
char* plan_owner_user(const char *owner);
/* The unit of a file below /etc/systemd/system: it is ours, or somebody else's and the file our drop-in to it; or NULL. The caller
 * frees. */
char* plan_unit_of_path(const char *path);
#define PLAN_DROP_IN "50-hardway.conf"
/* Is it something that is put at its path, and goes again: a file, a link, a program, a unit's file? */
bool plan_item_is_file(const PlanItem *item);
/* Declares that the unit's process listens on a TCP port: the preflight refuses a node where somebody
 * else does. */
void plan_unit_listens(PlanItem *item, unsigned port);
/* The plan lacks something ("the key sa.key: run hardway pki gen") and becomes incomplete. */
void plan_missing(Plan *p, const char *format, ...) _printf_(2, 3);

int plan_finish(Plan *p, Error **reterr);
const PlanItem* plan_find_path(const Plan *p, const char *path);
const char* plan_item_type_to_string(PlanItemType t);

#define PLAN_FOREACH(item, p, t)                                                        \
        for (PlanItem **_i_##item = (p)->items, *item = NULL;                           \
             _i_##item < (p)->items + (p)->n_items && (item = *_i_##item); _i_##item++) \
                if (item->type != (t)) {                                                \
                } else
