/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "operate/reset.h"

enum {
        KEY_FORCE = VERB_KEY,
};

static bool arg_force = false;

static const struct argp_option options[] = {
        { "force", KEY_FORCE, NULL, 0, "Nodes of a cluster whose etcd serves too: all its data goes", 1 },
        {},
};

static error_t parse(int key, _unused_ char *arg, _unused_ struct argp_state *state) {
        if (key != KEY_FORCE)
                return ARGP_ERR_UNKNOWN;
        arg_force = true;
        return 0;
}

typedef struct Show {
        const VerbContext *v;
        Progress *progress;
        size_t *rows; /* by the node's index */
} Show;

static void show_step(void *userdata, const Node *node, const char *text) {
        Show *s = userdata;

        progress_step(s->progress, s->rows[node->index], "%s", text);
}

static void show_end(void *userdata, const Node *node, bool success, const char *text) {
        Show *s = userdata;

        if (success && s->v->dry_run) {
                progress_end(s->progress, s->rows[node->index], true, "this is what would be done:");
                progress_note(s->progress, "# %s\n%s", node->name, text);
                return;
        }
        progress_end(s->progress, s->rows[node->index], success, "%s", text);
}

static int confirm(const VerbContext *v, Error **reterr) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < v->n_nodes; i++)
                strv_add(&names, v->nodes[i]->name);
        text = strv_join(names, ", ");
        return verb_confirm(v, reterr, "Take hardway and all data of its cluster off %s?", text);
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_free_ char *holder = xasprintf("pid %d: hardway reset", (int) getpid());
        _cleanup_free_ size_t *rows = xnew(size_t, v->cluster->n_nodes);
        HostOptions host;
        Show show = { .v = v, .rows = rows };
        ResetRequest request = {
                .cluster = v->cluster,
                .components = components,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .holder = holder,
                .host = &host,
                .wait = v->wait,
                .force = arg_force,
                .dry_run = v->dry_run,
                .step = show_step,
                .end = show_end,
                .userdata = &show,
        };
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r >= 0 && !v->dry_run)
                r = confirm(v, reterr);
        if (r < 0)
                return r;
        /* A cluster directory without keys can still clean its nodes. */
        if (verb_open_store(v, NULL) >= 0)
                request.store = v->store;

        show.progress = progress_new(v);
        for (size_t i = 0; i < v->n_nodes; i++)
                rows[v->nodes[i]->index] = progress_add(show.progress, v->nodes[i]->name);
        r = reset_run(&request, &v->errors);
        progress_free(show.progress);
        return r;
}

const Verb verb_reset = {
        .name = "reset",
        .summary = "Take hardway off nodes whose cluster does not serve",
        .description =
                "Stops and removes everything that hardway put on the nodes, with the data of their etcd members. Refused for the nodes of a "
                "cluster that serves; a node that holds another cluster's data may be reset at any time.",
        .common = VERB_OPTION_NODE | VERB_OPTION_WAIT | VERB_OPTION_SUDO | VERB_OPTION_YES |
                  VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
};
