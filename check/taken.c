/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rules about what others have where hardway's would be: it would be replaced, until a reset brings it back
 *
 * A node that hardway has installed was asked before that, for what it was to do then; what is there since is told by its comparison
 * with the plan.
 */

#include <string.h>

#include "check/check-scripts.h"
#include "check/rules.h"
#include "common/alloc.h"
#include "common/shell.h"
#include "plan/made.h"

#define DIRECTORIES "directories"

static bool is_new(const CheckNode *n) {
        return n->plan && n->observation && (n->joins || !n->observation->identity);
}

/* Of ours, also one that a run has left which was killed: it carries the digest of what it was started with. */
static bool is_of_others(const CheckNode *n, const PlanItem *item) {
        const ObservedUnit *u = observation_unit(n->observation, item->unit.name);

        return item->unit.running && !item->unit.drop_in && u && u->main_pid != 0 && !u->inputs;
}

void rule_services(Judge *j, const CheckNode *n) {
        _cleanup_strv_ Strv theirs = NULL;
        _cleanup_free_ char *list = NULL;

        if (!is_new(n))
                return;
        PLAN_FOREACH(item, n->plan, PLAN_UNIT)
                if (is_of_others(n, item))
                        strv_add(&theirs, item->unit.name);
        if (!theirs) {
                judge(j, CHECK_OK, n->node, "none of others has a name of ours");
                return;
        }
        list = strv_join(theirs, ", ");
        check_advise(
                judge(j, CHECK_FAILED, n->node, "%s: runs, and is not hardway's", list),
                "Look at it before anything else (systemctl cat %s): hardway has a service of that name, which would "
                "take its place and its data. If it can go, stop it and remove it with what it has written; "
                "else take another machine.",
                theirs[0]);
}

void rule_programs(Judge *j, const CheckNode *n) {
        _cleanup_strv_ Strv theirs = NULL;
        _cleanup_free_ char *list = NULL;

        if (!is_new(n))
                return;
        PLAN_FOREACH(item, n->plan, PLAN_SYMLINK) {
                const ObservedPath *found = observation_path(n->observation, item->path);

                if (found && found->type != OBSERVED_ABSENT &&
                    !(found->type == OBSERVED_SYMLINK && startswith(found->target ?: "", PLAN_ROOT "/")))
                        strv_add(&theirs, item->path);
        }
        if (!theirs) {
                judge(j, CHECK_OK, n->node, "none of others has a name of ours");
                return;
        }
        list = strv_join(theirs, ", ");
        check_advise(
                judge(j, CHECK_FAILED, n->node, "%s: is there, and is not hardway's", list),
                "It would be replaced until a reset puts it back. If it can go: sudo rm %s; else move it, such as to /usr/local/sbin.",
                theirs[0]);
}

/* --- directories that become a service's alone --- */

/* It is a service's by the record of an earlier run, or of one that was killed: what others have put there since is theirs to answer for. */
static bool is_recorded(const CheckNode *n, const PlanItem *item) {
        static const char *const kinds[] = { "chosen", "directory" };
        _cleanup_strv_ Strv made = NULL;

        if (made_find(n->observation->made, item->path, &made) >= 0)
                return true;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                _cleanup_free_ char *trace = xasprintf("%s %s %s", kinds[i], item->path, item->owner);

                if (strv_contains(n->observation->traces, trace))
                        return true;
        }
        return false;
}

static Strv directories_to_ask_for(const CheckNode *n) {
        Strv words = NULL;

        PLAN_FOREACH(item, n->plan, PLAN_DIRECTORY) {
                const ObservedPath *found = observation_path(n->observation, item->path);
                _cleanup_free_ char *user = plan_owner_user(item->owner);

                if (item->directory.asked || streq_null(item->owner, "root:root") || !found ||
                    found->type == OBSERVED_ABSENT || is_recorded(n, item))
                        continue;
                strv_add(&words, item->path);
                strv_add(&words, user);
        }
        return words;
}

/* "PATH USER NAME OWNER": what lies there first that is not the user's; "PATH USER . OWNER": the directory itself */
static void add_taken(const CheckWorld *w, const CheckNode *n, const char *line, CheckList *findings) {
        _cleanup_strv_ Strv words = strv_split(line, " ");
        _cleanup_free_ char *what = NULL;
        const PlanItem *item;
        Check *check;

        if (strv_length(words) != 4)
                return;
        what = streq(words[2], ".") ?
                       xasprintf("belongs to %s", words[3]) :
                       xasprintf("is in use: %s is there, which belongs to %s", words[2], words[3]);
        check = check_add_on(findings, CHECK_FAILED, DIRECTORIES, n->node, DIRECTORIES, "%s %s", words[0],
                             what);
        item = plan_find_path(n->plan, words[0]);
        if (item && !item->directory.chosen) {
                check_advise(
                        check,
                        "Look at it before anything else (kubeadm reset leaves such things): %s of hardway's writes there, and the "
                        "directory would become its alone. Move it, or remove it: mv %s %s.old",
                        words[1], words[0], words[0]);
                return;
        }
        check_advise(
                check,
                "A flag has %s write there (extra-args in %s), and the directory would become its alone: "
                "give it one for this, such as %s/%s.",
                words[1], w->cluster->path, words[0], words[1]);
}

/**
 * check_directories() - are directories that become a service's alone free for it?
 * @c:          the context of the probe
 * @w:          the world
 * @n:          the node; asked only if there is such a directory that no earlier run has made
 * @findings:   gets one for each that is in use
 * @reterr:     why it could not be asked
 *
 * Return: 0 or a negative errno.
 */
int check_directories(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, CheckList *findings,
                      Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv words = NULL, lines = NULL;
        int r;

        if (n->plan && n->observation)
                words = directories_to_ask_for(n);
        if (!words)
                return 0;
        shell_add_list(&variables, "directories", words);
        r = probe_exec(c, n->node, "are directories of services in use by others?", &variables,
                       EMBED_DIRECTORIES_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines)
                add_taken(w, n, *line, findings);
        return 0;
}
