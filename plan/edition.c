/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/edition.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strv.h"

#define NUMBER_MAX 20 /* digits that are shown of what a node says */

/* Not one that is not this cluster's, or that has no edition. */
static bool is_foreign(Store *store, const char *identity, const Observation *o, bool *ret_newer) {
        return o && o->edition && streq_null(o->identity, identity) &&
               !store_knows_edition(store, o->edition, ret_newer);
}

/* The number of "7 0123456789abcdef" */
static int number_size(const char *edition) {
        size_t n = strspn(edition, "0123456789");

        return (int) (n < NUMBER_MAX ? n : NUMBER_MAX);
}

static char* tell(Store *store, char *const *where, bool newer) {
        _cleanup_free_ char *ours = store_edition(store), *list = strv_join(where, ", ");
        int size = ours ? number_size(ours) : 0;

        return xasprintf("%s: its keys and certificates are edition %.*s, those on %s are of %s",
                         newer ? "this is not the newest copy of the cluster directory" :
                                 "this is one of two copies of the cluster directory that both went on",
                         size > 0 ? size : 1, size > 0 ? ours : "0", list,
                         newer ? "a newer one" : "the other one");
}

/**
 * edition_tell() - say which nodes were given keys and certificates that this store never had
 * @store:      the store; or NULL
 * @cluster:    the cluster
 * @o:          what was seen of its nodes, in their order; NULL of those that were not looked at
 *
 * Return: for people, or NULL if there is none; the caller frees.
 */
char* edition_tell(Store *store, const Cluster *cluster, const Observation *const *o) {
        _cleanup_free_ char *identity = NULL;
        _cleanup_strv_ Strv where = NULL;
        bool newer = false;

        if (!store || plan_identity(store, &identity, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                bool this_newer = false;

                if (!is_foreign(store, identity, o[i], &this_newer))
                        continue;
                newer = newer || this_newer;
                strv_addf(&where, "%s (%.*s)", cluster->nodes[i].name, number_size(o[i]->edition),
                          o[i]->edition);
        }
        return where ? tell(store, where, newer) : NULL;
}
