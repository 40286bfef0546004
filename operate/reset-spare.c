/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A reset where the cluster serves: can it do without what goes?
 */

#include "operate/reset-internal.h"

#include <errno.h>

/**
 * reset_cluster_serves() - is there a cluster that could be harmed?
 * @q:          the request
 * @c:          to ask its nodes
 *
 * Return: true also where it cannot be asked.
 */
bool reset_cluster_serves(const ResetRequest *q, const ProbeContext *c) {
        for (const Component *const *p = q->components; *p; p++) {
                bool serving = false;
                int r = (*p)->serving ? (*p)->serving(c, &serving, NULL) : 0;

                /* one that cannot be asked can do without nothing: spare() will not be answered either */
                if (serving || r == -EHOSTUNREACH || r == -EKEYEXPIRED || r == -EEXIST)
                        return true;
        }
        return false;
}

/* What one component says to the loss of these nodes; 0: it cannot do without, and they go all the same. */
static int spare_nodes(const ResetRequest *q, const ProbeContext *c, const Component *component,
                       const Node *const *nodes, size_t n_nodes, Buffer *text, Error **reterr) {
        ProbeResult result = {};
        int r;

        r = component->spare(c, nodes, n_nodes, &result, reterr);
        if (r >= 0 && result.state == PROBE_FAILED && !q->force) {
                r = error_set(reterr, ERROR_CONFIG, EBUSY, "the cluster serves, and cannot do without: %s",
                              result.text);
                error_detail(reterr,
                             "If all of it can go, for instance after a first try that failed: hardway "
                             "reset --force\n");
        } else if (r >= 0) {
                if (result.text)
                        buffer_addf(text, "%s.\n", result.text);
                r = result.state != PROBE_FAILED;
        }
        probe_result_done(&result);
        return r;
}

/**
 * reset_spare() - can a cluster that serves do without nodes?
 * @q:          the request; its force is somebody's word that they go all the same
 * @c:          to ask the others
 * @nodes:      those that are to go
 * @n_nodes:    how many
 * @text:       what that means for the cluster is added
 * @reterr:     says what it cannot do without
 *
 * Return: 1 if it goes on without them, 0 if it does not, and is not to; or a negative errno.
 */
int reset_spare(const ResetRequest *q, const ProbeContext *c, const Node *const *nodes, size_t n_nodes,
                Buffer *text, Error **reterr) {
        int r = 0, goes_on = 1;

        for (const Component *const *p = q->components; *p && r >= 0 && n_nodes > 0; p++)
                if ((*p)->spare) {
                        r = spare_nodes(q, c, *p, nodes, n_nodes, text, reterr);
                        goes_on = goes_on && r > 0;
                }
        return r < 0 ? r : goes_on;
}
