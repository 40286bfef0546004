/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What replace leaves alone: data of the last restore, when it is the others that came back with that of before. And whom it
 * tells of a member that has moved, wherever an earlier run was killed.
 *
 * Wraps: etcd_survey install_run install_judge etcd_member_remove_patiently store_addresses
 * Wraps: store_forget_former etcd_peer_open_url etcd_status etcd_transfer_leadership
 */

#include "tests/unit/unit.h"

#include "etcd/data.h"
#include "etcd/survey.h"
#include "operate/left-out.h"
#include "operate/replace.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/plan-fixture.h"

#define TOKEN "00112233445566778899aabbccddeeff"

static const char *mark;
static const char *away; /* a node, or NULL */
static unsigned n_stopped;
static bool installed; /* then the node has a new member, which votes */
static bool install_fails, counted_in;
static size_t n_nodes; /* that were installed */
static bool moved;     /* the list has the member at another address */
static bool refused;   /* something speaks against an installation */
static bool outdated;  /* so is the copy of the cluster directory */
static size_t n_judged;
static bool former;              /* the node's certificate was for another address before */
static unsigned n_out;           /* members that were taken out */
static bool data;                /* lies on the node */
static const EtcdMember *listed; /* instead of all that: the member of the node; or NULL */
static EtcdState listed_is;      /* ... and its state */
static const EtcdMember *install_makes_voter;
static uint64_t
        answers_there;    /* the id of the member that answers where the node was before; 0: none does */
static const char *there; /* whose data that host has; NULL: it cannot be logged into */
static bool there_active; /* an apiserver runs there */
static bool stays;        /* what runs there cannot be stopped */
static Buffer deeds;      /* in their order, from the look at that host on */

int fake_host(const Node *node, const char *what, Error **reterr) {
        if (streq_null(away, node->name))
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host");
        return 0;
}

static void done(const char *deed) {
        buffer_addf(&deeds, "%s%s", deeds.size > 0 ? ", " : "", deed);
}

static int script_there(const char *script, Buffer *ret, Error **reterr) {
        if (!there)
                return error_set(reterr, ERROR_PERMISSION, EACCES, "Permission denied (publickey)");
        if (strstr(script, "whose etcd data is there?")) {
                buffer_addf(ret, "member\nmark %s\nend\n", there);
                return 0;
        }
        if (strstr(script, "does an apiserver run?")) {
                buffer_add_str(ret, there_active ? "active\n" : "inactive\n");
                return 0;
        }
        assert_contains(script, "systemctl disable");
        if (stays)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "etcd does not stop");
        done("stopped there");
        return 0;
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        InetAddress former_address;

        assert_int_equal(inet_address_parse("10.77.0.99", &former_address), 0);
        if (inet_address_equal(&node->address, &former_address))
                return script_there(script, ret, reterr);
        n_stopped += strstr(script, "systemctl stop") != NULL;
        if (ret)
                buffer_addf(ret, "%smark abcd\n%send\n", data ? "member\n" : "", mark);
        return 0;
}

int __wrap_etcd_member_remove_patiently(const EtcdEndpoint *e, uint64_t id, Error **reterr);
int __wrap_etcd_member_remove_patiently(const EtcdEndpoint *e, uint64_t id, Error **reterr) {
        n_out++;
        done("out");
        return 0;
}

int __wrap_etcd_peer_open_url(const ProbeContext *c, const Node *credential, const char *url,
                              uint64_t timeout_usec, EtcdPeer *ret, Error **reterr);
int __wrap_etcd_peer_open_url(const ProbeContext *c, const Node *credential, const char *url,
                              uint64_t timeout_usec, EtcdPeer *ret, Error **reterr) {
        assert_string_equal(url, "https://10.77.0.99:2379");
        *ret = (EtcdPeer) { .url = xstrdup(url) };
        ret->endpoint.url = ret->url;
        return 0;
}

int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr);
int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr) {
        if (answers_there == 0)
                return -ECONNREFUSED;
        *ret = (EtcdStatus) { .member_id = answers_there };
        return 0;
}

