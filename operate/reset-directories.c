/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What becomes of directories: those of the plan, those that earlier plans had by the record on the node, and those that a run
 * has made which was killed before it could record anything
 *
 * A whole directory goes only if a line of plan/made.h says that hardway made it. Of one that was there before, or of which nobody
 * wrote down what it was (an installation by hand, data that only has our mark), what the service's user owns goes. All others are
 * somebody's, and stay as they are, whatever the plan calls them.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/data.h"
#include "etcd/snapshot.h"
#include "operate/operate-scripts.h"
#include "operate/reset-internal.h"
#include "plan/made.h"
#include "plan/traces.h"

/* A file system of its own, mounted there by the node's owner, stays mounted, and empty. */
#define REMOVE \
        "rm -rf \"$d\" 2>/dev/null || { mountpoint -q \"$d\" && [ -z \"$(ls -A \"$d\")\" ]; } || rm -rf \"$d\""

/* Of programs that a put which was cut off has left nobody has written down their names. */
#define PROGRAMS PLAN_ROOT

#define RECORDS "/var/lib/hardway"

/* One directory, as the plan, a trace or a line of plan/made.h has it */
typedef struct Candidate {
        const char *path, *owner, *mark;
        bool chosen, place;
        bool known; /* of a record on the node */
} Candidate;

static bool is_traced(const Observation *o, const Candidate *c) {
        STRV_FOREACH(trace, o ? o->traces : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (trace_parse(*trace, &words) >= 0 && trace_is_directory(words) &&
                    streq(words[1], c->path))
                        return true;
        }
        return false;
}

static bool has_mark(const Observation *o, const Candidate *c) {
        const ObservedPath *found = o && c->mark ? observation_path(o, c->mark) : NULL;

        return found && found->type == OBSERVED_FILE;
}

static bool is_kept(const ResetKeep *keep, const Candidate *c) {
        _cleanup_free_ char *user = plan_owner_user(c->owner);

        return reset_keeps(keep, c->path) || strv_contains(keep->users, user);
}

/*
 * Was it installed by a version that wrote down files and no directories, by its script, or by a run that was killed before it
 * had a record? What is below our own directory says nothing of that: a reset that kept data leaves its mark there.
 */
static bool is_of_before(const Observation *o) {
        if (o->made_whole || o->traces)
                return false;
        STRV_FOREACH(line, o->taken)
                if (!startswith(*line, RECORDS "/"))
                        return true;
        return false;
}

/* Data that has no mark is nobody's of ours: its service runs after that is written. */
static bool may_be_ours(const Observation *o, const Candidate *c) {
        return is_traced(o, c) || has_mark(o, c) || reset_is_by_hand(o) || (!c->mark && is_of_before(o));
}

/*
 * Where the list is not whole, a directory that was its service's when its line was written was made by a version of before, and
 * mended since: its user goes, and whoever gets that number next must not have it handed back.
 */
static bool is_mended(const Observation *o, const Candidate *c, char *const *words) {
        return !o->made_whole && !made_was_nothing(words) && !streq(c->owner, "root:root") &&
               streq(words[MADE_BEFORE], c->owner) && may_be_ours(o, c);
}

/* words: of its line, or NULL. Where the list is whole, one without was there, and as planned. */
static ResetWay way_of(const Observation *o, const ResetKeep *keep, const Candidate *c, char *const *words) {
        if (!words && !c->known && !may_be_ours(o, c))
                return RESET_LEAVE;
        if (is_kept(keep, c))
                return RESET_KEEP;
        if (streq(c->owner, "root:root"))
                return words              ? (made_was_nothing(words) ? RESET_EMPTY : RESET_HAND_BACK) :
                       o && o->made_whole ? RESET_LEAVE :
                                            RESET_EMPTY;
        if (c->place)
                return RESET_PLACE;
        if (c->chosen || !words || !made_was_nothing(words) || !trace_path_is_deep(c->path))
                return RESET_OWN;
        return RESET_TREE;
}

