/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/failover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/components.h"
#include "cli/events.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/text.h"
#include "operate/drill.h"

#define RECORD_LIMIT (256u * 1024)

typedef struct Show {
        VerbContext *v;
        Progress *progress;
        size_t row;
} Show;

static void show_begin(void *userdata, const Drill *d, const char *node) {
        _cleanup_free_ char *text = xasprintf("%s (%s)", d->what, node);
        Show *s = userdata;

        progress_remove(s->progress, s->row);
        s->row = progress_add(s->progress, d->name);
        progress_step(s->progress, s->row, STAGE_DRILL, text);
}

static void show_step(void *userdata, Stage stage) {
        Show *s = userdata;

        progress_step(s->progress, s->row, stage, NULL);
}

static void show_end(void *userdata, const DrillResult *r) {
        Show *s = userdata;
        _cleanup_free_ char *why = NULL;

        if (r->skipped)
                return;
        if (drill_met(r, &why))
                progress_end(s->progress, s->row, true, "as it should be");
        else
                progress_end(s->progress, s->row, r->healthy_usec > 0, "%s", why);
        s->row = progress_add(s->progress, "next");
}

static int find_drills(Strv names, const Drill ***ret, size_t *ret_n, Error **reterr) {
        const char *known[64] = {};
        size_t n = 0, n_known = 0;

        for (const Drill *d = drills; d->name && n_known + 1 < ARRAY_SIZE(known); d++)
                known[n_known++] = d->name;
        STRV_FOREACH(name, names)
                if (!drill_find(*name)) {
                        const char *nearest = string_nearest(*name, known);
                        _cleanup_free_ char *all = strv_join((char *const *) known, ", ");

                        return nearest ? error_set(reterr, ERROR_USAGE, EINVAL,
                                                   "--drill: there is no drill '%s'; did you mean '%s'?",
                                                   *name, nearest) :
                                         error_set(reterr, ERROR_USAGE, EINVAL,
                                                   "--drill: there is no drill '%s' (there are: %s)", *name,
                                                   all);
                }
        *ret = xnew(const Drill*, n_known + 1);
        for (const Drill *d = drills; d->name; d++)
                if (!names || strv_contains(names, d->name))
                        (*ret)[n++] = d;
        *ret_n = n;
        return 0;
}

/* Drills that cannot be had without --power are not worth a word where nobody has asked for them. */
static bool is_listed(const DrillRequest *q, const Drill *d) {
        return q->power || !drill_is_of_host(d);
}

/* What cannot be had here is said before anybody is asked or any node is; and why. */
static int require_possible(const DrillRequest *q, Error **reterr) {
        _cleanup_strv_ Strv reasons = NULL;

        for (size_t i = 0; i < q->n_drills; i++) {
                _cleanup_free_ char *why = drill_why_not(q, q->drills[i]);

                if (q->chosen && why)
                        return error_set(reterr, ERROR_USAGE, EINVAL, "drill %s: %s", q->drills[i]->name,
                                         why);
                if (!why && !q->chosen)
                        return 0;
                if (why && is_listed(q, q->drills[i]))
                        strv_addf(&reasons, "%s: %s", q->drills[i]->name, why);
        }
        if (q->chosen)
                return 0;
        (void) error_set(reterr, ERROR_USAGE, EINVAL,
                         "there is nothing that could be tried out in this cluster");
        STRV_FOREACH(reason, reasons)
                error_detail(reterr, "%s", *reason);
        return -EINVAL;
}

static void list_possible(const VerbContext *v, const DrillRequest *q) {
        for (size_t i = 0; i < q->n_drills; i++) {
                _cleanup_free_ char *why = drill_why_not(q, q->drills[i]);

                if (!why)
                        verb_note(v, "  %-19s %s", q->drills[i]->name, q->drills[i]->what);
        }
}

static int confirm(const VerbContext *v, const DrillRequest *q, Error **reterr) {
        verb_note(v,
                  "This will be broken and put back, one after the other, while clients use the cluster:");
        list_possible(v, q);
        return verb_confirm(v, reterr, "Break what serves in %s?", v->cluster->name);
}

static char* format_seconds(uint64_t usec) {
        return usec == 0 ? xstrdup("") : xasprintf("%.2f s", (double) usec / USEC_PER_SEC);
}

