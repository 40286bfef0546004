/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "lbsetup/internal.h"
#include "lbsetup/pair.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/lb-fixture.h"
#include "tests/unit/no-http.h"

/*
 * What is concluded from what the load balancers show: each answers with a text, or cannot be asked.
 *
 * Wraps: http_request
 */

#define UP "server c0,UP,L7OK,\nserver c1,UP,L7OK,\n"
#define WELL "installed\nhaproxy active\nkeepalived active\ndown 0\nhandover 0\nnow 1000\npage 200\n" UP
#define VIP "address 127.0.0.1/8\naddress 10.77.0.10/32\n"
#define OWNER WELL "vrrp MASTER 900\n" VIP
#define STANDBY WELL "vrrp BACKUP 900\naddress 10.77.0.100/24\n"

static LbFixture f;
static ProbeContext probes;
static const char *answers[2]; /* of lb0 and lb1; NULL: cannot be asked */
static const char *controllers_say;
static char *last_script;
static char first_script[100]; /* the variables of the question who has the VIP */
static unsigned n_scripts;
static bool exec_fails;
static bool together; /* both are asked before either answers */
static atomic_uint n_asked;
static const char *after_script[2]; /* answers once a script that is not a look was run */
static const char *script_answer;
static const char *answers_after_sleep; /* of lb0, or NULL */

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);

void fake_meanwhile(void) {
        if (answers_after_sleep)
                answers[0] = answers_after_sleep;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

/* Of the apiservers only c0 is ready. */
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        ret->status = strstr(request->url, "//10.77.0.20:") ? 200 : 500;
        return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* load balancers may be asked all at once */

static int fake_exec(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        size_t i = node->index - 2;

        if (node->index < 2) {
                buffer_add_str(ret, controllers_say);
                return 0;
        }
        if (!answers[i] || (together && !fixture_meet(&n_asked, 2)))
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host");
        if (strstr(script, "page /haproxy_ready")) {
                buffer_add_str(ret, answers[i]);
                return 0;
        }
        (void) pthread_mutex_lock(&mutex);
        if (startswith(script, "# is the VIP free?\n"))
                (void) snprintf(first_script, sizeof(first_script), "%.*s",
                                (int) (strstr(script, "\ncase ") + 1 - script), script);
        free(last_script);
        last_script = xstrdup(script);
        n_scripts++;
        (void) pthread_mutex_unlock(&mutex);
        if (exec_fails)
                return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "%s: haproxy says: no", node->name);
        for (size_t k = 0; k < 2; k++)
                if (after_script[k])
                        answers[k] = after_script[k];
        if (ret && script_answer)
                buffer_add_str(ret, script_answer);
        return 0;
}

static int setup(void **state) {
        lb_fixture_set_up(&f);
        probes = (ProbeContext) { .cluster = &f.cluster, .exec = fake_exec };
        answers[0] = OWNER;
        answers[1] = STANDBY;
        controllers_say = "";
        after_script[0] = after_script[1] = script_answer = answers_after_sleep = NULL;
        n_scripts = 0;
        exec_fails = false;
        return 0;
}

static int teardown(void **state) {
        free(last_script);
        last_script = NULL;
        return 0;
}

static void use_ipv6(void) {
        lb_fixture_address(&f.nodes[2].address, "fd77::11");
        lb_fixture_address(&f.nodes[3].address, "fd77::12");
        lb_fixture_address(&f.cluster.endpoint.address, "fd77::10");
}

#define pair_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define ASIDE "# haproxy spares an apiserver, or no more\n"
#define LB0 (&f.nodes[2])
#define LB1 (&f.nodes[3])

static void test_parse(void **state) {
        _cleanup_look_ LbLook l = {};

        lb_look_parse(
                &f.cluster,
                "installed\nhaproxy active\nkeepalived failed\ndown 1\nhandover 0\nvrrp FAULT 990\nnow 1000\npage 503\n"
                "server c0,DOWN,L4TOUT,\nserver c1,UP 1/2,* L7STS,HTTP status check, returned 500\nserver BACKEND,UP,,\n"
                "nonsense\naddress 10.77.0.11/24\n",
                &l);
        assert_true(l.installed && l.haproxy_down && !l.handover && !l.holds_vip);
        assert_string_equal(l.keepalived, "failed");
        assert_string_equal(l.vrrp, "FAULT");
        assert_int_equal(l.vrrp_since_sec, 10);
        assert_int_equal(l.page, 503);
        assert_int_equal(l.n_servers, 2);
        assert_int_equal(lb_look_up(&l), 1);
        assert_string_equal(l.servers[0].why, "L4TOUT");
        assert_string_equal(l.servers[1].why, "* L7STS, HTTP status check, returned 500");
}

/* What tracks another server has no check of its own. */
static void test_parse_tracking(void **state) {
        _cleanup_look_ LbLook l = {};

        lb_look_parse(
                &f.cluster,
                "page 200\nserver c0,DOWN,,\nserver c1,UP,,\nserver BACKEND,UP,,\n"
                "check c0,DOWN,L4TOUT,\ncheck c1,UP,L7OK,OK\ncheck c9,UP,L7OK,\ncheck BACKEND,UP,,\ncheck \n",
                &l);
        assert_int_equal(l.n_servers, 2);
        assert_int_equal(lb_look_up(&l), 1);
        assert_string_equal(l.servers[0].why, "L4TOUT");
        assert_string_equal(l.servers[1].why, "L7OK, OK");
}

