/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "cli/components.h"
#include "cli/events.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "operate/reset.h"

enum {
        KEY_FORCE = VERB_KEY,
        KEY_KEEP_ETCD,
};

static bool arg_force = false, arg_keep_etcd = false;

static const struct argp_option options[] = {
        { "force", KEY_FORCE, NULL, 0,
          "Also if the cluster serves and would lose etcd's quorum, also another cluster's nodes", 1 },
        { "keep-etcd", KEY_KEEP_ETCD, NULL, 0, "Leave etcd's data and its snapshots on the nodes", 1 },
        {},
};

static error_t parse(int key, _unused_ char *arg, _unused_ struct argp_state *state) {
        switch (key) {
        case KEY_FORCE:
                arg_force = true;
                return 0;
        case KEY_KEEP_ETCD:
                arg_keep_etcd = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

typedef struct Show {
        VerbContext *v;
        Progress *progress;
        size_t *rows;  /* by the node's index */
        json_t **ends; /* for --json; the same */
} Show;

static void show_begin(Show *s) {
        s->progress = progress_new(s->v);
        for (size_t i = 0; i < s->v->n_nodes; i++)
                s->rows[s->v->nodes[i]->index] = progress_add(s->progress, s->v->nodes[i]->name);
}

static void show_step(void *userdata, const Node *node, Stage stage) {
        Show *s = userdata;

        progress_step(s->progress, s->rows[node->index], stage, NULL);
}

static json_t* end_to_json(const Show *s, const Node *node, bool success, const char *text) {
        json_t *object = json_pack("{s:s, s:b}", "name", node->name, "success", success);

        if (success && s->v->dry_run)
                json_object_set_new(object, "script", event_string(text));
        return object;
}

static void show_end(void *userdata, const Node *node, bool success, const char *text) {
        Show *s = userdata;

        json_decref(s->ends[node->index]);
        s->ends[node->index] = end_to_json(s, node, success, text);
        if (success && s->v->dry_run) {
                _cleanup_free_ char *script = xasprintf("# %s\n%s", node->name, text);

                progress_end(s->progress, s->rows[node->index], true, "this is what would be done:");
                if (!s->v->json)
                        progress_above(s->progress, stdout, script);
                return;
        }
        progress_end(s->progress, s->rows[node->index], success, "%s", text);
}

static json_t* result_to_json(const Show *s) {
        json_t *nodes = json_array();

        for (size_t i = 0; i < s->v->n_nodes; i++)
                if (s->ends[s->v->nodes[i]->index])
                        json_array_append_new(nodes, s->ends[s->v->nodes[i]->index]);
        return json_pack("{s:o, s:b}", "nodes", nodes, "dry_run", s->v->dry_run);
}

/* Rows on the screen and a question do not go together. */
static int confirm(void *userdata, const char *text, Error **reterr) {
        Show *s = userdata;
        int r = 0;

        for (size_t i = 0; i < s->v->n_nodes; i++)
                progress_remove(s->progress, s->rows[s->v->nodes[i]->index]);
        s->progress = progress_free(s->progress);
        verb_note(s->v, "%.*s", (int) strlen(text) - 1, text);
        if (!s->v->dry_run)
                r = verb_confirm(s->v, reterr, "Do this?");
        show_begin(s);
        return r;
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_free_ size_t *rows = xnew(size_t, v->cluster->n_nodes);
        _cleanup_free_ json_t **ends = xnew(json_t*, v->cluster->n_nodes);
        _cleanup_json_ json_t *tree = NULL;
        HostOptions host;
        Show show = { .v = v, .rows = rows, .ends = ends };
        ResetRequest request = {
                .cluster = v->cluster,
                .components = components,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .holder = verb_holder(v),
                .host = &host,
                .wait = v->wait,
                .force = arg_force,
                .keep_data = arg_keep_etcd,
                .confirm = confirm,
                .dry_run = v->dry_run,
                .cancelled = v->cancelled,
                .step = show_step,
                .end = show_end,
                .userdata = &show,
        };
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r >= 0 && !v->dry_run && !isatty(STDIN_FILENO))
                r = verb_confirm(v, reterr, "Do this?"); /* nobody can be asked: said before a node is */
        if (r < 0)
                return r;
        /* A cluster directory without keys can still clean its nodes; one with another cluster's would take
         * that one's nodes for its own. */
        r = verb_open_store(v, reterr);
        if (r < 0)
                return r;
        request.store = v->store;

        show_begin(&show);
        r = reset_run(&request, &v->errors);
        progress_free(show.progress);
        tree = result_to_json(&show);
        if (v->events)
                event_end(v, r, json_incref(tree), NULL);
        return r;
}

const Verb verb_reset = {
        .name = "reset",
        .summary = "Take hardway off nodes",
        .description =
                "Stops and removes everything that hardway put on the nodes, and nothing else, with the data of their etcd members, and puts back what lay there before. What will "
                "be done is shown first. From a cluster that serves only members go that its quorum can do without.",
        .common = VERB_OPTION_EVENTS | VERB_OPTION_NODE | VERB_OPTION_WAIT | VERB_OPTION_SUDO |
                  VERB_OPTION_YES | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
        .steps = steps_reset,
};
