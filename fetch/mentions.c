/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a program has a flag, by its bytes
 *
 * Go programs carry the names of their flags as text, so a name that is nowhere in the file is none of its flags; one that is
 * there may be something else. Some are put together when the program starts: "audit-%s-mode", and with underscores for
 * dashes (kubernetes apiserver/pkg/server/options/audit.go, kube-controller-manager's concurrent_rc_syncs).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/strv.h"
#include "fetch/fetch.h"

static bool mentions(const char *data, size_t size, const char *text) {
        return memmem(data, size, text, strlen(text)) != NULL;
}

static bool mentions_underscores(const char *data, size_t size, const char *name) {
        _cleanup_free_ char *text = xstrdup(name);

        for (char *p = text; *p; p++)
                if (*p == '-')
                        *p = '_';
        return mentions(data, size, text);
}

/* The first and the last part of a name that is put together are written out. */
static bool mentions_pattern(const char *data, size_t size, const char *name) {
        for (const char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-')) {
                const char *rest = strchr(dash + 1, '-');
                _cleanup_free_ char *text =
                        rest ? xasprintf("%.*s-%%s%s", (int) (dash - name), name, rest) : NULL;

                if (text && mentions(data, size, text))
                        return true;
        }
        return false;
}

static bool knows(const char *data, size_t size, const char *name) {
        return mentions(data, size, name) || mentions_underscores(data, size, name) ||
               mentions_pattern(data, size, name);
}

/**
 * fetch_knows_flags() - which of these flags a binary in the cache cannot have
 * @cache:      the cache's directory, or NULL for the default
 * @entry:      the binary
 * @names:      names of flags, without dashes
 * @ret:        those that are nowhere in it; the caller frees
 *
 * Return: 0, or a negative errno if the binary is not there or cannot be read.
 */
int fetch_knows_flags(const char *cache, const LockEntry *entry, char *const *names, Strv *ret) {
        _cleanup_free_ char *path = fetch_cache_path(cache, entry);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        Strv unknown = NULL;
        struct stat st;
        void *data;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size <= 0)
                return -EINVAL;
        data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        STRV_FOREACH(name, names)
                if (!knows(data, (size_t) st.st_size, *name))
                        strv_add(&unknown, *name);
        (void) munmap(data, (size_t) st.st_size);
        *ret = unknown;
        return 0;
}
