/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From changes to orders: what put.sh has to do so that the node becomes as planned. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "fetch/fetch.h"
#include "host/host-internal.h"
#include "host/look-parse.h"

/* The directory in which a name appears or goes away. */
static void sync_directory_of(PutOrders *o, const char *path) {
        _cleanup_free_ char *directory = fs_path_dirname(path + 1);

        strv_add_once(&o->sync_directories, directory);
}

static PutFile* add_file(PutOrders *o, const PlanItem *item) {
        PutFile *f;

        o->files = xrealloc(o->files, o->n_files + 1, sizeof(PutFile));
        f = o->files + o->n_files++;
        *f = (PutFile) {
                .path = item->path, .mode = item->mode, .owner = item->owner, .sha256 = item->sha256
        };
        sync_directory_of(o, item->path);
        /* tar makes everything root's */
        if (!streq(item->owner, "root:root"))
                buffer_addf(&o->owners, "owner %s %s.hw-new\n", item->owner, item->path + 1);
        return f;
}

static void add_content(PutOrders *o, const PlanItem *item) {
        PutFile *f = add_file(o, item);

        f->data = buffer_str(&item->content);
        f->size = item->content.size;
}

static int add_binary(PutOrders *o, const PlanItem *item, const HostPut *put, Error **reterr) {
        const LockEntry *entry =
                lock_find(put->lock, item->binary.artifact, item->binary.version, item->binary.architecture);
        PutFile *f;

        if (!entry)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s %s for %s was not fetched yet: hardway fetch", item->binary.artifact,
                                 item->binary.version, item->binary.architecture);
        f = add_file(o, item);
        f->source = fetch_cache_path(put->cache, entry);
        f->size = entry->size;
        f->sha256 = entry->sha256;
        return 0;
}

static bool is_being_installed(const Changes *c, const char *package) {
        for (size_t i = 0; i < c->n_changes; i++) {
                const PlanItem *item = c->changes[i].item;

                if (item && item->type == PLAN_PACKAGE && streq(item->package.name, package))
                        return true;
        }
        return false;
}

/* Before the file replaces the old one; where the program that checks comes with a package, after that is
 * there. */
static void add_check(PutOrders *o, const PlanItem *item, const Changes *c) {
        bool late = item->file.check_package && is_being_installed(c, item->file.check_package);
        Buffer *checks = late ? &o->late_checks : &o->checks;

        if (!item->file.check)
                return;
        buffer_addf(checks, "check %s%s ", item->path + 1, late ? "" : ".hw-new");
        shell_add_quoted(checks, item->file.check);
        buffer_add_char(checks, '\n');
}

static void add_user(PutOrders *o, const PlanItem *item) {
        buffer_addf(&o->users, "user %s %s ", item->user.name, item->user.home ? item->user.home : "-");
        shell_add_quoted(&o->users, item->user.comment ? item->user.comment : item->user.name);
        STRV_FOREACH(group, item->user.groups)
                buffer_addf(&o->users, " %s", *group);
        buffer_add_char(&o->users, '\n');
}

static void add_package(PutOrders *o, const PlanItem *item) {
        strv_add_once(&o->packages, item->package.name);
        STRV_FOREACH(unit, item->package.units)
                strv_add_once(&o->masked, *unit);
}

static void add_link(PutOrders *o, const PlanItem *item) {
        buffer_addf(&o->links, "link ");
        shell_add_quoted(&o->links, item->symlink.target);
        buffer_addf(&o->links, " %s\n", item->path + 1);
        sync_directory_of(o, item->path);
}

static void add_sysctl(PutOrders *o, const PlanItem *item) {
        _cleanup_free_ char *path = sysctl_path(item->sysctl.key);

        buffer_addf(&o->sysctls, "sysctl %s ", path);
        shell_add_quoted(&o->sysctls, item->sysctl.value);
        buffer_add_char(&o->sysctls, '\n');
}

/* How it was before it is made or changed: see plan/made.h. The one with our records put.sh makes first of all. */
static void add_note(PutOrders *o, const PlanItem *item) {
        if (streq(item->path, "/var/lib/hardway"))
                return;
        buffer_addf(&o->notes, "note %s %s %s\n", item->directory.chosen ? "chosen" : "directory",
                    item->owner, item->path + 1);
}

