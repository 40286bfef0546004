/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The ways from this machine: a connection is begun to each, all at once, and given up when it is clear how
 * it goes
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "common/alloc.h"
#include "common/clock.h"

/* As long as questions.sh waits: so two retries of the kernel's, after one and three seconds, are in it. */
#define TIMEOUT_USEC (4 * USEC_PER_SEC)

static WayState state_of(int error) {
        switch (error) {
        case 0:
                return WAY_OPEN;
        case ECONNREFUSED:
                return WAY_REFUSED;
        case ETIMEDOUT:
                return WAY_SILENT;
        default:
                return WAY_UNREACHABLE;
        }
}

static void note(Answers *a, const CheckWay *way, int error) {
        _cleanup_free_ char *target = way_target(&way->to->address, way->port);
        WayState state = state_of(error);

        answers_add_way(a, target, state, state == WAY_UNREACHABLE ? strerror(error) : NULL);
}

/* One round of waiting. Return: how many are still under way. */
static size_t wait_once(const CheckWay *ways, struct pollfd *polls, size_t n, uint64_t left, Answers *a) {
        size_t open = 0;

        (void) poll(polls, n, (int) (left / USEC_PER_MSEC) + 1);
        for (size_t i = 0; i < n; i++) {
                if (polls[i].fd >= 0 && polls[i].revents != 0) {
                        note(a, ways + i, inet_connect_end(polls[i].fd));
                        polls[i].fd = safe_close(polls[i].fd);
                }
                open += polls[i].fd >= 0;
        }
        return open;
}

/**
 * check_ask_here() - try the ways from this machine to the nodes
 * @w:          the world
 * @ret:        its ways are set; freed by answers_done()
 */
void check_ask_here(const CheckWorld *w, Answers *ret) {
        _cleanup_free_ CheckWay *ways = NULL;
        size_t n = check_ways(w, NULL, &ways), open = 0;
        _cleanup_free_ struct pollfd *polls = xnew(struct pollfd, n + 1);
        uint64_t deadline = clock_usec() + TIMEOUT_USEC;

        *ret = (Answers) {};
        for (size_t i = 0; i < n; i++) {
                polls[i] = (struct pollfd){ .fd = inet_connect_begin(&ways[i].to->address, ways[i].port),
                                            .events = POLLOUT };
                if (polls[i].fd < 0)
                        note(ret, ways + i, -polls[i].fd);
                open += polls[i].fd >= 0;
        }
        while (open > 0 && clock_usec() < deadline)
                open = wait_once(ways, polls, n, deadline - clock_usec(), ret);
        for (size_t i = 0; i < n; i++)
                if (polls[i].fd >= 0) {
                        note(ret, ways + i, ETIMEDOUT);
                        (void) close(polls[i].fd);
                }
}
