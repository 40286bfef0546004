/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "etcd/data.h"

#include <ctype.h>

#include "common/alloc.h"
#include "plan/component.h"

char* etcd_identity(Store *store) {
        char *identity;

        return plan_identity(store, &identity, NULL) < 0 ? NULL : identity;
}

char* etcd_token(Store *store) {
        const Buffer *content;
        size_t n = 0;

        if (!store || store_file(store, ETCD_TOKEN, &content, NULL) < 0)
                return etcd_identity(store);
        while (n < content->size && isxdigit((unsigned char) content->data[n]))
                n++;
        return n > 0 ? xstrndup(content->data, n) : etcd_identity(store);
}

/* Before the first restore the token is the identity, and the mark one line. */
char* etcd_mark_text(const char *identity, const char *token) {
        return streq(identity, token) ? xasprintf("%s\n", identity) : xasprintf("%s\n%s\n", identity, token);
}
