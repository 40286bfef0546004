/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock of a run
 *
 * A session on the node holds it, and a thread here sends it a byte every few seconds. When we end, however
 * we end, the session's input ends; when this machine falls asleep or is cut off, nothing comes; the node
 * lets go of the lock in both cases.
 *
 * It may also be lost while both are well and only slow. That does no harm by itself: it is taken again
 * before the next write (host_lock_keep()), and whoever wrote meanwhile has left another generation.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

#define BEAT_MSEC 5000
#define PATIENCE_SEC "20" /* twice, see lock.sh */
#define ANSWER_TIMEOUT_USEC (60 * USEC_PER_SEC)
#define RETRY_USEC (1 * USEC_PER_SEC)

struct HostLock {
        Process *process;
        pthread_t thread;
        bool has_thread;
        int stop; /* eventfd */
        int fd;   /* the session's input; lent by process */
        atomic_bool lost;
};

/* Ends when it is told to, or when the session has ended. */
static void* beat(void *userdata) {
        HostLock *l = userdata;
        struct pollfd fds[] = {
                { .fd = l->stop, .events = POLLIN },
                { .fd = l->fd, .events = POLLIN },
        };

        for (;;) {
                int n = poll(fds, ARRAY_SIZE(fds), BEAT_MSEC);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 || fds[0].revents)
                        return NULL;
                /* it says nothing while it holds the lock */
                if (fds[1].revents)
                        break;
                /* one that did not come to take the last ones yet has enough to live on */
                if (send(l->fd, ".", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN &&
                    errno != EINTR)
                        break;
        }
        l->lost = true;
        return NULL;
}

static HostLock* lock_free_(HostLock *l) {
        uint64_t one = 1;

        if (!l)
                return NULL;
        if (l->has_thread) {
                (void) !write(l->stop, &one, sizeof(one));
                (void) pthread_join(l->thread, NULL);
        }
        safe_close(l->stop);
        if (l->process) {
                /* the end of its input lets it go; so it is over when the next one tries */
                process_close_input(l->process);
                (void) process_wait(l->process, 2 * USEC_PER_SEC, NULL);
        }
        process_free(l->process);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(HostLock*, lock_free_)

/* 0: held. -EBUSY: by somebody else, as its standard error says. */
static int lock_answer(HostLock *l, Error **reterr) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        int r;

        r = channel_read_line(l->process, ANSWER_TIMEOUT_USEC, &line);
        if (r > 0 && streq(buffer_str(&line), "locked"))
                return 0;
        if (r < 0)
                return error_set(reterr, ERROR_UNAVAILABLE, r, "the node does not answer");
        (void) process_wait(l->process, 2 * USEC_PER_SEC, NULL);
        return script_error("lock", 1, process_errors(l->process), reterr);
}

/* One line, whatever was given. */
static void write_script(const char *holder, Buffer *text) {
        _cleanup_free_ char *line = xstrndup(holder, strcspn(holder, "\n"));

        shell_add_variable(text, "H_HOLDER", line);
        buffer_add_str(text, "H_SECONDS=" PATIENCE_SEC "\n");
        buffer_add(text, EMBED_LOCK_SH, EMBED_LOCK_SH_SIZE);
}

static int lock_try(Host *h, HostLock **ret, Error **reterr) {
        _cleanup_(lock_free_p) HostLock *l = xnew(HostLock, 1);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        l->stop = -EBADF;
        write_script(h->holder, &text);
        r = channel_start(h,
                          &(Script) {
                                  .name = "lock",
                                  .text = buffer_str(&text),
                                  .follows = "a dot every few seconds, for as long as the lock is held\n",
                          },
                          &l->process, reterr);
        if (r < 0)
                return r;
        r = lock_answer(l, reterr);
        if (r < 0)
                return r;
        l->fd = process_fd(l->process);
        l->stop = eventfd(0, EFD_CLOEXEC);
        if (l->stop < 0)
                return error_set_errno(reterr, errno, "cannot hold the lock");
        r = -pthread_create(&l->thread, NULL, beat, l);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hold the lock");
        l->has_thread = true;
        *ret = TAKE_PTR(l);
        return 0;
}

/**
 * host_lock() - take the node for this run
 * @h:          the host
 * @holder:     who we are, for the error that others get, see holder_format(); of one run always the same
 * @wait:       wait until it is free
 * @reterr:     names the holder
 *
 * Return: 0, 1 if that had to be waited for, -EBUSY if somebody else has it, -ECANCELED, or another negative errno.
 */
int host_lock(Host *h, const char *holder, bool wait, Error **reterr) {
        _cleanup_free_ char *ours = xstrdup(holder);
        bool told = false;

        if (h->lock && !h->lock->lost)
                return 0;
        host_unlock(h);
        h->holder = TAKE_PTR(ours);
        for (;;) {
                _cleanup_error_ Error *error = NULL;
                int r = lock_try(h, &h->lock, &error);

                if (r >= 0)
                        return told;
                if (r != -EBUSY)
                        return error_propagate(reterr, TAKE_PTR(error));
                if (!wait)
                        return error_set(reterr, ERROR_TEMPORARY, EBUSY, "in use by %s", error->message);
                if (h->cancelled && *h->cancelled)
                        return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "stopped while waiting for %s",
                                         error->message);
                if (!told && h->options.waiting)
                        h->options.waiting(h->options.userdata, h->node, error->message);
                told = true;
                clock_sleep(RETRY_USEC);
        }
}

void host_unlock(Host *h) {
        h->lock = lock_free_(h->lock);
        freep(&h->holder);
}

bool host_lock_is_lost(const Host *h) {
        return h->lock && h->lock->lost;
}

/**
 * host_lock_keep() - before a write: take a lock again that was lost
 * @h:          the host
 * @reterr:     names whoever has it now
 *
 * Return: 0, also where none was asked for; -EBUSY, or another negative errno.
 */
int host_lock_keep(Host *h, Error **reterr) {
        _cleanup_free_ char *holder = NULL;
        int r;

        if (!h->holder || (h->lock && !host_lock_is_lost(h)))
                return 0;
        holder = xstrdup(h->holder);
        r = host_lock(h, holder, /* wait= */ false, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "the node's lock was lost (was this machine asleep?)");
        return 0;
}
