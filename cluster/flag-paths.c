/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/fields.h"
#include "cluster/flag-rules.h"
#include "cluster/input.h"
#include "common/alloc.h"
#include "common/fs.h"

/*
 * Paths in extra-args, and the fences of the services: what lies where these see nothing is refused, and a directory
 * that a flag has the service write to is opened for it (plan/service.c).
 */

/* The directories that units give their services anyway (LogsDirectory=, StateDirectory=). */
static const struct {
        const char *component, *directory;
} given[] = {
        { "kube-apiserver", "/var/log/kubernetes" },
        { "kube-controller-manager", "/var/lib/kube-controller-manager" },
};

static const struct {
        unsigned components;
        const char *name;
        bool directory; /* its value is one; else a file in one */
        bool words;     /* what is no absolute path is a word of the program's ("stderr") */
        bool makes;     /* the program makes the directory where it may */
} written[] = {
        { FLAG_APISERVER, "audit-log-path", .makes = true }, /* ensureLogFile() in apiserver's audit.go */
        { FLAG_APISERVER, "debug-socket-path" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "cert-dir", .directory = true, .makes = true },
        { FLAG_ETCD, "log-outputs", .words = true },
};

static const struct {
        const char *path, *setting;
} hidden[] = {
        { "/root/", "ProtectHome" },   { "/home/", "ProtectHome" }, { "/run/user/", "ProtectHome" },
        { "/var/tmp/", "PrivateTmp" }, { "/tmp/", "PrivateTmp" },
};

static size_t find_written(FlagComponent component, const char *name) {
        size_t i;

        for (i = 0; i < ARRAY_SIZE(written); i++)
                if ((written[i].components & component) && streq(written[i].name, name))
                        break;
        return i;
}

static bool holds(const char *outer, const char *inner) {
        const char *rest = startswith(inner, outer);

        return rest && (!*rest || *rest == '/');
}

/*
 * The directory that is written to; NULL if it is given anyway, or this is no path. What lies in one that the service owns is the
 * service's to make: it could put a link in the place of one that root gives to it.
 */
static char* directory_of(const char *component, size_t row, const char *value) {
        _cleanup_free_ char *directory = NULL;

        if (*value != '/')
                return NULL;
        directory = written[row].directory ? xstrdup(value) : fs_path_dirname(value);
        for (size_t i = 0; i < ARRAY_SIZE(given); i++)
                if (streq(component, given[i].component) &&
                    (streq(directory, given[i].directory) ||
                     (written[row].makes && holds(given[i].directory, directory))))
                        return NULL;
        return TAKE_PTR(directory);
}

static void check_hidden(Input *in, Mark mark, const char *component, const ExtraFlag *f, const char *path) {
        _cleanup_free_ char *inside = xasprintf("%s/", path);

        for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
                if (startswith(inside, hidden[i].path)) {
                        problem_add(
                                &in->problems, mark,
                                "extra-args.%s.%s: the service sees nothing below %.*s (%s=); put it where its "
                                "user can read it, such as /etc/kubernetes",
                                component, f->name, (int) strlen(hidden[i].path) - 1, hidden[i].path,
                                hidden[i].setting);
                        return;
                }
}

/* Whole file systems are somebody's, even if nothing else is on them yet. */
static bool is_mount_point(const char *directory) {
        const char *rest = startswith(directory, "/mnt/") ?: startswith(directory, "/media/");

        return rest && !strchr(rest, '/');
}

static void check_written(Input *in, Mark mark, const char *component, const ExtraFlag *f, size_t row,
                          const char *value) {
        _cleanup_free_ char *directory = directory_of(component, row, value), *problem = NULL, *path = NULL;

        if (!directory) {
                if (*value && *value != '/' && !streq(value, "-") && !written[row].words)
                        problem_add(&in->problems, mark, "extra-args.%s.%s: '%s' is no absolute path",
                                    component, f->name, value);
                return;
        }
        problem = field_own_directory(directory, &path);
        if (problem || is_mount_point(directory))
                problem_add(
                        &in->problems, mark,
                        "extra-args.%s.%s: the service would get %s for itself alone, and hardway reset take it: name a "
                        "directory for nothing else, such as /srv/%s or /mnt/ssd/%s",
                        component, f->name, directory, component, component);
}

