/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * plan_finish(): from what components asked for to a plan that can be shown, compared and installed
 *
 * In this order: items that say the same become one; directories that things lie in are added; paths, names
 * and ids are checked, since scripts on the node will use them unquoted; everything is put in the order in
 * which it is realised; digests are computed, last of all those of units, which depend on all others.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "plan/plan.h"

/* How much of the digest stands in the unit: enough against accidents, and it still can be read. */
#define INPUTS_LENGTH 32

static bool same_thing(const PlanItem *a, const PlanItem *b) {
        if (a->type != b->type)
                return false;
        switch (a->type) {
        case PLAN_DIRECTORY:
                return streq(a->path, b->path) && a->mode == b->mode && streq(a->owner, b->owner);
        case PLAN_USER:
                return streq(a->user.name, b->user.name) && streq_null(a->user.home, b->user.home);
        case PLAN_PACKAGE:
                return streq(a->package.name, b->package.name);
        case PLAN_SYSCTL:
                return streq(a->sysctl.key, b->sysctl.key) && streq(a->sysctl.value, b->sysctl.value);
        default:
                return false;
        }
}

/* b says the same as a and is about to go: what it adds is kept. */
static void absorb(PlanItem *a, const PlanItem *b) {
        STRV_FOREACH(unit, b->input_of)
                plan_item_input_of(a, *unit);
        if (a->type == PLAN_USER)
                STRV_FOREACH(group, b->user.groups)
                        if (!strv_contains(a->user.groups, *group))
                                strv_add(&a->user.groups, *group);
        if (a->type == PLAN_PACKAGE)
                STRV_FOREACH(unit, b->package.units)
                        if (!strv_contains(a->package.units, *unit))
                                strv_add(&a->package.units, *unit);
}

static void unite(Plan *p) {
        size_t n = 0;

        for (size_t i = 0; i < p->n_items; i++) {
                PlanItem *first = NULL;

                for (size_t j = 0; j < n && !first; j++)
                        if (same_thing(p->items[j], p->items[i]))
                                first = p->items[j];
                if (first) {
                        absorb(first, p->items[i]);
                        plan_item_free(p->items[i]);
                } else
                        p->items[n++] = p->items[i];
        }
        p->n_items = n;
}

static bool is_part_of_every_system(const char *directory) {
        static const char *const known[] = {
                "/",
                "/etc",
                "/etc/modules-load.d",
                "/etc/sysctl.d",
                "/etc/systemd",
                "/etc/systemd/system",
                "/etc/sysusers.d",
                "/etc/tmpfiles.d",
                "/opt",
                "/run",
                "/usr",
                "/usr/local",
                "/usr/local/bin",
                "/var",
                "/var/lib",
                "/var/log",
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(directory, known[i]))
                        return true;
        return false;
}

/* Below these, directories are hardway's to have as it wants. */
static bool is_ours(const char *directory) {
        return startswith(directory, "/etc/") || startswith(directory, PLAN_ROOT);
}

/* The directory above path, and those above that; a path without any is refused later. */
static void add_parents(Plan *p, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = NULL, *why = NULL;
        PlanItem *item;

        if (!slash || slash == path)
                return;
        parent = xstrndup(path, (size_t) (slash - path));
        if (is_part_of_every_system(parent) || plan_find_path(p, parent))
                return;
        why = xasprintf("Holds what hardway puts into %s.", parent);
        item = plan_add_directory(p, "node", parent + 1, parent, 0755, "root:root", why);
        plan_item_explain(item, "What lies in it would have no place.", "file-hierarchy(7)");
        item->directory.shared = !is_ours(parent);
        add_parents(p, parent);
}

static void add_directories(Plan *p) {
        size_t n = p->n_items; /* those added here bring their parents along */

        for (size_t i = 0; i < n; i++)
                if (p->items[i]->path)
                        add_parents(p, p->items[i]->path);
}

static bool path_is_plain(const char *path) {
        if (path[0] != '/' || path[1] == '\0' || endswith(path, "/") || strstr(path, "//"))
                return false;
        for (const char *c = path; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("/._@:+-", *c))
                        return false;
        for (const char *c = path; c; c = strchr(c + 1, '/'))
                if (startswith(c, "/../") || streq(c, "/..") || startswith(c, "/./") || streq(c, "/."))
                        return false;
        return true;
}

