/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Settings of units: what stands in the text, and the row that says why
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"
#include "plan/service.h"

typedef struct Line {
        char section[32];
        char *key, *value;
} Line;

static const UnitSetting* find_row(const UnitSetting *rows, size_t n, const Line *l, const PlanContext *c) {
        for (const UnitSetting *s = rows; s < rows + n; s++) {
                _cleanup_free_ char *value = s->function ? s->function(c) : xstrdup_null(s->value);

                if (streq(s->section, l->section) && streq(s->key, l->key) &&
                    (!value || streq(value, l->value)))
                        return s;
        }
        return NULL;
}

/* The component's own row, or one that several share; where that has no reason, the sandbox's. */
static const UnitSetting* find_setting(const Component *component, const Line *l, const PlanContext *c,
                                       bool *ret_shared) {
        const UnitSetting *s = NULL;

        if (component)
                s = find_row(component->settings, component->n_settings, l, c);
        if (component && !s)
                s = find_row(component->others, component->n_others, l, c);
        if (component && !s)
                s = find_row(component->timer, component->n_timer, l, c);
        *ret_shared = !s || !s->why;
        if (component && !s)
                s = find_row(component->fence, component->n_fence, l, c);
        if (s && s->why)
                return s;
        s = find_row(service_sandbox, service_n_sandbox, l, c);
        return s ? s : find_row(service_frame, service_n_frame, l, c);
}

static const char* manual_of(const UnitSetting *s) {
        return s->manual                    ? s->manual :
               streq(s->section, "Service") ? "systemd.service(5)" :
                                              "systemd.unit(5)";
}

/* Long values (a command line) are explained by their parts. */
static char* cut_value(const Line *l) {
        size_t n = strcspn(l->value, "\n");

        return l->value[n] ? xasprintf("%.*s ...", (int) n, l->value) : xstrdup(l->value);
}

static void add_line(Catalogue *c, const View *v, const PlanItem *item, const Line *l) {
        const Component *component = component_find(c->request->components, item->component);
        bool shared;
        const UnitSetting *s = find_setting(component, l, &v->context, &shared);
        _cleanup_free_ char *name = shared ? xstrdup(l->key) : xasprintf("%s %s", item->unit.name, l->key);
        _cleanup_free_ char *value = cut_value(l), *assignment = xasprintf("%s=%s", l->key, value);
        Explanation *e, *whole;

        whole = catalogue_enter(c, item->path, item->unit.drop_in ? "drop-in of a unit" : "unit of systemd",
                                item->why);
        explanation_part(whole, v, assignment, s ? s->why : NULL);
        if (!s)
                return; /* a test fails */
        e = catalogue_enter(c, name, "unit setting", s->why);
        e->is_line = true;
        explanation_alias(e, "%s", l->key);
        explanation_alias(e, "%s %s", item->unit.name, l->key);
        explanation_set(&e->without, s->without);
        explanation_set(&e->manual, manual_of(s));
        if (!e->by_hand)
                e->by_hand = xasprintf("systemctl edit %s   # [%s] %s\nsystemctl restart %s",
                                       item->unit.name, l->section, assignment, item->unit.name);
        explanation_value(e, v, shared ? item->unit.name : v->context.node->name, value);
}

/* One setting of a unit file's text; the lines behind a backslash belong to it. Return: what is behind it,
 * or NULL at the end. */
static const char* next_line(const char *p, Line *l) {
        while (*p) {
                const char *end = strchr(p, '\n'), *equal;

                if (*p == '[') {
                        (void) snprintf(l->section, sizeof(l->section), "%.*s", (int) strcspn(p + 1, "]"),
                                        p + 1);
                        p = end + 1;
                        continue;
                }
                if (*p == '#' || *p == '\n') {
                        p = end + 1;
                        continue;
                }
                while (end > p && end[-1] == '\\')
                        end = strchr(end + 1, '\n');
                equal = strchr(p, '=');
                l->key = xstrndup(p, (size_t) (equal - p));
                l->value = xstrndup(equal + 1, (size_t) (end - equal - 1));
                return end + 1;
        }
        return NULL;
}

void explain_settings(Catalogue *c, const View *v) {
        PLAN_FOREACH(item, v->plan, PLAN_UNIT) {
                const char *p = buffer_str(&item->content);
                Line l = {};

                while ((p = next_line(p, &l))) {
                        add_line(c, v, item, &l);
                        free(l.key);
                        free(l.value);
                }
        }
}
