/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "install/install.h"
#include "operate/backup.h"

#define NO_ROW SIZE_MAX

typedef struct Show {
        VerbContext *v;
        Progress *progress;
        size_t *rows; /* by the node's index; NO_ROW: it has none now */
} Show;

static size_t row_of(Show *s, const Node *node) {
        if (s->rows[node->index] == NO_ROW)
                s->rows[node->index] = progress_add(s->progress, node->name);
        return s->rows[node->index];
}

/* A node on which there is nothing to do takes no line: the last one speaks for all of them. */
static void show_end(Show *s, const InstallEvent *e) {
        size_t row = row_of(s, e->node);

        if (e->outcome == INSTALL_UNCHANGED || s->v->dry_run)
                progress_remove(s->progress, row);
        else
                progress_end(s->progress, row, e->type == INSTALL_FINISHED, "%s", e->text);
        s->rows[e->node->index] = NO_ROW;
}

static void show_event(void *userdata, const InstallEvent *e) {
        Show *s = userdata;

        switch (e->type) {
        case INSTALL_STAGE:
                progress_step(s->progress, row_of(s, e->node), "%s", e->text);
                break;
        case INSTALL_AMOUNT:
                progress_amount(s->progress, row_of(s, e->node), e->done, e->total);
                break;
        case INSTALL_WAITING:
                progress_detail(s->progress, row_of(s, e->node), "%s", e->text ? e->text : "");
                break;
        case INSTALL_NOTE:
                verb_note(s->v, "%s%s%s", e->node ? e->node->name : "", e->node ? ": " : "", e->text);
                break;
        case INSTALL_WARNING:
                verb_warn(s->v, "%s%s%s", e->node ? e->node->name : "", e->node ? ": " : "", e->text);
                break;
        case INSTALL_FINISHED:
        case INSTALL_FAILED:
                show_end(s, e);
                break;
        }
}

static json_t* node_to_json(const InstallNode *n) {
        json_t *object = json_pack("{ss,ss,si,si}", "name", n->node->name, "outcome",
                                   install_outcome_to_string(n->outcome), "items", (int) n->n_items,
                                   "changed", (int) n->n_changes);

        if (n->waits_for)
                json_object_set_new(object, "waits_for", json_string(n->waits_for));
        if (n->changes)
                json_object_set(object, "changes", n->changes);
        return object;
}

static void print_json(const InstallResult *result) {
        _cleanup_json_ json_t *tree =
                json_pack("{sb,sb,sf}", "changed", result->changed, "serving", result->serving, "seconds",
                          (double) result->duration_usec / (double) USEC_PER_SEC);
        json_t *nodes = json_array();

        for (size_t i = 0; i < result->n_nodes; i++)
                json_array_append_new(nodes, node_to_json(result->nodes + i));
        json_object_set_new(tree, "nodes", nodes);
        if (result->url)
                json_object_set_new(tree, "endpoint", json_string(result->url));
        if (result->version) {
                json_object_set_new(tree, "version", json_string(result->version));
                json_object_set_new(tree, "answered_after",
                                    json_real((double) result->answer_usec / (double) USEC_PER_SEC));
        }
        verb_print_json(tree);
}

static Style line_style(const char *line) {
        if (startswith(line, "---") || startswith(line, "+++"))
                return STYLE_BOLD;
        return *line == '+' ? STYLE_GREEN : *line == '-' ? STYLE_RED : STYLE_NONE;
}

static void print_diff(const VerbContext *v, const InstallNode *n) {
        if (n->n_changes == 0)
                return;
        (void) printf("%s# %s: %zu changes%s\n", verb_style(v, STYLE_BOLD), n->node->name, n->n_changes,
                      verb_style(v, STYLE_NONE));
        for (const char *line = n->diff; line && *line;) {
                int size = (int) strcspn(line, "\n");

                (void) printf("%s%.*s%s\n", verb_style(v, line_style(line)), size, line,
                              verb_style(v, STYLE_NONE));
                line += size + (line[size] == '\n');
        }
}

