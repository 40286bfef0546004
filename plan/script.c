/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a plan to a script: what it needs of functions, then its items in the order in which install has them
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "fetch/layout.h"
#include "plan/plan-scripts.h"
#include "plan/script.h"

/* A part of plan/scripts without the lines that are for those who change it. */
static void add_function(Buffer *out, const char *text) {
        const char *begin = strstr(text, "\n\n");

        buffer_add_str(out, begin ? begin + 1 : text);
}

static bool has(const Plan *p, PlanItemType type) {
        PLAN_FOREACH(item, p, type)
                return item != NULL;
        return false;
}

static bool has_file(const Plan *p) {
        for (size_t i = 0; i < p->n_items; i++)
                if (plan_item_is_file(p->items[i]))
                        return true;
        return false;
}

static bool has_secret(const Plan *p) {
        PLAN_FOREACH(item, p, PLAN_FILE)
                if (item->secret)
                        return true;
        return false;
}

static bool has_data(const Plan *p) {
        PLAN_FOREACH(item, p, PLAN_DIRECTORY)
                if (item->directory.mark)
                        return true;
        return false;
}

static bool has_check(const Plan *p) {
        PLAN_FOREACH(item, p, PLAN_FILE)
                if (item->file.check)
                        return true;
        return false;
}

static void add_head(Buffer *out, const Plan *p, const Facts *facts) {
        char version[VERSION_TEXT_SIZE];
        _cleanup_free_ char *text = NULL;

        buffer_add_str(out, "#!/bin/sh\n# shellcheck shell=sh\n");
        text = xasprintf(
                "The whole installation of the node %s of the cluster %s (Kubernetes %s), written by "
                "hardway plan --script.",
                p->node->name, p->cluster->name, version_format(&p->cluster->kubernetes, version));
        script_add_comment(out, text);
        buffer_add_str(out, "#\n");
        script_add_comment(
                out,
                "It makes this machine what hardway install would make it, in the same order, and can be "
                "run again. There are no secrets in it. It knows nothing of the other nodes: on a cluster "
                "that serves, leave restarts to hardway install, which does them one node at a time.");
        if (!facts->observed) {
                _cleanup_free_ char *assumed =
                        xasprintf("Made without asking the node: its network interface is taken to be %s.",
                                  facts->interface);

                buffer_add_str(out, "#\n");
                script_add_comment(out, assumed);
        }
        buffer_add_str(out, "\nset -eu\n\n");
}

/* The first binary of that origin in the lock, with where it lies below a base URL; NULL: there is none. */
static const LockEntry* find_locked(const Plan *p, const Lock *lock, ArtifactOrigin origin,
                                    char **ret_file) {
        PLAN_FOREACH(item, p, PLAN_BINARY) {
                FetchRequest request = {
                        .name = item->binary.artifact,
                        .version = item->binary.version,
                        .architecture = item->binary.architecture,
                };
                const LockEntry *entry =
                        lock ? lock_find(lock, request.name, request.version, request.architecture) : NULL;
                Version version;
                Layout layout;

                if (!entry || plan_binary_path_parse(item->path, &request.origin, &version) < 0 ||
                    request.origin != origin)
                        continue;
                layout_init(&request, /* mirror= */ false, &layout);
                *ret_file = xasprintf("/%s", layout.file);
                layout_done(&layout);
                return entry;
        }
        return NULL;
}

/* May the bytes be others than those of the official release? Then only who had them has them. */
static bool is_own_build(const LockEntry *e) {
        static char *const proofs[] = { (char*) "mirror", (char*) "accepted", (char*) "bundle",
                                        (char*) "hand", NULL };

        return e->proof && strv_contains(proofs, e->proof);
}

/*
 * Where to download from: whatever it is, the digest is what counts, so it should have the bytes that were
 * fetched. That is the mirror of the cluster file that had them, or its first; without any, the official
 * address, unless those bytes may be a mirror's own.
 */
