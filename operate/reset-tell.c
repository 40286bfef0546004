/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a reset is about to do, for people to read before they say yes
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "operate/reset-internal.h"

static bool is_there(const Observation *o, const char *path) {
        const ObservedPath *found = observation_path(o, path);

        return found && found->type != OBSERVED_ABSENT;
}

static bool unit_is_there(const Plan *plan, const Observation *o, const char *name) {
        PLAN_FOREACH(item, plan, PLAN_UNIT)
                if (streq(item->unit.name, name) && is_there(o, item->path))
                        return true;
        return false;
}

static void tell_list(Buffer *out, const char *label, Strv words) {
        _cleanup_free_ char *list = strv_join(words, ", ");

        if (strv_length(words) > 0)
                buffer_addf(out, "  %-16s  %s\n", label, list);
}

/* In the order of the plan, and those that it does not name at the end: the other way round than they are stopped. */
static void tell_units(const Plan *plan, const Observation *o, const ResetEarlier *earlier, Buffer *out) {
        _cleanup_strv_ Strv all = reset_units(plan, o, earlier), told = NULL;

        for (size_t i = strv_length(all); i > 0; i--)
                if (strv_contains(earlier->units, all[i - 1]) || unit_is_there(plan, o, all[i - 1]))
                        strv_add(&told, all[i - 1]);
        tell_list(out, "stops", told);
}

static size_t count_files(const Plan *plan, const Observation *o, const ResetKeep *keep) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_items; i++) {
                const PlanItem *item = plan->items[i];

                n += plan_item_is_file(item) && is_there(o, item->path) &&
                     reset_removes(o, keep, item->path);
        }
        for (size_t i = 0; i < o->n_applied; i++)
                n += !plan_find_path(plan, o->applied[i].path) && is_there(o, o->applied[i].path) &&
                     reset_removes(o, keep, o->applied[i].path);
        return n;
}

static bool plan_has_user(const Plan *plan, const char *name) {
        PLAN_FOREACH(item, plan, PLAN_USER)
                if (streq(item->user.name, name))
                        return true;
        return false;
}

static void add_users(const Plan *plan, const Observation *o, const ResetKeep *keep, Strv *things) {
        _cleanup_strv_ Strv kept = reset_users_kept(plan, o, keep);

        PLAN_FOREACH(item, plan, PLAN_USER)
                if (strv_contains(o->users, item->user.name) && !strv_contains(kept, item->user.name) &&
                    reset_is_recorded(o))
                        strv_addf(things, "user %s if it came with hardway", item->user.name);
        STRV_FOREACH(name, o->users)
                if (!plan_has_user(plan, *name) && !strv_contains(kept, *name))
                        strv_addf(things, "user %s", *name);
}

static void tell_things(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_strv_ Strv things = NULL;
        size_t n_files = count_files(plan, o, keep);

        if (n_files > 0)
                strv_addf(&things, "%zu files", n_files);
        add_users(plan, o, keep, &things);
        PLAN_FOREACH(item, plan, PLAN_PACKAGE)
                if (strv_contains(o->packages, item->package.name) && reset_is_recorded(o))
                        strv_addf(&things, "package %s if it came with hardway", item->package.name);
        tell_list(out, "removes", things);
}

static void tell_back(const Observation *o, Buffer *out) {
        _cleanup_strv_ Strv files = reset_files_back(o), units = reset_units_back(o);

        STRV_FOREACH(unit, units) {
                _cleanup_strv_ Strv words = strv_split(*unit, " ");

                strv_addf(&files, "%s (%s, %s)", words[0], words[1], words[2]);
        }
        tell_list(out, "puts back", files);
}

static void tell_way(const Observation *o, const ResetDirectories *d, ResetWay way, const char *label,
                     Buffer *out) {
        _cleanup_strv_ Strv paths = NULL;

        for (size_t i = 0; i < d->n; i++)
                if (d->list[i].way == way && !streq(d->list[i].owner, "root:root") &&
                    is_there(o, d->list[i].path))
                        strv_add(&paths, d->list[i].path);
        tell_list(out, label, paths);
}

static void tell_data(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_directories_ ResetDirectories directories = {};

        reset_directories(plan, o, keep, &directories);
        tell_way(o, &directories, RESET_TREE, "with all data in", out);
        tell_way(o, &directories, RESET_OWN, "what is ours in", out);
        tell_way(o, &directories, RESET_PLACE, "snapshots in", out);
        tell_way(o, &directories, RESET_KEEP, "keeps", out);
        if (reset_is_recorded(o))
                tell_way(o, &directories, RESET_LEAVE, "leaves", out);
}

/**
 * reset_is_ours() - refuse a node that was installed for another cluster
 * @node:       which
 * @o:          what was found there; a node that says of no cluster is nobody's
 * @identity:   of our cluster, or NULL where there are no keys of one
 * @reterr:     names it
 *
 * An address in a cluster file is quickly mistyped, and all data of somebody else's member would be gone.
 *
 * Return: 0, or -EEXIST.
 */
int reset_is_ours(const Node *node, const Observation *o, const char *identity, Error **reterr) {
        int r;

        if (!o || !o->identity || streq_null(o->identity, identity))
                return 0;
        r = error_set(reterr, ERROR_CONFIG, EEXIST, "%s was installed for another cluster%s", node->name,
                      identity ? "" : ": there are no keys in this directory that it would know");
        error_detail(reterr,
                     "Is its address in the cluster file the right one? To have it clean all the same: "
                     "hardway reset --force\n");
        return r;
}

/**
 * reset_tell() - say what will be done to a node
 * @plan:       of the node
 * @o:          what was found there
 * @keep:       what stays
 * @out:        some lines are added to it
 */
void reset_tell(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out) {
        _cleanup_earlier_ ResetEarlier earlier = {};
        size_t before;

        reset_earlier(plan, o, keep, &earlier);
        buffer_addf(out, "%s\n", plan->node->name);
        before = out->size;
        tell_units(plan, o, &earlier, out);
        tell_things(plan, o, keep, out);
        tell_data(plan, o, keep, out);
        tell_back(o, out);
        if (out->size == before)
                buffer_add_str(out, "  nothing of hardway's is there\n");
}
