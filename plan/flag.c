/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a table of flags to a command line
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "plan/component.h"
#include "units/unit-file.h"

static bool flag_holds(const Flag *flag, const Cluster *c) {
        unsigned minor = c->kubernetes.minor;

        return (flag->first_minor == 0 || minor >= flag->first_minor) &&
               (flag->last_minor == 0 || minor <= flag->last_minor);
}

static void add_flag(Strv *argv, const char *name, const char *value) {
        if (value)
                strv_addf(argv, "--%s=%s", name, value);
        else
                strv_addf(argv, "--%s", name);
}

static bool table_has(const Flag *flags, size_t n_flags, const char *name, const Cluster *c) {
        for (size_t i = 0; i < n_flags; i++)
                if (streq(flags[i].name, name) && flag_holds(flags + i, c))
                        return true;
        return false;
}

/* What the user wrote knows no specifiers: a '%' is a '%'. */
static void add_users(Strv *argv, const ExtraFlag *flag) {
        _cleanup_free_ char *name = unit_escape_percent(flag->name);
        _cleanup_free_ char *value = flag->value ? unit_escape_percent(flag->value) : NULL;

        add_flag(argv, name, value);
}

/* All that the user said about the flag called name; false if nothing. */
static bool add_extra(Strv *argv, const ExtraFlags *extra, const char *name) {
        bool found = false;

        for (size_t i = 0; extra && i < extra->n_flags; i++)
                if (streq(extra->flags[i].name, name)) {
                        add_users(argv, extra->flags + i);
                        found = true;
                }
        return found;
}

static void add_own(Strv *argv, const Flag *flag, const PlanContext *c) {
        _cleanup_free_ char *value = flag->function ? flag->function(c) : xstrdup_null(flag->value);

        if (value || !flag->function)
                add_flag(argv, flag->name, value);
}

/**
 * flags_to_argv() - the command line of a component on one node
 * @binary:     argv[0]
 * @flags:      the component's table
 * @n_flags:    its rows
 * @component:  whose extra-args of the cluster file are to be merged; "kube-apiserver"
 * @c:          cluster, node and facts that the values depend on
 *
 * A row is left out where the cluster's Kubernetes lies outside of its window, or its function has no value
 * for this node. What the user says about a flag stands in the place of ours; flags of the user's own follow
 * ours in the order of the cluster file. A '%' in the result begins a specifier ("%d", the directory of the
 * unit's credentials): it is meant for unit_file_set_command_specifiers().
 *
 * Return: a new vector.
 */
Strv flags_to_argv(const char *binary, const Flag *flags, size_t n_flags, const char *component,
                   const PlanContext *c) {
        const ExtraFlags *extra = cluster_extra_flags(c->cluster, component);
        Strv argv = strv_new(binary, NULL);

        for (size_t i = 0; i < n_flags; i++)
                if (flag_holds(flags + i, c->cluster) && !add_extra(&argv, extra, flags[i].name))
                        add_own(&argv, flags + i, c);

        for (size_t i = 0; extra && i < extra->n_flags; i++)
                if (!table_has(flags, n_flags, extra->flags[i].name, c->cluster))
                        add_users(&argv, extra->flags + i);
        return argv;
}
