/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rotate.h"

#include "cli/events.h"
#include "cli/rollout-show.h"
#include "cli/store-report.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "operate/rotate.h"

const char *const rotate_trust[_ROTATION_PHASE_MAX] = {
        [ROTATION_TRUST] = "all trust both, the old one and the new one",
        [ROTATION_REISSUE] = "the new one is used, both are trusted",
        [ROTATION_FINISH] = "the old one is trusted no more",
};

static RotationPhase arg_until = _ROTATION_PHASE_INVALID; /* not given */

const struct argp_option rotate_options[] = {
        { "until", ROTATE_KEY_UNTIL, "PHASE", 0,
          "Stop when this phase holds: trust, reissue or finish (finish)", 1 },
        {},
};

/* Ends the program if it is none. */
error_t rotate_parse(int key, char *arg, struct argp_state *state) {
        if (key != ROTATE_KEY_UNTIL)
                return ARGP_ERR_UNKNOWN;
        arg_until = rotation_phase_from_string(arg);
        if (arg_until < 0)
                argp_error(state, "--until takes trust, reissue or finish, not '%s'", arg);
        return 0;
}

typedef struct Rotate {
        const RotateArguments *arguments;
        Report report;
} Rotate;

static void tell_phase(void *userdata, const Rotation *rotation) {
        const Rotate *rotate = userdata;
        const VerbContext *v = rotate->report.v;

        verb_note(v, "%s%s: %s%s", verb_style(v, STYLE_BOLD), rotation_phase_to_string(rotation->phase),
                  rotate->arguments->phases[rotation->phase], verb_style(v, STYLE_NONE));
}

static void report_entry(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                         int64_t expires) {
        Rotate *rotate = userdata;

        store_report_entry(&rotate->report, request, outcome, why, expires);
}

static void tell_rewritten(void *userdata, const SecretsRewritten *secrets) {
        const Rotate *rotate = userdata;

        verb_note(rotate->report.v,
                  "%zu of %zu secrets were encrypted with the new one; the others were so already.",
                  secrets->n_written, secrets->n_secrets);
}

/* NULL: it is not about them. */
static json_t* secrets_to_json(const RotateArguments *a, const RotateResult *result) {
        if (!a->between)
                return NULL;
        return json_pack("{s:I, s:I}", "found", (json_int_t) result->secrets.n_secrets, "written",
                         (json_int_t) result->secrets.n_written);
}

static void print_json(VerbContext *v, int r, const RotateArguments *a, const RotateResult *result,
                       json_t *entries) {
        json_t *tree =
                json_pack("{s:O, s:b, s:I, s:s*, s:o*, s:o}", "entries", entries, "ended", result->ended,
                          "phases", (json_int_t) result->n_phases, "phase",
                          result->n_phases > 0 ? rotation_phase_to_string(result->phase) : NULL, "secrets",
                          secrets_to_json(a, result), "rollout", rollout_to_json(&result->install));

        event_end(v, r, tree, NULL);
}

static void print_summary(const VerbContext *v, const RotateArguments *a, const RotateResult *result) {
        if (result->ended) {
                verb_note(v, "%s is replaced; the old one is kept in %s/pki/retired.", a->title,
                          v->directory);
                verb_note(v, "%s", a->after);
                return;
        }
        verb_note(v, "Phase %s of replacing %s holds on all nodes: %s.",
                  rotation_phase_to_string(result->phase), a->title, a->phases[result->phase]);
        verb_note(v, "To go on: %s", a->command);
}

static void print_dry_run_json(VerbContext *v, const RotateArguments *a, const Rotation *rotation,
                               bool begun) {
        json_t *phases = json_array();
        json_t *tree = NULL;

        for (RotationPhase p = rotation->phase; p <= a->until || p == rotation->phase; p++)
                json_array_append_new(phases, json_string(rotation_phase_to_string(p)));
        tree = json_pack("{s:s, s:b, s:b, s:o}", "name", a->name, "begun", begun, "dry_run", true, "phases",
                         phases);
        event_end(v, 0, tree, NULL);
}

/* What would be gone through from here, without a word to any node. */
static int print_dry_run(VerbContext *v, const RotateArguments *a, Error **reterr) {
        _cleanup_(rotation_done) Rotation rotation = {};
        int r;

        r = store_rotation(v->store, &rotation, reterr);
        if (r > 0)
                r = rotate_refuse_other(&rotation, a->name, reterr) ?: r;
        if (r < 0)
                return r;
        if (v->json) {
                print_dry_run_json(v, a, &rotation, /* begun= */ r > 0);
                return 0;
        }
        if (r == 0)
                verb_note(v, "Would be made: a new key in the place of %s.", a->title);
        for (RotationPhase p = rotation.phase; p <= a->until || p == rotation.phase; p++) {
                if (p == ROTATION_FINISH && p > rotation.phase && a->between)
                        verb_note(v, "Would be written anew: %s", a->between);
                verb_note(v, "Would be rolled out to %zu nodes, one at a time: %s, %s", v->cluster->n_nodes,
                          rotation_phase_to_string(p), a->phases[p]);
        }
        verb_note(v, "Nothing was written.");
        return 0;
}

static int carry_out(VerbContext *v, const RotateArguments *a, Error **reterr) {
        Rotate rotate = { .arguments = a, .report = { .v = v, .list = json_array() } };
        RotateRequest request = {
                .name = a->name,
                .until = a->until,
                .now = clock_realtime(),
                .report = report_entry,
                .phase = tell_phase,
                .rewritten = tell_rewritten,
                .userdata = &rotate,
        };
        RotateResult result = {};
        RolloutShow show;
        int r;

        r = rollout_show_begin(v, &show, &request.install, reterr);
        if (r >= 0) {
                r = rotate_run(&request, &result, &v->errors);
                rollout_show_end(&show);
                if (v->json)
                        print_json(v, r, a, &result, rotate.report.list);
                else if (r >= 0)
                        print_summary(v, a, &result);
        }
        rotate_result_done(&result);
        json_decref(rotate.report.list);
        return r;
}

/**
 * rotate_verb() - go through the phases of a rotation
 * @v:          the context
 * @arguments:  of what, and how far
 * @reterr:     what went wrong, or v->errors has it
 *
 * Return: 0, or a negative errno.
 */
int rotate_verb(VerbContext *v, const RotateArguments *arguments, Error **reterr) {
        RotateArguments a = *arguments;
        int r;

        if (arg_until >= 0)
                a.until = arg_until;
        if (v->dry_run)
                return print_dry_run(v, &a, reterr);
        if (a.warning && a.until == ROTATION_FINISH) {
                r = verb_confirm(v, reterr, "Replace %s to the end? %s", a.title, a.warning);
                if (r < 0)
                        return r;
        }
        return carry_out(v, &a, reterr);
}
