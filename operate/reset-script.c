/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/data.h"
#include "operate/operate-scripts.h"
#include "operate/reset-internal.h"
#include "plan/made.h"
#include "plan/taken.h"
#include "plan/traces.h"

/*
 * What reset does on a node, as one readable script. Paths need no quoting (plan/plan.h says what they are made of).
 *
 * Each step may find that there is nothing to do: a first try that failed half way left some of it, and a reset that was interrupted is
 * done again. Order: what runs, files, packages, what lay there before, what services wrote, users, what ran before, our records (last: they
 * tell what else has to go, and to come back).
 */

#define USERS "/var/lib/hardway/users"

static void add_words(Buffer *out, const char *command, char *const *words, const char *tail) {
        if (strv_length(words) == 0)
                return;
        buffer_add_str(out, command);
        STRV_FOREACH(w, words)
                buffer_addf(out, " %s", *w);
        buffer_addf(out, "%s\n", tail);
}

/* Whose data stays, all directories of theirs stay: snapshots of that data are nothing to be removed before it. */
static void keep_theirs(const Plan *plan, ResetKeep *keep) {
        PLAN_FOREACH(item, plan, PLAN_DIRECTORY) {
                _cleanup_free_ char *user = plan_owner_user(item->owner);

                if (strv_contains(keep->users, user))
                        strv_add_once(&keep->directories, item->path);
        }
}

/* Of a directory: as the plan has it, or, if the role was lost, as an earlier one has left it. The caller frees. */
static char* data_user(const Plan *plan, const Observation *o, const char *path) {
        const PlanItem *item = plan_find_path(plan, path);
        _cleanup_strv_ Strv made = NULL;

        if (item)
                return plan_owner_user(item->owner);
        STRV_FOREACH(trace, o ? o->traces : NULL) {
                _cleanup_strv_ Strv words = NULL;

                if (trace_parse(*trace, &words) >= 0 && trace_is_directory(words) && streq(words[1], path))
                        return plan_owner_user(words[2]);
        }
        if (made_find(o ? o->made : NULL, path, &made) >= 0)
                return plan_owner_user(made[MADE_OWNER]);
        return NULL;
}

/**
 * reset_keep_data() - what stays if data is to stay
 * @components: the table of components
 * @plan:       of the node
 * @o:          what was found there, for data of earlier plans; or NULL
 * @ret:        gets their directories of data and others of their users, the marks beside them, and who owns them
 */
void reset_keep_data(const Component *const *components, const Plan *plan, const Observation *o,
                     ResetKeep *ret) {
        for (const Component *const *c = components; *c; c++) {
                _cleanup_free_ char *user = (*c)->data ? data_user(plan, o, (*c)->data) : NULL;

                if (!user)
                        continue;
                strv_add(&ret->directories, (*c)->data);
                if ((*c)->data_mark)
                        strv_add(&ret->files, (*c)->data_mark);
                if (*user)
                        strv_add(&ret->users, user);
        }
        keep_theirs(plan, ret);
}

bool reset_keeps(const ResetKeep *keep, const char *path) {
        return strv_contains(keep->directories, path) || strv_contains(keep->files, path);
}

void reset_keep_done(ResetKeep *keep) {
        strv_free(keep->directories);
        strv_free(keep->files);
        strv_free(keep->users);
        *keep = (ResetKeep) {};
}

Strv reset_units(const Plan *plan, const Observation *o, const ResetEarlier *earlier) {
        Strv units = strv_copy(earlier->units);

        for (size_t i = plan->n_items; i > 0; i--)
                if (plan->items[i - 1]->type == PLAN_UNIT &&
                    !strv_contains(units, plan->items[i - 1]->unit.name) &&
                    reset_owns_unit(plan, o, plan->items[i - 1]->unit.name))
                        strv_add(&units, plan->items[i - 1]->unit.name);
        return units;
}

static void script_units(Strv units, Buffer *out) {
        if (!units)
                return;
        buffer_add_str(out, "# what runs: several at once, since some bind to others\n");
        add_words(out, "systemctl stop", units, " 2>/dev/null || :");
        add_words(out, "systemctl disable --quiet", units, " 2>/dev/null || :");
        add_words(out, "systemctl unmask --runtime --quiet", units, " 2>/dev/null || :");
        /* which of a unit without a file, as after a power cut, does not let itself be disabled */
        buffer_add_str(out, "rm -f");
        STRV_FOREACH(unit, units)
                buffer_addf(out, " /etc/systemd/system/*.wants/%s", *unit);
        buffer_add_char(out, '\n');
}

bool reset_removes(const Observation *o, const ResetKeep *keep, const char *path) {
        return reset_owns(o, path) && !reset_puts_back(o, path) && !reset_keeps(keep, path);
}

static void script_files(const Plan *plan, const Observation *o, const ResetKeep *keep,
                         const ResetEarlier *earlier, Buffer *out) {
        buffer_add_str(out, "# files, and what a put that was cut off left beside them\n");
        for (size_t i = 0; i < plan->n_items; i++)
                if (plan_item_is_file(plan->items[i]) && !reset_keeps(keep, plan->items[i]->path))
                        buffer_addf(out,
                                    reset_removes(o, keep, plan->items[i]->path) ?
                                            "rm -f %1$s %1$s.hw-new\n" :
                                            "rm -f %1$s.hw-new\n",
                                    plan->items[i]->path);
        PLAN_FOREACH(item, plan, PLAN_UNIT)
                STRV_FOREACH(path, item->unit.leaves)
                        buffer_addf(out, "rm -f %s\n", *path);
        for (size_t i = 0; o && i < o->n_applied; i++)
                if (!plan_find_path(plan, o->applied[i].path) && reset_removes(o, keep, o->applied[i].path))
                        buffer_addf(out, "rm -f %s\n", o->applied[i].path);
        STRV_FOREACH(path, earlier->files)
                buffer_addf(out, "rm -f %s\n", *path);
}