/* Nothing that a broken node prints may do harm. */
static void test_parse_empty(void **state) {
        const char *const texts[] = {
                "", "\n\n",
                "server\nserver \nserver a\nvrrp\nvrrp \nnow x\npage\npage -1\ndown\ndown \naddress \n"
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_look_ LbLook l = {};

                lb_look_parse(&f.cluster, texts[i], &l);
                assert_false(l.installed || l.holds_vip || l.handover);
                assert_int_equal(l.page, 0);
                assert_int_equal(l.n_servers, 0);
                assert_string_equal(l.haproxy, "");
        }
}

static void expect(int (*probe)(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr),
                   const Node *node, ProbeState state, const char *text) {
        _cleanup_error_ Error *error = NULL;
        ProbeResult result = {};

        assert_success(probe(&probes, node, &result, &error), error, 0);
        if (text)
                assert_contains(result.text ? result.text : "(nothing)", text);
        else
                assert_null(result.text);
        assert_int_equal(result.state, state);
        probe_result_done(&result);
}

static void test_haproxy_ready(void **state) {
        expect(haproxy_ready, LB0, PROBE_READY, "2 of 2 apiservers");
        answers[0] = "haproxy active\npage 503\nserver c0,DOWN,L4CON,\n";
        expect(haproxy_ready, LB0, PROBE_BLOCKED, "no apiserver is ready yet");
        answers[0] = "haproxy active\n";
        expect(haproxy_ready, LB0, PROBE_WAITING, "does not answer");
        answers[0] = "haproxy failed\n";
        expect(haproxy_ready, LB0, PROBE_WAITING, "is failed");
        answers[0] = NULL;
        expect(haproxy_ready, LB0, PROBE_WAITING, "no route to host");
}

static void test_keepalived_ready(void **state) {
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.10");
        expect(keepalived_ready, LB1, PROBE_READY, "standby");

        /* just started: somebody else has it, or nobody yet */
        answers[1] = WELL "vrrp BACKUP 999\n";
        expect(keepalived_ready, LB1, PROBE_READY, "standby");
        answers[0] = STANDBY;
        expect(keepalived_ready, LB1, PROBE_WAITING, "election");

        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 1\npage 200\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as haproxy does not run");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 1\npage 200\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as hardway told it to");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 0\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as haproxy does not answer");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 0\npage 503\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "alone reaches no apiserver");
        answers[1] = "keepalived active\nvrrp \n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "not found its place");
        answers[1] = "keepalived inactive\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "keepalived.service is inactive");
        answers[1] = NULL;
        expect(keepalived_ready, LB1, PROBE_WAITING, "no route to host");
}

static void test_haproxy_gate(void **state) {
        const Node *controller = f.nodes, *balancer = LB0;

        expect(haproxy_gate, controller, PROBE_READY, NULL);
        answers[1] = "";
        expect(haproxy_gate, balancer, PROBE_READY, NULL); /* not installed yet */
        answers[1] = "installed\nhaproxy active\n";
        expect(haproxy_gate, controller, PROBE_WAITING, "lb1: haproxy does not answer");

        /* c0 is ready, c1 is not: only the one is missed */
        answers[1] = "installed\npage 200\nserver c0,UP,L7OK,\nserver c1,DOWN,L7STS,\n";
        expect(haproxy_gate, controller, PROBE_READY, NULL);
        answers[1] = "installed\npage 200\nserver c0,DOWN,L4TOUT,\nserver c1,UP,L7OK,\n";
        expect(haproxy_gate, controller, PROBE_WAITING, "lb1: c0 is ready, haproxy has it as DOWN (L4TOUT)");

        /* the other one may be off while a controller is changed, but not while this one is */
        answers[1] = NULL;
        expect(haproxy_gate, controller, PROBE_READY, NULL);
        expect(haproxy_gate, balancer, PROBE_WAITING, "lb1: no route to host");
}

static void test_keepalived_gate(void **state) {
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[1] = OWNER;
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");

        /* half-way to another virtual router id the way on is forward */
        f.cluster.endpoint.vrrp_id = 77;
        answers[0] = OWNER "router 77\n";
        answers[1] = OWNER "router 240\n";
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[1] = OWNER "router 77\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
        answers[0] = STANDBY "router 77\n";
        answers[1] = STANDBY "router 240\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "nobody holds the VIP");
        answers[0] = answers[1] = STANDBY;
        expect(keepalived_gate, f.nodes, PROBE_WAITING, "nobody holds the VIP");
        answers[0] = answers[1] = "";
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL);
        answers[0] = OWNER;
        answers[1] = "installed\nkeepalived active\nvrrp FAULT 1\ndown 1\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "lb1: keepalived stands back");

        /* both were ill, and it is the other one's turn next */
        const Node *const next[] = { LB1 };
        probes.ill = next;
        probes.n_ill = 1;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        expect(haproxy_gate, LB0, PROBE_READY, NULL);
        answers[0] = STANDBY;
        expect(keepalived_gate, LB0, PROBE_WAITING, "nobody holds the VIP");
}

static void hand_over(int wanted) {
        _cleanup_error_ Error *error = NULL;
        int r = keepalived_hand_over(&probes, LB0, &error);

        assert_int_equal(r, wanted);
        assert_int_equal(error != NULL, wanted < 0);
}