static void print_result(Table *t, const DrillResult *r) {
        _cleanup_free_ char *read_gap = format_seconds(r->reads.gap_usec),
                            *failing = format_seconds(r->reads.failing_usec),
                            *write_gap = format_seconds(r->writes.gap_usec),
                            *takeover = format_seconds(r->takeover_usec),
                            *healthy = format_seconds(r->healthy_usec), *why = NULL,
                            *reads = xasprintf("%u", r->reads.failed),
                            *writes = xasprintf("%u", r->writes.failed),
                            *after = xasprintf("%u", r->failed_after);
        bool met = drill_met(r, &why);

        table_row(t, r->drill->name, r->node->name, read_gap, reads, failing, write_gap, writes, takeover,
                  r->heir ? r->heir : "", after, healthy, met ? "met" : why, NULL);
        table_style(t, 11, met ? STYLE_GREEN : r->healthy_usec > 0 ? STYLE_YELLOW : STYLE_RED);
}

static void print_report(const VerbContext *v, const DrillRequest *q, const DrillReport *report) {
        _cleanup_(table_freep) Table *t =
                table_new(v, "DRILL", "ON", "READS: GAP", "FAILED", "UNTIL", "WRITES: GAP", "FAILED",
                          "TAKEN OVER", "BY", "FAILED AFTER", "HEALTHY", "AIM", NULL);
        size_t n = 0;

        for (size_t i = 0; i < report->n_results; i++)
                if (report->results[i].node) {
                        print_result(t, report->results + i);
                        n++;
                }
        if (n > 0)
                table_print(t);
        for (size_t i = 0; i < report->n_results; i++) {
                const DrillResult *r = report->results + i;

                if (r->skipped && is_listed(q, r->drill))
                        verb_note(v, "%s was left out: %s", r->drill->name, r->text);
        }
}

/* Kept for `status`; that it cannot be written is no reason to fail. */
static void keep_record(const VerbContext *v, const json_t *tree) {
        _cleanup_free_ char *path = verb_path(v, DRILL_RECORD),
                            *text = json_dumps(tree, JSON_INDENT(2) | JSON_REALS);
        _cleanup_error_ Error *error = NULL;

        if (text && fs_write(AT_FDCWD, path, text, strlen(text), 0644, 0, &error) < 0)
                verb_warn(v, "%s", error->message);
}

static json_t* read_record(const VerbContext *v) {
        _cleanup_free_ char *path = verb_path(v, DRILL_RECORD);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        json_t *tree = NULL;

        if (fs_read_optional(AT_FDCWD, path, RECORD_LIMIT, &text, NULL) <= 0 ||
            json_parse(path, text.data, text.size, &tree, NULL) < 0)
                return NULL;
        return tree;
}

static void report(VerbContext *v, const DrillRequest *q, const DrillReport *report, int r,
                   const Error *error) {
        _cleanup_json_ json_t *tree = drill_report_to_json(v->cluster, report), *known = read_record(v),
                              *record = drill_record_merge(known, tree, r == -ECANCELED);

        if (record)
                keep_record(v, record);
        if (v->json)
                event_end(v, r, json_incref(tree), error);
        else
                print_report(v, q, report);
}

static void add_finding(CheckList *findings, CheckState state, const char *text, const char *advice) {
        Check *c = check_add(findings, state, "failover.pending", NULL, "failover", "%s", text);

        if (advice)
                check_advise(c, "%s", advice);
}

/* Of a drill that may be under way, as somebody has the directory's lock. */
static void add_running(CheckList *findings, const char *what, const char *holder) {
        _cleanup_free_ char *text = xasprintf("a drill is under way: %s; %s", what, holder);

        add_finding(findings, CHECK_WARNING, text, NULL);
}

static void tell_wait(void *userdata, Stage stage) {
        verb_note(userdata, "%s", stage_name(stage));
}

/* --yes is no answer: who says it has not seen the command. */
static int allow_power(void *userdata, const char *line, Error **reterr) {
        const VerbContext *v = userdata;
        _cleanup_free_ char *path = verb_path(v, DRILL_PENDING),
                            *question = xasprintf("An interrupted drill has left in %s what puts back what "
                                                  "it has broken: '%s'. Run that command?",
                                                  path, line);
        _cleanup_error_ Error *error = NULL;
        int r = verb_ask(text_harmless(question, 0), &error);

        if (r != -ENOTTY)
                return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : r;
        return error_set(reterr, ERROR_USAGE, ENOTTY,
                         "%s says '%s', and what a file says is run only where somebody can be asked", path,
                         line);
}

static DrillRequest recovery_request(VerbContext *v, const char *power, const HostOptions *host,
                                     const char *pending) {
        return (DrillRequest) {
                .cluster = v->cluster,
                .components = components,
                .store = v->store,
                .lock = v->lock,
                .host = host,
                .power = power,
                .pending = pending,
                .allow = allow_power,
                .cancelled = v->cancelled,
                .step = tell_wait,
                .userdata = v,
        };
}

