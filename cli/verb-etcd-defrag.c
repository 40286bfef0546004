/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/events.h"
#include "cli/progress-line.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "operate/defrag.h"

enum {
        KEY_ALL = VERB_KEY,
};

static bool arg_all = false;

static const struct argp_option options[] = {
        { "all", KEY_ALL, NULL, 0, "Also members whose database would hardly shrink", 1 },
        {},
};

static error_t parse(int key, _unused_ char *arg, _unused_ struct argp_state *state) {
        if (key != KEY_ALL)
                return ARGP_ERR_UNKNOWN;
        arg_all = true;
        return 0;
}

typedef struct Show {
        VerbContext *v;
        Progress *progress;
        size_t row;
        bool has_row;
        json_t *members; /* for --json */
} Show;

static size_t row_of(Show *s, const EtcdSight *sight) {
        if (!s->has_row)
                s->row = progress_add(s->progress, etcd_sight_name(sight));
        s->has_row = true;
        return s->row;
}

static void show_step(void *userdata, const EtcdSight *sight, Stage stage) {
        Show *s = userdata;

        progress_step(s->progress, row_of(s, sight), stage, NULL);
}

static void show_end(void *userdata, const EtcdSight *sight, bool success, uint64_t before, uint64_t after,
                     const char *text) {
        Show *s = userdata;
        _cleanup_free_ char *old = format_size(before), *new = format_size(after);

        json_array_append_new(s->members,
                              json_pack("{s:s, s:b, s:s, s:I, s:I}", "name", etcd_sight_name(sight),
                                        "success", success, "text", text, "size_before", (json_int_t) before,
                                        "size", (json_int_t) after));
        if (success && before != after)
                progress_end(s->progress, row_of(s, sight), true, "%s: %s, was %s", text, new, old);
        else
                progress_end(s->progress, row_of(s, sight), success, "%s (%s)", text, old);
        s->has_row = false;
}

static void show_note(void *userdata, const char *text) {
        Show *s = userdata;

        verb_note(s->v, "%s", text);
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_(host_pool_freep) HostPool *hosts = NULL;
        _cleanup_json_ json_t *members = json_array();
        HostOptions host;
        ProbeContext context;
        Show show = { .v = v, .members = members };
        DefragRequest request = {
                .probes = &context,
                .components = components,
                .holder = verb_holder(v),
                .wait = v->wait,
                .all = arg_all,
                .dry_run = v->dry_run,
                .cancelled = v->cancelled,
                .step = show_step,
                .end = show_end,
                .note = show_note,
                .userdata = &show,
        };
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r < 0)
                return r;
        request.hosts = hosts = host_pool_new(v->cluster, &host);
        context = host_pool_probes(hosts, v->cluster, v->store, v->cancelled);
        show.progress = progress_new(v);
        r = defrag_run(&request, reterr);
        progress_free(show.progress);
        if (v->events)
                event_end(v, r, json_pack("{s:O, s:b}", "members", members, "dry_run", v->dry_run),
                          reterr ? *reterr : NULL);
        return r;
}

const Verb verb_etcd_defrag = {
        .name = "etcd defrag",
        .summary = "Give back disk space etcd does not use, and clear alarms",
        .description =
                "One member after the other, the leader last, while all are healthy; members whose database "
                "would hardly shrink are left alone. A full database (NOSPACE) is compacted first. Alarms "
                "whose cause is gone are cleared.",
        .common = VERB_OPTION_EVENTS | VERB_OPTION_DRY_RUN | VERB_OPTION_WAIT | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_etcd_defrag,
        .by_hand = steps_etcdctl,
        .run = run,
};
