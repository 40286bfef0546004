/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/no-sync.h"
#include "tests/unit/unit.h"

#include "cli/components.h"
#include "common/clock.h"
#include "operate/renew.h"
#include "operate/rotate.h"
#include "operate/served.h"
#include "plan/names.h"
#include "tests/unit/plan-fixture.h"

/*
 * Renewal and rotation over a real store, and a rollout that is played: which node fails, which is as planned already,
 * when somebody presses Ctrl-C. What is looked at is what the store holds afterwards.
 *
 * Wraps: install_run secrets_rewrite served_check
 */

typedef struct World {
        UnitDir *dir;
        Node nodes[3];
        Cluster cluster;
        Store *store;
        StoreRequests requests;

        const char *fails;        /* the node that does not come back, or NULL */
        const char *unproven;     /* the node that shows something else, or NULL */
        const char *unreachable;  /* the node that cannot even be looked at, or NULL */
        const char *done;         /* the node that is as planned already, or NULL */
        const char *cancel_after; /* the last node before somebody presses Ctrl-C, or NULL */
        size_t differs;           /* what a dry run finds */
        bool outdated;            /* ... and of what it is sure, with nodes that cannot be asked */
        volatile int cancelled;
        bool unwritable; /* secrets are not to be had */
        char *again;     /* with which the last rollout says that it goes on */
        Buffer log;      /* one word for each rollout, and one for each node that was changed */
        unsigned n_reported;
        ErrorList errors;
} World;

static World *world;

int __wrap_served_check(const ProbeContext *probes, const Component *const *table, const Node *node,
                        Error **reterr);
int __wrap_served_check(const ProbeContext *probes, const Component *const *table, const Node *node,
                        Error **reterr) {
        buffer_addf(&world->log, "%s? ", node->name);
        if (streq_null(world->unproven, node->name))
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED, "shows another one");
        return 0;
}

int __wrap_secrets_rewrite(const ProbeContext *c, SecretsRewritten *ret, Error **reterr);
int __wrap_secrets_rewrite(const ProbeContext *c, SecretsRewritten *ret, Error **reterr) {
        const Buffer *content;

        assert_int_equal(probe_store_file(c, NAME_ENCRYPTION_KEY_FILE, &content, NULL), 0);
        assert_non_null(startswith(buffer_str(content), "2 ")); /* the new one writes, */
        assert_non_null(strchr(buffer_str(content), '\n'));     /* and both are read with */
        buffer_add_str(&world->log, "rewrite ");
        if (world->unwritable)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "secret a/b: no");
        *ret = (SecretsRewritten) { .n_secrets = 3, .n_written = 2 };
        return 0;
}

/* One node's turn, as install/rollout.c has it. */
static int take_turn(const InstallRequest *q, InstallNode *n, ErrorList *errors) {
        const ProbeContext probes = { .cluster = q->cluster, .store = q->store };
        Error *error = NULL;
        int r = 0;

        if (streq_null(world->done, n->node->name) || !(n->node->roles & ROLE_CONTROLLER)) {
                n->outcome = INSTALL_UNCHANGED;
                return 0;
        }
        buffer_addf(&world->log, "%s ", n->node->name);
        n->touched = true;
        if (streq_null(world->fails, n->node->name))
                r = error_set(&error, ERROR_UNAVAILABLE, ETIMEDOUT, "%s: did not become ready",
                              n->node->name);
        if (r >= 0)
                r = q->proof->prove(q->proof->userdata, &probes, n->node, &error);
        if (r < 0) {
                n->outcome = INSTALL_BROKEN;
                n->taken_back = q->proof->take_back(q->proof->userdata, n->node, NULL) > 0;
                error_list_take(errors, error);
                return r;
        }
        n->outcome = INSTALL_CHANGED;
        world->cancelled = streq_null(world->cancel_after, n->node->name);
        return 0;
}