static void add_directory(PutOrders *o, const PlanItem *item) {
        add_note(o, item);
        buffer_addf(&o->directories, "directory %04o %s %s\n", (unsigned) item->mode, item->owner,
                    item->path + 1);
        sync_directory_of(o, item->path);
}

static int add_written(PutOrders *o, const PlanItem *item, const HostPut *put, Error **reterr) {
        switch (item->type) {
        case PLAN_PACKAGE:
                add_package(o, item);
                return 0;
        case PLAN_USER:
                add_user(o, item);
                return 0;
        case PLAN_DIRECTORY:
                add_directory(o, item);
                return 0;
        case PLAN_SYSCTL:
                add_sysctl(o, item);
                return 0;
        case PLAN_FILE:
                add_content(o, item);
                add_check(o, item, put->changes);
                return 0;
        case PLAN_UNIT:
                add_content(o, item);
                return 0;
        case PLAN_SYMLINK:
                add_link(o, item);
                return 0;
        case PLAN_BINARY:
                return add_binary(o, item, put, reterr);
        default:
                return 0;
        }
}

static void add_attributes(PutOrders *o, const PlanItem *item) {
        buffer_addf(&o->attributes, "attributes %04o %s %s\n", (unsigned) item->mode, item->owner,
                    item->path + 1);
        if (item->type == PLAN_DIRECTORY)
                add_note(o, item);
        else
                strv_add(&o->stamps, item->path + 1);
}

/* What an earlier plan left goes only if it still is what we wrote. */
static void add_removal(PutOrders *o, const Host *h, const char *path) {
        const AppliedFile *applied = applied_find(h->applied, h->n_applied, path);

        if (!applied)
                return;
        buffer_add_str(&o->removals, "removal ");
        shell_add_quoted(&o->removals, applied->sha256);
        buffer_addf(&o->removals, " %s\n", path + 1);
        sync_directory_of(o, path);
}

static int add_change(PutOrders *o, const Host *h, const Change *change, const HostPut *put,
                      Error **reterr) {
        switch (change->type) {
        case CHANGE_CREATE:
        case CHANGE_UPDATE:
                return add_written(o, change->item, put, reterr);
        case CHANGE_ATTRIBUTES:
                add_attributes(o, change->item);
                return 0;
        case CHANGE_REMOVE:
                add_removal(o, h, change->path);
                return 0;
        default: /* the bus' business */
                return 0;
        }
}

static bool is_empty(const PutOrders *o) {
        return o->n_files == 0 && o->users.size == 0 && o->directories.size == 0 && o->links.size == 0 &&
               o->attributes.size == 0 && o->removals.size == 0 && o->sysctls.size == 0 &&
               strv_length(o->packages) == 0;
}

/**
 * host_put() - packages, users, directories, files, links, binaries, sysctls and removals that changes name
 * @h:          the host, looked at before
 * @put:        the changes (those of units are the bus' business), and where binaries lie
 * @reterr:     names the path, and says what to do
 *
 * All files of one put are staged, checked and on the disk before the first of them replaces an old one;
 * then each is old or new at any moment.
 *
 * Return: 0, or a negative errno: -ESTALE if something changed there since it was looked at, -ECANCELED.
 */
int host_put(Host *h, const HostPut *put, Error **reterr) {
        _cleanup_(put_orders_done) PutOrders orders = {};
        _cleanup_free_ char *name = NULL;
        int r;

        for (size_t i = 0; i < put->changes->n_changes; i++) {
                r = add_change(&orders, h, put->changes->changes + i, put, reterr);
                if (r < 0)
                        return r;
        }
        if (is_empty(&orders))
                return 0;
        put_take(&orders, h, put->changes);
        name = xasprintf("put (%zu files)", orders.n_files);
        r = put_run(h, name, &orders, put, reterr);
        if (r < 0)
                return r;
        if (orders.takes) {
                strv_free(h->taken);
                h->taken = TAKE_PTR(orders.taken);
        }
        for (size_t i = 0; i < put->changes->n_changes; i++)
                if (put->changes->changes[i].type == CHANGE_REMOVE)
                        known_forget(h, put->changes->changes[i].path);
        return 0;
}
