/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the parts of a run share of a node: its host, the lock on it, and its place on the screen
 */

#include "install/run.h"

int node_host(NodeRun *n, Host **ret, Error **reterr) {
        return host_pool_take(n->run->hosts, n->node, ret, reterr);
}

void node_release(NodeRun *n) {
        host_pool_give(n->run->hosts, n->node);
}

bool node_differs(const NodeRun *n) {
        return n->changes.n_changes > 0;
}

bool node_is_as_planned(const NodeRun *n) {
        return !node_differs(n);
}

bool node_carries(const NodeRun *n, const Component *c) {
        return component_on_node(c, n->run->request->cluster, n->node);
}

/* Return: 0, 1 if that had to be waited for, or a negative errno. */
int node_lock(NodeRun *n, bool wait, Error **reterr) {
        return host_pool_lock(n->run->hosts, n->node, n->run->request->holder, wait, reterr);
}

void node_unlock(NodeRun *n) {
        Host *host;

        if (node_host(n, &host, NULL) < 0)
                return;
        host_unlock(host);
        node_release(n);
}

void node_event(const NodeRun *n, InstallEventType type, const char *text, uint64_t done, uint64_t total) {
        InstallEvent event = { .type = type, .node = n->node, .text = text, .done = done, .total = total };

        install_event(n->run->request, &event);
}

void run_warn(InstallRun *run, const char *text) {
        install_tell(run->request, INSTALL_WARNING, NULL, text);
}

/* text: what the row says of it besides its name; or NULL */
void node_step(const NodeRun *n, Stage stage, const char *text) {
        InstallEvent event = { .type = INSTALL_STAGE, .node = n->node, .stage = stage, .text = text };

        install_event(n->run->request, &event);
}

void node_end(NodeRun *n, InstallOutcome outcome, const char *text) {
        InstallEvent event = {
                .type = outcome == INSTALL_BROKEN ? INSTALL_FAILED : INSTALL_FINISHED,
                .node = n->node,
                .text = text,
                .outcome = outcome,
        };

        n->outcome = outcome;
        install_event(n->run->request, &event);
}

bool run_is_whole(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (!n->selected)
                        return false;
        return true;
}

int run_cancelled(const InstallRun *run, Error **reterr) {
        return error_if_cancelled(run->request->cancelled, reterr, "stopped as asked; %s goes on from here",
                                  run->request->again ?: "hardway install");
}