int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors);
int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors) {
        int r = 0;

        *ret = (InstallResult) { .nodes = xnew(InstallNode, q->n_nodes + 1),
                                .n_nodes = q->n_nodes,
                                .serving = true };
        ret->outdated = world->outdated ? xstrdup("this is not the newest copy") : NULL;
        buffer_addf(&world->log, q->dry_run ? "look " : "roll ");
        free(world->again);
        world->again = xstrdup_null(q->again);
        for (size_t i = 0; i < q->n_nodes; i++) {
                ret->nodes[i] = (InstallNode) { .node = q->nodes[i] };
                if (q->dry_run)
                        ret->nodes[i].n_changes = world->differs;
                if (streq_null(world->unreachable, q->nodes[i]->name)) {
                        ret->nodes[i].outcome = INSTALL_BROKEN;
                        error_list_add(errors, ERROR_UNAVAILABLE, EHOSTUNREACH, "%s: ssh: no route",
                                       q->nodes[i]->name);
                        r = -EHOSTUNREACH;
                }
        }
        for (size_t i = 0; i < q->n_nodes && r >= 0 && !q->dry_run; i++) {
                if (world->cancelled)
                        return -ECANCELED;
                r = take_turn(q, ret->nodes + i, errors);
        }
        return r;
}

static int setup(void **state) {
        World *w = xnew(World, 1);
        static char names[3][3] = { "c0", "c1", "c2" };
        Error *e = NULL;
        int r;

        world = w;
        *state = w;
        if (unit_dir_setup((void**) &w->dir) < 0)
                return -1;
        w->cluster = fixture_cluster(w->nodes);
        for (size_t i = 0; i < 3; i++) {
                w->nodes[i] = (Node) { .name = names[i], .index = i, .roles = ROLE_CONTROLLER | ROLE_ETCD };
                (void) inet_address_parse("10.77.0.20", &w->nodes[i].address);
        }
        store_requests_for(components, &w->cluster, &w->requests);
        if (store_open(w->dir->path, &w->store, NULL) < 0)
                return -1;
        r = store_generate(w->store, w->requests.requests, w->requests.n_requests, clock_realtime(), NULL,
                           NULL, &e);
        if (r < 0)
                print_error("%s\n", e->message);
        return r == 1 ? 0 : -1;
}