/*
 * Is there data that an earlier reset kept, of a role that the node has no more, and whose directory nobody wrote down? It stays,
 * and is not to become a number's.
 */
static bool leaves_data(const Plan *plan, const Observation *o) {
        _cleanup_free_ char *user = data_user(plan, o, ETCD_DATA);

        return !user && o && taken_find(o->taken, ETCD_MARK_PATH);
}

/**
 * reset_users_kept() - which users stay, of those that hardway has made
 * @plan:       of the node
 * @o:          what was found there; or NULL
 * @keep:       what stays
 *
 * Return: their names. The caller frees.
 */
Strv reset_users_kept(const Plan *plan, const Observation *o, const ResetKeep *keep) {
        Strv users = strv_copy(keep->users);

        if (leaves_data(plan, o))
                strv_add_once(&users, "etcd");
        return users;
}

static void script_users(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_strv_ Strv users = reset_users_kept(plan, o, keep);

        shell_add_list(out, "keep", users);
        buffer_add_str(out, EMBED_RESET_USERS_SH);
}

static void script_leaves(const char *package, const char *leaves, Buffer *out) {
        buffer_addf(out, "if grep -q -s -x %s /var/lib/hardway/packages; then leaves=\"$leaves %s\"; fi\n",
                    package, leaves);
}

/* host/ writes down the packages that it had to install; those that were there before stay. */
static void script_packages(const Plan *plan, const ResetEarlier *earlier, Buffer *out) {
        buffer_add_str(out,
                       "# packages that came with hardway, and what their removal would leave\nleaves=\n");
        PLAN_FOREACH(item, plan, PLAN_PACKAGE) {
                _cleanup_free_ char *leaves = strv_join(item->package.leaves, " ");

                if (item->package.leaves)
                        script_leaves(item->package.name, leaves, out);
        }
        STRV_FOREACH(package, earlier->packages) {
                _cleanup_strv_ Strv words = strv_split(*package, " ");

                script_leaves(words[0], words[1], out);
        }
        buffer_add_str(out, EMBED_RESET_PACKAGES_SH);
}

/* Where data stays, so does what says whose it is; and nothing else there is hardway's any more. */
static void script_keep_marks(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        buffer_add_str(out, "if [ -d /var/lib/hardway ]; then\n");
        reset_script_keep_directories(plan, o, keep, out);
        buffer_add_str(out, "printf '%s nothing\\n'");
        STRV_FOREACH(file, keep->files)
                buffer_addf(out, " %s", *file);
        buffer_add_str(
                out,
                " >/var/lib/hardway/taken.hw-new\n"
                "sync /var/lib/hardway/taken.hw-new\n"
                "mv -f /var/lib/hardway/taken.hw-new /var/lib/hardway/taken\n"
                "sync /var/lib/hardway\n"
                "find /var/lib/hardway -mindepth 1 ! -path /var/lib/hardway/taken ! -path /var/lib/hardway/directories");
        STRV_FOREACH(file, keep->files)
                buffer_addf(out, " ! -path %s", *file);
        buffer_add_str(out, " ! -path " USERS " -delete\nfi\n");
}

/* The script of a reset that was killed goes on: who looks waits for it, as for a put. */
static const char lock[] =
        "# hardway's things go, and what was there before comes back\n"
        "if [ -d /var/lib/hardway ]; then\n        exec 8>>/var/lib/hardway/put.lock\n"
        "        flock -w 600 8 || fail temporary \"another hardway is writing here, for minutes now\"\nfi\n";

/*
 * Our own records. Should it be interrupted here, what was put back must not be taken for hardway's, by another reset or an
 * installation: applied.json calls it that without the list, and the list without the copies. And what is gone stays gone, as
 * nothing calls it ours any more. Without the list of directories, which goes last, that of files would be one of before there was
 * such a list, and directories that were handed back would be taken for ours.
 */
static void script_records(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        buffer_add_str(out, "sync -f /etc /usr /var\n"
                            "rm -f /var/lib/hardway/applied.json /var/lib/hardway/applied.paths\n"
                            "[ ! -d /var/lib/hardway ] || sync /var/lib/hardway\n");
        if (keep->files)
                script_keep_marks(plan, o, keep, out);
        else
                buffer_add_str(out, "rm -f /var/lib/hardway/taken\n"
                                    "[ ! -d /var/lib/hardway ] || sync /var/lib/hardway\n"
                                    "rm -rf /var/lib/hardway\n");
}

/**
 * reset_script() - write what takes hardway off a node
 * @plan:       of the node; its contents do not matter, its paths, units and users do
 * @o:          what was found there, for files of earlier plans; or NULL
 * @keep:       what stays
 * @out:        the script is added to it
 */
void reset_script(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_earlier_ ResetEarlier earlier = {};
        _cleanup_strv_ Strv units = NULL;

        reset_earlier(plan, o, keep, &earlier);
        units = reset_units(plan, o, &earlier);
        buffer_add_str(out, lock);
        script_units(units, out);
        script_files(plan, o, keep, &earlier, out);
        script_packages(plan, &earlier, out);
        reset_script_files_back(o, out);
        reset_script_directories(plan, o, keep, out);
        script_users(plan, o, keep, out);
        buffer_add_str(out, "# the last of it: units that are no more, and our own records\n"
                            "systemctl daemon-reload\n");
        add_words(out, "systemctl reset-failed", units, " 2>/dev/null || :");
        reset_script_units_back(o, out);
        script_records(plan, o, keep, out);
}
