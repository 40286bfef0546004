/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/pins.h"

#include "common/alloc.h"

static bool pin_is_for(const FetchPin *pin, const FetchRequest *q) {
        return streq(pin->name, q->name) &&
               (!pin->architecture || streq(pin->architecture, q->architecture));
}

/**
 * pins_find() - the digest that was given for a binary
 * @o:          the options
 * @request:    the binary
 *
 * Return: the digest, lent; NULL if none was given.
 */
const char* pins_find(const FetchOptions *o, const FetchRequest *request) {
        for (size_t i = 0; i < o->n_pins; i++)
                if (pin_is_for(o->pins + i, request))
                        return o->pins[i].sha256;
        return NULL;
}

/**
 * pins_find_archive() - the digest that was given for an archive
 * @o:          the options
 * @layout:     of the download
 *
 * Return: the digest, lent; NULL if none was given, or if it is no archive.
 */
const char* pins_find_archive(const FetchOptions *o, const Layout *layout) {
        for (size_t i = 0; i < o->n_pins && layout->folder; i++)
                if (streq(o->pins[i].name, layout->basename))
                        return o->pins[i].sha256;
        return NULL;
}

static int pin_against_lock(const FetchOptions *o, const char *name, const char *pinned, const char *locked,
                            Error **reterr) {
        int r;

        if (!pinned || !locked || o->update_lock || streq(pinned, locked))
                return 0;
        r = error_set(
                reterr, ERROR_VERIFY, EBADMSG,
                "wrong digest: --sha256 says another than hardway.lock of %s; --update-lock replaces it",
                name);
        error_detail(reterr, "hardway.lock: %s", locked);
        error_detail(reterr, "--sha256:     %s", pinned);
        return r;
}

static int pin_check_use(const FetchPin *pin, const FetchRequest *requests, size_t n_requests,
                         Error **reterr) {
        const FetchRequest *first = NULL;
        bool archive = false;

        for (size_t i = 0; i < n_requests; i++) {
                Layout layout = LAYOUT_NULL;

                layout_init(requests + i, /* mirror= */ false, &layout);
                archive = archive || (layout.folder && streq(pin->name, layout.basename));
                layout_done(&layout);
                if (!pin_is_for(pin, requests + i))
                        continue;
                if (first && !streq(first->architecture, requests[i].architecture))
                        return error_set(
                                reterr, ERROR_USAGE, EINVAL,
                                "--sha256: %s is needed for several architectures: say which, as in "
                                "%s/%s=...",
                                pin->name, pin->name, first->architecture);
                first = first ?: requests + i;
        }
        if (!first && !archive)
                return error_set(reterr, ERROR_USAGE, EINVAL, "--sha256: no binary '%s%s%s' is needed",
                                 pin->name, pin->architecture ? "/" : "", pin->architecture ?: "");
        return 0;
}

/**
 * pins_check() - whether each digest that was given is of one thing that is needed, and not against the lock
 * @o:          the options
 * @requests:   what is needed
 * @n_requests: how many
 * @lock:       what is pinned
 * @reterr:     says which is not
 *
 * Return: 0 or a negative errno.
 */
int pins_check(const FetchOptions *o, const FetchRequest *requests, size_t n_requests, const Lock *lock,
               Error **reterr) {
        int r = 0;

        for (size_t i = 0; i < o->n_pins && r >= 0; i++)
                r = pin_check_use(o->pins + i, requests, n_requests, reterr);
        for (size_t i = 0; i < n_requests && r >= 0; i++) {
                const FetchRequest *q = requests + i;
                const LockEntry *e = lock_find(lock, q->name, q->version, q->architecture);
                Layout layout = LAYOUT_NULL;

                layout_init(q, /* mirror= */ false, &layout);
                r = pin_against_lock(o, q->name, pins_find(o, q), e ? e->sha256 : NULL, reterr);
                if (r >= 0)
                        r = pin_against_lock(o, layout.basename, pins_find_archive(o, &layout),
                                             e ? e->archive : NULL, reterr);
                layout_done(&layout);
        }
        return r;
}
