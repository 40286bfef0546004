/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/drain.h"

static int lead(const Component *const *components, const ProbeContext *c, const Node *node, bool back,
                Error **reterr) {
        for (const Component *const *p = components; *p; p++) {
                int (*f)(const ProbeContext*, const Node *, Error**) =
                        back ? (*p)->take_back : (*p)->hand_over;
                int r;

                if (!f || !component_on_node(*p, c->cluster, node))
                        continue;
                r = f(c, node, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", (*p)->name);
        }
        return 0;
}

/**
 * drain_hand_over() - have other nodes lead in what this node leads
 * @components: all of the cluster
 * @c:          the context of their probes
 * @node:       the node
 * @reterr:     which of them does not
 *
 * Return: 0, also where there is nothing to hand over, or a negative errno.
 */
int drain_hand_over(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr) {
        return lead(components, c, node, /* back= */ false, reterr);
}

/**
 * drain_take_back() - have a node lead again in what it has to itself
 * @components: all of the cluster
 * @c:          the context of their probes
 * @node:       the node
 * @reterr:     which of them does not
 *
 * Return: 0, also where there is nothing to take back, or a negative errno.
 */
int drain_take_back(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr) {
        return lead(components, c, node, /* back= */ true, reterr);
}

/**
 * drain_set_aside() - send a node no new work
 * @components: all of the cluster
 * @c:          the context of their probes
 * @node:       the node
 * @reterr:     who does not spare it
 *
 * Return: 0 or a negative errno. Either way drain_bring_back() is to be called later.
 */
int drain_set_aside(const Component *const *components, const ProbeContext *c, const Node *node,
                    Error **reterr) {
        for (const Component *const *p = components; *p; p++) {
                int r = (*p)->set_aside ? (*p)->set_aside(c, node, reterr) : 0;

                if (r < 0)
                        return error_prefix(reterr, r, "%s", (*p)->name);
        }
        return 0;
}

/**
 * drain_bring_back() - have every node given work again, as far as it can do it
 * @components: all of the cluster
 * @c:          the context of their probes
 * @reterr:     who does not
 *
 * Return: 0 or a negative errno.
 */
int drain_bring_back(const Component *const *components, const ProbeContext *c, Error **reterr) {
        for (const Component *const *p = components; *p; p++) {
                int r = (*p)->bring_back ? (*p)->bring_back(c, reterr) : 0;

                if (r < 0)
                        return error_prefix(reterr, r, "%s", (*p)->name);
        }
        return 0;
}