static void check_value(Input *in, const ExtraFlags *e, const ExtraFlag *f, const char *value) {
        FlagComponent component = flag_component(e->component);
        size_t row = find_written(component, f->name);
        size_t n = in->problems.n_items;
        Mark mark = { f->line, f->column };

        if (*value == '/')
                check_hidden(in, mark, e->component, f, value);
        if (row < ARRAY_SIZE(written) && n == in->problems.n_items)
                check_written(in, mark, e->component, f, row, value);
}

void check_flag_paths(Input *in, const ExtraFlags *e, const ExtraFlag *f) {
        _cleanup_strv_ Strv values = strv_split(f->value ?: "", ",");

        STRV_FOREACH(value, values)
                check_value(in, e, f, *value);
}

/**
 * cluster_flag_directories() - where the user's own flags have a service write
 * @c:          the cluster
 * @component:  "kube-apiserver"
 *
 * Return: directories that are not the service's anyway, each once; NULL if there are none. The caller frees.
 */
Strv cluster_flag_directories(const Cluster *c, const char *component) {
        const ExtraFlags *e = cluster_extra_flags(c, component);
        Strv directories = NULL;

        for (size_t i = 0; e && i < e->n_flags; i++) {
                size_t row = find_written(flag_component(component), e->flags[i].name);
                _cleanup_strv_ Strv values = NULL;

                if (row == ARRAY_SIZE(written))
                        continue;
                values = strv_split(e->flags[i].value ?: "", ",");
                STRV_FOREACH(value, values) {
                        _cleanup_free_ char *directory = directory_of(component, row, *value);

                        if (directory && !strv_contains(directories, directory))
                                strv_add(&directories, directory);
                }
        }
        return directories;
}

/* One that is a service's alone is closed to others, and to what lies below it. */
static void check_pair(Input *in, const char *component, const char *directory, const char *other,
                       const char *whose) {
        if (holds(directory, other) || holds(other, directory))
                problem_add(&in->problems, in->extra_flags,
                            "extra-args.%s: %s is for this alone, and %s is %s: name another directory",
                            component, directory, other, whose);
}

/* Whoever owns the outer one can put a link in the place of the other, which root is about to give away. */
static void check_inside(Input *in, const char *component, const char *outer, const char *inner) {
        if (holds(outer, inner) && !streq(outer, inner))
                problem_add(
                        &in->problems, in->extra_flags,
                        "extra-args.%s: %s lies in %s, which is the service's own: name that one, or one beside it",
                        component, inner, outer);
}

static void check_given(Input *in, const char *component, const char *directory) {
        for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
                _cleanup_free_ char *whose = xasprintf("that of %s", given[i].component);

                if (!streq(given[i].component, component))
                        check_pair(in, component, directory, given[i].directory, whose);
                else
                        check_inside(in, component, given[i].directory, directory);
        }
}

void check_flag_directories(Input *in) {
        const Cluster *c = &in->cluster;

        for (size_t i = 0; i < c->n_extra_flags; i++) {
                const char *component = c->extra_flags[i].component;
                _cleanup_strv_ Strv directories = cluster_flag_directories(c, component);

                STRV_FOREACH(directory, directories) {
                        check_pair(in, component, *directory, c->snapshots.directory,
                                   "that of the snapshots");
                        check_given(in, component, *directory);
                        STRV_FOREACH(outer, directories)
                                check_inside(in, component, *outer, *directory);
                        for (size_t k = 0; k < i; k++) {
                                const char *other = c->extra_flags[k].component;
                                _cleanup_strv_ Strv others = cluster_flag_directories(c, other);
                                _cleanup_free_ char *whose = xasprintf("that of %s", other);

                                STRV_FOREACH(o, others)
                                        check_pair(in, component, *directory, *o, whose);
                        }
                }
        }
}
