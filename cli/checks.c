/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "cli/checks.h"
#include "cli/components.h"
#include "cli/hint.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "plan/component.h"
#include "verify/verify.h"

const char* check_state_to_string(CheckState state) {
        static const char *const names[] = {
                [CHECK_OK] = "ok",
                [CHECK_WARNING] = "warning",
                [CHECK_FAILED] = "failed",
        };

        return names[state];
}

Style check_state_style(CheckState state) {
        static const Style styles[] = {
                [CHECK_OK] = STYLE_GREEN,
                [CHECK_WARNING] = STYLE_YELLOW,
                [CHECK_FAILED] = STYLE_RED,
        };

        return styles[state];
}

/* Without them no answer can be believed, and all nodes would look broken. */
static int require_credentials(VerbContext *v, Error **reterr) {
        StoreRequests requests = {};
        StoreItems items = {};
        int r;

        store_requests_for(components, v->cluster, &requests);
        r = store_inspect(v->store, requests.requests, requests.n_requests, clock_realtime(), &items,
                          reterr);
        for (size_t i = 0; r >= 0 && i < items.n_items; i++) {
                const StoreItem *item = items.items + i;
                const StoreRequest *q = item->request;

                if (!item->present && !item->error && (q->type == STORE_CA || streq(q->name, "admin")))
                        r = error_set(reterr, ERROR_CONFIG, ENOENT,
                                      "pki/ is not complete, it lacks %s: hardway pki gen", q->name);
        }
        store_items_done(&items);
        store_requests_done(&requests);
        return r < 0 ? r : 0;
}

int checks_ask(VerbContext *v, CheckList *ret, Error **reterr) {
        VerifyRequest request = {
                .cluster = v->cluster,
                .components = components,
                .store = v->store,
                .lock = v->lock,
                .deep = v->deep,
        };
        HostOptions host;
        int r;

        r = require_credentials(v, reterr);
        if (r >= 0)
                r = verb_host_options(v, &host, reterr);
        if (r < 0)
                return r;
        request.host = &host;
        verify_run(&request, ret);
        return verb_stopped(v, reterr);
}

static json_t* check_to_json(const Check *c) {
        return json_pack("{s:s, s:s*, s:s, s:s, s:s, s:s*, s:O*}", "id", c->id, "node", c->node, "subject",
                         c->subject, "state", check_state_to_string(c->state), "text", c->text, "advice",
                         c->advice, "data", c->data);
}

json_t* checks_to_json(const VerbContext *v, const CheckList *checks) {
        json_t *list = json_array();

        for (size_t i = 0; i < checks->n_checks; i++)
                json_array_append_new(list, check_to_json(&checks->checks[i]));
        return json_pack("{s:s, s:I, s:I, s:o}", "cluster", v->cluster->name, "total",
                         (json_int_t) checks->n_checks, "failed", (json_int_t) check_list_failed(checks),
                         "checks", list);
}

/* "ok       kube-apiserver  controller-0  ..."; advice on lines of its own below what it is about */
static void print_check(const VerbContext *v, const Check *c, int subject_width, int node_width) {
        _cleanup_free_ char *text = hint_complete(v->cluster_path, c->advice ?: "");
        _cleanup_strv_ Strv advice = strv_split(text, "\n");

        printf("%s%-7s%s  %-*s  %-*s  %s\n", verb_style(v, check_state_style(c->state)),
               check_state_to_string(c->state), verb_style(v, STYLE_NONE), subject_width, c->subject,
               node_width, c->node ?: "-", c->text);
        STRV_FOREACH(line, advice)
                printf("         %s\n", *line);
}

/**
 * checks_print() - print findings, one line each, and what to do
 * @v:          the context; with --quiet only what is not well is shown
 * @checks:     the findings
 */
void checks_print(const VerbContext *v, const CheckList *checks) {
        int subject = 0, node = 1;

        for (size_t i = 0; i < checks->n_checks; i++) {
                int a = (int) strlen(checks->checks[i].subject),
                    b = checks->checks[i].node ? (int) strlen(checks->checks[i].node) : 1;

                subject = a > subject ? a : subject;
                node = b > node ? b : node;
        }
        for (size_t i = 0; i < checks->n_checks; i++)
                if (!v->quiet || checks->checks[i].state != CHECK_OK)
                        print_check(v, &checks->checks[i], subject, node);
}