static void test_hand_over(void **state) {
        bool leads;

        after_script[0] = STANDBY;
        after_script[1] = OWNER;
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_true(leads);
        hand_over(0);
        assert_contains(last_script, "vip='10.77.0.10'\n");
        assert_contains(last_script, "handover='/run/hardway/handover'\n");
        assert_contains(last_script, "trap 'echo 0 >\"$handover\"' EXIT\n");
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_false(leads);
}

static void test_hand_over_not(void **state) {
        static const char *const unable[] = {
                NULL,
                "",
                "installed\nkeepalived active\nvrrp FAULT 1\npage 200\n",
                "installed\nkeepalived active\nvrrp BACKUP 1\n",
                "installed\nkeepalived active\nvrrp BACKUP 1\npage 503\n", /* blind, and we are not */
        };

        for (size_t i = 0; i < ARRAY_SIZE(unable); i++) {
                answers[1] = unable[i];
                hand_over(0);
                assert_null(last_script);
        }
        answers[0] = STANDBY;
        answers[1] = OWNER;
        hand_over(0);
        assert_null(last_script);
}

static void set_aside(const Node *node, unsigned n) {
        _cleanup_error_ Error *error = NULL;

        n_scripts = 0;
        assert_success(haproxy_set_aside(&probes, node, &error), error, 0);
        assert_int_equal(n_scripts, n);
}

static void bring_back(unsigned n) {
        _cleanup_error_ Error *error = NULL;

        n_scripts = 0;
        assert_success(haproxy_bring_back(&probes, &error), error, 0);
        assert_int_equal(n_scripts, n);
}

static void test_set_aside(void **state) {
        _cleanup_error_ Error *error = NULL;

        set_aside(f.nodes, 2);
        assert_non_null(startswith(last_script, ASIDE "verb='set-aside'\nserver='c0'\n"));
        assert_contains(last_script, "state drain");
        set_aside(LB0, 0); /* nothing stands behind haproxy there */
        f.nodes[0].roles = ROLE_ETCD;
        set_aside(f.nodes, 2); /* haproxy has yet to learn that it is a controller no more */
        f.nodes[0].roles = ROLE_CONTROLLER | ROLE_ETCD;

        /* whoever is off, not installed or hung is passed over */
        answers[0] = NULL;
        set_aside(f.nodes, 1);
        answers[1] = "installed\nhaproxy active\n";
        set_aside(f.nodes, 0);

        /* nobody could take its place */
        answers[1] = "installed\npage 200\nserver c0,UP,L7OK,\nserver c1,DOWN,L4CON,\n";
        set_aside(f.nodes, 0);
        set_aside(f.nodes + 1, 1);

        exec_fails = true;
        assert_int_equal(haproxy_set_aside(&probes, f.nodes + 1, &error), -EREMOTEIO);
        assert_string_equal(error->message, "c1 could not be set aside: lb1: haproxy says: no");
}

static void test_bring_back(void **state) {
        _cleanup_error_ Error *error = NULL;
        CheckList l = {};

        bring_back(0);
        answers[1] = STANDBY "aside c1\n";
        bring_back(1);
        assert_non_null(
                startswith(last_script, ASIDE "verb='try-back'\nserver='c1'\n")); /* c1 is not ready */
        answers[1] = STANDBY "aside c0\n";
        bring_back(1);
        assert_non_null(startswith(last_script, ASIDE "verb='bring-back'\nserver='c0'\n"));

        /* of a node that the cluster file has no more; and what is no node's name at all */
        answers[1] = STANDBY "aside c9\n";
        bring_back(1);
        answers[1] = STANDBY "aside $(reboot)\n";
        bring_back(0);
        answers[1] = STANDBY "aside c1;reboot\n";
        bring_back(0);

        /* it is on its way out, and takes its time */
        answers[1] = STANDBY "aside c1\n";
        script_answer = "busy\n";
        n_scripts = 0;
        assert_int_equal(haproxy_bring_back(&probes, NULL), 0);
        assert_in_range(n_scripts, 100, 200);
        assert_non_null(startswith(last_script, ASIDE "verb='bring-back'\nserver='c1'\n"));
        script_answer = NULL;

        /* left by a run that was killed: told to whoever looks */
        answers[1] = "installed\nhaproxy active\nkeepalived active\naside c1\npage 200\nvrrp BACKUP 1\n"
                     "server c0,UP,L7OK,\nserver c1,DRAIN,,\n";
        expect(haproxy_gate, f.nodes, PROBE_READY, NULL); /* c1 is not ready */
        assert_int_equal(haproxy_verify(&probes, &l), 0);
        for (size_t i = 0; i < l.n_checks; i++)
                if (streq(l.checks[i].id, "lb.backends/lb1")) {
                        assert_contains(l.checks[i].text, "1 of 2 apiservers are up: c1 DRAIN");
                        assert_contains(l.checks[i].advice, "hardway install puts it back");
                }
        check_list_done(&l);

        exec_fails = true;
        assert_int_equal(haproxy_bring_back(&probes, &error), -EREMOTEIO);
        assert_string_equal(error->message, "c1 could not be brought back: lb1: haproxy says: no");
}

static Check* find(CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        fail_msg("no check %s", id);
        return NULL;
}