int __wrap_etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr);
int __wrap_etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr) {
        assert_string_equal(e->url, "https://10.77.0.99:2379");
        assert_int_equal(target, 1);
        done("another leads");
        return 0;
}

int __wrap_store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr);
int __wrap_store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr) {
        static const char *const addresses[] = { "10.77.0.20", "127.0.0.1", "::1", "10.77.0.99" };
        InetAddress address;

        assert_string_equal(path, "nodes/c0/pki/etcd/server.crt");
        for (size_t i = 0; i < (former ? 4 : 3); i++) {
                assert_int_equal(inet_address_parse(addresses[i], &address), 0);
                certificate_profile_add_address(ret, &address);
        }
        return 0;
}

int __wrap_store_forget_former(Store *s, const char *path, Error **reterr);
int __wrap_store_forget_former(Store *s, const char *path, Error **reterr) {
        assert_string_equal(path, "nodes/c0/pki/etcd/server.crt");
        former = false;
        return 0;
}

int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors);
int __wrap_install_run(const InstallRequest *q, InstallResult *ret, ErrorList *errors) {
        *ret = (InstallResult) {};
        if (q->dry_run) {
                ret->outdated = outdated ? xstrdup("this is not the newest copy") : NULL;
                return 0;
        }
        n_nodes = q->n_nodes;
        assert_int_equal(q->joined, q->n_nodes > 1); /* who has to be told, the load balancers first */
        counted_in = !plan_left_out(q->store, q->cluster->nodes);
        if (install_fails)
                return -EIO;
        installed = true;
        if (install_makes_voter) {
                listed = install_makes_voter;
                listed_is = ETCD_HEALTHY;
        }
        return 0;
}

int __wrap_install_judge(const InstallRequest *q, ErrorList *errors);
int __wrap_install_judge(const InstallRequest *q, ErrorList *errors) {
        Error *error = NULL;

        n_judged = q->n_nodes;
        /* of the node itself all counts but the data that is to go */
        assert_ptr_equal(q->nodes[0], q->cluster->nodes);
        assert_true(strv_contains(q->ignore, ETCD_PREFLIGHT "/c0"));
        assert_int_equal(strv_length(q->ignore), 1);
        if (!refused)
                return 0;
        (void) error_set(&error, ERROR_CONFIG, EEXIST, "c1: the load balancer at 10.77.0.99 runs still");
        error_list_take(errors, error);
        return -EEXIST;
}

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);
int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        static char *urls[] = { (char*) "https://10.77.0.99:2380", NULL };
        static EtcdMember other = { .id = 1 }, own = { .id = 2 },
                          gone = { .id = 3, .learner = true, .peer_urls = urls };

        *ret = (EtcdSurvey) { .sights = xnew(EtcdSight, 2),
                             .n_sights = 2,
                             .n_voters = 1,
                             .n_healthy = 1,
                             .n_up = 1,
                             .quorum = 1 };
        ret->sights[0] = (EtcdSight) { .node = c->cluster->nodes, .state = ETCD_STRANGER };
        if (listed)
                ret->sights[0] =
                        (EtcdSight) { .node = c->cluster->nodes, .state = listed_is, .member = listed };
        else if (moved)
                ret->sights[0] =
                        (EtcdSight) { .node = c->cluster->nodes, .state = ETCD_AWAY, .member = &gone };
        if (installed && !listed)
                ret->sights[0] =
                        (EtcdSight) { .node = c->cluster->nodes, .state = ETCD_HEALTHY, .member = &own };
        ret->sights[1] =
                (EtcdSight) { .node = c->cluster->nodes + 1, .state = ETCD_HEALTHY, .member = &other };
        ret->sights[1].status.leader = answers_there == 3 ? 3 : 0;
        return 0;
}

