/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rollout-show.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/components.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "plan/edition.h"

#define NO_ROW SIZE_MAX

static size_t row_of(RolloutShow *s, const Node *node) {
        if (s->rows[node->index] == NO_ROW)
                s->rows[node->index] = progress_add(s->progress, node->name);
        return s->rows[node->index];
}

/* A node on which there is nothing to do takes no line: the last one speaks for all of them. */
static void show_end(RolloutShow *s, const InstallEvent *e) {
        size_t row = row_of(s, e->node);

        if (!s->v->events && (e->outcome == INSTALL_UNCHANGED || s->looks_only))
                progress_remove(s->progress, row);
        else
                progress_end(s->progress, row, e->type == INSTALL_FINISHED, "%s", e->text);
        s->rows[e->node->index] = NO_ROW;
}

static void show_event(void *userdata, const InstallEvent *e) {
        RolloutShow *s = userdata;

        switch (e->type) {
        case INSTALL_STAGE:
                progress_step(s->progress, row_of(s, e->node), e->stage, e->text);
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

/**
 * rollout_show_begin() - get ready for a rollout
 * @v:          the context
 * @ret:        what is shown; rollout_show_end(), also if the request is not used
 * @ret_request: what the context knows; the rest is for the caller to set; lent by @v and @ret
 * @reterr:     the nodes cannot be worked on
 *
 * Return: 0, or a negative errno.
 */
int rollout_show_begin(VerbContext *v, RolloutShow *ret, InstallRequest *ret_request, Error **reterr) {
        HostOptions host;
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r < 0)
                return r;
        *ret = (RolloutShow) {
                .v = v,
                .progress = progress_new(v),
                .rows = xnew(size_t, v->cluster->n_nodes),
                .host = host,
                .looks_only = v->dry_run,
        };
        for (size_t i = 0; i < v->cluster->n_nodes; i++)
                ret->rows[i] = NO_ROW;
        *ret_request = (InstallRequest) {
                .cluster = v->cluster,
                .store = v->store,
                .lock = v->lock,
                .components = components,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .host = &ret->host,
                .holder = verb_holder(v),
                .dry_run = v->dry_run,
                .deep = v->deep,
                .wait = v->wait,
                .ignore = v->ignore,
                .event = show_event,
                .userdata = ret,
                .cancelled = v->cancelled,
        };
        return 0;
}

void rollout_show_nodes(RolloutShow *s) {
        for (size_t i = 0; i < s->v->n_nodes; i++)
                (void) row_of(s, s->v->nodes[i]);
}

void rollout_show_end(RolloutShow *s) {
        progress_free(s->progress);
        free(s->rows);
        *s = (RolloutShow) {};
}

json_t* rollout_leavers_to_json(const InstallResult *result) {
        json_t *list = json_array();

        STRV_FOREACH(text, result->leavers)
                json_array_append_new(list, json_string(*text));
        return list;
}

json_t* rollout_node_to_json(const InstallNode *n) {
        json_t *object =
                json_pack("{ss,ss,si,si,so}", "name", n->node->name, "outcome",
                          install_outcome_to_string(n->outcome), "items", (int) n->n_items, "changed",
                          (int) n->n_changes, "differs", n->known ? json_boolean(n->differs) : json_null());

        if (n->error)
                json_object_set_new(object, "error", json_string(n->error));
        if (n->waits_for)
                json_object_set_new(object, "waits_for", json_string(n->waits_for));
        if (n->changes)
                json_object_set(object, "changes", n->changes);
        if (n->left)
                json_object_set(object, "left", n->left);
        if (n->taken_back)
                json_object_set_new(object, "taken_back", json_true());
        return object;
}

/**
 * rollout_to_json() - the result of a rollout, for scripts
 * @result:     the result
 *
 * Return: an object.
 */
json_t* rollout_to_json(const InstallResult *result) {
        json_t *tree = json_pack("{sb,sb,so}", "changed", result->changed, "serving", result->serving,
                                 "seconds", json_seconds(result->duration_usec));
        json_t *nodes = json_array();

        for (size_t i = 0; i < result->n_nodes; i++)
                json_array_append_new(nodes, rollout_node_to_json(result->nodes + i));
        json_object_set_new(tree, "nodes", nodes);
        if (result->leavers)
                json_object_set_new(tree, "leavers", rollout_leavers_to_json(result));
        if (result->outdated)
                json_object_set_new(tree, "outdated", json_string(result->outdated));
        if (result->url)
                json_object_set_new(tree, "endpoint", json_string(result->url));
        if (result->version) {
                json_object_set_new(tree, "version", json_string(result->version));
                json_object_set_new(tree, "answered_after", json_seconds(result->answer_usec));
        }
        return tree;
}

static Style line_style(const char *line) {
        if (startswith(line, "---") || startswith(line, "+++"))
                return STYLE_BOLD;
        return *line == '+' ? STYLE_GREEN : *line == '-' ? STYLE_RED : STYLE_NONE;
}

void rollout_show_diff(const VerbContext *v, const InstallNode *n) {
        if (!n->diff || !*n->diff)
                return;
        (void) printf("%s# %s: %zu %s%s\n", verb_style(v, STYLE_BOLD), n->node->name, n->n_changes,
                      n->n_changes == 1 ? "change" : "changes", verb_style(v, STYLE_NONE));
        for (const char *line = n->diff; line && *line;) {
                int size = (int) strcspn(line, "\n");

                (void) printf("%s%.*s%s\n", verb_style(v, line_style(line)), size, line,
                              verb_style(v, STYLE_NONE));
                line += size + (line[size] == '\n');
        }
}

void rollout_show_leavers(const InstallResult *result) {
        STRV_FOREACH(text, result->leavers)
                (void) printf("take out %s\n", *text);
}

/* What install refuses for as soon as something differs. */
void rollout_show_outdated(const VerbContext *v, const InstallResult *result) {
        if (result->outdated)
                verb_warn(v, "%s. %s", result->outdated, EDITION_ADVICE);
}

size_t rollout_count_differing(const InstallResult *result) {
        size_t n = 0;

        for (size_t i = 0; i < result->n_nodes; i++)
                n += result->nodes[i].differs;
        return n;
}
