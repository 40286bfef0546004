/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/components.h"
#include "cli/explain-entries.h"
#include "cli/explain-print.h"
#include "common/alloc.h"

/* Without a cluster file things are explained without their values; one that is there has to be right. */
static int load_what_is_there(VerbContext *v, Error **reterr) {
        int r;

        if (streq(v->cluster_path, VERB_CLUSTER_FILE) && access(v->cluster_path, F_OK) < 0) {
                if (v->node_names)
                        return error_set(reterr, ERROR_USAGE, ENOENT, "--node: there is no %s here",
                                         v->cluster_path);
                return 0;
        }
        r = verb_load_cluster(v, reterr);
        if (r < 0)
                return r;
        /* Keys and digests that are not there, or another cluster's, are not needed. */
        (void) verb_open_store(v, NULL);
        if (verb_load_lock(v, NULL) < 0)
                v->lock = NULL;
        return 0;
}

static void print_json(const char *word, const Found *f) {
        _cleanup_json_ json_t *tree = NULL;
        json_t *entries = json_array(), *others = json_array();
        bool one = found_is_one_thing(f);

        for (size_t i = 0; i < f->n_matches; i++)
                json_array_append_new(entries, explanation_to_json(f->matches[i]));
        for (size_t i = 0; i < f->n_others; i++)
                json_array_append_new(others, json_string(f->others[i]->name));
        tree = json_pack("{ss,sb,so,so}", "word", word, "ambiguous", !one, "entries", entries, "others",
                         others);
        verb_print_json(tree);
}

static void print_found(const VerbContext *v, const char *word, const Found *f) {
        if (!found_is_one_thing(f)) {
                (void) printf("'%s' could be each of these; ask for one by its name:\n\n", word);
                explain_print_choice(v, f->matches, f->n_matches);
                return;
        }
        for (size_t i = 0; i < f->n_matches; i++) {
                if (i > 0)
                        (void) putchar('\n');
                explain_print(v, f->matches[i]);
        }
        if (f->n_others > 0) {
                (void) printf("\n'%s' is also:\n", word);
                explain_print_choice(v, f->others, f->n_others);
        }
}

static int explain(const VerbContext *v, const Catalogue *c, const char *word, Error **reterr) {
        _cleanup_free_ char *nearest = NULL;
        Found found;
        int r = 0;

        catalogue_find(c, word, &found);
        if (found.n_matches == 0) {
                nearest = catalogue_nearest(c, word);
                r = error_set(reterr, ERROR_USAGE, ENOENT, "nothing is known of '%s'%s%s%s", word,
                              nearest ? "; did you mean '" : "; see: hardway explain", nearest ?: "",
                              nearest ? "'?" : "");
        } else if (v->json)
                print_json(word, &found);
        else
                print_found(v, word, &found);
        found_done(&found);
        return r;
}

static void print_kind(const VerbContext *v, const Catalogue *c, const char *title, const char *kind) {
        (void) printf("\n%s:\n", title);
        for (size_t i = 0; i < catalogue_size(c); i++) {
                const Explanation *e = catalogue_get(c, i);

                if (streq(e->kind, kind))
                        (void) printf("  %s%-24s%s%.*s\n", verb_style(v, STYLE_BOLD), e->name,
                                      verb_style(v, STYLE_NONE), (int) strcspn(e->why, "."), e->why);
        }
}

static void print_overview(const VerbContext *v, const Catalogue *c) {
        (void) printf("Ask for one of these, or for a flag, a certificate, a file, a unit or one of its\n"
                      "settings, a line of haproxy.cfg or keepalived.conf, a key of the cluster file,\n"
                      "a finding of hardway check, a drill, or a file that hardway keeps on the nodes:\n\n"
                      "  hardway explain --etcd-servers\n"
                      "  hardway explain apiserver.crt\n"
                      "  hardway explain /etc/haproxy/haproxy.cfg\n"
                      "  hardway explain etcd restore\n");
        print_kind(v, c, "Components", "component");
        print_kind(v, c, "Words", EXPLAIN_WORD);
        print_kind(v, c, "Commands, with their steps by hand", "command of hardway");
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_(catalogue_freep) Catalogue *catalogue = NULL;
        _cleanup_free_ char *word = NULL;
        ExplainRequest request;
        int r;

        r = load_what_is_there(v, reterr);
        if (r < 0)
                return r;
        request = (ExplainRequest) {
                .components = components,
                .cluster = v->cluster,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .store = v->store,
                .lock = v->lock,
        };
        r = catalogue_new(&request, &catalogue, reterr);
        if (r >= 0)
                r = explain_add_verbs(catalogue, &request, reterr);
        if (r >= 0)
                r = explain_add_checks(catalogue, &request, reterr);
        if (r >= 0)
                r = explain_add_drills(catalogue, &request, reterr);
        if (r < 0)
                return r;
        if (argc == 0) {
                print_overview(v, catalogue);
                return 0;
        }
        word = strv_join(argv, " ");
        return explain(v, catalogue, word, reterr);
}

const Verb verb_explain = {
        .name = "explain",
        .summary = "Say what something is, and why it is there",
        .arguments = "WORD...",
        .arguments_max = 16,
        .arguments_may_be_flags = true,
        .description =
                "WORD is the name of a component, a command, a flag (with its dashes), a certificate, a "
                "file, a unit, a unit setting, a line of haproxy.cfg or keepalived.conf or a word in one, a key of the "
                "cluster file, a finding of hardway check, a drill of hardway verify --failover, a file that hardway keeps on the nodes, or a word that it uses "
                "(VIP, quorum, ports). With a cluster file its values in that cluster are shown.",
        .common = VERB_OPTION_NODE | VERB_OPTION_JSON,
        .needs = VERB_ON_LIVING,
        .steps = steps_explain,
        .run = run,
};