static void test_last_restore(void **state) {
        const UnitDir *d = *state;
        static const Component *const none[] = { NULL };
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *token = xasprintf("%s/" ETCD_TOKEN, d->path),
                            *identity = xasprintf("%s/secrets/identity", d->path);
        _cleanup_(store_freep) Store *store = NULL;
        ErrorList errors = ERROR_LIST_NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const ReplaceRequest request = {
                .install = { .cluster = &c, .components = none },
                .node = nodes,
        };
        ReplaceRequest r = request;

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, token, TOKEN "\n", 33, 0600, 0, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        r.install.store = store;

        data = true;
        mark = "mark " TOKEN "\n";
        assert_int_equal(replace_run(&r, &errors), -EEXIST);
        assert_contains(errors.errors[0]->message, "is that of the last restore");
        assert_int_equal(n_stopped, 0);
        error_list_done(&errors);
        errors = ERROR_LIST_NULL;
        mark = ""; /* of before: that is what replace is for */
        assert_int_equal(replace_run(&r, &errors), 0);
        assert_int_equal(n_stopped, 1);
        error_list_done(&errors);

        /* now each is one of two: neither can be stopped and then voted out by the other alone */
        errors = ERROR_LIST_NULL;
        r.force = true;
        assert_int_equal(replace_run(&r, &errors), -EAGAIN);
        assert_contains(errors.errors[0]->message, "1 of 2 voters would be healthy, 2 are needed");
        assert_int_equal(n_stopped, 1);
        error_list_done(&errors);
}

/* One that a restore left out is counted in again, and the others are told: by the same command if it was stopped. */
static void test_left_out(void **state) {
        const UnitDir *d = *state;
        static const Component *const none[] = { NULL };
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *token = xasprintf("%s/" ETCD_TOKEN, d->path),
                            *path = xasprintf("%s/" PLAN_LEFT_OUT, d->path),
                            *file = xasprintf("%s/hardway.yaml", d->path),
                            *identity = xasprintf("%s/secrets/identity", d->path);
        _cleanup_buffer_ Buffer left = BUFFER_NULL;
        ErrorList errors = ERROR_LIST_NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Node *const all[] = { nodes, nodes + 1, nodes + 2 };

        c.path = file;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, token, TOKEN "\n", 33, 0600, 0, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, "c0\nlb0\n", 7, 0600, 0, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        mark = "";
        installed = false;
        for (int turn = 0; turn < 2; turn++) {
                _cleanup_(store_freep) Store *store = NULL;
                ReplaceRequest r = {
                        .install = { .cluster = &c, .components = none, .nodes = all, .n_nodes = 3 },
                        .node = nodes,
                };

                assert_true(store_open(d->path, &store, NULL) >= 0);
                r.install.store = store;
                install_fails = turn == 0;
                counted_in = false;
                assert_true(left_out_knows(store, nodes));
                /* c1 has to be told of it: nothing is stopped before that can be done */
                away = "c1";
                n_stopped = 0;
                assert_int_equal(replace_run(&r, &errors), -EHOSTUNREACH);
                assert_contains(errors.errors[errors.n_errors - 1]->message, "c1: no route to host");
                assert_contains(errors.errors[errors.n_errors - 1]->detail, "nothing was changed");
                assert_int_equal(n_stopped, 0);
                away = NULL;
                /* nor what an older copy of the directory would not be let put there */
                outdated = true;
                assert_int_equal(replace_run(&r, &errors), -ESTALE);
                assert_contains(errors.errors[errors.n_errors - 1]->detail, "nothing was changed");
                assert_int_equal(n_stopped, 0);
                assert_false(counted_in);
                outdated = false;
                assert_int_equal(replace_run(&r, &errors), turn == 0 ? -EIO : 0);
                assert_true(counted_in);
                assert_int_equal(n_nodes, 2); /* lb0 is left out still */
        }
        assert_int_equal(fs_read_optional(AT_FDCWD, path, 100, &left, NULL), 1);
        assert_string_equal(buffer_str(&left), "lb0\n");
        error_list_done(&errors);
}

