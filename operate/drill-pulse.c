/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * When was a host last heard?
 *
 * The command that cuts a host off takes its time, before it does so and afterwards; what clients notice is
 * counted from when the host fell silent. It is asked for a connection, by a thread of its own, to a port that nobody
 * listens on: the kernel refuses that at once, and nobody on the host logs it. Where a firewall drops such
 * questions nothing is heard at all.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "operate/drill-internal.h"

#define PULSE_INTERVAL (10 * USEC_PER_MSEC)
#define PULSE_SILENCE (100 * USEC_PER_MSEC) /* ten that were missed */
#define PULSE_WAIT USEC_PER_SEC

struct Pulse {
        InetAddress address;
        unsigned port;
        pthread_t thread;
        bool started;

        pthread_mutex_t mutex; /* for all below */
        bool stopping;
        bool silent;   /* the last question got no answer; on a busy machine long may pass without one */
        uint64_t last; /* of clock_usec(); 0: never */
};

static bool is_heard(const Pulse *p) {
        _cleanup_close_ int fd = inet_connect_begin(&p->address, p->port);
        struct pollfd wait = { .fd = fd, .events = POLLOUT };
        int error;

        if (fd < 0)
                return fd == -ECONNREFUSED;
        if (poll(&wait, 1, PULSE_SILENCE / USEC_PER_MSEC) <= 0)
                return false;
        error = inet_connect_end(fd);
        return error == 0 || error == ECONNREFUSED;
}

/* Return: false when it is time to end. */
static bool note(Pulse *p, bool heard) {
        bool stopping;

        (void) pthread_mutex_lock(&p->mutex);
        p->silent = !heard;
        if (heard)
                p->last = clock_usec();
        stopping = p->stopping;
        (void) pthread_mutex_unlock(&p->mutex);
        return !stopping;
}

static void* listen_to(void *userdata) {
        Pulse *p = userdata;

        while (note(p, is_heard(p)))
                clock_sleep(PULSE_INTERVAL);
        return NULL;
}

/**
 * drill_pulse_start() - begin to listen to a host
 * @address:    the host's
 * @port:       one that nobody listens on; without an answer within a tenth of a second it was silent
 *
 * Return: to be ended by drill_pulse_end().
 */
Pulse* drill_pulse_start(const InetAddress *address, unsigned port) {
        Pulse *p = xnew(Pulse, 1);
        sigset_t all, before;

        p->address = *address;
        p->port = port;
        (void) pthread_mutex_init(&p->mutex, NULL);
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
        p->started = pthread_create(&p->thread, NULL, listen_to, p) == 0;
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return p;
}

static bool is_silent(Pulse *p, uint64_t *ret_last) {
        bool silent;

        (void) pthread_mutex_lock(&p->mutex);
        silent = p->silent;
        *ret_last = p->last;
        (void) pthread_mutex_unlock(&p->mutex);
        return silent;
}

/**
 * drill_pulse_end() - listen no more
 * @p:          consumed; may be NULL. It is waited until the host is silent, for a second at most
 *
 * Return: when it was last heard (of clock_usec()), or 0 if never, or if it is still heard.
 */
uint64_t drill_pulse_end(Pulse *p) {
        uint64_t begun = clock_usec(), last;
        bool silent;

        if (!p)
                return 0;
        while (!(silent = is_silent(p, &last)) && clock_usec() - begun < PULSE_WAIT)
                clock_sleep(PULSE_INTERVAL);
        (void) pthread_mutex_lock(&p->mutex);
        p->stopping = true;
        (void) pthread_mutex_unlock(&p->mutex);
        if (p->started)
                (void) pthread_join(p->thread, NULL);
        (void) pthread_mutex_destroy(&p->mutex);
        free(p);
        return silent ? last : 0;
}
