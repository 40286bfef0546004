/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections of look.sh's answer about units: what systemd says, and what their processes were started
 * with. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "host/look-internal.h"

ObservedUnit* look_unit(LookParser *p, const char *name) {
        for (size_t i = 0; i < p->observation->n_units; i++)
                if (streq(p->observation->units[i].name, name))
                        return p->observation->units + i;
        return NULL;
}

static const struct {
        const char *name;
        size_t offset;
} unit_texts[] = {
        { "LoadState", offsetof(ObservedUnit, load_state) },
        { "ActiveState", offsetof(ObservedUnit, active_state) },
        { "SubState", offsetof(ObservedUnit, sub_state) },
        { "UnitFileState", offsetof(ObservedUnit, file_state) },
        { "Result", offsetof(ObservedUnit, result) },
        { "FragmentPath", offsetof(ObservedUnit, fragment) },
};

static int unit_property(LookParser *p, ObservedUnit *u, const char *name, const char *value) {
        for (size_t i = 0; i < ARRAY_SIZE(unit_texts); i++)
                if (streq(unit_texts[i].name, name)) {
                        char **text = (char**) ((char*) u + unit_texts[i].offset);

                        free(*text);
                        *text = xstrdup(value);
                        return 0;
                }
        if (streq(name, "MainPID") && parse_unsigned(value, 0, INT32_MAX, &u->main_pid) < 0)
                return look_bad(p, "systemctl", value);
        if (streq(name, "NRestarts") && parse_unsigned(value, 0, UINT32_MAX, &u->n_restarts) < 0)
                return look_bad(p, "systemctl", value);
        if (streq(name, "NeedDaemonReload"))
                u->needs_reload = streq(value, "yes");
        if (streq(name, "Job"))
                u->queued = *value && !streq(value, "0");
        if (streq(name, "DropInPaths")) {
                strv_free(u->drop_ins);
                u->drop_ins = strv_split(value, " ");
        }
        return 0;
}

/* systemctl shows the units in the order in which it was asked, each as lines of "Property=value", an
 * empty line between them. */
int look_units(LookParser *p, char *text, size_t size) {
        Observation *o = p->observation;
        size_t n = strv_length(p->request->units), i = 0;

        free(o->units);
        o->units = xnew(ObservedUnit, n > 0 ? n : 1);
        for (o->n_units = 0; o->n_units < n; o->n_units++)
                o->units[o->n_units].name = xstrdup(p->request->units[o->n_units]);
        while (*text) {
                char *line = text, *value;
                size_t length = strcspn(text, "\n");
                int r;

                text += length;
                if (*text)
                        *text++ = 0;
                if (length == 0) {
                        i++;
                        continue;
                }
                value = strchr(line, '=');
                if (i >= n || !value)
                        return look_bad(p, "systemctl", line);
                *value = 0;
                r = unit_property(p, o->units + i, line, value + 1);
                if (r < 0)
                        return r;
        }
        for (i = 0; i < n; i++)
                if (!o->units[i].load_state || !o->units[i].active_state)
                        return look_bad(p, "systemctl says nothing of", o->units[i].name);
        return 0;
}

/* "/proc/PID/environ:HARDWAY_INPUTS=DIGEST", each with a NUL at its end */
int look_inputs(LookParser *p, char *text, size_t size) {
        for (const char *entry = text; entry < text + size; entry += strlen(entry) + 1) {
                Observation *o = p->observation;

                for (size_t i = 0; i < o->n_units; i++) {
                        _cleanup_free_ char *prefix =
                                xasprintf("/proc/%u/environ:HARDWAY_INPUTS=", o->units[i].main_pid);
                        const char *value = startswith(entry, prefix);

                        if (!value)
                                continue;
                        free(o->units[i].inputs);
                        o->units[i].inputs = xstrdup(value);
                }
        }
        return 0;
}