/* What would keep the others from being told of it is asked before its member is stopped and taken out. */
static void test_refused_by_others(void **state) {
        const UnitDir *d = *state;
        static const Component *const none[] = { NULL };
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *identity = xasprintf("%s/secrets/identity", d->path);
        _cleanup_(store_freep) Store *store = NULL;
        ErrorList errors = ERROR_LIST_NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Node *const all[] = { nodes, nodes + 1, nodes + 2 };
        ReplaceRequest r = {
                .install = { .cluster = &c, .components = none, .nodes = all, .n_nodes = 3 },
                .node = nodes,
        };

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        r.install.store = store;
        mark = "";
        installed = false;
        moved = refused = true;
        n_stopped = 0;
        assert_int_equal(replace_run(&r, &errors), -EEXIST);
        assert_int_equal(errors.n_errors, 1);
        assert_contains(errors.errors[0]->message, "runs still");
        assert_contains(errors.errors[0]->detail, "nothing was changed");
        assert_contains(errors.errors[0]->detail, "hardway etcd replace c0");
        assert_int_equal(n_judged, 3);
        assert_int_equal(n_stopped, 0);
        error_list_done(&errors);
        moved = refused = false;
}

/*
 * A member that has another address now: the run that was to move it was killed somewhere, and what the list says of it is what
 * it had come to by then. The second one tells all, and after it nothing is left to be told.
 */
static void test_goes_on_with_a_move(void **state) {
        static char *was[] = { (char*) "https://10.77.0.99:2380", NULL },
                    *is[] = { (char*) "https://10.77.0.20:2380", NULL },
                    *clients[] = { (char*) "https://10.77.0.20:2379", NULL };
        static const EtcdMember old = { .id = 3, .learner = true, .peer_urls = was },
                                added = { .id = 4, .learner = true, .peer_urls = is },
                                learner = { .id = 4,
                                            .learner = true,
                                            .peer_urls = is,
                                            .client_urls = clients },
                                voter = { .id = 4, .peer_urls = is, .client_urls = clients };
        static const struct {
                const char *killed;
                const EtcdMember *listed;
                EtcdState state;
                bool data;
                unsigned n_stopped, n_out;
        } rows[] = {
                { "before it was taken out", &old, ETCD_AWAY, false, 1, 1 },
                { "before it was taken out, its data still there", &old, ETCD_AWAY, true, 1, 1 },
                { "after that", NULL, ETCD_AWAY, false, 1, 0 },
                { "when the new one was in the list", &added, ETCD_NOT_STARTED, false, 1, 1 },
                { "when it was started", &learner, ETCD_HEALTHY, true, 0, 0 },
                { "when it voted, and nobody else was told", &voter, ETCD_HEALTHY, true, 0, 0 },
        };
        const UnitDir *d = *state;
        static const Component *const none[] = { NULL };
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *identity = xasprintf("%s/secrets/identity", d->path),
                            *file = xasprintf("%s/hardway.yaml", d->path);
        _cleanup_(store_freep) Store *store = NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Node *const all[] = { nodes, nodes + 1, nodes + 2 };
        ReplaceRequest r = {
                .install = { .cluster = &c, .components = none, .nodes = all, .n_nodes = 3 },
                .node = nodes,
        };

        c.path = file;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        r.install.store = store;
        mark = "";
        install_fails = false;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ErrorList errors = ERROR_LIST_NULL;

                former = true;
                listed = rows[i].listed;
                listed_is = rows[i].state;
                data = rows[i].data;
                moved = installed = false;
                n_stopped = n_out = 0;
                n_nodes = 0;
                /* the installation makes it a voter, by what the list says after it */
                install_makes_voter = &voter;
                if (replace_run(&r, &errors) != 0)
                        fail_msg("killed %s: %s", rows[i].killed, errors.errors[0]->message);
                if (n_nodes != 3 || n_stopped != rows[i].n_stopped || n_out != rows[i].n_out || former)
                        fail_msg("killed %s: %zu nodes, %u stopped, %u out%s", rows[i].killed, n_nodes,
                                 n_stopped, n_out, former ? ", and not at its end" : "");
                error_list_done(&errors);
                /* and a third one has nothing to do */
                errors = ERROR_LIST_NULL;
                assert_int_equal(replace_run(&r, &errors), -EBUSY);
                error_list_done(&errors);
        }
        install_makes_voter = listed = NULL;
}