static char* base_url(const Plan *p, const Lock *lock, ArtifactOrigin origin) {
        const char *below = origin == ORIGIN_ETCD ? "/etcd" : "";
        _cleanup_free_ char *file = NULL, *base = NULL;
        const LockEntry *entry = find_locked(p, lock, origin, &file);

        if (entry && endswith(entry->url, file))
                base = xstrndup(entry->url, strlen(entry->url) - strlen(file));
        STRV_FOREACH(mirror, p->cluster->mirrors) {
                _cleanup_free_ char *url = xasprintf("%s%s", *mirror, below);

                if (base && streq(url, base))
                        return TAKE_PTR(base);
        }
        if (strv_length(p->cluster->mirrors) > 0)
                return xasprintf("%s%s", p->cluster->mirrors[0], below);
        return base && is_own_build(entry) ? TAKE_PTR(base) : xstrdup(layout_official(origin));
}

static void add_variables(Buffer *out, const Plan *p, const Lock *lock) {
        _cleanup_free_ char *kubernetes = base_url(p, lock, ORIGIN_KUBERNETES),
                            *etcd = base_url(p, lock, ORIGIN_ETCD);

        shell_add_variable(out, "CLUSTER", p->cluster->name);
        shell_add_variable(out, "NODE", p->node->name);
        shell_add_variable(out, "ARCHITECTURE", architecture_to_string(p->node->architecture));
        shell_add_variable(out, "KUBERNETES_URL", kubernetes);
        shell_add_variable(out, "ETCD_URL", etcd);
}

static void add_functions(Buffer *out, const Plan *p) {
        const struct {
                bool needed;
                const char *text;
        } rows[] = {
                { true, EMBED_SCRIPT_BEGIN_SH },
                { true, EMBED_SCRIPT_LOCK_SH },
                { has_file(p) || has(p, PLAN_USER) || has(p, PLAN_DIRECTORY) || has(p, PLAN_PACKAGE),
                  EMBED_SCRIPT_RECORD_SH },
                { has_file(p), EMBED_SCRIPT_TAKEN_SH },
                { has(p, PLAN_USER), EMBED_SCRIPT_USER_SH },
                { has_data(p), EMBED_SCRIPT_DATA_SH },
                { has(p, PLAN_DIRECTORY), EMBED_SCRIPT_DIRECTORY_SH },
                { has(p, PLAN_FILE) || has(p, PLAN_UNIT), EMBED_SCRIPT_FILE_SH },
                { has_secret(p), EMBED_SCRIPT_SECRET_SH },
                { has(p, PLAN_BINARY), EMBED_SCRIPT_BINARY_SH },
                { has(p, PLAN_SYMLINK), EMBED_SCRIPT_LINK_SH },
                { has(p, PLAN_SYSCTL), EMBED_SCRIPT_SYSCTL_SH },
                { has(p, PLAN_PACKAGE), EMBED_SCRIPT_PACKAGE_SH },
                { has_check(p), EMBED_SCRIPT_CHECK_SH },
                { has(p, PLAN_UNIT), EMBED_SCRIPT_UNIT_SH },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].needed)
                        add_function(out, rows[i].text);
}

static void add_title(Buffer *out, bool needed, const char *title) {
        if (needed)
                buffer_addf(out, "\n# --- %s ---\n\n", title);
}

/* install refuses these in a component's preflight; here the mark itself would be written before anybody has looked. */
static void add_data(Buffer *out, const Plan *p) {
        add_title(out, has_data(p), "whose data is here?");
        PLAN_FOREACH(item, p, PLAN_DIRECTORY)
                if (item->directory.mark)
                        script_add_data(out, item, plan_find_path(p, item->directory.mark));
}

static void add_directories(Buffer *out, const Plan *p) {
        add_title(out, has(p, PLAN_DIRECTORY), "directories");
        PLAN_FOREACH(item, p, PLAN_DIRECTORY) {
                script_add_comment(out, item->why);
                if (item->directory.shared)
                        buffer_addf(out, "[ -d %s ] || ", item->path);
                buffer_addf(out, "directory %04o %s %s%s\n", (unsigned) item->mode, item->owner, item->path,
                            item->directory.chosen ? " chosen" : "");
        }
}

