/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "check/check.h"
#include "cli/components.h"
#include "cli/events.h"
#include "cli/failover.h"
#include "cli/rollout-show.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "install/install.h"
#include "operate/backup.h"

static void print_waits(const VerbContext *v, const InstallResult *result) {
        for (size_t i = 0; i < result->n_nodes; i++)
                if (result->nodes[i].waits_for)
                        verb_note(v, "%s is installed, and waits for other nodes: %s",
                                  result->nodes[i].node->name, result->nodes[i].waits_for);
}

static void print_summary(const VerbContext *v, const InstallResult *result) {
        _cleanup_free_ char *duration = clock_format_span(result->duration_usec);
        _cleanup_free_ char *answer = clock_format_span(result->answer_usec);
        const char *s = result->n_nodes == 1 ? "" : "s";

        if (!result->changed)
                verb_note(v, "%zu node%s, %zu items: nothing to change (%s)", result->n_nodes, s,
                          result->n_items, duration);
        else if (v->dry_run && rollout_count_differing(result) == 0)
                verb_note(v, "This is what would be taken out; nothing was changed.");
        else if (v->dry_run)
                verb_note(v, "This is what would change on %zu of %zu node%s; nothing was written.",
                          rollout_count_differing(result), result->n_nodes, s);
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

static void print_result(VerbContext *v, const InstallResult *result, int r) {
        bool success = r >= 0;

        if (v->json) {
                event_end(v, r, rollout_to_json(result), NULL);
                return;
        }
        for (size_t i = 0; i < result->n_nodes && v->dry_run; i++)
                rollout_show_diff(v, result->nodes + i);
        rollout_show_leavers(result);
        if (success)
                rollout_show_outdated(v, result);
        if (success)
                print_summary(v, result);
        if (success && !v->dry_run)
                remind_of_backup(v);
}

/* A host that a drill has cut off would be one that cannot be reached. */
static void put_back_first(VerbContext *v) {
        CheckList findings = {};

        failover_recover(v, /* power= */ NULL, &findings);
        for (size_t i = 0; i < findings.n_checks; i++)
                verb_warn(v, "%s%s%s", findings.checks[i].text, findings.checks[i].advice ? ": " : "",
                          findings.checks[i].advice ?: "");
        check_list_done(&findings);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        InstallResult result = {};
        InstallRequest request;
        RolloutShow show;
        int r;

        r = check_names_exist(components, v->ignore, reterr);
        if (r >= 0 && !v->dry_run)
                put_back_first(v);
        if (r >= 0)
                r = rollout_show_begin(v, &show, &request, reterr);
        if (r < 0)
                return r;
        request.leavers = v->yes ? LEAVERS_GO : LEAVERS_REFUSE;
        rollout_show_nodes(&show);
        r = install_run(&request, &result, &v->errors);
        rollout_show_end(&show);
        if (v->dry_run && verb_stopped(v, reterr) < 0) {
                error_list_done(&v->errors);
                install_result_done(&result);
                return -ECANCELED;
        }

        print_result(v, &result, r);
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
                "was stopped is finished by the next. A healthy etcd member that is not in the cluster file is "
                "taken out with --yes only.",
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_NODE | VERB_OPTION_DEEP | VERB_OPTION_IGNORE |
                  VERB_OPTION_YES,
        .yes = "Take healthy etcd members out that are not in the cluster file",
        .needs = VERB_NEEDS_ROLLOUT | VERB_NEEDS_FITTING,
        .run = run,
        .steps = steps_install,
};