static int set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        assert_ptr_equal(node, c->cluster->nodes);
        done("aside");
        return 0;
}

static void take_warning(void *userdata, const InstallEvent *event) {
        if (event->type == INSTALL_WARNING)
                done(event->text);
}

/* Where the member is by the list it runs still, as planned: nobody who uses its apiserver may be cut off. */
static void test_stops_what_moves(void **state) {
        static char *was[] = { (char*) "https://10.77.0.99:2380", NULL },
                    *was_clients[] = { (char*) "https://10.77.0.99:2379", NULL },
                    *is[] = { (char*) "https://10.77.0.20:2380", NULL };
        static const EtcdMember old = { .id = 3,
                                        .learner = true,
                                        .peer_urls = was,
                                        .client_urls = was_clients },
                                voter = { .id = 4, .peer_urls = is, .client_urls = was_clients };
        static const struct {
                uint64_t answers;
                const char *there;
                bool active;
                const char *deeds;
        } rows[] = {
                { 3, "abcd", true, "another leads, aside, stopped there, out" },
                { 3, "abcd", false, "another leads, stopped there, out" },
                { 0, "abcd", true, "out" },
                { 7, "abcd", true, "out" }, /* whoever that is */
                { 3, "0077", true,
                  "what runs at 10.77.0.99, where it was, cannot be stopped in good order: the data there is not of this "
                  "cluster; whoever uses the apiserver there is cut off, another leads, out" },
                { 3, NULL, false,
                  "what runs at 10.77.0.99, where it was, cannot be stopped in good order: Permission denied (publickey); "
                  "whoever uses the apiserver there is cut off, another leads, out" },
        };
        static const Component balancer = { .name = "balancer", .set_aside = set_aside };
        static const Component *const components[] = { &balancer, NULL };
        ErrorList errors = ERROR_LIST_NULL;
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *identity = xasprintf("%s/secrets/identity", d->path),
                            *file = xasprintf("%s/hardway.yaml", d->path);
        _cleanup_(store_freep) Store *store = NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Node *const all[] = { nodes, nodes + 1, nodes + 2 };
        ReplaceRequest r = {
                .install = { .cluster = &c,
                             .components = components,
                             .nodes = all,
                             .n_nodes = 3,
                             .event = take_warning },
                .node = nodes,
        };

        c.path = file;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        r.install.store = store;
        mark = "";
        install_makes_voter = &voter;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                former = true;
                listed = &old;
                listed_is = ETCD_AWAY;
                data = installed = false;
                answers_there = rows[i].answers;
                there = rows[i].there;
                there_active = rows[i].active;
                buffer_clear(&deeds);
                if (replace_run(&r, &errors) != 0)
                        fail_msg("%zu: %s", i, errors.errors[0]->message);
                assert_string_equal(buffer_str(&deeds), rows[i].deeds);
        }

        /* what does not stop is there, and the member is in the list */
        former = true;
        listed = &old;
        listed_is = ETCD_AWAY;
        installed = false;
        there = "abcd";
        stays = true;
        buffer_clear(&deeds);
        n_stopped = 0;
        assert_int_equal(replace_run(&r, &errors), -EIO);
        assert_string_equal(errors.errors[0]->message,
                            "at 10.77.0.99, where the member was: c0: etcd does not stop");
        assert_contains(errors.errors[0]->detail, "hardway etcd replace c0");
        assert_null(strstr(errors.errors[0]->detail, "is stopped"));
        assert_int_equal(n_stopped, 0);
        error_list_done(&errors);
        stays = false;
        buffer_done(&deeds);
        answers_there = 0;
        install_makes_voter = listed = NULL;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_last_restore),      unit_test_in_dir(test_left_out),
                unit_test_in_dir(test_refused_by_others), unit_test_in_dir(test_goes_on_with_a_move),
                unit_test_in_dir(test_stops_what_moves),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
