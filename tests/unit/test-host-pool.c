/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is done with the hosts of a pool
 *
 * Wraps: host_pool_take host_pool_give host_exec_for
 */

#include "tests/unit/unit.h"

#include <pthread.h>
#include <time.h>

#include "host/pool.h"

#define N 3

static Node nodes[N];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static unsigned n_at_once;
static bool alone, is_dead;

int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        *ret = (Host*) (void*) node;
        return 0;
}

void __wrap_host_pool_give(HostPool *p, const Node *node);
void __wrap_host_pool_give(HostPool *p, const Node *node) {}

/* The first answers once all are asked; the second lets nobody in, and the third is away: a connection to it was left open. */
int __wrap_host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr);
int __wrap_host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr) {
        const Node *node = (const void*) h;
        struct timespec end;

        (void) clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += 20;
        (void) pthread_mutex_lock(&mutex);
        n_at_once++;
        (void) pthread_cond_broadcast(&came);
        while (n_at_once < N && !alone)
                alone = pthread_cond_timedwait(&came, &mutex, &end) != 0;
        (void) pthread_mutex_unlock(&mutex);
        if (node == nodes + 2 && !is_dead) {
                is_dead = true;
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET, "ssh: was lost");
        }
        switch (node - nodes) {
        case 0:
                return 0;
        case 1:
                return error_set(reterr, ERROR_PERMISSION, EACCES, "ssh: does not let us in");
        default:
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTDOWN, "ssh: does not answer");
        }
}

static void test_reach(void **state) {
        const Node *const all[N] = { nodes, nodes + 1, nodes + 2 };
        Error *errors[N] = {};

        host_pool_reach(NULL, all, N, errors);
        assert_false(alone);
        assert_null(errors[0]);
        assert_false(host_is_away(errors[1]));
        assert_true(host_is_away(errors[2]));
        error_free(errors[1]);
        error_free(errors[2]);
}

/* Nobody takes a connection there; all others are there, whatever they lack. */
static void test_away(void **state) {
        static const struct {
                ErrorKind kind;
                int errnum;
                bool away;
        } cases[] = {
                { ERROR_UNAVAILABLE, ECONNREFUSED, true }, { ERROR_UNAVAILABLE, EHOSTUNREACH, true },
                { ERROR_UNAVAILABLE, ENETUNREACH, true },  { ERROR_UNAVAILABLE, EHOSTDOWN, true },
                { ERROR_UNAVAILABLE, ETIMEDOUT, false },   { ERROR_UNAVAILABLE, ENOENT, false },
                { ERROR_UNAVAILABLE, EREMOTEIO, false },   { ERROR_UNAVAILABLE, EPROTO, false },
                { ERROR_UNAVAILABLE, ECONNRESET, false },  { ERROR_TEMPORARY, EAGAIN, false },
                { ERROR_PERMISSION, EACCES, false },       { ERROR_IO, ENOSPC, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const Error error = { .kind = cases[i].kind, .errnum = cases[i].errnum };

                assert_int_equal(host_is_away(&error), cases[i].away);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reach),
                cmocka_unit_test(test_away),
        };

        return cmocka_run_group_tests_name("host-pool", tests, NULL, NULL);
}
