/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <pthread.h>
#include <signal.h>

#include "common/alloc.h"
#include "common/parallel.h"

typedef struct Worker {
        pthread_t thread;
        bool running;
        void (*job)(void *item);
        void *item;
} Worker;

static void* worker_main(void *userdata) {
        Worker *w = userdata;

        w->job(w->item);
        return NULL;
}

static void worker_start(Worker *w) {
        sigset_t all, before;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_BLOCK, &all, &before);
        w->running = pthread_create(&w->thread, NULL, worker_main, w) == 0;
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!w->running)
                w->job(w->item);
}

/**
 * parallel_each() - do a job to each item of an array, all at once, and wait for the end of all
 * @job:        called once per item, each in a thread of its own
 * @items:      lent to the jobs
 * @item_size:  of one, in bytes
 * @n_items:    how many
 */
void parallel_each(void (*job)(void *item), void *items, size_t item_size, size_t n_items) {
        _cleanup_free_ Worker *workers = xnew(Worker, n_items + 1);

        for (size_t i = 0; i < n_items; i++) {
                workers[i] = (Worker) { .job = job, .item = (char*) items + i * item_size };
                worker_start(&workers[i]);
        }
        for (size_t i = 0; i < n_items; i++)
                if (workers[i].running)
                        (void) pthread_join(workers[i].thread, NULL);
}