static void verify(CheckList *l) {
        check_list_done(l);
        assert_int_equal(haproxy_verify(&probes, l), 0);
        assert_int_equal(keepalived_verify(&probes, l), 0);
        for (size_t i = 0; i < l->n_checks; i++)
                assert_int_equal(l->checks[i].advice == NULL, l->checks[i].state == CHECK_OK);
}

/* One came back that could not be asked when the other was set up. */
static void test_verify_told(void **state) {
        CheckList l = {};

        answers[0] = OWNER "peer 10.77.0.12\n";
        verify(&l);
        assert_int_equal(check_list_failed(&l), 1);
        assert_contains(find(&l, "lb.told/lb1")->text, "was not told of lb0");
        assert_contains(find(&l, "lb.told/lb1")->advice, "hardway install --node lb1");

        /* the link to it is well: nobody is sent to look at that */
        answers[1] = OWNER;
        verify(&l);
        assert_contains(find(&l, "lb.vip")->text, "is on lb0 and lb1 at the same time");
        assert_string_equal(find(&l, "lb.vip")->advice,
                            "lb1 was not told of lb0; mended by: hardway install --node lb1");

        /* who is not installed yet needs not be known */
        answers[0] = "";
        answers[1] = OWNER;
        verify(&l);
        for (size_t i = 0; i < l.n_checks; i++)
                assert_null(startswith(l.checks[i].id, "lb.told"));
        check_list_done(&l);
}

static void test_verify(void **state) {
        CheckList l = {};

        answers[0] = OWNER "peer 10.77.0.12\n";
        answers[1] = STANDBY "peer 10.77.0.11\n";
        verify(&l);
        assert_int_equal(l.n_checks, 9);
        assert_int_equal(check_list_failed(&l), 0);
        assert_string_equal(find(&l, "lb.vip")->text, "10.77.0.10 is on lb0");
        assert_string_equal(json_string_value(json_object_get(find(&l, "lb.vip")->data, "holder")), "lb0");
        assert_string_equal(find(&l, "lb.backends/lb1")->text, "2 of 2 apiservers are up");

        answers[1] = "installed\nhaproxy active\nkeepalived active\npage 200\nvrrp MASTER 1\n" VIP
                     "peer 10.77.0.11\n"
                     "server c0,UP,L7OK,\nserver c1,DOWN,L4CON,Connection refused\n";
        verify(&l);
        assert_int_equal(check_list_failed(&l), 2);
        assert_contains(find(&l, "lb.backends/lb1")->text,
                        "1 of 2 apiservers are up: c1 DOWN (L4CON, Connection refused)");
        assert_contains(find(&l, "lb.vip")->text, "is on lb0 and lb1 at the same time");
        assert_contains(find(&l, "lb.vip")->advice, "virtual router id 51");

        answers[0] = NULL;
        answers[1] = "installed\nhaproxy failed\nkeepalived active\nvrrp FAULT 1\ndown 1\n";
        verify(&l);
        assert_contains(find(&l, "lb.haproxy/lb0")->text, "no route to host");
        assert_contains(find(&l, "lb.haproxy/lb1")->text, "haproxy.service is failed");
        assert_contains(find(&l, "lb.keepalived/lb1")->text, "as haproxy does not run");
        assert_contains(find(&l, "lb.vip")->text, "no load balancer that can be asked holds 10.77.0.10");
        check_list_done(&l);
}

/* vip, vrrp: what was found; "": nothing. */
static void expect_foreign(CheckList *l, const char *vip, const char *vrrp) {
        const Check *of_vip = find(l, "lb.vip-foreign"), *of_vrrp = find(l, "lb.vrrp-id");

        assert_int_equal(l->n_checks, 9);
        assert_int_equal(of_vip->state, *vip ? CHECK_FAILED : CHECK_OK);
        assert_int_equal(of_vrrp->state, *vrrp ? CHECK_WARNING : CHECK_OK);
        assert_contains(of_vip->text, *vip ? vip : "no other machine answers");
        assert_contains(of_vrrp->text, *vrrp ? vrrp : "nobody else uses");
}

/* Nobody has found anything, as nobody could look; and that is not called well. */
static void expect_not_looked_at(CheckList *l) {
        static const char *const ids[] = { "lb.vip-foreign", "lb.vrrp-id" };

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                const Check *check = find(l, ids[i]);

                assert_int_equal(check->state, CHECK_WARNING);
                assert_contains(check->text, "was not looked at: no load balancer could listen");
                assert_contains(check->advice, "perl");
        }
}

typedef struct Heard {
        const char *heard, *vip, *vrrp; /* what was heard, and what is said of it; "": all is well */
} Heard;

static void hear(const Heard *cases, size_t n) {
        answers[0] = OWNER "peer 10.77.0.12\npeer fd77::12\n";
        answers[1] = STANDBY "peer 10.77.0.11\npeer fd77::11\n";
        for (size_t i = 0; i < n; i++) {
                CheckList l = {};

                script_answer = cases[i].heard;
                verify(&l);
                expect_foreign(&l, cases[i].vip, cases[i].vrrp);
                check_list_done(&l);
        }
}