static int teardown(void **state) {
        World *w = *state;

        store_free(w->store);
        store_requests_done(&w->requests);
        free(w->again);
        buffer_done(&w->log);
        error_list_done(&w->errors);
        (void) unit_dir_teardown((void**) &w->dir);
        free(w);
        return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void report(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                   int64_t expires) {
        World *w = userdata;

        assert_int_not_equal(outcome, STORE_KEPT);
        w->n_reported++;
}

static const Node *all[3];

static InstallRequest install_request(World *w) {
        for (size_t i = 0; i < 3; i++)
                all[i] = w->nodes + i;
        error_list_done(&w->errors);
        buffer_clear(&w->log);
        w->n_reported = 0;
        w->cancelled = 0;
        return (InstallRequest) {
                .cluster = &w->cluster,
                .store = w->store,
                .components = components,
                .nodes = all,
                .n_nodes = 3,
                .cancelled = &w->cancelled,
        };
}

static int renew_names(World *w, char *const *names) {
        RenewRequest q = { .names = names, .now = clock_realtime(), .report = report, .userdata = w };
        RenewResult result;
        int r;

        q.install = install_request(w);
        r = renew_run(&q, &result, &w->errors);
        assert_int_equal(result.n_renewed, w->n_reported);
        renew_result_done(&result);
        return r;
}

static int renew(World *w) {
        return renew_names(w, NULL);
}

/* What the store has of each node's apiserver, and of the administrator. */
typedef struct Keys {
        char *of[4];
} Keys;

static Keys keys(World *w) {
        static const char *const paths[] = { "nodes/c0/pki/apiserver.key", "nodes/c1/pki/apiserver.key",
                                             "nodes/c2/pki/apiserver.key", "admin.conf" };
        _cleanup_(store_freep) Store *s = NULL;
        Keys k = {};

        assert_int_equal(store_open(w->dir->path, &s, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                const char *fingerprint;

                assert_int_equal(store_fingerprint(s, paths[i], &fingerprint, NULL), 0);
                k.of[i] = xstrdup(fingerprint);
        }
        return k;
}

static void keys_done(Keys *k) {
        for (size_t i = 0; i < ARRAY_SIZE(k->of); i++)
                free(k->of[i]);
}

/* "10" in the place of a node: its key is another than it was. */
static void assert_renewed(const Keys *before, const Keys *after, const char *wanted) {
        for (size_t i = 0; i < ARRAY_SIZE(before->of); i++)
                if ((wanted[i] == '1') == streq(before->of[i], after->of[i]))
                        fail_msg("entry %zu: not as in %s", i, wanted);
}

static void assert_nothing_left(World *w) {
        Error *e = NULL;

        assert_int_equal(faccessat(w->dir->fd, "pki/.previous", F_OK, 0), -1);
        assert_success(store_examine(w->store, w->requests.requests, w->requests.n_requests,
                                     clock_realtime(), NULL, NULL, &e),
                       e, 0);
}

static void test_renewed(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w), after = {};

        assert_int_equal(renew(w), 0);
        assert_int_equal(w->n_reported, 35);
        after = keys(w);
        assert_renewed(&before, &after, "1111");
        assert_string_equal(buffer_str(&w->log), "look roll c0 c0? c1 c1? c2 c2? ");
        assert_nothing_left(w);
}

static void test_only_the_nodes_concerned(void **state) {
        World *w = *state;
        _cleanup_strv_ Strv names = strv_new("nodes/c1/pki/apiserver", NULL),
                            admin = strv_new("admin", NULL);
        _cleanup_(keys_done) Keys before = keys(w), after = {}, last = {};

        assert_int_equal(renew_names(w, names), 0);
        after = keys(w);
        assert_renewed(&before, &after, "0100");
        assert_string_equal(buffer_str(&w->log), "look roll c1 c1? ");
        assert_int_equal(renew_names(w, admin), 0);
        last = keys(w);
        assert_renewed(&after, &last, "0001");
        assert_string_equal(buffer_str(&w->log), "");
        assert_nothing_left(w);
}

static void assert_second_failed(World *w, const Keys *before) {
        _cleanup_(keys_done) Keys after = keys(w);

        assert_renewed(before, &after, "1000");
        assert_nothing_left(w);
}

static void test_second_fails(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w);

        w->fails = "c1";
        assert_int_equal(renew(w), -ETIMEDOUT);
        assert_string_equal(buffer_str(&w->log), "look roll c0 c0? c1 ");
        assert_int_equal(w->errors.n_errors, 1);
        assert_second_failed(w, &before);
}

static void test_second_shows_another(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w);

        w->unproven = "c1";
        assert_int_equal(renew(w), -EKEYREJECTED);
        assert_second_failed(w, &before);
}

static void test_refused_before_anything_is_made(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w), after = {};

        w->differs = 2;
        assert_int_equal(renew(w), -ESTALE);
        assert_int_equal(w->errors.n_errors, 3);
        assert_contains(w->errors.errors[0]->message,
                        "c0 is not as the cluster file says (2 differences): run hardway "
                        "install first");
        w->differs = 0;
        w->unreachable = "c2";
        assert_int_equal(renew(w), -EHOSTUNREACH);
        after = keys(w);
        assert_renewed(&before, &after, "0000");
        assert_string_equal(buffer_str(&w->log), "look ");
        assert_nothing_left(w);
}

static char* history(World *w) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        assert_true(fs_read(w->dir->fd, "pki/history", 4096, &text, NULL) >= 0);
        return buffer_take(&text);
}

static int rotate(World *w, const char *name, RotationPhase until);

/* Nor does an older copy that has something to go on with write anything, by which it would be one that went its own way. */
static void test_an_older_copy_goes_on_with_nothing(void **state) {
        World *w = *state;
        _cleanup_free_ char *before = NULL, *after = NULL, *rotating = NULL, *last = NULL;

        w->cancel_after = "c0";
        assert_int_equal(renew(w), -ECANCELED);
        w->cancel_after = NULL;
        w->outdated = true;
        before = history(w);
        assert_int_equal(renew(w), -ESTALE);
        assert_string_equal(buffer_str(&w->log), "look ");
        assert_int_equal(w->errors.n_errors, 1);
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), -ESTALE);
        after = history(w);
        assert_string_equal(before, after);

        w->outdated = false;
        assert_int_equal(renew(w), 0);
        assert_int_equal(rotate(w, "ca", ROTATION_TRUST), 0);
        rotating = history(w);
        w->outdated = true;
        w->unreachable = "c2"; /* what is known of the others counts */
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), -ESTALE);
        assert_string_equal(buffer_str(&w->log), "look ");
        assert_int_equal(w->errors.n_errors, 1);
        last = history(w);
        assert_string_equal(rotating, last);
}

