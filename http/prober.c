/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/prober.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"

/*
 * As many threads as there can be requests under way at the same time. The i'th of n sends the i'th request,
 * the i+n'th and so on, at their times: when it has to send the next one, the one before is over.
 */

typedef struct Sample {
        uint64_t begin, end;
        bool good;
} Sample;

typedef struct Worker {
        Prober *prober;
        unsigned number;
        HttpClient *http;
        pthread_t thread;
        bool started;
} Worker;

struct Prober {
        char *url, *method, *content_type;
        char *(*body)(unsigned turn);
        uint64_t interval_usec, timeout_usec;
        uint64_t begin;
        Worker *workers;
        unsigned n_workers;

        pthread_mutex_t mutex; /* for all below */
        pthread_cond_t stop;
        bool stopping;
        Sample *samples; /* in the order in which they ended */
        size_t n_samples, size;
        char *error; /* the last failure */
        uint64_t error_end;
};

static void remember(Prober *p, const Sample *sample, Error *error) {
        (void) pthread_mutex_lock(&p->mutex);
        if (p->n_samples == p->size) {
                p->size = p->size * 2 + 256;
                p->samples = xrealloc(p->samples, p->size, sizeof(Sample));
        }
        p->samples[p->n_samples++] = *sample;
        if (error) {
                free(p->error);
                p->error = xstrdup(error->message);
                p->error_end = sample->end;
        }
        (void) pthread_mutex_unlock(&p->mutex);
}

static void ask(Worker *w, unsigned turn) {
        Prober *p = w->prober;
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *body = p->body ? p->body(turn) : NULL;
        _cleanup_error_ Error *error = NULL;
        const HttpRequest request = {
                .method = p->method,
                .url = p->url,
                .content_type = p->content_type,
                .body = body,
                .body_size = body ? strlen(body) : 0,
                .timeout_usec = p->timeout_usec,
                .connect_timeout_usec = p->timeout_usec,
                .fresh = true,
                .often = turn > 0,
        };
        Sample sample = { .begin = clock_usec() };
        int r;

        r = http_request(w->http, &request, &response, &error);
        if (r >= 0 && response.status >= 300)
                r = http_response_error(&response, &request, &error);
        sample.end = clock_usec();
        sample.good = r >= 0;
        remember(p, &sample, error);
}

/* Return: false when it is time to end. */
static bool wait_until(Prober *p, uint64_t usec) {
        const struct timespec ts = { .tv_sec = (time_t) (usec / USEC_PER_SEC),
                                     .tv_nsec = (long) (usec % USEC_PER_SEC * 1000) };
        bool stopping;

        (void) pthread_mutex_lock(&p->mutex);
        while (!p->stopping && pthread_cond_timedwait(&p->stop, &p->mutex, &ts) == 0)
                ;
        stopping = p->stopping;
        (void) pthread_mutex_unlock(&p->mutex);
        return !stopping;
}

static void* work(void *userdata) {
        Worker *w = userdata;
        Prober *p = w->prober;

        for (unsigned turn = w->number; wait_until(p, p->begin + turn * p->interval_usec);
             turn += p->n_workers)
                ask(w, turn);
        return NULL;
}

static int start_workers(Prober *p, const HttpTrust *trust, Error **reterr) {
        sigset_t all, before;
        int r = 0;

        for (unsigned i = 0; i < p->n_workers; i++) {
                p->workers[i] = (Worker) { .prober = p, .number = i };
                r = http_client_new(trust, &p->workers[i].http, reterr);
                if (r < 0)
                        return r;
        }
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
        for (unsigned i = 0; i < p->n_workers && r == 0; i++) {
                r = pthread_create(&p->workers[i].thread, NULL, work, p->workers + i);
                p->workers[i].started = r == 0;
        }
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r == 0 ? 0 : error_set(reterr, ERROR_TEMPORARY, r, "no thread to ask %s from", p->url);
}

/**
 * prober_start() - begin to ask
 * @request:    what, how often, and how long to wait
 * @ret:        the prober; the caller ends it with prober_free()
 * @reterr:     why it cannot begin; what the server says is no error
 *
 * Return: 0 or a negative errno.
 */
