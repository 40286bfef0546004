/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/kept.h"

#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"

static char* kept_path(const char *cache, const char *sha256, const char *ending) {
        return xasprintf("%s/" KEPT_PAPERS "/%s%s", cache, sha256, ending);
}

/**
 * kept_write() - keep a program's papers
 * @cache:      the cache's directory
 * @sha256:     the program's digest
 * @signature:  as it was published, verified
 * @certificate: the same
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int kept_write(const char *cache, const char *sha256, const Buffer *signature, const Buffer *certificate,
               Error **reterr) {
        _cleanup_free_ char *directory = xasprintf("%s/" KEPT_PAPERS, cache),
                            *first = kept_path(cache, sha256, KEPT_SIGNATURE),
                            *second = kept_path(cache, sha256, KEPT_CERTIFICATE);
        int r;

        r = fs_mkdir_parents(AT_FDCWD, directory, 0755, reterr);
        if (r >= 0)
                r = fs_write(AT_FDCWD, first, signature->data, signature->size, 0644, 0, reterr);
        if (r >= 0)
                r = fs_write(AT_FDCWD, second, certificate->data, certificate->size, 0644, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * kept_read() - the papers that were kept of a program
 * @cache:      the cache's directory
 * @sha256:     the program's digest
 * @trust:      who may have signed, as for signature_check()
 * @ret:        both; given back with kept_done()
 *
 * Return: false unless both are there, and right.
 */
bool kept_read(const char *cache, const char *sha256, const SignatureTrust *trust, KeptPapers *ret) {
        _cleanup_free_ char *first = kept_path(cache, sha256, KEPT_SIGNATURE),
                            *second = kept_path(cache, sha256, KEPT_CERTIFICATE);
        _cleanup_(kept_done) KeptPapers k = {};

        if (fs_read(AT_FDCWD, first, SIGNATURE_SIZE_MAX, &k.signature, NULL) < 0 ||
            fs_read(AT_FDCWD, second, SIGNATURE_CERTIFICATE_SIZE_MAX, &k.certificate, NULL) < 0 ||
            !kept_have(&k) || signature_check(trust, sha256, &k.signature, &k.certificate, NULL) < 0)
                return false;
        *ret = k;
        k = (KeptPapers) {};
        return true;
}

/**
 * kept_have() - whether there are papers
 * @k:          the papers
 *
 * Return: true if both are there; whether they are right, signature_check() says.
 */
bool kept_have(const KeptPapers *k) {
        return k->signature.size > 0 && k->certificate.size > 0;
}

/**
 * kept_done() - free papers
 * @k:          the papers, empty and ready for use afterwards
 */
void kept_done(KeptPapers *k) {
        buffer_done(&k->signature);
        buffer_done(&k->certificate);
}
