/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What lies on the node, as far as this run knows: digests, and the stamps under which they were seen. */

#include <stdlib.h>

#include "common/alloc.h"
#include "host/host-internal.h"

AppliedFile* applied_copy(const AppliedFile *files, size_t n_files) {
        AppliedFile *copy = xnew(AppliedFile, n_files);

        for (size_t i = 0; i < n_files; i++)
                copy[i] = (AppliedFile) {
                        .path = xstrdup(files[i].path),
                        .sha256 = xstrdup(files[i].sha256),
                        .stamp = xstrdup(files[i].stamp),
                };
        return copy;
}

AppliedFile* applied_free(AppliedFile *files, size_t n_files) {
        for (size_t i = 0; i < n_files; i++) {
                free(files[i].path);
                free(files[i].sha256);
                free(files[i].stamp);
        }
        free(files);
        return NULL;
}

const AppliedFile* known_find(const Host *h, const char *path) {
        return applied_find(h->known, h->n_known, path);
}

/**
 * known_set() - keep in mind what lies under a path
 * @h:          the host
 * @path:       the path
 * @sha256:     the digest of what is there; NULL: what is known stays known
 * @stamp:      the stamp that belongs to it
 */
void known_set(Host *h, const char *path, const char *sha256, const char *stamp) {
        AppliedFile *f = (AppliedFile*) known_find(h, path);

        if (!f) {
                if (!sha256)
                        return;
                h->known = xrealloc(h->known, h->n_known + 1, sizeof(AppliedFile));
                f = h->known + h->n_known++;
                *f = (AppliedFile) { .path = xstrdup(path) };
        }
        if (sha256) {
                free(f->sha256);
                f->sha256 = xstrdup(sha256);
        }
        free(f->stamp);
        f->stamp = xstrdup(stamp);
}

/**
 * known_forget() - nothing lies under a path any more
 * @h:          the host
 * @path:       the path
 */
void known_forget(Host *h, const char *path) {
        AppliedFile *f = (AppliedFile*) known_find(h, path);

        if (!f)
                return;
        free(f->path);
        free(f->sha256);
        free(f->stamp);
        *f = h->known[--h->n_known];
}