/* What the load balancers hear of others, and what is concluded. */
static void test_foreign(void **state) {
        static const Heard cases[] = {
                { "listened\n", "", "" },
                { "mac 10.77.0.11 02:00:00:00:00:11\nmac 10.77.0.10 02:00:00:00:00:11\nlistened\n", "", "" },
                { "mac 10.77.0.10 02:00:00:00:00:12\nmac 10.77.0.12 02:00:00:00:00:12\nlistened\n", "", "" },
                { "mac 10.77.0.11 02:00:00:00:00:11\nmac 10.77.0.10 02:00:00:00:00:99\nlistened\n",
                  "10.77.0.10 is answered by a machine that is none of the load balancers (MAC address "
                  "02:00:00:00:00:99)",
                  "" },
                { "mac 10.77.0.100 02:00:00:00:00:99\nmac\nmac 10.77.0.10\nlistened\n", "", "" },
                { "vrrp 10.77.0.12 51\nvrrp 10.77.0.5 52\nvrrp 10.77.0.5 x\nvrrp 51\nvrrp\nlistened\n", "",
                  "" },
                { "vrrp 10.77.0.5 51\nlistened\n", "", "virtual router id 51 is used by 10.77.0.5, too" },
        };

        hear(cases, ARRAY_SIZE(cases));
        assert_contains(last_script, "all='10.77.0.10 10.77.0.11 10.77.0.12'\n");
}

static void test_foreign_ipv6(void **state) {
        static const Heard cases[] = {
                { "mac fd77::11 02:00:00:00:00:11\nmac fd77::10 02:00:00:00:00:11\n"
                  "vrrp fd77::12 51\nvrrp fe80::5 52\nlistened\n",
                  "", "" },
                { "mac fd77::11 02:00:00:00:00:11\nmac fd77::10 02:00:00:00:00:99\nvrrp fe80::5 51\nlistened\n",
                  "fd77::10 is answered by a machine that is none of the load balancers (MAC address "
                  "02:00:00:00:00:99)",
                  "virtual router id 51 is used by fe80::5, too" },
        };

        use_ipv6();
        hear(cases, ARRAY_SIZE(cases));
        assert_contains(last_script, "all='fd77::10 fd77::11 fd77::12'\n");
}

/* No perl; or nobody who was ever installed, or can be asked. */
static void test_foreign_deaf(void **state) {
        static const char *const heard[] = { "", "mac 10.77.0.11 02:00:00:00:00:11\n" };

        for (size_t i = 0; i < ARRAY_SIZE(heard); i++) {
                CheckList l = {};

                script_answer = heard[i];
                verify(&l);
                expect_not_looked_at(&l);
                check_list_done(&l);
        }
        answers[0] = "";
        answers[1] = NULL;
        n_scripts = 0;
        CheckList l = {};

        verify(&l);
        expect_not_looked_at(&l);
        assert_int_equal(n_scripts, 0);
        check_list_done(&l);
}

/* More than the script ever says is not from the script. */
static void test_foreign_endless(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        CheckList l = {};

        buffer_add_str(&text, "listened\n");
        for (unsigned i = 0; i < 1000; i++)
                buffer_add_str(&text, "mac 10.77.0.10 02:00:00:00:00:99\n");
        script_answer = buffer_str(&text);
        verify(&l);
        assert_int_equal(n_scripts, 2);
        expect_not_looked_at(&l);
        check_list_done(&l);
}

static void preflight(const char *answer, const char *wanted) {
        _cleanup_(check_list_done) CheckList checks = {};
        _cleanup_error_ Error *error = NULL;

        script_answer = answer;
        assert_success(keepalived_preflight(&probes, LB0, &checks, &error), error, 0);
        assert_string_equal(checks.checks[0].id, "vip/lb0");
        assert_int_equal(checks.checks[0].state, wanted ? CHECK_FAILED : CHECK_OK);
        if (wanted)
                assert_contains(checks.checks[0].text, wanted);
        for (size_t i = 1; i < checks.n_checks; i++)
                if (!streq(checks.checks[i].id, "lb-told/lb0"))
                        assert_int_equal(checks.checks[i].state, CHECK_OK);
}

static void test_preflight(void **state) {
        preflight("10.77.0.10 02:00:00:00:00:99\n", NULL); /* ours holds it */
        assert_null(last_script);

        answers[0] = answers[1] = "";
        preflight("10.77.0.10 02:00:00:00:00:99\n10.77.0.12 02:00:00:00:00:12\n",
                  "the VIP 10.77.0.10 is answered by another machine (MAC address 02:00:00:00:00:99)");
        assert_string_equal(first_script,
                            "# is the VIP free?\nvip='10.77.0.10'\nall='10.77.0.10 10.77.0.12'\n");
        preflight("10.77.0.12 02:00:00:00:00:12\n", NULL);
        preflight("", NULL);
        preflight("10.77.0.100 02:00:00:00:00:99\n", NULL);

        /* a load balancer of ours that cannot be asked may well hold it */
        answers[1] = NULL;
        preflight("10.77.0.10 02:00:00:00:00:12\n10.77.0.12 02:00:00:00:00:12\n", NULL);
}

/* haproxy and keepalived have one configuration each. */
static void test_configs(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "", "nobody else's", CHECK_OK },
                { "/etc/haproxy/haproxy.cfg\n/etc/keepalived/keepalived.conf\n",
                  "/etc/haproxy/haproxy.cfg and /etc/keepalived/keepalived.conf: written by somebody else",
                  CHECK_FAILED },
                { "? /etc/haproxy/haproxy.cfg\n/etc/keepalived/keepalived.conf\n",
                  "/etc/haproxy/haproxy.cfg and /etc/keepalived/keepalived.conf: written by", CHECK_FAILED },
                { "? /etc/haproxy/haproxy.cfg\n", "/etc/haproxy/haproxy.cfg would be replaced, and whether",
                  CHECK_WARNING },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(haproxy_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, 1);
                assert_string_equal(checks.checks[0].id, "lb-config/lb0");
                assert_contains(checks.checks[0].text, cases[i].text);
                assert_int_equal(checks.checks[0].state, cases[i].state);
                assert_int_equal(checks.checks[0].advice != NULL, cases[i].state != CHECK_OK);
        }
}

