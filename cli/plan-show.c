/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/plan-show.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/components.h"
#include "common/alloc.h"
#include "common/fs.h"
#include "host/host.h"
#include "plan/render.h"
#include "plan/script.h"

#define IGNORE_ALL "*\n"

static int make_plan(VerbContext *v, const Node *node, const Facts *facts, Plan **ret, Error **reterr) {
        const PlanContext context = {
                .cluster = v->cluster,
                .node = node,
                .facts = facts,
                .store = v->store,
                .lock = v->lock,
        };
        int r;

        r = plan_node(components, &context, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "node %s", node->name) : 0;
}

static int make_usual_plan(VerbContext *v, const Node *node, Plan **ret, Error **reterr) {
        Facts facts;
        int r;

        facts_default(v->cluster, node, &facts);
        r = make_plan(v, node, &facts, ret, reterr);
        facts_done(&facts);
        return r;
}

static int print_plan(VerbContext *v, const Plan *plan, const PlanShow *show, RenderSecrets secrets,
                      Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        if (show->output)
                return plan_render_tree(plan, show->output, secrets, reterr);
        if (plan->node != v->nodes[0])
                (void) putchar('\n');
        plan_render_list(plan, &text);
        (void) fwrite(text.data, 1, text.size, stdout);
        return 0;
}

static void warn_missing(VerbContext *v, char *const *missing) {
        size_t n = strv_length(missing);

        if (n > 0)
                verb_warn(v, "the plan is not complete: %zu things are missing, the first of them %s", n,
                          missing[0]);
}

/* The directory may be below one that is committed, or be one: where somebody has a .gitignore of his own there, which may
 * say anything, each node's is kept out for itself. */
static int guard_secrets(const char *directory, RenderSecrets *ret, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/.gitignore", directory);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_mkdir_parents(AT_FDCWD, directory, 0755, reterr);
        if (r < 0)
                return r;
        if (access(path, F_OK) == 0) { /* one that is larger than ours cannot be read, and is not ours */
                bool ours = fs_read(AT_FDCWD, path, strlen(IGNORE_ALL), &text, NULL) >= 0 &&
                            streq(buffer_str(&text), IGNORE_ALL);

                *ret = ours ? RENDER_SECRETS : RENDER_SECRETS_GUARDED;
                return 0;
        }
        r = fs_write(AT_FDCWD, path, IGNORE_ALL, strlen(IGNORE_ALL), 0644, FS_EXCLUSIVE, reterr);
        if (r < 0)
                return r;
        *ret = RENDER_SECRETS;
        return 0;
}

/**
 * plan_show_all() - make the plans of all chosen nodes without asking any, and show them
 * @v:          the context
 * @show:       how
 * @reterr:     what could not be planned or written
 *
 * Warns of what is missing.
 *
 * Return: 0 or a negative errno.
 */
int plan_show_all(VerbContext *v, const PlanShow *show, Error **reterr) {
        _cleanup_strv_ Strv missing = NULL;
        RenderSecrets secrets = RENDER_FINGERPRINTS;
        int r;

        if (show->output && show->secrets) {
                r = guard_secrets(show->output, &secrets, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < v->n_nodes; i++) {
                _cleanup_(plan_freep) Plan *plan = NULL;

                r = make_usual_plan(v, v->nodes[i], &plan, reterr);
                if (r >= 0 && show->print)
                        r = print_plan(v, plan, show, secrets, reterr);
                if (r < 0)
                        return r;
                STRV_FOREACH(m, plan->missing)
                        if (!strv_contains(missing, *m))
                                strv_add(&missing, *m);
        }
        if (show->output)
                verb_note(v, "Wrote the plan of %zu nodes to %s.", v->n_nodes, show->output);
        warn_missing(v, missing);
        return 0;
}

static int ask_facts(VerbContext *v, const Node *node, Facts *ret, Error **reterr) {
        _cleanup_(observation_freep) Observation *observation = NULL;
        _cleanup_(plan_freep) Plan *outline = NULL;
        HostOptions options;
        Host *host;
        int r;

        r = make_usual_plan(v, node, &outline, reterr);
        if (r >= 0)
                r = verb_host_options(v, &options, reterr);
        if (r < 0)
                return r;
        r = host_open(node, &options, &host, reterr);
        if (r < 0)
                return r;
        r = host_look(host, outline, /* deep= */ false, ret, &observation, reterr);
        host_free(host);
        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : 0;
}

/**
 * plan_show_script() - print the whole installation of a node as a script
 * @v:          the context
 * @node:       the node
 * @ask:        with the facts of the node, else with the usual ones
 * @reterr:     the node cannot be asked, or the plan is not complete
 *
 * Return: 0 or a negative errno.
 */
int plan_show_script(VerbContext *v, const Node *node, bool ask, Error **reterr) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Facts facts = {};
        int r = 0;

        if (ask) {
                r = ask_facts(v, node, &facts, reterr);
                if (r < 0)
                        error_detail(reterr, "Without asking the node: --offline; see nodes.interface in "
                                             "hardway.yaml(5).\n");
        } else
                facts_default(v->cluster, node, &facts);
        if (r >= 0)
                r = make_plan(v, node, &facts, &plan, reterr);
        if (r >= 0)
                r = plan_render_script(plan, &facts, v->lock, &text, reterr);
        if (r >= 0)
                (void) fwrite(text.data, 1, text.size, stdout);
        facts_done(&facts);
        return r;
}
