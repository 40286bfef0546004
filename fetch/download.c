/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/download.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/attempt.h"
#include "http/transfer.h"

#define STEP_USEC (100 * USEC_PER_MSEC)

struct Downloads {
        DownloadOptions options;
        char *ca_bundle;
        CURLM *multi;
        Attempt **attempts; /* each transfer is one, whichever time it is tried */
        size_t n_attempts;
};

/**
 * downloads_new() - make a set of downloads
 * @options:    copied
 * @ret:        the set; the caller frees
 * @reterr:     says why libcurl cannot be used
 *
 * Return: 0 or a negative errno.
 */
int downloads_new(const DownloadOptions *options, Downloads **ret, Error **reterr) {
        Downloads *d;
        int r;

        r = transfer_init(reterr);
        if (r < 0)
                return r;

        d = xnew(Downloads, 1);
        d->options = *options;
        d->ca_bundle = xstrdup_null(options->ca_bundle);
        d->options.ca_bundle = d->ca_bundle;
        d->multi = curl_multi_init();
        if (!d->multi)
                abort();
        *ret = d;
        return 0;
}

static int downloads_start(Downloads *d, Attempt *a, Error **reterr) {
        int r;

        r = attempt_prepare(a, &d->options, reterr);
        if (r < 0)
                return r;
        if (curl_multi_add_handle(d->multi, a->curl) != CURLM_OK)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: cannot be started", a->url);
        a->running = true;
        return 0;
}

/**
 * downloads_add() - let another download wait for its turn
 * @d:          the set
 * @request:    what to download; the URL is copied
 */
void downloads_add(Downloads *d, const DownloadRequest *request) {
        d->attempts = xrealloc(d->attempts, d->n_attempts + 1, sizeof(Attempt*));
        d->attempts[d->n_attempts++] = attempt_new(request, d->options.cancelled);
}

static void downloads_stop(Downloads *d, Attempt *a) {
        if (a->running)
                (void) curl_multi_remove_handle(d->multi, a->curl);
        a->running = false;
}

/* A transfer has ended: tell its owner, or let it wait for the next time. */
static void downloads_finish(Downloads *d, Attempt *a, CURLcode code) {
        _cleanup_error_ Error *error = NULL;
        DownloadOutcome outcome = attempt_judge(a, code, &error);
        uint64_t wait = 0;

        if (outcome == DOWNLOAD_FAILED)
                wait = attempt_wait(a, code, &d->options);
        downloads_stop(d, a);

        if (wait > 0) {
                a->n_failed++;
                a->not_before = clock_usec() + wait;
                if (a->request.again)
                        a->request.again(a->request.userdata, error, wait);
                return;
        }

        /* Out of the list before done(), which may add to it. */
        for (size_t i = 0; i < d->n_attempts; i++)
                if (d->attempts[i] == a) {
                        memmove(d->attempts + i, d->attempts + i + 1,
                                (--d->n_attempts - i) * sizeof(Attempt*)); /* first come, first served */
                        break;
                }
        a->request.done(a->request.userdata, outcome, TAKE_PTR(error));
        attempt_free(a);
}

/*
 * So many to one server, and no more. The first to come to it makes the connection that the others may be able to share
 * (HTTP/2): they wait for it. Unless it fails; then each tries for itself, as waiting would add up.
 *
 * libcurl could queue what is too much for a server itself (CURLMOPT_MAX_HOST_CONNECTIONS, CURLOPT_PIPEWAIT).
 * But the time that a transfer waits in there counts as time to connect, since 8.8, and it then fails without
 * having been tried; and when many do so at once curl_multi_perform() may not come back (8.14.1).
 */
static bool downloads_may_start(const Downloads *d, const Attempt *a) {
        bool connected = false, failed = false;
        unsigned n_running = 0;

        for (size_t i = 0; i < d->n_attempts; i++) {
                const Attempt *other = d->attempts[i];

                if (!streq(other->origin, a->origin))
                        continue;
                n_running += other->running;
                connected = connected || (other->running && other->connected);
                failed = failed || other->n_failed > 0;
        }
        return n_running == 0 || (n_running < d->options.connections && (connected || failed));
}

/* Starts what has waited long enough; returns how long the first of the others still has to. */
static int downloads_wake(Downloads *d, uint64_t *ret_wait, Error **reterr) {
        uint64_t now = clock_usec();
        int r;

        *ret_wait = STEP_USEC;
        for (size_t i = 0; i < d->n_attempts; i++) {
                Attempt *a = d->attempts[i];

                if (a->running)
                        continue;
                if (a->not_before > now) {
                        if (a->not_before - now < *ret_wait)
                                *ret_wait = a->not_before - now;
                        continue;
                }
                if (!downloads_may_start(d, a))
                        continue;
                r = downloads_start(d, a, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * downloads_step() - let the downloads go on for a moment
 * @d:          the set
 * @reterr:     an error of the whole set; those of one download go to its done()
 *
 * Return: 1 while there is something to do, 0 when there is not; -ECANCELED, or another negative errno.
 */
int downloads_step(Downloads *d, Error **reterr) {
        int running = 0, left = 0, r;
        uint64_t wait;
        CURLMsg *message;

        if (d->options.cancelled && *d->options.cancelled)
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "stopped");
        if (d->n_attempts == 0)
                return 0;

        r = downloads_wake(d, &wait, reterr);
        if (r < 0)
                return r;
        if (curl_multi_perform(d->multi, &running) != CURLM_OK)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "libcurl cannot go on");

        while ((message = curl_multi_info_read(d->multi, &left))) {
                char *private = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
                downloads_finish(d, (Attempt*) (void*) private, message->data.result);
                running = 0; /* look for new ones before waiting */
                wait = 0;
        }

        if (wait > 0)
                (void) curl_multi_poll(d->multi, NULL, 0, (int) ((wait + USEC_PER_MSEC - 1) / USEC_PER_MSEC),
                                       NULL);
        return d->n_attempts > 0;
}

/**
 * downloads_free() - end all downloads
 * @d:          the set, may be NULL; done() is not called
 *
 * Return: NULL.
 */
Downloads* downloads_free(Downloads *d) {
        if (!d)
                return NULL;

        for (size_t i = 0; i < d->n_attempts; i++) {
                downloads_stop(d, d->attempts[i]);
                attempt_free(d->attempts[i]);
        }
        free(d->attempts);
        (void) curl_multi_cleanup(d->multi);
        free(d->ca_bundle);
        free(d);
        return NULL;
}