/* Who has it from its network configuration would not let go of it. */
static void test_by_hand(void **state) {
        static const char *const texts[] = {
                "address 10.77.0.10/24\n",                    /* nobody was here yet */
                "keepalived active\naddress 10.77.0.10/32\n", /* a keepalived of before */
                STANDBY "address 10.77.0.10/32\n",            /* the other one is master */
                OWNER "address 10.77.0.10/24\n",              /* beside what ours has added */
                WELL "down 1\nvrrp FAULT 1\naddress 10.77.0.10/24\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                CheckList l = {};

                answers[0] = texts[i];
                answers[1] = i < 2 ? "" : i == 3 ? STANDBY : OWNER;
                preflight("", "lb0 has the VIP 10.77.0.10 already, and not from hardway's keepalived");
                verify(&l);
                assert_int_equal(find(&l, "lb.vip")->state, CHECK_FAILED);
                assert_contains(find(&l, "lb.vip")->text,
                                "lb0 has 10.77.0.10, and not from hardway's keepalived");
                assert_contains(find(&l, "lb.vip")->advice, "Take it out of lb0's network configuration");
                check_list_done(&l);
        }
        /* a machine of ours that is no load balancer is no better than any other */
        answers[0] = answers[1] = STANDBY;
        controllers_say = "address 10.77.0.10/32\n";
        preflight("10.77.0.10 02:00:00:00:00:99\n", "is answered by another machine");
}

/* It begins anew, or has just taken over, and its word comes after the deed. */
static void test_by_hand_for_an_instant(void **state) {
        static const char *const texts[] = { STANDBY "address 10.77.0.10/32\n",
                                             OWNER "address 10.77.0.10/24\n" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                answers[0] = texts[i];
                answers_after_sleep = OWNER;
                preflight("", NULL);
                assert_null(last_script);
        }
        /* what a keepalived that was killed has left there is told of it, not of the VIP */
        answers[0] = "installed\nhaproxy active\nkeepalived failed\nvrrp BACKUP 9\npage 200\n" UP VIP;
        preflight("", NULL);
}

/* lb0 was told of it, when it was in the cluster file. */
static void test_left(void **state) {
        static const struct {
                const char *peers, *answer, *id, *text;
                CheckState state;
        } cases[] = {
                { "peer 10.77.0.12\npeer 10.77.0.13\n", "10.77.0.13\n", "lb-left/lb0",
                  "the load balancer at 10.77.0.13 runs still, and is not in the cluster file",
                  CHECK_FAILED },
                { "peer 10.77.0.12\npeer 10.77.0.13\n", "", "lb-left/lb0", "does not run", CHECK_OK },
                /* a controller that was one as well */
                { "peer 10.77.0.20\n", "10.77.0.20\n", "vip/lb0", "held by lb1", CHECK_OK },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *said = xasprintf("%s%s", STANDBY, cases[i].peers);
                _cleanup_(check_list_done) CheckList checks = {};

                answers[0] = said;
                answers[1] = OWNER;
                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_string_equal(checks.checks[0].id, cases[i].id);
                assert_contains(checks.checks[0].text, cases[i].text);
                assert_int_equal(checks.checks[0].state, cases[i].state);
                if (cases[i].state == CHECK_FAILED) {
                        assert_contains(last_script, "H_ADDRESSES='10.77.0.13'\n");
                        assert_contains(checks.checks[0].advice, "hardway reset --node NAME");
                        assert_contains(checks.checks[0].advice, "switch off the machine at 10.77.0.13.");
                        assert_int_equal(checks.n_checks, 1);
                }
        }
}

/* Who is to let go of the VIP has it until its turn comes. */
static void test_former_holder(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        ProbeResult result = {};

        answers[0] = STANDBY;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_string_equal(result.text, "nobody holds the VIP");
        probe_result_done(&result);
        controllers_say = OWNER;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        probe_result_done(&result);
        /* when another one had its turn, which goes, too */
        assert_int_equal(keepalived_gate(&probes, f.nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        probe_result_done(&result);
        probes.before = true;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        probe_result_done(&result);

        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].text, "held by c0, which is to let go of it");
}

/* The cluster's own controller has it, and none of those that are to have it is there yet. */
static void test_former_holder_of_a_new_pair(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};

        answers[0] = answers[1] = "";
        controllers_say = OWNER;
        script_answer = "10.77.0.10 02:00:00:00:00:20\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].id, "vip/lb0");
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, "held by c0, which is no load balancer any more");
        assert_contains(checks.checks[0].advice, "give c0 the role loadbalancer in the cluster file again");
}

static void told(const Node *const *chosen, size_t n, const char *wanted) {
        _cleanup_(check_list_done) CheckList checks = {};

        probes.chosen = chosen;
        probes.n_chosen = n;
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].id, wanted ? "lb-told/lb0" : "vip/lb0");
        if (!wanted)
                return;
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, wanted);
        assert_contains(checks.checks[0].advice, "hardway install, or with --node");
}