bool failover_is_pending(const VerbContext *v) {
        _cleanup_free_ char *path = verb_path(v, DRILL_PENDING), *pending = drill_pending_text(path);

        return pending != NULL;
}

void failover_recover(VerbContext *v, const char *power, CheckList *findings) {
        _cleanup_free_ char *path = verb_path(v, DRILL_PENDING), *pending = drill_pending_text(path),
                            *what = NULL, *text = NULL, *advice = NULL;
        _cleanup_error_ Error *error = NULL;
        DrillRequest request;
        HostOptions host;
        int r;

        if (!pending)
                return;
        if (verb_lock_exclusive(v, &error) < 0) {
                add_running(findings, pending, error->message);
                return;
        }
        r = verb_host_options(v, &host, &error);
        if (r < 0)
                (void) error_prefix(&error, r, "it could not be put back");
        else {
                request = recovery_request(v, power, &host, path);
                r = drill_recover(&request, &what, &error);
        }
        text = xasprintf("a drill was interrupted: %s; %s", pending,
                         r < 0 ? error->message : "all is put back now");
        advice = xasprintf("%sput it back by hand, and remove %s",
                           r == -ENOTTY ? "hardway verify --power COMMAND does it by your command; or " : "",
                           path);
        add_finding(findings, r < 0 ? CHECK_FAILED : CHECK_WARNING, text, r < 0 ? advice : NULL);
}

void failover_tell(const VerbContext *v, CheckList *findings) {
        _cleanup_free_ char *path = verb_path(v, DRILL_PENDING), *pending = drill_pending_text(path),
                            *text = NULL;

        if (!pending)
                return;
        text = xasprintf("a drill is under way, or was interrupted: %s", pending);
        add_finding(findings, CHECK_WARNING, text, "hardway verify puts it back if it was interrupted");
}

/* Before anything else is broken. */
static int recover_first(VerbContext *v, const char *power, Error **reterr) {
        CheckList findings = {};
        int r = 0;

        failover_recover(v, power, &findings);
        for (size_t i = 0; i < findings.n_checks && r >= 0; i++)
                if (findings.checks[i].state == CHECK_FAILED) {
                        r = error_set(reterr, ERROR_UNAVAILABLE, EBUSY, "%s", findings.checks[i].text);
                        error_detail(reterr, "%s", findings.checks[i].advice);
                } else
                        verb_warn(v, "%s", findings.checks[i].text);
        check_list_done(&findings);
        return r;
}

/**
 * failover_run() - try out what happens when things break
 * @v:          the context
 * @names:      of the drills, or NULL: all
 * @power:      the command that cuts hosts off, or NULL
 * @reterr:     nothing was begun, or the cluster is not as it was
 *
 * Return: 0, or a negative errno.
 */
int failover_run(VerbContext *v, Strv names, const char *power, Error **reterr) {
        _cleanup_free_ const Drill **chosen = NULL;
        _cleanup_free_ char *pending = verb_path(v, DRILL_PENDING);
        Show show = { .v = v };
        HostOptions host;
        DrillRequest request = {
                .cluster = v->cluster,
                .components = components,
                .store = v->store,
                .lock = v->lock,
                .host = &host,
                .holder = verb_holder(v),
                .wait = v->wait,
                .chosen = names != NULL,
                .power = power,
                .pending = pending,
                .cancelled = v->cancelled,
                .begin = show_begin,
                .step = show_step,
                .end = show_end,
                .userdata = &show,
        };
        DrillReport result = {};
        int r;

        r = find_drills(names, &chosen, &request.n_drills, reterr);
        if (r < 0)
                return r;
        request.drills = chosen;
        r = require_possible(&request, reterr);
        if (r >= 0)
                r = confirm(v, &request, reterr);
        if (r >= 0)
                r = verb_lock_exclusive(v, reterr);
        if (r >= 0)
                r = verb_host_options(v, &host, reterr);
        if (r >= 0)
                r = recover_first(v, power, reterr);
        if (r < 0)
                return r;
        /* what is on its way when Ctrl-C comes is ended as if it had not: it may be what puts back */
        host.cancelled = NULL;
        show.progress = progress_new(v);
        show.row = progress_add(show.progress, v->cluster->name);
        r = drill_run(&request, &result, reterr);
        progress_remove(show.progress, show.row);
        progress_free(show.progress);
        report(v, &request, &result, r, reterr ? *reterr : NULL);
        drill_report_done(&result);
        return r;
}

char* failover_last(const VerbContext *v) {
        _cleanup_json_ json_t *tree = read_record(v);

        return drill_record_text(tree);
}