static void print_waits(const VerbContext *v, const InstallResult *result) {
        for (size_t i = 0; i < result->n_nodes; i++)
                if (result->nodes[i].waits_for)
                        verb_note(v, "%s is installed, and waits for other nodes: %s",
                                  result->nodes[i].node->name, result->nodes[i].waits_for);
}

static size_t count_differing(const InstallResult *result) {
        size_t n = 0;

        for (size_t i = 0; i < result->n_nodes; i++)
                n += result->nodes[i].n_changes > 0;
        return n;
}

static void print_summary(const VerbContext *v, const InstallResult *result) {
        _cleanup_free_ char *duration = clock_format_span(result->duration_usec);
        _cleanup_free_ char *answer = clock_format_span(result->answer_usec);
        const char *s = result->n_nodes == 1 ? "" : "s";

        if (!result->changed)
                verb_note(v, "%zu node%s, %zu items: nothing to change (%s)", result->n_nodes, s,
                          result->n_items, duration);
        else if (v->dry_run)
                verb_note(v, "This is what would change on %zu of %zu node%s; nothing was written.",
                          count_differing(result), result->n_nodes, s);
        else if (result->version)
                verb_note(v,
                          "Kubernetes %s answers on %s after %s.   Next: hardway verify, hardway kubeconfig",
                          result->version, result->url, answer);
        else
                verb_note(v, "%zu node%s, %zu items: done (%s)", result->n_nodes, s, result->n_items,
                          duration);
        print_waits(v, result);
}

/* A directory that cannot be read is not worth a word here: what the run needed of it, it got. */
static void remind_of_backup(const VerbContext *v) {
        bool current = true;

        if (backup_is_current(v->directory, &current) >= 0 && !current)
                verb_note(v, "Not backed up yet: the only copy of the CAs is %s/pki (hardway backup FILE).",
                          v->directory);
}

static void print_result(const VerbContext *v, const InstallResult *result, bool success) {
        if (v->json) {
                print_json(result);
                return;
        }
        for (size_t i = 0; i < result->n_nodes && v->dry_run; i++)
                print_diff(v, result->nodes + i);
        if (success)
                print_summary(v, result);
        if (success && !v->dry_run)
                remind_of_backup(v);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_free_ char *holder = xasprintf("pid %d: hardway install", (int) getpid());
        _cleanup_free_ size_t *rows = xnew(size_t, v->cluster->n_nodes);
        Show show = { .v = v, .rows = rows };
        InstallResult result = {};
        HostOptions host;
        InstallRequest request = {
                .cluster = v->cluster,
                .store = v->store,
                .lock = v->lock,
                .components = components,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .host = &host,
                .holder = holder,
                .dry_run = v->dry_run,
                .deep = v->deep,
                .wait = v->wait,
                .event = show_event,
                .userdata = &show,
                .cancelled = v->cancelled,
        };
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < v->cluster->n_nodes; i++)
                rows[i] = NO_ROW;
        show.progress = progress_new(v);
        for (size_t i = 0; i < v->n_nodes; i++)
                (void) row_of(&show, v->nodes[i]);
        r = install_run(&request, &result, &v->errors);
        progress_free(show.progress);

        print_result(v, &result, r >= 0);
        install_result_done(&result);
        return r;
}

const Verb verb_install = {
        .name = "install",
        .summary = "Make the nodes what the cluster file says",
        .description =
                "All nodes are looked at first, and everything that speaks against changing any of them is "
                "said before the first write. What is as it should be is left alone; what was edited, "
                "stopped or lost is mended. A cluster that serves is changed one node at a time. A run that "
                "was stopped is finished by the next.",
        .common = VERB_OPTION_NODE | VERB_OPTION_JSON | VERB_OPTION_WAIT | VERB_OPTION_DEEP |
                  VERB_OPTION_SUDO | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_NEEDS_EXCLUSIVE |
                 VERB_ON_LIVING,
        .run = run,
};
