/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/vouch.h"

#include "common/alloc.h"
#include "fetch/known.h"

/**
 * vouch_needed() - whether a program needs a signature
 * @request:    which program
 * @sha256:     its digest, as a mirror or a bundle says it, verified
 *
 * Return: false if its digest is known, or if nobody signs such programs.
 */
bool vouch_needed(const FetchRequest *request, const char *sha256) {
        return request->origin == ORIGIN_KUBERNETES && !streq_null(known_digest(request), sha256);
}

/**
 * vouch_refuse() - that nobody else vouches for a program
 * @who:        who does: "mirror", "bundle"
 * @accept:     what says that its word is enough
 * @request:    which program
 * @sha256:     its digest, as that says
 * @reterr:     set
 *
 * Return: -EKEYREJECTED.
 */
int vouch_refuse(const char *who, const char *accept, const FetchRequest *request, const char *sha256,
                 Error **reterr) {
        int r;

        r = error_set(
                reterr, ERROR_VERIFY, EKEYREJECTED,
                "nobody but the %s vouches for it: there is no signature with it, and its digest is not one that "
                "hardway knows",
                who);
        error_detail(reterr, "the %s:   %s", who, sha256);
        error_detail(
                reterr,
                "If it is a build of your own, or you trust the %s: %s. Or say what its digest has to be: "
                "--sha256 %s=HEX",
                who, accept, request->name);
        return r;
}