static bool is_listed(const ResetDirectories *d, const char *path) {
        for (size_t i = 0; i < d->n; i++)
                if (streq(d->list[i].path, path))
                        return true;
        return false;
}

static void add(const Observation *o, const ResetKeep *keep, const Candidate *c, ResetDirectories *ret) {
        _cleanup_strv_ Strv words = NULL;
        ResetWay way;
        bool was;

        if (is_listed(ret, c->path))
                return;
        if (made_find(o ? o->made : NULL, c->path, &words) >= 0 && is_mended(o, c, words))
                words = strv_free(words);
        way = way_of(o, keep, c, words);
        was = words && !made_was_nothing(words);
        ret->list = xrealloc(ret->list, ret->n + 1, sizeof(ResetDirectory));
        ret->list[ret->n++] = (ResetDirectory) {
                .path = xstrdup(c->path),
                .owner = xstrdup(c->owner),
                .mode = xstrdup(was ? words[MADE_MODE] : "-"),
                .before = xstrdup(was ? words[MADE_BEFORE] : "root:root"),
                .way = way,
        };
}

/* Of a trace, or of a line of plan/made.h, which begins with one. */
static void add_known(const Observation *o, const ResetKeep *keep, char *const *words,
                      ResetDirectories *ret) {
        bool chosen = streq(words[0], "chosen");

        add(o, keep,
            &(Candidate) {
                    .path = words[1],
                    .owner = words[2],
                    .chosen = chosen,
                    .place = !chosen && etcd_was_place(words[1], words[2]),
                    .known = true,
            },
            ret);
}

/**
 * reset_directories() - find all directories, and what becomes of each
 * @plan:       of the node
 * @o:          what was found there; or NULL
 * @keep:       what stays
 * @ret:        gets them; the caller calls reset_directories_done()
 */
void reset_directories(const Plan *plan, const Observation *o, const ResetKeep *keep,
                       ResetDirectories *ret) {
        *ret = (ResetDirectories) {};
        PLAN_FOREACH(item, plan, PLAN_DIRECTORY)
                add(o, keep,
                    &(Candidate) {
                            .path = item->path,
                            .owner = item->owner ?: "root:root",
                            .mark = item->directory.mark,
                            .chosen = item->directory.chosen,
                            .place = etcd_is_place(item),
                    },
                    ret);
        STRV_FOREACH(trace, o ? o->traces : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (trace_parse(*trace, &words) >= 0 && trace_is_directory(words))
                        add_known(o, keep, words, ret);
        }
        STRV_FOREACH(line, o ? o->made : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (made_parse(*line, &words) >= 0)
                        add_known(o, keep, words, ret);
        }
}

void reset_directories_done(ResetDirectories *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->list[i].path);
                free(d->list[i].owner);
                free(d->list[i].mode);
                free(d->list[i].before);
        }
        free(d->list);
        *d = (ResetDirectories) {};
}

static Strv paths_of(const ResetDirectories *d, ResetWay way) {
        Strv paths = NULL;

        for (size_t i = 0; i < d->n; i++)
                if (d->list[i].way == way)
                        strv_add(&paths, d->list[i].path);
        return paths;
}

static void script_trees(const ResetDirectories *d, Buffer *out) {
        _cleanup_strv_ Strv paths = paths_of(d, RESET_TREE);
        _cleanup_free_ char *list = strv_join(paths, " ");

        if (paths)
                buffer_addf(out, "for d in %s; do " REMOVE "; done\n", list);
}

/* Somebody chose where they lie: what is not ours there stays. */
static void script_snapshots(const ResetDirectories *d, Buffer *out) {
        _cleanup_strv_ Strv places = paths_of(d, RESET_PLACE);

        if (!places)
                return;
        shell_add_list(out, "places", places);
        buffer_add_str(out, EMBED_RESET_SNAPSHOTS_SH);
}

