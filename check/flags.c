/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rule about flags of the user's own: has the component such a flag at all? */

#include <stdlib.h>
#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"
#include "fetch/fetch.h"

/* What a misspelt one may have been meant to be: of the flags that hardway knows; or NULL. */
static const char* nearest_flag(const Component *c, const char *name) {
        _cleanup_free_ const char **names = xnew(const char*, c->n_flags + 1);

        for (size_t i = 0; i < c->n_flags; i++)
                names[i] = c->flags[i].name;
        return string_nearest(name, names);
}

/* Of any architecture: they have the same flags. NULL: none is in the cache. */
static Strv unknown_flags(const CheckWorld *w, const Component *c, char *const *names) {
        _cleanup_free_ char *version =
                version_to_string(plan_origin_version(w->cluster, c->artifacts[0].origin));
        Strv unknown = NULL;

        for (Architecture a = 0; a < _ARCH_MAX; a++) {
                const LockEntry *entry = lock_find(w->lock, c->name, version, architecture_to_string(a));

                if (entry && fetch_knows_flags(w->cache, entry, names, &unknown) >= 0)
                        break;
        }
        return unknown;
}

static void judge_component(Judge *j, const ExtraFlags *e) {
        const Component *c = component_find(j->world->components, e->component);
        _cleanup_strv_ Strv names = NULL, unknown = NULL;

        if (!c || c->n_artifacts == 0)
                return;
        for (size_t i = 0; i < e->n_flags; i++)
                /* those that hardway sets, too, are known to be there */
                if (!component_flag(c, e->flags[i].name) && !strv_contains(names, e->flags[i].name))
                        strv_add(&names, e->flags[i].name);
        unknown = names ? unknown_flags(j->world, c, names) : NULL;
        STRV_FOREACH(name, unknown) {
                const char *nearest = nearest_flag(c, *name);

                check_advise(
                        judge(j, CHECK_FAILED, NULL, "extra-args.%s.%s: %s has no such flag%s%s%s", c->name,
                              *name, c->name, nearest ? "; did you mean '" : "", nearest ?: "",
                              nearest ? "'?" : ""),
                        "It would end at its start. Its name is nowhere in the program; %s --help has those that there "
                        "are.",
                        c->name);
        }
}

/* Before anything is put anywhere: what has such a flag ends at its start, on the first installation on all nodes at once. */
void rule_flags(Judge *j) {
        const Cluster *c = j->world->cluster;

        for (size_t i = 0; j->world->lock && i < c->n_extra_flags; i++)
                judge_component(j, c->extra_flags + i);
}
