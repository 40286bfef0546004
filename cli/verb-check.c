/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "cli/checks.h"
#include "cli/components.h"
#include "cli/progress.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "install/install.h"

typedef struct Show {
        Progress *progress;
        size_t *rows; /* by the node's index */
} Show;

/* Only where it can be taken away again: what was found is what counts. */
static void show_event(void *userdata, const InstallEvent *e) {
        const Show *s = userdata;

        if (e->type == INSTALL_STAGE)
                progress_step(s->progress, s->rows[e->node->index], e->stage, e->text);
}

static int ask(VerbContext *v, CheckList *ret, Error **reterr) {
        _cleanup_free_ size_t *rows = xnew(size_t, v->cluster->n_nodes);
        Show show = { .rows = rows };
        HostOptions host;
        InstallRequest request = {
                .cluster = v->cluster,
                .store = v->store,
                .lock = v->lock,
                .components = components,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .host = &host,
                .ignore = v->ignore,
                .event = v->terminal ? show_event : NULL,
                .userdata = &show,
                .cancelled = v->cancelled,
        };
        int r;

        r = verb_host_options(v, &host, reterr);
        if (r < 0)
                return r;
        show.progress = progress_new(v);
        for (size_t i = 0; i < v->n_nodes; i++)
                rows[v->nodes[i]->index] = progress_add(show.progress, v->nodes[i]->name);
        r = install_check(&request, ret, reterr);
        for (size_t i = 0; i < v->n_nodes; i++)
                progress_remove(show.progress, rows[v->nodes[i]->index]);
        progress_free(show.progress);
        return r < 0 ? r : verb_stopped(v, reterr);
}

static bool same_finding(const Check *a, const Check *b) {
        return a->state == b->state && streq(a->subject, b->subject) && streq(a->text, b->text) &&
               streq_null(a->advice, b->advice);
}

/* "controller-0", "controller-0, lb-0", "4 nodes", "all nodes" */
static char* nodes_of(const VerbContext *v, const CheckList *all, const Check *first) {
        _cleanup_strv_ Strv names = NULL;

        for (const Check *c = first; c < all->checks + all->n_checks; c++)
                if (c->node && same_finding(c, first))
                        strv_add(&names, c->node);
        if (strv_length(names) == 0)
                return NULL;
        if (strv_length(names) == v->n_nodes && v->n_nodes > 1)
                return xstrdup("all nodes");
        return strv_length(names) <= 2 || first->state != CHECK_OK ?
                       strv_join(names, ", ") :
                       xasprintf("%zu nodes", strv_length(names));
}

static bool seen_before(const CheckList *all, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (same_finding(all->checks + k, all->checks + i))
                        return true;
        return false;
}

static bool subject_seen_before(const CheckList *all, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq(all->checks[k].subject, all->checks[i].subject))
                        return true;
        return false;
}

static void add_line(const VerbContext *v, const CheckList *all, const Check *finding, CheckList *lines) {
        _cleanup_free_ char *nodes = nodes_of(v, all, finding);
        Check *line =
                check_add(lines, finding->state, finding->id, NULL, finding->subject, "%s", finding->text);

        line->node = TAKE_PTR(nodes);
        line->advice = xstrdup_null(finding->advice);
}

/* One line for what is the same on several nodes; what is about one subject stands together. */
static void print_lines(const VerbContext *v, const CheckList *all) {
        CheckList lines = {};

        for (size_t i = 0; i < all->n_checks; i++)
                for (size_t k = i; k < all->n_checks && !subject_seen_before(all, i); k++)
                        if (streq(all->checks[k].subject, all->checks[i].subject) && !seen_before(all, k))
                                add_line(v, all, all->checks + k, &lines);
        checks_print(v, &lines);
        check_list_done(&lines);
}

/* Whether one of those that failed is among what --ignore takes. */
static bool can_be_ignored(const CheckList *all) {
        for (size_t i = 0; i < all->n_checks; i++) {
                const Check *c = all->checks + i;
                _cleanup_free_ char *name = xstrndup(c->id, strcspn(c->id, "/"));
                char *names[] = { name, NULL };

                if (c->state == CHECK_FAILED && check_names_exist(components, names, NULL) >= 0)
                        return true;
        }
        return false;
}

static void print_summary(const VerbContext *v, const CheckList *all, uint64_t usec) {
        _cleanup_free_ char *span = clock_format_span(usec);
        size_t failed = check_list_failed(all), warnings = 0;

        for (size_t i = 0; i < all->n_checks; i++)
                warnings += all->checks[i].state == CHECK_WARNING;
        if (failed > 0)
                printf("%zu of %zu findings keep install from going on (%s)%s\n", failed, all->n_checks,
                       span, can_be_ignored(all) ? "; --ignore NAME for those who know better" : "");
        else if (warnings > 0)
                verb_note(v,
                          "%zu findings in %s: nothing keeps install from going on, and %zu deserve a look",
                          all->n_checks, span, warnings);
        else
                verb_note(v, "%zu findings in %s: all is well", all->n_checks, span);
}

/* That of the first failure: 65 for what has to be put right, 69 for what cannot be reached, 77 for rights. */
static int exit_status(const CheckList *all) {
        for (size_t i = 0; i < all->n_checks; i++)
                if (all->checks[i].state == CHECK_FAILED) {
                        _cleanup_error_ Error *error = check_to_error(all->checks + i);

                        return error_exit_code(error);
                }
        return 0;
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_(check_list_done) CheckList all = {};
        uint64_t start = clock_usec();
        int r;

        r = check_names_exist(components, v->ignore, reterr);
        if (r >= 0)
                r = ask(v, &all, reterr);
        if (r < 0)
                return r;
        if (v->json) {
                _cleanup_json_ json_t *tree = checks_to_json(v, &all);

                verb_print_json(tree);
        } else {
                print_lines(v, &all);
                print_summary(v, &all, clock_usec() - start);
        }
        return exit_status(&all);
}

const Verb verb_check = {
        .name = "check",
        .summary = "Look for what speaks against installing, and say what to do",
        .description =
                "All nodes are asked at once; nothing is changed. What failed keeps install from going on, a "
                "warning does not. The exit status is 0 unless something failed.",
        .common = VERB_OPTION_NODE | VERB_OPTION_JSON | VERB_OPTION_SUDO | VERB_OPTION_IGNORE,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .steps = steps_check,
        .run = run,
};