/* Who does not know of it, or goes, has to be part of the run. */
static void test_told(void **state) {
        const Node *const alone[] = { LB0 }, *const both[] = { LB0, LB1 },
                          *const all[] = { f.nodes, LB0, LB1 };

        answers[0] = "";
        told(alone, 1, "lb1 runs, does not know of this load balancer yet");
        told(both, 2, NULL);
        told(NULL, 0, NULL);
        answers[1] = OWNER "peer 10.77.0.11\n";
        told(alone, 1, NULL);
        answers[1] = "installed\nkeepalived inactive\n";
        told(alone, 1, NULL);

        answers[0] = STANDBY "peer 10.77.0.12\npeer 10.77.0.20\n";
        answers[1] = OWNER;
        told(both, 2, NULL);
        controllers_say = OWNER;
        told(both, 2, "c0 is a load balancer no more, runs still");
        told(all, 3, NULL);
        controllers_say = "";
}

/* Who cannot be asked may come back with the list that it had. */
static void test_told_silent(void **state) {
        CheckList checks = {};
        const Check *check;

        answers[0] = "";
        answers[1] = NULL;
        script_answer = "";
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        check = find(&checks, "lb-told/lb0");
        assert_int_equal(check->state, CHECK_WARNING);
        assert_contains(check->text, "lb1 cannot be asked whether it knows of this load balancer");
        assert_contains(check->text, "hardway install --node lb1");
        check_list_done(&checks);

        /* one that runs was beside it before */
        answers[0] = OWNER;
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        for (size_t i = 0; i < checks.n_checks; i++)
                assert_int_equal(checks.checks[i].state, CHECK_OK);
        check_list_done(&checks);
}

/* Nor is it started before they know of it, whoever was to be part of the run. */
static void test_join(void **state) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0); /* it runs */
        answers[0] = "installed\nkeepalived inactive\npeer 10.77.0.12\n";
        assert_true(keepalived_join(&probes, LB0, &error) < 0);
        assert_contains(error->message, "lb1 runs and has not been told of it");
        answers[1] = OWNER "peer 10.77.0.11\n";
        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0);
        answers[1] = NULL;
        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0);
}

/* Two hold the VIP as one was not told of the other: what is about to be changed is what mends it. */
static void test_gate_of_strangers(void **state) {
        answers[0] = OWNER;
        answers[1] = OWNER "peer 10.77.0.11\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
        probes.before = true;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[0] = OWNER "peer 10.77.0.12\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
}

/* The cluster file has another VIP: who stands by is first, and who holds the old one lets go when the new one is held. */
static void test_another_vip(void **state) {
        static const char old_owner[] = WELL "vrrp MASTER 900\nvip 10.77.0.9\naddress 10.77.0.9/32\n";
        static const char old_standby[] = STANDBY "vip 10.77.0.9\n";
        bool leads;

        answers[0] = old_owner;
        answers[1] = old_standby;
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.9 still");
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_true(leads);
        assert_int_equal(keepalived_leads(&probes, LB1, &leads, NULL), 0);
        assert_false(leads);

        probes.before = true;
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL);
        expect(keepalived_gate, LB1, PROBE_READY, NULL);
        probes.before = false;
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL); /* a controller was changed */

        answers[1] = STANDBY "vip 10.77.0.10\n";
        expect(keepalived_gate, LB1, PROBE_WAITING, "nobody holds the VIP");
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.9 still");
        answers[1] = OWNER "vip 10.77.0.10\n";
        expect(keepalived_gate, LB1, PROBE_READY, NULL);
        probes.before = true;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        probes.before = false;
        answers[0] = STANDBY "vip 10.77.0.10\n";
        expect(keepalived_gate, LB0, PROBE_READY, NULL);

        /* told of the new one, and killed before it was started with it: the way on is forward */
        answers[0] = old_owner;
        answers[1] = STANDBY "vip 10.77.0.10\n";
        probes.before = true;
        expect(keepalived_gate, LB1, PROBE_READY, NULL);

        /* nobody holds any */
        answers[0] = old_standby;
        expect(keepalived_gate, LB1, PROBE_WAITING, "nobody holds the VIP");
}

static void spare(const Node *const *nodes, size_t n, ProbeState state, const char *text) {
        ProbeResult result = {};

        assert_int_equal(haproxy_spare(&probes, nodes, n, &result, NULL), 0);
        assert_int_equal(result.state, state);
        if (text)
                assert_contains(result.text, text);
        else
                assert_null(result.text);
        probe_result_done(&result);
}

static void test_spare(void **state) {
        const Node *const both[] = { LB0, LB1 }, *const controllers[] = { f.nodes, f.nodes + 1 };

        spare(controllers, 2, PROBE_READY, NULL);
        spare(both, 1, PROBE_READY, "One load balancer is left");
        spare(both, 2, PROBE_FAILED, "no load balancer that works would be left");
        answers[1] = NULL;
        spare(both, 1, PROBE_FAILED, "no load balancer");
        answers[0] = "installed\n"; /* it does nothing any more */
        spare(both, 2, PROBE_READY, NULL);

        /* the last that works may be one that is a load balancer no more */
        controllers_say = OWNER;
        spare(controllers, 1, PROBE_FAILED, "no load balancer that works would be left");
        answers[0] = STANDBY;
        spare(controllers, 1, PROBE_READY, "One load balancer is left");
        controllers_say = WELL "vrrp FAULT 1\n";
        answers[0] = "";
        spare(controllers, 1, PROBE_READY, NULL);
}