/* Names that the node's scripts will use as words: of users, groups, packages, sysctls, owners. */
static bool word_is_plain(const char *word) {
        if (!word || !*word || *word == '-')
                return false;
        for (const char *c = word; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("._:@+/-", *c))
                        return false;
        return true;
}

static bool words_are_plain(char *const *words) {
        STRV_FOREACH(word, words)
                if (!word_is_plain(*word))
                        return false;
        return true;
}

static bool value_is_plain(const char *value) {
        return value[strcspn(value, "'\\\"$`\n")] == '\0';
}

static bool names_are_plain(const PlanItem *item) {
        switch (item->type) {
        case PLAN_USER:
                return word_is_plain(item->user.name) && value_is_plain(item->user.comment) &&
                       (!item->user.home || path_is_plain(item->user.home)) &&
                       words_are_plain(item->user.groups);
        case PLAN_PACKAGE:
                return word_is_plain(item->package.name) && words_are_plain(item->package.units);
        case PLAN_SYSCTL:
                return word_is_plain(item->sysctl.key) && value_is_plain(item->sysctl.value);
        case PLAN_SYMLINK:
                return path_is_plain(item->symlink.target);
        case PLAN_UNIT:
                STRV_FOREACH(path, item->unit.leaves)
                        if (!path_is_plain(*path))
                                return false;
                return unit_name_is_valid(item->unit.name);
        default:
                return true;
        }
}

static int check_item(const Plan *p, const PlanItem *item, Error **reterr) {
        if (item->path && !path_is_plain(item->path))
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: '%s' is not a path for a plan",
                                 item->id, item->path);
        if (item->owner && (!word_is_plain(item->owner) || !strchr(item->owner, ':')))
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: '%s' is not an owner", item->id,
                                 item->owner);
        if (!names_are_plain(item))
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: has a name that is none", item->id);
        if (item->secret && !item->fingerprint)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: is secret and has no fingerprint",
                                 item->id);
        STRV_FOREACH(unit, item->input_of)
                if (!plan_has_unit(p, *unit))
                        return error_set(reterr, ERROR_INTERNAL, EINVAL,
                                         "%s: is an input of %s, which is not in the plan", item->id, *unit);
        return 0;
}

static int check_pair(const PlanItem *a, const PlanItem *b, Error **reterr) {
        if (streq(a->id, b->id))
                return error_set(reterr, ERROR_INTERNAL, EEXIST, "%s: is in the plan twice", a->id);
        if (a->path && b->path && streq(a->path, b->path))
                return error_set(reterr, ERROR_INTERNAL, EEXIST, "%s and %s both want the path %s", a->id,
                                 b->id, a->path);
        if (a->type == PLAN_USER && b->type == PLAN_USER && streq(a->user.name, b->user.name))
                return error_set(reterr, ERROR_INTERNAL, EEXIST, "%s and %s want different users %s", a->id,
                                 b->id, a->user.name);
        if (a->type == PLAN_SYSCTL && b->type == PLAN_SYSCTL && streq(a->sysctl.key, b->sysctl.key))
                return error_set(reterr, ERROR_INTERNAL, EEXIST, "%s and %s want different values of %s",
                                 a->id, b->id, a->sysctl.key);
        return 0;
}

