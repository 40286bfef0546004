/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a Service to the items of a plan
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/service.h"

#define PKI_DIRECTORY "/etc/kubernetes/pki"

#define COMMENT_WIDTH 100

/* A comment of several lines, each of readable length. */
static void add_comment(UnitFile *u, const char *text) {
        _cleanup_free_ char *lines = xstrdup(text);
        char *line = lines, *blank = NULL;

        for (char *p = lines; *p; p++) {
                if (*p == ' ')
                        blank = p;
                if (blank && p - line >= COMMENT_WIDTH) {
                        *blank = '\n';
                        line = blank + 1;
                        blank = NULL;
                }
        }
        unit_file_comment(u, lines);
}

/**
 * service_add_settings() - add a table of settings to a unit or drop-in
 * @u:          the unit file
 * @c:          what their values depend on
 * @settings:   the table
 * @n_settings: its rows
 * @reterr:     says which setting cannot be written
 *
 * Each is written with its reason as a comment, unless it has none or is quiet. A row whose function has no
 * value for this node is left out.
 *
 * Return: 0 or a negative errno.
 */
int service_add_settings(UnitFile *u, const PlanContext *c, const UnitSetting *settings, size_t n_settings,
                         Error **reterr) {
        int r;

        for (const UnitSetting *s = settings; s < settings + n_settings; s++) {
                _cleanup_free_ char *value = s->function ? s->function(c) : xstrdup(s->value);

                if (!value)
                        continue;
                unit_file_section(u, s->section);
                if (s->why && !s->quiet)
                        add_comment(u, s->why);
                r = unit_file_set(u, s->key, value, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A setting of the frame, with this service's value. */
static int set_frame_why(UnitFile *u, const char *key, const char *value, bool comment, Error **reterr) {
        for (size_t i = 0; i < service_n_frame; i++)
                if (streq(service_frame[i].key, key)) {
                        unit_file_section(u, service_frame[i].section);
                        if (comment)
                                add_comment(u, service_frame[i].why);
                        return unit_file_set_literal(u, key, value, reterr);
                }
        return error_set(reterr, ERROR_INTERNAL, EINVAL, "the frame of services has no %s=", key);
}

static int set_frame(UnitFile *u, const char *key, const char *value, Error **reterr) {
        return set_frame_why(u, key, value, /* comment= */ false, reterr);
}

static int set_begin(UnitFile *u, const Service *service, const Cluster *cluster, Error **reterr) {
        const char *name = service->component->name;
        _cleanup_free_ char *description = xasprintf("%s of cluster %s", name, cluster->name);
        const char *const values[][2] = {
                { "Description", description },
                { "Documentation", service->documentation },
                { "User", name },
                { "Group", name },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                r = set_frame(u, values[i][0], values[i][1], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where the user's own flags have the service write, besides where it may anyway. */
static int set_directories(UnitFile *u, const PlanContext *c, const Service *service, Error **reterr) {
        static const char *const keys[] = { "RequiresMountsFor", "ReadWritePaths" };
        _cleanup_strv_ Strv directories = cluster_flag_directories(c->cluster, service->component->name);
        _cleanup_free_ char *value = strv_join(directories, " ");
        int r = 0;

        for (size_t i = 0; directories && i < ARRAY_SIZE(keys) && r >= 0; i++)
                r = set_frame_why(u, keys[i], value, /* comment= */ true, reterr);
        return r;
}

static bool is_wanted(const PlanContext *c, const ServiceCredential *s) {
        return !s->wanted || s->wanted(c);
}

static int set_credentials(UnitFile *u, const PlanContext *c, const Service *service, Error **reterr) {
        int r;

        unit_file_section(u, "Service");
        if (service->n_credentials > 0)
                add_comment(u, "Handed over by systemd, for this service alone, in the directory that %d "
                               "stands for. The files stay with root.");
        for (size_t i = 0; i < service->n_credentials; i++) {
                _cleanup_free_ char *value =
                        xasprintf("%s:%s", service->credentials[i].id, service->credentials[i].path);

                if (!is_wanted(c, service->credentials + i))
                        continue;

                r = set_frame(u, "LoadCredential", value, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const Artifact* own_artifact(const Component *component) {
        for (size_t i = 0; i < component->n_artifacts; i++)
                if (streq(component->artifacts[i].name, component->name))
                        return component->artifacts + i;
        return NULL;
}

static int set_command(UnitFile *u, const PlanContext *c, const Component *component, Error **reterr) {
        const Artifact *artifact = own_artifact(component);
        _cleanup_free_ char *binary = NULL, *comment = NULL;
        _cleanup_strv_ Strv argv = NULL;

        if (!artifact)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "declares no binary of its own name");
        binary = plan_binary_path(c->cluster, artifact->origin, artifact->name);
        argv = flags_to_argv(binary, component->flags, component->n_flags, component->name, c);
        comment = xasprintf("Why each flag is there: hardway explain %s", component->name);
        add_comment(u, comment);
        return unit_file_set_command_specifiers(u, "ExecStart", "", argv, /* breaks= */ true, reterr);
}

static int set_sandbox(UnitFile *u, Error **reterr) {
        int r;

        add_comment(u, "What the service needs none of, it does not get.");
        for (size_t i = 0; i < service_n_sandbox; i++) {
                r = unit_file_set(u, service_sandbox[i].key, service_sandbox[i].value, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int unit_new(const PlanContext *c, const Service *service, UnitFile **ret, Error **reterr) {
        const Component *component = service->component;
        _cleanup_(unit_file_freep) UnitFile *u =
                unit_file_new("Written by hardway. Changes belong into a drop-in: systemctl edit");
        int r;

        r = set_begin(u, service, c->cluster, reterr);
        if (r < 0)
                return r;
        r = service_add_settings(u, c, component->settings, component->n_settings, reterr);
        if (r < 0)
                return r;
        r = set_directories(u, c, service, reterr);
        if (r < 0)
                return r;
        r = set_credentials(u, c, service, reterr);
        if (r < 0)
                return r;
        r = set_command(u, c, component, reterr);
        if (r < 0)
                return r;
        r = set_sandbox(u, reterr);
        if (r < 0)
                return r;
        r = set_frame(u, "WantedBy", "multi-user.target", reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}

/* kubeadm has its directories of keys closed to others. */
static void add_pki_directory(Plan *plan, const char *component, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = xstrndup(path, (size_t) (slash - path));

        if (!startswith(directory, PKI_DIRECTORY))
                return;
        plan_item_explain(
                plan_add_directory(plan, component, directory + 1, directory, 0700, "root:root",
                                   "Holds certificates and keys, in kubeadm's layout."),
                "Others on the node could list which keys there are; the keys themselves are closed.",
                MANUAL_PKI);
}

static void explain_file(const Plan *plan, const ServiceCredential *s) {
        PLAN_FOREACH(item, plan, PLAN_FILE)
                if (s->without && streq(item->path, s->path))
                        plan_item_explain(item, s->without, MANUAL_PKI);
}

static int add_credentials(const PlanContext *c, Plan *plan, const Service *service, Error **reterr) {
        const char *component = service->component->name;
        int r;

        for (const ServiceCredential *s = service->credentials;
             s < service->credentials + service->n_credentials; s++) {
                const char *name = startswith(s->path, "/etc/kubernetes/");
                const char *shared = startswith(s->path, PKI_DIRECTORY "/");
                _cleanup_free_ char *store_path = NULL;

                add_pki_directory(plan, component, s->path);
                if (s->added || !is_wanted(c, s))
                        continue;
                if (!name || (!s->node && !shared))
                        return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s is no path of a credential",
                                         s->path);
                store_path = s->node ? xasprintf("nodes/%s/%s", c->node->name, name) :
                                       xstrdup(s->store_path ?: shared);
                r = plan_add_store_file(c, plan, component, shared ? shared : name, store_path, s->path,
                                        service->component->unit, s->why, reterr);
                if (r < 0)
                        return r;
                explain_file(plan, s);
        }
        return 0;
}

/* The program itself, and with it tools for people, which get a name in everybody's PATH. */
static int add_binaries(const PlanContext *c, Plan *plan, const Component *component, Error **reterr) {
        int r;

        for (const Artifact *a = component->artifacts; a < component->artifacts + component->n_artifacts;
             a++) {
                bool own = streq(a->name, component->name);
                _cleanup_free_ char *noun = xasprintf("link-%s", a->name), *path = NULL, *link = NULL;

                if (a->optional_on_node)
                        continue;
                r = plan_add_binary(c, plan, component->name, a->name, own ? component->unit : NULL,
                                    own ? component->summary : "A tool for whoever looks after this node.",
                                    reterr);
                if (r < 0)
                        return r;
                if (own)
                        continue;
                path = plan_binary_path(c->cluster, a->origin, a->name);
                link = xasprintf("/usr/local/bin/%s", a->name);
                plan_item_explain(plan_add_symlink(plan, component->name, noun, link, path,
                                                   "Puts the tool of the version in use into the PATH."),
                                  "The tool would have to be called by its long name.", NULL);
        }
        return 0;
}

static void add_directories(const PlanContext *c, Plan *plan, const char *component) {
        _cleanup_strv_ Strv directories = cluster_flag_directories(c->cluster, component);
        _cleanup_free_ char *owner = xasprintf("%s:%s", component, component);

        for (size_t i = 0; i < strv_length(directories); i++) {
                _cleanup_free_ char *noun = xasprintf("flag-directory-%zu", i);
                PlanItem *item = plan_add_directory(plan, component, noun, directories[i], 0700, owner,
                                                    "A flag of yours has the service write there.");

                item->directory.chosen = true;
                plan_item_explain(item, "The unit does not start: it opens a directory that is not there.",
                                  "systemd.exec(5)");
        }
}

static void add_users_flags(PlanItem *unit, const ExtraFlags *extra) {
        for (size_t i = 0; extra && i < extra->n_flags; i++) {
                _cleanup_free_ char *name = xasprintf("--%s", extra->flags[i].name);

                if (!strv_contains(unit->unit.users_flags, name))
                        strv_add(&unit->unit.users_flags, name);
        }
}

/**
 * service_add() - add all that a service consists of to a plan
 * @c:          the context of the plan
 * @plan:       the plan
 * @service:    the service
 * @ret_unit:   the unit's item, for ports and the like; lent
 * @reterr:     what went wrong
 *
 * Return: 0 or a negative errno.
 */
int service_add(const PlanContext *c, Plan *plan, const Service *service, PlanItem **ret_unit,
                Error **reterr) {
        const Component *component = service->component;
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        int r;

        plan_item_explain(plan_add_user(plan, component->name, component->name, "/nonexistent",
                                        "Runs the service, and owns nothing else on the node."),
                          "The unit does not start: it names a user that is not there.", "sysusers.d(5)");
        r = add_binaries(c, plan, component, reterr);
        if (r < 0)
                return r;
        r = add_credentials(c, plan, service, reterr);
        if (r < 0)
                return r;
        add_directories(c, plan, component->name);
        r = unit_new(c, service, &u, reterr);
        if (r < 0)
                return r;
        *ret_unit = plan_add_unit(plan, component->name, component->unit, TAKE_PTR(u), service->why);
        add_users_flags(*ret_unit, cluster_extra_flags(c->cluster, component->name));
        plan_item_explain(*ret_unit, component->without, "systemd.service(5)");
        for (size_t i = 0; i < component->n_flags; i++)
                if (component->flags[i].first_start)
                        strv_addf(&(*ret_unit)->unit.unread, "--%s=", component->flags[i].name);
        return 0;
}