/* Ctrl-C, and the next run: no key is made twice, and the first node is left alone. */
static void test_cancelled_and_finished(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w), between = {}, after = {};

        w->cancel_after = "c0";
        assert_int_equal(renew(w), -ECANCELED);
        assert_string_equal(w->again, "hardway pki renew");
        between = keys(w);
        assert_renewed(&before, &between, "1111");
        assert_int_equal(faccessat(w->dir->fd, "pki/.previous/nodes/c1/pki/apiserver.key", F_OK, 0), 0);
        assert_int_equal(faccessat(w->dir->fd, "pki/.previous/nodes/c0/pki/apiserver.key", F_OK, 0), -1);

        w->cancel_after = NULL;
        assert_int_equal(renew(w), 0);
        after = keys(w);
        assert_renewed(&between, &after, "0000");
        assert_int_equal(w->n_reported, 0);
        assert_string_equal(buffer_str(&w->log), "look roll c1 c1? c2 c2? ");
        assert_nothing_left(w);
}

/* Killed between the change of a node and its proof: it is as planned, and looked at all the same. */
static void test_proven_late(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys between = {}, after = {};

        w->cancel_after = "c0";
        assert_int_equal(renew(w), -ECANCELED);
        between = keys(w);
        w->cancel_after = NULL;
        w->done = "c1";
        w->unproven = "c1";
        assert_int_equal(renew(w), -EKEYREJECTED);
        assert_string_equal(buffer_str(&w->log), "look roll c2 c2? c1? ");
        w->unproven = NULL;
        assert_int_equal(renew(w), 0);
        assert_string_equal(buffer_str(&w->log), "look roll c1? ");
        after = keys(w);
        assert_renewed(&between, &after, "0000");
        assert_nothing_left(w);
}

/* --- rotation --- */

static void tell(void *userdata, const Rotation *rotation) {
        World *w = userdata;

        buffer_addf(&w->log, "%s: ", rotation_phase_to_string(rotation->phase));
}

static int rotate(World *w, const char *name, RotationPhase until) {
        RotateRequest q = {
                .name = name, .until = until, .now = clock_realtime(), .phase = tell, .userdata = w
        };
        RotateResult result;
        int r;

        q.install = install_request(w);
        r = rotate_run(&q, &result, &w->errors);
        rotate_result_done(&result);
        return r;
}

static RotationPhase phase(World *w) {
        _cleanup_(rotation_done) Rotation rotation = {};

        return store_rotation(w->store, &rotation, NULL) > 0 ? rotation.phase : _ROTATION_PHASE_INVALID;
}

#define ROLL "roll c0 c0? c1 c1? c2 c2? "

static void test_rotated(void **state) {
        World *w = *state;
        _cleanup_(keys_done) Keys before = keys(w), after = {};

        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), 0);
        after = keys(w);
        assert_renewed(&before, &after, "1111");
        assert_string_equal(buffer_str(&w->log), "look trust: " ROLL "reissue: " ROLL "finish: " ROLL);
        assert_int_equal(phase(w), _ROTATION_PHASE_INVALID);
        assert_nothing_left(w);
}