static int check_items(const Plan *p, Error **reterr) {
        int r;

        for (size_t i = 0; i < p->n_items; i++) {
                r = check_item(p, p->items[i], reterr);
                if (r < 0)
                        return r;
                for (size_t j = i + 1; j < p->n_items; j++) {
                        r = check_pair(p->items[i], p->items[j], reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static bool comes_after(const PlanItem *a, const PlanItem *b) {
        if (a->type != b->type)
                return a->type > b->type;
        if (a->type == PLAN_DIRECTORY) /* parents first */
                return strcmp(a->path, b->path) > 0;
        return a->type == PLAN_UNIT && a->unit.rank > b->unit.rank;
}

/* By insertion: stable, so that what ties stays in the order in which components are listed. */
static void sort_items(Plan *p) {
        for (size_t i = 1; i < p->n_items; i++) {
                PlanItem *item = p->items[i];
                size_t j = i;

                for (; j > 0 && comes_after(p->items[j - 1], item); j--)
                        p->items[j] = p->items[j - 1];
                p->items[j] = item;
        }
}

static void hash_content(PlanItem *item) {
        free(item->sha256);
        item->sha256 = xnew(char, SHA256_HEX_SIZE);
        sha256_hex(item->content.data ? item->content.data : "", item->content.size, item->sha256);
}

/* What a running process can have taken in of this item. */
static void digest_item(Digest *d, const PlanItem *item) {
        digest_add_str(d, plan_item_type_to_string(item->type));
        digest_add_str(d, item->path ? item->path : "");
        switch (item->type) {
        case PLAN_FILE:
                digest_add_str(d, item->secret ? item->fingerprint : item->sha256);
                break;
        case PLAN_BINARY:
                digest_add_str(d, item->sha256 ? item->sha256 : "");
                break;
        case PLAN_SYMLINK:
                digest_add_str(d, item->symlink.target);
                break;
        case PLAN_SYSCTL:
                digest_add_str(d, item->sysctl.key);
                digest_add_str(d, item->sysctl.value);
                break;
        case PLAN_USER:
                digest_add_str(d, item->user.name);
                STRV_FOREACH(group, item->user.groups)
                        digest_add_str(d, *group);
                break;
        default:
                break;
        }
}

static bool is_unread(const PlanItem *unit, const char *line) {
        line += strspn(line, " \t");
        STRV_FOREACH(flag, unit->unit.unread)
                if (startswith(line, *flag))
                        return true;
        return false;
}

/* Line by line, as commands have one argument in each. */
static void digest_unit(Digest *d, const PlanItem *unit) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, read = BUFFER_NULL;

        unit_file_render(unit->unit.file, &text);
        for (const char *line = buffer_str(&text); *line;) {
                size_t n = strcspn(line, "\n");

                n += line[n] == '\n';
                if (!is_unread(unit, line))
                        buffer_add(&read, line, n);
                line += n;
        }
        digest_add_str(d, unit->path);
        digest_add_str(d, buffer_str(&read));
}

static char* unit_inputs(const Plan *p, const char *name) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA256");
        char *hex;

        PLAN_FOREACH(unit, p, PLAN_UNIT)
                if (streq(unit->unit.name, name))
                        digest_unit(d, unit);
        for (size_t i = 0; i < p->n_items; i++)
                if (!p->items[i]->reload && plan_item_is_input_of(p->items[i], name))
                        digest_item(d, p->items[i]);

        hex = digest_hex(d);
        hex[INPUTS_LENGTH] = '\0';
        return hex;
}

/* The digest stands in one file of a unit: its own, or the first of its drop-ins. */
static const PlanItem* inputs_carrier(const Plan *p, const char *name) {
        const PlanItem *carrier = NULL;

        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (streq(item->unit.name, name) &&
                    (!carrier || (carrier->unit.drop_in && !item->unit.drop_in)))
                        carrier = item;
        return carrier;
}

static int finish_units(Plan *p, Error **reterr) {
        int r;

        PLAN_FOREACH(item, p, PLAN_UNIT)
                item->unit.inputs = unit_inputs(p, item->unit.name);

        PLAN_FOREACH(item, p, PLAN_UNIT) {
                if (endswith(item->unit.name, ".service") && inputs_carrier(p, item->unit.name) == item) {
                        unit_file_section(item->unit.file, "Service");
                        r = unit_file_set_environment(item->unit.file, "HARDWAY_INPUTS", item->unit.inputs,
                                                      reterr);
                        if (r < 0)
                                return error_prefix(reterr, r, "%s", item->id);
                }
                unit_file_render(item->unit.file, &item->content);
                hash_content(item);
        }
        return 0;
}

/**
 * plan_finish() - check, order and digest a plan
 * @p:          the plan; called once, after the last item was added
 * @reterr:     what does not fit together, which is always a bug in a component
 *
 * Return: 0 or a negative errno.
 */
int plan_finish(Plan *p, Error **reterr) {
        int r;

        unite(p);
        add_directories(p);
        r = check_items(p, reterr);
        if (r < 0)
                return r;
        sort_items(p);
        PLAN_FOREACH(item, p, PLAN_FILE)
                hash_content(item);
        return finish_units(p, reterr);
}
