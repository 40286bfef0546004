/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * plan_compare(): what has to be done on a node so that it is as planned
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/text.h"
#include "plan/compare.h"
#include "plan/component.h"
#include "plan/taken.h"

void changes_add(Changes *c, ChangeType type, const PlanItem *item, const char *format, ...) {
        va_list ap;

        c->changes = xrealloc(c->changes, c->n_changes + 1, sizeof(Change));
        c->changes[c->n_changes] = (Change) { .type = type, .item = item };
        va_start(ap, format);
        /* a link's target, a file's owner: anything may stand there */
        c->changes[c->n_changes++].reason = text_harmless(xvasprintf(format, ap), 0);
        va_end(ap);
}

static ObservedType expected_type(const PlanItem *item) {
        if (item->type == PLAN_DIRECTORY)
                return OBSERVED_DIRECTORY;
        return item->type == PLAN_SYMLINK ? OBSERVED_SYMLINK : OBSERVED_FILE;
}

static const char* observed_type_name(ObservedType t) {
        static const char *const names[] = {
                [OBSERVED_ABSENT] = "missing",        [OBSERVED_FILE] = "a file",
                [OBSERVED_DIRECTORY] = "a directory", [OBSERVED_SYMLINK] = "a symbolic link",
                [OBSERVED_OTHER] = "something else",
        };

        return (size_t) t < ARRAY_SIZE(names) ? names[t] : names[OBSERVED_OTHER];
}

static void count_written(Changes *c, const PlanItem *item) {
        if (item->type == PLAN_BINARY) {
                c->n_binaries++;
                c->put_size += item->binary.size;
        } else if (item->type == PLAN_FILE || item->type == PLAN_UNIT) {
                c->n_files++;
                c->put_size += item->content.size;
        }
}

/* What is not hardway's is replaced, but not lost. */
static void add_written(const Plan *p, const Observation *o, Changes *c, ChangeType type,
                        const PlanItem *item, const char *reason) {
        char *taken = taken_line(p, o, item);

        changes_add(c, type, item, "%s%s", reason,
                    taken_is_kept(taken) ? "; not hardway's: kept, and put back by hardway reset" : "");
        c->changes[c->n_changes - 1].taken = taken;
        count_written(c, item);
}

static void compare_attributes(const PlanItem *item, const ObservedPath *found, Changes *c) {
        bool mode = found->mode == item->mode, owner = streq_null(found->owner, item->owner);
        _cleanup_buffer_ Buffer reason = BUFFER_NULL;

        if (item->type == PLAN_SYMLINK || (mode && owner))
                return;
        if (!mode)
                buffer_addf(&reason, "mode %04o, should be %04o", (unsigned) found->mode,
                            (unsigned) item->mode);
        if (!owner)
                buffer_addf(&reason, "%sowner %s, should be %s", mode ? "" : "; ",
                            found->owner ? found->owner : "unknown", item->owner);
        changes_add(c, CHANGE_ATTRIBUTES, item, "%s", buffer_str(&reason));
}

/* A directory that others may have made for others, or a link to one. */
static bool is_somebodys(const PlanItem *item, const ObservedPath *found) {
        return item->type == PLAN_DIRECTORY && item->directory.shared &&
               (found->type == OBSERVED_DIRECTORY || found->type == OBSERVED_SYMLINK);
}

static void compare_path(const Plan *p, const PlanItem *item, const Observation *o, Changes *c) {
        const ObservedPath *found = observation_path(o, item->path);
        _cleanup_free_ char *reason = NULL;

        if (!found || found->type == OBSERVED_ABSENT)
                add_written(p, o, c, CHANGE_CREATE, item, "missing");
        else if (is_somebodys(item, found))
                return;
        else if (found->type != expected_type(item)) {
                reason = xasprintf("is %s", observed_type_name(found->type));
                add_written(p, o, c, CHANGE_UPDATE, item, reason);
        } else if (item->type == PLAN_SYMLINK && !streq_null(found->target, item->symlink.target)) {
                reason = xasprintf("points to %s", found->target ? found->target : "nothing");
                add_written(p, o, c, CHANGE_UPDATE, item, reason);
        } else if (expected_type(item) == OBSERVED_FILE && item->sha256 &&
                   !streq_null(found->sha256, item->sha256))
                add_written(p, o, c, CHANGE_UPDATE, item, "content differs");
        else
                compare_attributes(item, found, c);
}

static void compare_sysctl(const PlanItem *item, const Observation *o, Changes *c) {
        STRV_FOREACH(line, o->sysctls) {
                const char *value = startswith(*line, item->sysctl.key);

                if (!value || *value != '=')
                        continue;
                if (!streq(value + 1, item->sysctl.value))
                        changes_add(c, CHANGE_UPDATE, item, "is %s, should be %s", value + 1,
                                    item->sysctl.value);
                return;
        }
        changes_add(c, CHANGE_UPDATE, item, "is not set, should be %s", item->sysctl.value);
}