static void test_rotated_in_steps(void **state) {
        World *w = *state;

        assert_int_equal(rotate(w, "sa", ROTATION_TRUST), 0);
        assert_string_equal(buffer_str(&w->log), "look trust: " ROLL);
        assert_int_equal(phase(w), ROTATION_TRUST);
        assert_int_equal(rotate(w, "etcd/ca", ROTATION_FINISH), -EBUSY);
        assert_contains(w->errors.errors[0]->message, "sa is being replaced (phase trust)");

        /* what was reached is looked at again before the next step */
        assert_int_equal(rotate(w, "sa", ROTATION_REISSUE), 0);
        assert_string_equal(w->again, "hardway pki rotate-sa --until reissue");
        assert_string_equal(buffer_str(&w->log), "look trust: " ROLL "reissue: " ROLL);
        assert_int_equal(rotate(w, "sa", ROTATION_TRUST), 0);
        assert_int_equal(phase(w), ROTATION_REISSUE);
        assert_int_equal(rotate(w, "sa", ROTATION_FINISH), 0);
        assert_int_equal(phase(w), _ROTATION_PHASE_INVALID);
        assert_nothing_left(w);
}

/* No node is shown anything new before all trust it. */
static void test_a_failure_stays_in_its_phase(void **state) {
        World *w = *state;

        w->fails = "c1";
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), -ETIMEDOUT);
        assert_int_equal(phase(w), ROTATION_TRUST);
        assert_int_equal(faccessat(w->dir->fd, "pki/.previous", F_OK, 0), -1);
        w->fails = NULL;
        w->cancel_after = "c1";
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), -ECANCELED);
        assert_string_equal(w->again, "hardway pki rotate-ca --until finish");
        assert_int_equal(phase(w), ROTATION_TRUST);
        w->cancel_after = NULL;
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), 0);
        assert_int_equal(phase(w), _ROTATION_PHASE_INVALID);
        assert_nothing_left(w);
}

/* The old key for secrets goes only when nothing is encrypted with it any more. */
static void test_encryption_key(void **state) {
        World *w = *state;
        const Buffer *content;

        w->unwritable = true;
        assert_int_equal(rotate(w, NAME_ENCRYPTION_KEY_FILE, ROTATION_FINISH), -EIO);
        assert_string_equal(buffer_str(&w->log), "look trust: " ROLL "reissue: " ROLL "rewrite ");
        assert_int_equal(phase(w), ROTATION_REISSUE);
        assert_int_equal(rotate(w, "sa", ROTATION_FINISH), -EBUSY);
        assert_contains(w->errors.errors[w->errors.n_errors - 1]->message,
                        "has to be finished first (hardway pki rotate-key)");
        w->unwritable = false;
        buffer_clear(&w->log);
        assert_int_equal(rotate(w, NAME_ENCRYPTION_KEY_FILE, ROTATION_REISSUE), 0);
        assert_string_equal(w->again, "hardway pki rotate-key --until reissue");
        assert_null(strstr(buffer_str(&w->log), "rewrite"));
        buffer_clear(&w->log);
        assert_int_equal(rotate(w, NAME_ENCRYPTION_KEY_FILE, ROTATION_FINISH), 0);
        assert_contains(buffer_str(&w->log), "rewrite finish: " ROLL);
        assert_int_equal(phase(w), _ROTATION_PHASE_INVALID);
        assert_int_equal(store_file(w->store, NAME_ENCRYPTION_KEY_FILE, &content, NULL), 0);
        assert_null(strchr(buffer_str(content), '\n'));
        assert_nothing_left(w);
}

static void test_rotation_refused_before_anything_is_made(void **state) {
        World *w = *state;

        w->differs = 1;
        assert_int_equal(rotate(w, "ca", ROTATION_FINISH), -ESTALE);
        assert_int_equal(phase(w), _ROTATION_PHASE_INVALID);
        assert_int_equal(faccessat(w->dir->fd, "pki/rotation", F_OK, 0), -1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                test(test_renewed),
                test(test_only_the_nodes_concerned),
                test(test_second_fails),
                test(test_second_shows_another),
                test(test_refused_before_anything_is_made),
                test(test_an_older_copy_goes_on_with_nothing),
                test(test_cancelled_and_finished),
                test(test_proven_late),
                test(test_rotated),
                test(test_rotated_in_steps),
                test(test_a_failure_stays_in_its_phase),
                test(test_encryption_key),
                test(test_rotation_refused_before_anything_is_made),
        };

        return cmocka_run_group_tests_name("operate-renew", tests, NULL, NULL);
}
