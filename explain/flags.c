/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Flags: ours with their reasons, and those of the user
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"

#define YOURS "Yours: it stands in extra-args of the cluster file."

static bool is_users(const Cluster *c, const char *component, const char *name) {
        const ExtraFlags *extra = cluster_extra_flags(c, component);

        for (size_t i = 0; extra && i < extra->n_flags; i++)
                if (streq(extra->flags[i].name, name))
                        return true;
        return false;
}

static Explanation* enter(Catalogue *c, const Component *component, const char *flag, const char *why,
                          const char *without) {
        _cleanup_free_ char *name = xasprintf("%s --%s", component->name, flag);
        _cleanup_free_ char *kind = xasprintf("flag of %s", component->name);
        Explanation *e = catalogue_enter(c, name, kind, why);

        explanation_alias(e, "--%s", flag);
        explanation_set(&e->without, without);
        explanation_set(&e->manual, component->manual);
        return e;
}

/* Of one with a configuration of its own the unit is the distribution's, and the command stands in a drop-in. */
static void set_by_hand(Explanation *e, const Component *component, const char *word) {
        bool whole = explain_has_flags_only(component);

        if (!e->by_hand)
                e->by_hand =
                        xasprintf("systemctl edit %s%s   # %s: %s\nsystemctl restart %s",
                                  whole ? "--full " : "", component->unit,
                                  whole ? "in ExecStart=" : "[Service], ExecStart= and then another with",
                                  word, component->unit);
}

/* "--name=value" of the unit's command line, where "%%" is a '%' */
static char* value_of(const char *word, size_t name_size) {
        _cleanup_buffer_ Buffer value = BUFFER_NULL;
        const char *p = word + 2 + name_size;

        if (*p != '=')
                return xstrdup("(given without a value)");
        for (p++; *p; p++) {
                buffer_add_char(&value, *p);
                if (p[0] == '%' && p[1] == '%')
                        p++;
        }
        return buffer_take(&value);
}

static void add_word(Catalogue *c, const View *v, const Component *component, const char *word) {
        size_t n = strcspn(word + 2, "=");
        _cleanup_free_ char *name = xstrndup(word + 2, n), *value = value_of(word, n), *text = NULL,
                            *part = NULL;
        bool users = is_users(v->context.cluster, component->name, name);
        const Flag *flag = component_flag(component, name);
        Explanation *e, *whole;

        if (flag)
                e = enter(c, component, name, flag->why, flag->without);
        else
                e = enter(c, component, name, YOURS, "What the program does by default.");
        text = users ? xasprintf("%s (yours%s)", value, flag ? ", instead of hardway's" : "") :
                       xstrdup(value);
        set_by_hand(e, component, word);
        explanation_value(e, v, v->context.node->name, text);
        whole = catalogue_enter(c, component->name, "component", component->summary);
        part = xasprintf("%s%s", users ? "(yours) " : "", e->why);
        explanation_part(whole, v, word, part);
}

/* Each row has an entry, also one that this version or this cluster has no use for. */
static void add_rows(Catalogue *c, const Component *component) {
        for (const Flag *f = component->flags; f < component->flags + component->n_flags; f++) {
                _cleanup_free_ char *word = xasprintf("--%s=...", f->name);

                set_by_hand(enter(c, component, f->name, f->why, f->without), component, word);
        }
}

void explain_flags(Catalogue *c, const View *v) {
        for (const Component *const *p = c->request->components; *p; p++) {
                _cleanup_strv_ Strv argv = NULL;

                if ((*p)->n_flags == 0 || !component_on_node(*p, v->context.cluster, v->context.node))
                        continue;
                argv = flags_to_argv((*p)->name, (*p)->flags, (*p)->n_flags, (*p)->name, &v->context);
                for (char **word = argv + 1; *word; word++)
                        add_word(c, v, *p, *word);
                add_rows(c, *p);
        }
}
