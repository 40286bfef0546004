/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/rotate.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "operate/proven.h"
#include "plan/names.h"

typedef struct Turn {
        const RotateRequest *request;
        RotateResult *result;
        StoreRequests requests;
        bool looked; /* at the nodes, before the directory is written to */
} Turn;

/* What the phase wants otherwise than it is, and nothing that others have to be asked for. */
static bool choose(void *userdata, const StoreRequest *request, StoreOutcome outcome, int64_t expires) {
        const Turn *t = userdata;

        return outcome != STORE_KEPT && streq(request->issuer, t->request->name);
}

static void note(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                 int64_t expires) {
        const Turn *t = userdata;

        if (outcome != STORE_KEPT && t->request->report)
                t->request->report(t->request->userdata, request, outcome, why, expires);
}

/**
 * rotate_refuse_other() - only one rotation can be under way
 * @rotation:   the one that is
 * @name:       of the entry that is asked for
 * @reterr:     with which command the other one is finished
 *
 * Return: 0 if it is the same, or -EBUSY (ERROR_CONFIG).
 */
int rotate_refuse_other(const Rotation *rotation, const char *name, Error **reterr) {
        if (streq(rotation->name, name))
                return 0;
        return error_set(reterr, ERROR_CONFIG, EBUSY,
                         "%s is being replaced (phase %s): that has to be finished first (hardway pki %s%s)",
                         rotation->name, rotation_phase_to_string(rotation->phase),
                         rotation_command(rotation->name),
                         streq(rotation->name, "sa") ? " --until finish" : "");
}

/* What an earlier run has left explains why a node is not as planned; what is left is gone on with. */
static bool is_interrupted(const Turn *t) {
        _cleanup_strv_ Strv names =
                store_unproven(t->request->install.store, t->requests.requests, t->requests.n_requests);

        return names != NULL;
}

static int look_first(Turn *t, bool goes_on, ErrorList *errors) {
        const InstallRequest *install = &t->request->install;

        if (t->looked)
                return 0;
        t->looked = true;
        return goes_on ? proven_check_copy(install, errors) : proven_check_before(install, errors);
}

static int start(Turn *t, ErrorList *errors) {
        const RotateRequest *q = t->request;
        const StoreRequest *request = store_requests_find(&t->requests, t->request->name);
        Error *error = NULL;
        int r;

        r = look_first(t, is_interrupted(t), errors);
        if (r < 0)
                return r;
        if (request)
                r = store_rotation_begin(q->install.store, request, q->now, &error);
        else
                r = error_set(&error, ERROR_INTERNAL, EINVAL, "the store has no %s", q->name);
        if (r < 0)
                error_list_take(errors, error);
        return r;
}

/* The state as it is, begun if need be. */
static int enter(Turn *t, Rotation *ret, ErrorList *errors) {
        const RotateRequest *q = t->request;
        Error *error = NULL;
        int r;

        r = store_rotation(q->install.store, ret, &error);
        if (r == 0) {
                r = start(t, errors);
                if (r < 0)
                        return r;
                r = store_rotation(q->install.store, ret, &error);
        }
        if (r > 0)
                r = rotate_refuse_other(ret, q->name, &error) ?: r;
        if (error)
                error_list_take(errors, error);
        return r < 0 ? r : look_first(t, /* goes_on= */ true, errors);
}

/* An installation would put there what lies in the store, and end without the phases that are left. The CA that is under way
 * needs no name. */
static char* again(const RotateRequest *q) {
        return xasprintf("hardway pki %s --until %s", rotation_command(q->name),
                         rotation_phase_to_string(q->until));
}

/* One phase: what it wants is made, and holds on all nodes. */
static int go_through(Turn *t, const Rotation *rotation, ErrorList *errors) {
        const RotateRequest *q = t->request;
        InstallRequest install = q->install;
        _cleanup_free_ char *command = again(q);
        Error *error = NULL;
        int r;

        install.again = command;
        if (q->phase)
                q->phase(q->userdata, rotation);
        r = store_renew(q->install.store, t->requests.requests, t->requests.n_requests, q->now, 0, choose,
                        note, t, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        install_result_done(&t->result->install);
        r = proven_rollout(&install, &t->requests, &t->result->install, errors);
        if (r < 0)
                return r;
        t->result->phase = rotation->phase;
        t->result->n_phases++;
        return 0;
}

/* What the old one has written can be read with it alone: it is written anew while all can still read both. */
static int rewrite(Turn *t, Error **reterr) {
        const RotateRequest *q = t->request;
        const ProbeContext probes =
                probe_context(q->install.cluster, q->install.store, q->install.cancelled);
        int r;

        r = secrets_rewrite(&probes, &t->result->secrets, reterr);
        if (r >= 0 && q->rewritten)
                q->rewritten(q->userdata, &t->result->secrets);
        return r;
}

static int advance(Turn *t, RotationPhase next, Error **reterr) {
        int r = 0;

        if (next == ROTATION_FINISH && streq(t->request->name, NAME_ENCRYPTION_KEY_FILE))
                r = rewrite(t, reterr);
        return r < 0 ? r : store_rotation_advance(t->request->install.store, next, reterr);
}

/* Return: 1 if there is more to do. */
static int step(Turn *t, ErrorList *errors) {
        _cleanup_(rotation_done) Rotation rotation = {};
        const RotateRequest *q = t->request;
        Error *error = NULL;
        int r;

        r = enter(t, &rotation, errors);
        if (r >= 0)
                r = go_through(t, &rotation, errors);
        if (r < 0)
                return r;
        if (rotation.phase == ROTATION_FINISH) {
                r = store_rotation_end(q->install.store, &error);
                t->result->ended = r >= 0;
        } else if (rotation.phase < q->until) {
                r = advance(t, rotation.phase + 1, &error);
                r = r < 0 ? r : 1;
        }
        if (error)
                error_list_take(errors, error);
        return r;
}

/**
 * rotate_run() - replace a CA, the key pair of service accounts or the key for secrets, or go on with that
 * @request:    which, how far, and how
 * @ret:        how far it has come; set in any case, to be released with rotate_result_done()
 * @errors:     all that went wrong
 *
 * A state that is further than asked for is not gone back from: its phase is made to hold.
 *
 * Return: 0 if all nodes are as the last phase wants them, or a negative errno.
 */
int rotate_run(const RotateRequest *request, RotateResult *ret, ErrorList *errors) {
        Turn t = { .request = request, .result = ret };
        int r;

        *ret = (RotateResult) {};
        store_requests_for(request->install.components, request->install.cluster, &t.requests);
        do
                r = step(&t, errors);
        while (r > 0);
        store_requests_done(&t.requests);
        return r;
}

void rotate_result_done(RotateResult *r) {
        install_result_done(&r->install);
        *r = (RotateResult) {};
}
