/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pki-file.h"

#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"

char* pki_ca_word(const char *name) {
        size_t n = strlen(name);

        if (endswith(name, "ca"))
                n -= strlen("ca");
        while (n > 0 && (name[n - 1] == '/' || name[n - 1] == '-'))
                n--;
        return n > 0 ? xstrndup(name, n) : xstrdup("cluster");
}

int pki_find_ca(const StoreRequest *requests, size_t n_requests, const char *word, const StoreRequest **ret,
                Error **reterr) {
        _cleanup_strv_ Strv words = NULL;
        _cleanup_free_ char *known = NULL;

        for (size_t i = 0; i < n_requests; i++) {
                _cleanup_free_ char *w = NULL;

                if (requests[i].type != STORE_CA)
                        continue;
                w = pki_ca_word(requests[i].name);
                if (streq(w, word) || streq(requests[i].name, word)) {
                        *ret = requests + i;
                        return 0;
                }
                strv_add(&words, w);
        }
        known = strv_join(words, ", ");
        return error_set(reterr, ERROR_USAGE, EINVAL, "no such CA: '%s' (there are: %s)", word, known);
}

int pki_read_file(const char *path, size_t limit, Buffer *ret, Error **reterr) {
        return fs_read(AT_FDCWD, path, limit, ret, reterr);
}