int prober_start(const ProberRequest *request, Prober **ret, Error **reterr) {
        _cleanup_(prober_freep) Prober *p = xnew(Prober, 1);
        pthread_condattr_t attributes;
        int r;

        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&p->stop, &attributes);
        (void) pthread_condattr_destroy(&attributes);
        (void) pthread_mutex_init(&p->mutex, NULL);
        p->url = xstrdup(request->url);
        p->method = request->method ? xstrdup(request->method) : NULL;
        p->content_type = request->content_type ? xstrdup(request->content_type) : NULL;
        p->body = request->body;
        p->interval_usec = USEC_PER_SEC / request->rate;
        p->timeout_usec = request->timeout_usec;
        /* One more than fit into the time that a request has, and one for what is late. */
        p->n_workers = (unsigned) (request->timeout_usec / p->interval_usec) + 2;
        p->workers = xnew(Worker, p->n_workers);
        p->begin = clock_usec() + p->interval_usec;
        r = start_workers(p, request->trust, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

/* The end of the last good answer before then; or then, if there was none. */
static uint64_t last_good_before(const Prober *p, uint64_t usec) {
        for (size_t i = p->n_samples; i > 0; i--)
                if (p->samples[i - 1].good && p->samples[i - 1].end <= usec)
                        return p->samples[i - 1].end;
        return usec;
}

static void note_gap(ProberSum *s, uint64_t *last, uint64_t now) {
        if (now > *last && now - *last > s->gap_usec)
                s->gap_usec = now - *last;
        *last = now;
}

/**
 * prober_sum() - what became of the requests
 * @p:          the prober
 * @since:      of clock_usec(): those that have ended since then count
 * @ret:        the sum
 *
 * A gap that begins with the last good answer before then, and one that lasts still, count in full.
 */
void prober_sum(Prober *p, uint64_t since, ProberSum *ret) {
        ProberSum s = {};
        uint64_t last;

        (void) pthread_mutex_lock(&p->mutex);
        last = last_good_before(p, since);
        for (size_t i = 0; i < p->n_samples; i++) {
                const Sample *sample = p->samples + i;

                if (sample->end <= since)
                        continue;
                if (sample->good) {
                        s.answered++;
                        note_gap(&s, &last, sample->end);
                } else {
                        s.failed++;
                        s.failing_usec = sample->end - since;
                }
        }
        note_gap(&s, &last, clock_usec());
        if (p->error && p->error_end > since)
                s.error = xstrdup(p->error);
        (void) pthread_mutex_unlock(&p->mutex);
        *ret = s;
}

/**
 * prober_well_usec() - how long all has been well
 * @p:          the prober
 *
 * Return: the time from the first to the last of the good answers since the last one that was not; 0 if there
 * was none for longer than a request may take.
 */
uint64_t prober_well_usec(Prober *p) {
        uint64_t first = 0, last = 0;

        (void) pthread_mutex_lock(&p->mutex);
        for (size_t i = p->n_samples; i > 0 && p->samples[i - 1].good; i--) {
                first = p->samples[i - 1].end;
                last = last ?: first;
        }
        (void) pthread_mutex_unlock(&p->mutex);
        return last + p->timeout_usec < clock_usec() ? 0 : last - first;
}

void prober_sum_done(ProberSum *s) {
        free(s->error);
        *s = (ProberSum) {};
}

/**
 * prober_free() - ask no more
 * @p:          the prober, may be NULL
 *
 * Return: NULL.
 */
Prober* prober_free(Prober *p) {
        if (!p)
                return NULL;
        (void) pthread_mutex_lock(&p->mutex);
        p->stopping = true;
        (void) pthread_cond_broadcast(&p->stop);
        (void) pthread_mutex_unlock(&p->mutex);
        for (unsigned i = 0; i < p->n_workers; i++) {
                if (p->workers[i].started)
                        (void) pthread_join(p->workers[i].thread, NULL);
                http_client_free(p->workers[i].http);
        }
        free(p->workers);
        free(p->samples);
        free(p->error);
        free(p->url);
        free(p->method);
        free(p->content_type);
        (void) pthread_cond_destroy(&p->stop);
        (void) pthread_mutex_destroy(&p->mutex);
        free(p);
        return NULL;
}
