/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/flag-rules.h"
#include "cluster/input.h"
#include "common/alloc.h"

/*
 * Flags in extra-args that name a file which is read: it is the user's, and hardway neither makes it nor brings it to the
 * nodes. What can be said of it here is whether the name is one; what is on the nodes, preflights ask.
 */

static bool names_file(const char *name) {
        static const char *const others[] = {
                "authentication-config",    "config", "kubeconfig", "authentication-kubeconfig",
                "authorization-kubeconfig",
        };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (streq(name, others[i]))
                        return true;
        return endswith(name, "-file");
}

/* Services are started in "/", so nobody means a name without its directory. "%d/" is systemd's, for what it hands over. */
void check_flag_files(Input *in, const ExtraFlags *e, const ExtraFlag *f) {
        const char *value = f->value ?: "";

        if (names_file(f->name) && *value && *value != '/' && *value != '%')
                problem_add(&in->problems, (Mark) { f->line, f->column },
                            "extra-args.%s.%s: '%s' is no absolute path: it is read on each node, such as "
                            "/etc/kubernetes/%s",
                            e->component, f->name, value,
                            strrchr(value, '/') ? strrchr(value, '/') + 1 : value);
}

/**
 * cluster_flag_files() - the files that the user's own flags name
 * @c:          the cluster
 * @component:  "kube-apiserver"
 *
 * Return: their paths, each once; NULL if there are none. The caller frees.
 */
Strv cluster_flag_files(const Cluster *c, const char *component) {
        const ExtraFlags *e = cluster_extra_flags(c, component);
        Strv files = NULL;

        for (size_t i = 0; e && i < e->n_flags; i++) {
                const ExtraFlag *f = &e->flags[i];

                if (names_file(f->name) && f->value && f->value[0] == '/' && !strv_contains(files, f->value))
                        strv_add(&files, f->value);
        }
        return files;
}