static const char* verb_of(const ResetDirectory *one) {
        return one->way != RESET_OWN ? "leave" : streq(one->path, ETCD_DATA) ? "data" : "sweep";
}

static void script_own(const ResetDirectories *d, Buffer *out) {
        _cleanup_strv_ Strv words = NULL;

        for (size_t i = 0; i < d->n; i++) {
                const ResetDirectory *one = d->list + i;

                if (one->way == RESET_OWN || one->way == RESET_PLACE || one->way == RESET_HAND_BACK)
                        strv_addf(&words, "%s %s %s %s %s", verb_of(one), one->path, one->owner, one->mode,
                                  one->before);
        }
        if (!words)
                return;
        shell_add_list(out, "directories", words);
        buffer_add_str(out, EMBED_RESET_DIRECTORIES_SH);
}

static int by_depth(const void *a, const void *b) {
        return -strcmp(*(char *const *) a, *(char *const *) b);
}

/* The deepest first */
static void script_empty(const ResetDirectories *d, Buffer *out) {
        _cleanup_strv_ Strv empty = paths_of(d, RESET_EMPTY);

        if (!empty)
                return;
        qsort(empty, strv_length(empty), sizeof(char*), by_depth);
        STRV_FOREACH(path, empty)
                if (!startswith(*path, RECORDS))
                        buffer_addf(out, "rmdir %s 2>/dev/null || :\n", *path);
}

/**
 * reset_script_directories() - write what removes directories, or what is ours in them
 * @plan:       of the node
 * @o:          what was found there; or NULL
 * @keep:       what stays
 * @out:        the script is added to it
 */
void reset_script_directories(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_directories_ ResetDirectories directories = {};

        reset_directories(plan, o, keep, &directories);
        buffer_add_str(out, "# what services wrote, and directories in which nothing is left\n");
        script_trees(&directories, out);
        script_snapshots(&directories, out);
        script_own(&directories, out);
        for (size_t i = 0; i < directories.n; i++)
                if (streq(directories.list[i].path, PROGRAMS) && directories.list[i].way == RESET_EMPTY)
                        buffer_add_str(out, "rm -rf " PROGRAMS "\n");
        buffer_add_str(out, "rm -rf /run/hardway\n"); /* with the lock that this run has taken */
        script_empty(&directories, out);
}

/* Those that stay, and those above them, are hardway's for the next reset, too. */
static bool line_stays(const char *line, const ResetDirectories *d) {
        _cleanup_strv_ Strv words = NULL;

        if (made_parse(line, &words) < 0)
                return false;
        for (size_t i = 0; i < d->n; i++) {
                const char *below =
                        d->list[i].way == RESET_KEEP ? startswith(d->list[i].path, words[MADE_PATH]) : NULL;

                if (below && (!*below || *below == '/'))
                        return true;
        }
        return false;
}

/**
 * reset_script_keep_directories() - write what keeps the record of directories that stay
 * @plan:       of the node
 * @o:          what was found there; or NULL
 * @keep:       what stays
 * @out:        the script is added to it
 */
void reset_script_keep_directories(const Plan *plan, const Observation *o, const ResetKeep *keep,
                                   Buffer *out) {
        _cleanup_directories_ ResetDirectories directories = {};

        reset_directories(plan, o, keep, &directories);
        buffer_add_str(out, "printf '%s\\n'");
        if (o && o->made_whole)
                buffer_add_str(out, " " MADE_WHOLE);
        STRV_FOREACH(line, o ? o->made : NULL)
                if (line_stays(*line, &directories))
                        buffer_addf(out, " '%s'", *line);
        buffer_add_str(out, " >/var/lib/hardway/directories.hw-new\n"
                            "sync /var/lib/hardway/directories.hw-new\n"
                            "mv -f /var/lib/hardway/directories.hw-new /var/lib/hardway/directories\n");
}
