/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "fetch/item.h"

static void verdict_detail(const Verdict *v, Error **reterr) {
        if (*v->locked)
                error_detail(reterr, "%-13s %s", v->by_hand ? "--sha256:" : "hardway.lock:", v->locked);
        if (v->known)
                error_detail(reterr, "known:        %s (the official release)", v->known);
        error_detail(reterr, "published:    %s (%s)", *v->published ? v->published : "nothing",
                     v->checksums_url);
        error_detail(reterr, "the file:     %s (%s)", *v->file ? v->file : "not read to its end", v->url);
}

/* Which of the three is alone says where to look. */
static const char* verdict_words(const Verdict *v) {
        bool published = *v->published;

        if (!*v->locked)
                return "the file is not what its publisher says; it was damaged on the way or exchanged";
        if (streq(v->file, v->locked))
                return v->by_hand ?
                               "the file is what --sha256 says, but its publisher says something else of it" :
                               "the file is what hardway.lock says, but its publisher now says something "
                               "else of it";
        if (v->by_hand)
                return "the file is not what --sha256 says";
        if (published && streq(v->published, v->file))
                return "file and publisher agree, but hardway.lock holds another digest: the file was "
                       "replaced since it was locked, or the mirror has another build";
        if (published && streq(v->published, v->locked))
                return "hardway.lock and publisher agree, but the file is another: damaged on the way, or exchanged";
        if (published)
                return "hardway.lock, publisher and file all have different digests";
        return "the file is not what hardway.lock says it is";
}

/* A build of somebody's own has other bytes than the release, and may still be what is wanted: but not unasked. */
static int verdict_known(const Verdict *v, const char *digest, Error **reterr) {
        int r;

        if (!v->known || v->by_hand || streq(digest, v->known))
                return 0;
        if (!v->official && (v->accept || (*v->locked && streq(digest, v->locked))))
                return 0;

        r = error_set(
                reterr, ERROR_VERIFY, EBADMSG, "wrong digest: %s",
                v->official ?
                        "what the official site sends is not the release, whose digest hardway knows" :
                        "the mirror's file is not the official release, whose digest hardway knows, but "
                        "another build");
        verdict_detail(v, reterr);
        if (!v->official)
                error_detail(
                        reterr,
                        "If it is the mirror's own build, and you trust it: hardway fetch --accept-mirror");
        return r;
}

/**
 * verdict_early() - what can be said before the file is read
 * @v:          the digests that are known; that of the file is not looked at
 * @reterr:     says which of them disagree
 *
 * Return: 0, or -EBADMSG if it is not worth reading.
 */
int verdict_early(const Verdict *v, Error **reterr) {
        return *v->published && !*v->locked ? verdict_known(v, v->published, reterr) : 0;
}

/**
 * verdict_check() - compare the digests in the lock, at the publisher, and of the file
 * @v:          the three, where they are from, and what this program knows of the release
 * @reterr:     says which of them disagree
 *
 * Return: 0 if all that are known agree, -EBADMSG if not.
 */
int verdict_check(const Verdict *v, Error **reterr) {
        int r;

        if ((!*v->locked || streq(v->file, v->locked)) && (!*v->published || streq(v->file, v->published)) &&
            (*v->locked || *v->published))
                return verdict_known(v, v->file, reterr);

        r = error_set(reterr, ERROR_VERIFY, EBADMSG, "wrong digest: %s", verdict_words(v));
        verdict_detail(v, reterr);
        if (*v->locked && !v->by_hand && *v->published && streq(v->published, v->file)) {
                error_detail(reterr, "If that is right, hardway fetch --update-lock changes hardway.lock:");
                error_detail(reterr, "-%s", v->locked);
                error_detail(reterr, "+%s", v->file);
        }
        return r;
}
