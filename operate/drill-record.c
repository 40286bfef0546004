/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What drills have shown, as JSON: for programs, and for `status` later on
 */

#include <stdlib.h>
#include <string.h>

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

static bool was_measured(const json_t *drill) {
        return json_object_get(drill, "reads") != NULL;
}

static bool has_ended(const json_t *drill) {
        return was_measured(drill) && json_number_value(json_object_get(drill, "healthy")) > 0;
}

static const json_t* find_drill(const json_t *list, const char *name) {
        for (size_t i = 0; name && i < json_array_size(list); i++)
                if (streq_null(json_text(json_array_get(list, i), "drill"), name))
                        return json_array_get(list, i);
        return NULL;
}

/* Of one cluster's record the drills that are not in the list yet, each with the day on which it was done. */
static void add_drills(json_t *list, const json_t *record, bool ended_only) {
        const json_t *all = json_object_get(record, "drills");

        for (size_t i = 0; i < json_array_size(all); i++) {
                json_t *drill = json_array_get(all, i), *copy;

                if (!was_measured(drill) || (ended_only && !has_ended(drill)) ||
                    find_drill(list, json_text(drill, "drill")))
                        continue;
                copy = json_deep_copy(drill);
                if (!json_text(copy, "begun"))
                        json_object_set(copy, "begun", json_object_get(record, "begun"));
                json_array_append_new(list, copy);
        }
}

/**
 * drill_record_merge() - what is known of all drills now
 * @known:      the record of before, or NULL
 * @seen:       what was seen now
 * @stopped:    somebody stopped it: a drill that was not at its end says nothing
 *
 * Return: of each drill the last result, or NULL if there is nothing new; the caller frees.
 */
json_t* drill_record_merge(const json_t *known, const json_t *seen, bool stopped) {
        _cleanup_json_ json_t *list = json_array();

        add_drills(list, seen, stopped);
        if (json_array_size(list) == 0)
                return NULL;
        if (streq_null(json_text(known, "cluster"), json_text(seen, "cluster")))
                add_drills(list, known, false);
        return json_pack("{s:O*, s:O*, s:O}", "cluster", json_object_get(seen, "cluster"), "begun",
                         json_object_get(seen, "begun"), "drills", list);
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

/* " on 2026-11-21", or " from 2026-11-21 to 2026-11-28" */
static char* days_of(const json_t *list, const char *begun) {
        const char *first = begun;

        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *day = json_text(json_array_get(list, i), "begun");

                if (day && strncmp(day, first, 10) < 0)
                        first = day;
        }
        return strncmp(first, begun, 10) == 0 ? xasprintf(" on %.10s", begun) :
                                                xasprintf(" from %.10s to %.10s", first, begun);
}

char* drill_record_text(const json_t *tree) {
        const json_t *list = json_object_get(tree, "drills");
        const char *begun = json_text(tree, "begun");
        _cleanup_free_ char *days = NULL;
        Worst reads = {}, writes = {};
        size_t n = 0;

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *drill = json_array_get(list, i);

                if (!was_measured(drill))
                        continue;
                n++;
                look_for_worst(drill, "reads", &reads);
                look_for_worst(drill, "writes", &writes);
        }
        if (n == 0 || !begun || !reads.name || !writes.name)
                return NULL;
        days = days_of(list, begun);
        return xasprintf("%zu drill%s%s: longest gap in reads %.2f s (%s), in writes %.2f s (%s)", n,
                         n == 1 ? "" : "s", days, reads.gap, reads.name, writes.gap, writes.name);
}
