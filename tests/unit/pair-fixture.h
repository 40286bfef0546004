/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lbsetup/internal.h"
#include "lbsetup/pair.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/lb-fixture.h"
#include "tests/unit/no-http.h"

/*
 * A pair of load balancers, each of which answers with a text, or cannot be asked
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

void fake_meanwhile(void) {
        if (answers_after_sleep)
                answers[0] = answers_after_sleep;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

/* Of the apiservers only c0 is ready. */
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        ret->status = strstr(request->url, "//10.77.0.20:") ? 200 : 500;
        return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* load balancers may be asked all at once */

static inline int fake_exec(void *userdata, const Node *node, const char *script, Buffer *ret,
                            Error **reterr) {
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
                                (int) (strstr(script, "\n# shellcheck ") + 1 - script), script);
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

static inline int setup(void **state) {
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

static inline int teardown(void **state) {
        free(last_script);
        last_script = NULL;
        return 0;
}

static inline void use_ipv6(void) {
        lb_fixture_address(&f.nodes[2].address, "fd77::11");
        lb_fixture_address(&f.nodes[3].address, "fd77::12");
        lb_fixture_address(&f.cluster.endpoint.address, "fd77::10");
}

#define pair_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define ASIDE "# haproxy spares an apiserver, or no more\n"
#define LB0 (&f.nodes[2])
#define LB1 (&f.nodes[3])

static inline void expect(int (*probe)(const ProbeContext *c, const Node *node, ProbeResult *ret,
                                       Error **reterr),
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

static inline Check* find(CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        fail_msg("no check %s", id);
        return NULL;
}

static inline void verify(CheckList *l) {
        check_list_done(l);
        assert_int_equal(haproxy_verify(&probes, l), 0);
        assert_int_equal(keepalived_verify(&probes, l), 0);
        for (size_t i = 0; i < l->n_checks; i++)
                assert_int_equal(l->checks[i].advice == NULL, l->checks[i].state == CHECK_OK);
}
