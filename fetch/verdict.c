/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "fetch/item.h"

static void verdict_detail(const Verdict *v, Error **reterr) {
        if (*v->locked)
                error_detail(reterr, "hardway.lock: %s", v->locked);
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
                return "the file is what hardway.lock says, but its publisher now says something else of it";
        if (published && streq(v->published, v->file))
                return "file and publisher agree, but hardway.lock holds another digest: the file was "
                       "replaced since it was locked, or the mirror has another build";
        if (published && streq(v->published, v->locked))
                return "hardway.lock and publisher agree, but the file is another: damaged on the way, or exchanged";
        if (published)
                return "hardway.lock, publisher and file all have different digests";
        return "the file is not what hardway.lock says it is";
}

/**
 * verdict_check() - compare the digests in the lock, at the publisher, and of the file
 * @v:          the three, and where they are from
 * @reterr:     says which of them disagree
 *
 * Return: 0 if all that are known agree, -EBADMSG if not.
 */
int verdict_check(const Verdict *v, Error **reterr) {
        int r;

        if ((!*v->locked || streq(v->file, v->locked)) && (!*v->published || streq(v->file, v->published)) &&
            (*v->locked || *v->published))
                return 0;

        r = error_set(reterr, ERROR_VERIFY, EBADMSG, "wrong digest: %s", verdict_words(v));
        verdict_detail(v, reterr);
        return r;
}