/* Adverts of others, of our own pair, and nobody to listen. */
static void test_vrrp_id(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "10.77.0.5 51\nlistened\n", "virtual router 51 is advertised by 10.77.0.5, too",
                  CHECK_WARNING },
                { "10.77.0.5 52\n10.77.0.12 51\nlistened\n", "no other virtual router 51 was heard",
                  CHECK_OK },
                { "10.77.0.5 x\n51\nlistened\n", "no other virtual router 51 was heard", CHECK_OK },
                { "", "not looked at: that takes perl", CHECK_OK },
        };

        probes.thorough = true;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_string_equal(checks.checks[1].id, "vrrp-id/lb0");
                assert_contains(checks.checks[1].text, cases[i].text);
                assert_int_equal(checks.checks[1].state, cases[i].state);
        }
        assert_contains(last_script, "H_ADDRESS='10.77.0.11'\n");

        CheckList six = {};
        use_ipv6();
        script_answer = "fe80::5 51\nlistened\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &six, NULL), 0);
        assert_contains(find(&six, "vrrp-id/lb0")->text, "virtual router 51 is advertised by fe80::5, too");
        assert_contains(last_script, "H_ADDRESS='fd77::11'\n");
        check_list_done(&six);
}

/* What the way to lb1 is found to be, and who is not asked. */
static void test_vrrp_reach(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "10.77.0.12 open\nasked\n", "VRRP gets to the others", CHECK_OK },
                { "10.77.0.12 silent\nasked\n", "VRRP (IP protocol 112): lb1 does not answer",
                  CHECK_FAILED },
                { "10.77.0.12 denied\nasked\n", "lb1 is kept from it by a firewall", CHECK_FAILED },
                { "10.77.0.12 unreachable\nasked\n", "lb1 cannot be reached", CHECK_FAILED },
                { "10.77.0.120 silent\n10.77.0.12 odd\nasked\n", "VRRP gets to the others", CHECK_OK },
                { "10.77.0.12 silent\n", "not looked at", CHECK_OK },
                { "", "not looked at", CHECK_OK },
        };

        answers[0] = answers[1] = "";
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, 2);
                assert_string_equal(checks.checks[1].id, "vrrp-reach/lb0");
                assert_contains(checks.checks[1].text, cases[i].text);
                assert_int_equal(checks.checks[1].state, cases[i].state);
                if (cases[i].state == CHECK_FAILED)
                        assert_contains(checks.checks[1].advice,
                                        "On lb1, where it is nftables: nft insert rule inet filter input ip "
                                        "saddr 10.77.0.11 meta l4proto 112 accept");
        }
        assert_contains(last_script, "H_ADDRESS='10.77.0.11'\nH_PEERS='10.77.0.12'\n");

        CheckList six = {};
        use_ipv6();
        script_answer = "fd77::12 silent\nasked\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &six, NULL), 0);
        assert_contains(find(&six, "vrrp-reach/lb0")->advice,
                        "input ip6 saddr fd77::11 meta l4proto 112 accept");
        assert_contains(last_script, "H_ADDRESS='fd77::11'\nH_PEERS='fd77::12'\n");
        check_list_done(&six);

        static const char *const not_asked[] = { STANDBY, NULL };
        for (size_t i = 0; i < ARRAY_SIZE(not_asked); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                answers[1] = not_asked[i];
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, answers[1] ? 1 : 2);
        }
}

static void test_looked_at_together(void **state) {
        _cleanup_pair_ LbPair pair = {};

        together = true;
        lb_pair_look(&probes, &pair);
        together = false;
        assert_int_equal(pair.n_peers, 2);
        assert_int_equal(pair.peers[0].result, 0);
        assert_int_equal(pair.peers[1].result, 0);
        assert_ptr_equal(pair.peers[0].node, LB0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_parse),
                pair_test(test_parse_tracking),
                pair_test(test_parse_empty),
                pair_test(test_haproxy_ready),
                pair_test(test_keepalived_ready),
                pair_test(test_haproxy_gate),
                pair_test(test_keepalived_gate),
                pair_test(test_hand_over),
                pair_test(test_hand_over_not),
                pair_test(test_left),
                pair_test(test_former_holder),
                pair_test(test_former_holder_of_a_new_pair),
                pair_test(test_told),
                pair_test(test_join),
                pair_test(test_gate_of_strangers),
                pair_test(test_another_vip),
                pair_test(test_spare),
                pair_test(test_set_aside),
                pair_test(test_bring_back),
                pair_test(test_verify),
                pair_test(test_verify_told),
                pair_test(test_told_silent),
                pair_test(test_foreign),
                pair_test(test_foreign_endless),
                pair_test(test_foreign_ipv6),
                pair_test(test_foreign_deaf),
                pair_test(test_preflight),
                pair_test(test_configs),
                pair_test(test_by_hand),
                pair_test(test_by_hand_for_an_instant),
                pair_test(test_vrrp_id),
                pair_test(test_looked_at_together),
                pair_test(test_vrrp_reach),
        };

        return cmocka_run_group_tests_name("load balancer pair", tests, NULL, NULL);
}