static void compare_item(const Plan *p, const PlanItem *item, const Observation *o, Changes *c) {
        switch (item->type) {
        case PLAN_PACKAGE:
                if (!strv_contains(o->packages, item->package.name))
                        changes_add(c, CHANGE_CREATE, item, "not installed");
                break;
        case PLAN_USER:
                if (!strv_contains(o->users, item->user.name))
                        changes_add(c, CHANGE_CREATE, item, "missing");
                break;
        case PLAN_SYSCTL:
                compare_sysctl(item, o, c);
                break;
        case PLAN_DIRECTORY:
        case PLAN_FILE:
        case PLAN_SYMLINK:
        case PLAN_BINARY:
        case PLAN_UNIT:
                compare_path(p, item, o, c);
                break;
        default: /* objects are asked for through the API */
                break;
        }
}

static bool is_version_of_plan(const Plan *p, ArtifactOrigin origin, const Version *version) {
        PLAN_FOREACH(item, p, PLAN_BINARY) {
                ArtifactOrigin o;
                Version v;

                if (plan_binary_path_parse(item->path, &o, &v) >= 0 && o == origin &&
                    version_compare(&v, version) == 0)
                        return true;
        }
        return false;
}

/*
 * A binary of a version that is neither the plan's nor the one before. What is written down on the node begins
 * with the plan that was applied last and goes on with what was there before that, so the first other version
 * of an origin is the one that the way back leads to. A version is some 330 MB on an SD card.
 */
static bool is_outdated(const Plan *p, const Observation *o, const char *path) {
        ArtifactOrigin origin;
        Version version;

        if (plan_binary_path_parse(path, &origin, &version) < 0 || is_version_of_plan(p, origin, &version))
                return false;
        for (size_t i = 0; i < o->n_applied; i++) {
                ArtifactOrigin other;
                Version v;

                if (plan_binary_path_parse(o->applied[i].path, &other, &v) >= 0 && other == origin &&
                    !is_version_of_plan(p, origin, &v))
                        return version_compare(&v, &version) != 0;
        }
        return false;
}

bool is_ours_to_remove(const char *path) {
        static const char *const prefixes[] = {
                "/etc/haproxy/",  "/etc/hardway/",        "/etc/keepalived/", "/etc/kubernetes/",
                "/etc/sysctl.d/", "/etc/systemd/system/", "/etc/sysusers.d/", "/etc/tmpfiles.d/",
                PLAN_ROOT "/",    "/usr/local/bin/",
        };
        ArtifactOrigin origin;
        Version version;

        if (strstr(path, "/../") || plan_binary_path_parse(path, &origin, &version) >= 0)
                return false; /* an older version's binaries are the way back */
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (startswith(path, prefixes[i]))
                        return true;
        return false;
}

bool is_still(const ObservedPath *found, const char *sha256) {
        const char *target = startswith(sha256, "link:");

        if (!found)
                return false;
        if (found->type == OBSERVED_SYMLINK)
                return target && streq_null(found->target, target);
        return found->type == OBSERVED_FILE && streq_null(found->sha256, sha256);
}

static void compare_removals(const Plan *p, const Observation *o, Changes *c) {
        for (size_t i = 0; i < o->n_applied; i++) {
                const AppliedFile *file = o->applied + i;

                if (plan_find_path(p, file->path) ||
                    !(is_ours_to_remove(file->path) || is_outdated(p, o, file->path)) ||
                    !is_still(observation_path(o, file->path), file->sha256))
                        continue;
                changes_add(c, CHANGE_REMOVE, NULL,
                            taken_is_kept(taken_find(o->taken, file->path)) ?
                                    "of an earlier plan; what was there before comes back" :
                                    "of an earlier plan");
                c->changes[c->n_changes - 1].path = xstrdup(file->path);
        }
}

/**
 * plan_compare() - the difference between a plan and a node
 * @p:          the finished plan
 * @o:          what was found
 * @ret:        the changes, in the order in which they are to be made; none if nothing differs
 *
 * The order: items by type, removals, daemon-reload, units to enable, units to start, restart or reload by
 * rank.
 * What differs and is left alone is in the remarks. Objects of the API are not looked at, and whose cluster
 * the node belongs to is for the caller to judge.
 */
void plan_compare(const Plan *p, const Observation *o, Changes *ret) {
        Changes c = {};

        for (size_t i = 0; i < p->n_items; i++)
                compare_item(p, p->items[i], o, &c);
        compare_removals(p, o, &c);
        plan_compare_units(p, o, &c);
        plan_compare_left(p, o, &c);
        *ret = c;
}
