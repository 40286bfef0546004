/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What drills have shown, as JSON: for programs, and for `status` later on
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "operate/drill.h"

static double seconds(uint64_t usec) {
        return (double) (usec / USEC_PER_MSEC) / 1000;
}

static json_t* sum_to_json(const ProberSum *s) {
        return json_pack("{s:i, s:i, s:f, s:f, s:s*}", "answered", (int) s->answered, "failed",
                         (int) s->failed, "gap", seconds(s->gap_usec), "failing", seconds(s->failing_usec),
                         "error", s->error);
}

static void add_aim(json_t *tree, const char *name, unsigned msec) {
        if (msec > 0)
                json_object_set_new(tree, name, json_real((double) msec / 1000));
}

static json_t* aim_to_json(const DrillAim *a) {
        json_t *tree = json_object();

        add_aim(tree, "read_gap", a->read_gap);
        add_aim(tree, "read_failing", a->read_failing);
        add_aim(tree, "write_gap", a->write_gap);
        add_aim(tree, "takeover", a->takeover);
        return tree;
}

static json_t* result_to_json(const DrillResult *r) {
        _cleanup_free_ char *why = NULL;
        bool met;

        if (!r->node)
                return json_pack("{s:s, s:s, s:b, s:s*}", "drill", r->drill->name, "what", r->drill->what,
                                 "skipped", true, "text", r->text);
        met = drill_met(r, &why);
        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:s*, s:f, s:f, s:b, s:s*, s:o}", "drill",
                         r->drill->name, "what", r->drill->what, "node", r->node->name, "reads",
                         sum_to_json(&r->reads), "writes", sum_to_json(&r->writes), "failed_after",
                         (int) r->failed_after, "leader", r->heir, "takeover", seconds(r->takeover_usec),
                         "healthy", seconds(r->healthy_usec), "met", met, "text", why, "aim",
                         aim_to_json(&r->aim));
}

/**
 * drill_report_to_json() - all that was seen
 * @c:          the cluster
 * @r:          the report
 *
 * Return: the tree; times are in seconds. The caller frees.
 */
json_t* drill_report_to_json(const Cluster *c, const DrillReport *r) {
        _cleanup_free_ char *begun = clock_format_iso(r->begun);
        json_t *list = json_array();

        for (size_t i = 0; i < r->n_results; i++)
                json_array_append_new(list, result_to_json(r->results + i));
        return json_pack("{s:s, s:s, s:o}", "cluster", c->name, "begun", begun, "drills", list);
}

typedef struct Worst {
        const char *name;
        double gap;
} Worst;

static void look_for_worst(const json_t *drill, const char *kind, Worst *worst) {
        double gap = json_number_value(json_object_get(json_object_get(drill, kind), "gap"));
        const char *name = json_text(drill, "drill");

        if (name && gap >= worst->gap)
                *worst = (Worst) { .name = name, .gap = gap };
}

char* drill_record_text(const json_t *tree) {
        const json_t *list = json_object_get(tree, "drills");
        const char *begun = json_text(tree, "begun");
        Worst reads = {}, writes = {};
        size_t n = 0;

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *drill = json_array_get(list, i);

                if (!json_object_get(drill, "reads"))
                        continue;
                n++;
                look_for_worst(drill, "reads", &reads);
                look_for_worst(drill, "writes", &writes);
        }
        if (n == 0 || !begun || !reads.name || !writes.name)
                return NULL;
        return xasprintf("%zu drill%s on %.10s: longest gap in reads %.2f s (%s), in writes %.2f s (%s)", n,
                         n == 1 ? "" : "s", begun, reads.gap, reads.name, writes.gap, writes.name);
}
