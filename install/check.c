/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What speaks against installing, found by a run that changes nothing
 */

#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "common/parallel.h"
#include "install/run.h"

typedef struct Checking {
        InstallRun *run;
        CheckList *found;
        Error **reterr;
        int r;
} Checking;

/* The cluster serves, and this machine cannot ask it: install refuses that. */
static void check_unseen(const Error *error, CheckList *found) {
        Check *finding =
                check_add(found, CHECK_FAILED, CHECK_SERVING, NULL, CHECK_SERVING, "%s", error->message);

        finding->kind = error->kind;
        if (error->detail)
                check_advise(finding, "%.*s", (int) strcspn(error->detail, "\n"), error->detail);
}

static void check_whole(void *userdata) {
        Checking *c = userdata;
        _cleanup_error_ Error *error = NULL;
        int r;

        c->r = run_outline(c->run, c->reterr);
        if (c->r < 0)
                return;
        (void) run_identity(c->run, NULL);
        (void) crew_each(c->run, NULL, node_look);
        r = run_serving(c->run, &error);
        c->run->serving = c->run->serving || r == -EHOSTUNREACH || r == -EEXIST;
        run_check(c->run, c->found);
        if (r == -EHOSTUNREACH || r == -EEXIST)
                check_unseen(error, c->found);
}

/**
 * install_check() - look for everything that speaks against installing
 * @request:    whose nodes; dry_run is taken for granted
 * @ret:        gets the findings
 * @reterr:     why no plan could be made
 *
 * Return: 0, or a negative errno.
 */
int install_check(const InstallRequest *request, CheckList *ret, Error **reterr) {
        InstallRequest q = *request;
        InstallRun run;
        Checking checking = { .run = &run, .found = ret, .reterr = reterr };

        q.dry_run = true;
        run_init(&run, &q);
        run.checking = run.probes.thorough = run.probes.looks_only = true;
        parallel_each(check_whole, &checking, sizeof(checking), 1);
        run_done(&run);
        return checking.r;
}

typedef struct Judging {
        InstallRun *run;
        ErrorList *errors;
        int r;
} Judging;

static int judge_whole(InstallRun *run, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = run_outline(run, &error);
        if (r >= 0)
                r = run_identity(run, &error);
        if (r >= 0)
                r = run_serving(run, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = crew_each(run, NULL, node_look);
        return r < 0 ? r : run_judge(run, errors);
}

/* In a thread of its own: see run.c */
static void judge_item(void *userdata) {
        Judging *j = userdata;

        j->r = judge_whole(j->run, j->errors);
}

/**
 * install_judge() - would install_run() refuse to begin?
 * @request:    whose nodes; those that are as planned are not asked, of the others all is asked that hardway check asks
 * @errors:     gets why
 *
 * Return: 0, or a negative errno.
 */
int install_judge(const InstallRequest *request, ErrorList *errors) {
        InstallRequest q = *request;
        InstallRun run;
        Judging judging = { .run = &run, .errors = errors };

        q.event = NULL;
        run_init(&run, &q);
        run.asking = true;
        parallel_each(judge_item, &judging, sizeof(judging), 1);
        run_give_errors(&run, errors);
        run_done(&run);
        return judging.r;
}