static int add_files(Buffer *out, const Plan *p, const Lock *lock, Error **reterr) {
        int r;

        add_title(out, has(p, PLAN_FILE), "files");
        PLAN_FOREACH(item, p, PLAN_FILE)
                script_add_file(out, item);
        add_title(out, has(p, PLAN_BINARY), "programs");
        PLAN_FOREACH(item, p, PLAN_BINARY) {
                r = script_add_binary(out, item, lock, reterr);
                if (r < 0)
                        return r;
        }
        PLAN_FOREACH(item, p, PLAN_SYMLINK) {
                script_add_comment(out, item->why);
                buffer_addf(out, "link %s %s\n\n", item->symlink.target, item->path);
        }
        add_title(out, has(p, PLAN_UNIT), "units");
        PLAN_FOREACH(item, p, PLAN_UNIT)
                script_add_file(out, item);
        return 0;
}

static void add_system(Buffer *out, const Plan *p) {
        PLAN_FOREACH(item, p, PLAN_SYSCTL) {
                script_add_comment(out, item->why);
                buffer_addf(out, "kernel %s ", item->sysctl.key);
                shell_add_quoted(out, item->sysctl.value);
                buffer_add_str(out, "\n\n");
        }
        add_title(out, has(p, PLAN_PACKAGE), "packages, now that their configuration is there");
        PLAN_FOREACH(item, p, PLAN_PACKAGE)
                script_add_package(out, item);
        PLAN_FOREACH(item, p, PLAN_FILE) {
                if (!item->file.check)
                        continue;
                buffer_addf(out,
                            "# shellcheck disable=SC2016 # it is for the shell that check starts\ncheck %s ",
                            item->path);
                shell_add_quoted(out, item->file.check);
                buffer_add_char(out, '\n');
        }
}

static void add_units(Buffer *out, const Plan *p) {
        add_title(out, has(p, PLAN_UNIT), "start");
        buffer_add_str(out, "systemctl daemon-reload\n");
        PLAN_FOREACH(item, p, PLAN_UNIT)
                script_add_unit(out, p, item);
}

static void add_end(Buffer *out, const Plan *p) {
        if (has(p, PLAN_OBJECT)) {
                buffer_add_char(out, '\n');
                script_add_comment(
                        out, "Once for the cluster, from the machine that drives it, as soon as the API "
                             "answers (hardway install does it by itself): kubectl --kubeconfig "
                             "super-admin.conf apply -f FILE, with each of these in a file.");
        }
        PLAN_FOREACH(item, p, PLAN_OBJECT) {
                _cleanup_free_ char *body = json_dumps(item->object.body, JSON_COMPACT | JSON_SORT_KEYS);

                buffer_add_str(out, "#\n");
                script_add_comment(out, item->why);
                buffer_addf(out, "#   %s\n", body ? body : "");
        }
        buffer_add_str(
                out, "\necho \"$NODE is as planned. What waits for other nodes starts when they are there: "
                     "systemctl list-jobs\"\n");
}

/**
 * plan_render_script() - the whole installation of a node as a script
 * @p:          the finished plan
 * @facts:      that it was made with
 * @lock:       digests of the binaries
 * @out:        gets the script
 * @reterr:     what the plan lacks
 *
 * Return: 0; -ENOENT for a plan that is incomplete.
 */
int plan_render_script(const Plan *p, const Facts *facts, const Lock *lock, Buffer *out, Error **reterr) {
        int r;

        if (p->incomplete)
                return error_set(
                        reterr, ERROR_CONFIG, ENOENT,
                        "the plan of %s is not complete, so no script can be made of it: it lacks %s",
                        p->node->name, strv_length(p->missing) > 0 ? p->missing[0] : "something");
        add_head(out, p, facts);
        add_variables(out, p, lock);
        add_functions(out, p);
        add_data(out, p);
        add_title(out, has(p, PLAN_USER), "users");
        PLAN_FOREACH(item, p, PLAN_USER)
                script_add_user(out, item);
        add_directories(out, p);
        r = add_files(out, p, lock, reterr);
        if (r < 0)
                return r;
        add_system(out, p);
        add_units(out, p);
        add_end(out, p);
        return 0;
}
