/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "install/run.h"
#include "plan/edition.h"
#include "plan/taken.h"

/*
 * Putting what differs on a node: everything at once, or the binaries ahead of a rollout
 */

/* It travels, or is made by a script; as opposed to what is asked of systemd. */
static bool is_put(const Change *c) {
        switch (c->type) {
        case CHANGE_CREATE:
        case CHANGE_UPDATE:
        case CHANGE_ATTRIBUTES:
                return !c->item || c->item->type != PLAN_OBJECT;
        case CHANGE_REMOVE:
                return true;
        default:
                return false;
        }
}

static bool change_is_ahead(const Change *c) {
        return is_put(c) && c->item &&
               (c->item->type == PLAN_BINARY ||
                (c->item->type == PLAN_DIRECTORY && streq(c->item->owner, "root:root")));
}

/* A part of the changes (of: this component's only, or NULL); the strings stay those of the whole, so only the array is
 * to be freed. */
static void changes_part(const Changes *all, bool (*which)(const Change*), const Component *of,
                         Changes *ret) {
        *ret = (Changes) { .changes = xnew(Change, all->n_changes + 1) };
        for (size_t i = 0; i < all->n_changes; i++) {
                const Change *c = &all->changes[i];

                if (!which(c) || (of && (!c->item || !streq(c->item->component, of->name))))
                        continue;
                ret->changes[ret->n_changes++] = *c;
                if (!c->item || (c->type != CHANGE_CREATE && c->type != CHANGE_UPDATE))
                        continue;
                if (c->item->type == PLAN_BINARY) {
                        ret->n_binaries++;
                        ret->put_size += c->item->binary.size;
                } else if (c->item->type == PLAN_FILE || c->item->type == PLAN_UNIT ||
                           c->item->type == PLAN_SYMLINK) {
                        ret->n_files++;
                        ret->put_size += c->item->content.size;
                }
        }
}

static void put_progress(void *userdata, uint64_t done, uint64_t total) {
        node_event(userdata, INSTALL_AMOUNT, NULL, done, total);
}

static void put_announce(const NodeRun *n, const Changes *c) {
        _cleanup_free_ char *list = NULL, *text = NULL;
        _cleanup_strv_ Strv parts = NULL;

        if (c->n_binaries > 0)
                strv_addf(&parts, "%zu %s", c->n_binaries, c->n_binaries == 1 ? "binary" : "binaries");
        if (c->n_files > 0)
                strv_addf(&parts, "%zu %s", c->n_files, c->n_files == 1 ? "file" : "files");
        if (!parts)
                strv_addf(&parts, "%zu %s", c->n_changes, c->n_changes == 1 ? "change" : "changes");
        list = strv_join(parts, ", ");
        if (c->put_size >= 1000000)
                text = xasprintf("%s (%llu MB)", list, (unsigned long long) (c->put_size / 1000000));
        node_step(n, STAGE_PUT, text ?: list);
}

static int node_put_part(NodeRun *n, bool (*which)(const Change*), const Component *of, Error **reterr) {
        const InstallRequest *q = n->run->request;
        Changes part;
        HostPut put;
        Host *host;
        int r;

        r = run_cancelled(n->run, reterr);
        if (r < 0)
                return r;
        changes_part(&n->changes, which, of, &part);
        if (part.n_changes == 0) {
                free(part.changes);
                return 0;
        }
        put_announce(n, &part);
        put = (HostPut) {
                .plan = n->plan,
                .changes = &part,
                .cache = n->run->cache,
                .lock = q->lock,
                .progress = put_progress,
                .userdata = n,
        };
        r = node_host(n, &host, reterr);
        if (r >= 0) {
                r = host_put(host, &put, reterr);
                node_release(n);
        }
        free(part.changes);
        return r;
}

/* Has this very file, untouched since, been recorded? */
static bool is_recorded(const Observation *o, const PlanItem *item) {
        const ObservedPath *found = observation_path(o, item->path);
        const AppliedFile *applied = observation_applied(o, item->path);

        return found && applied && streq_null(applied->sha256, item->sha256) &&
               streq_null(applied->stamp, found->stamp);
}

/**
 * node_record_is_due() - does the node lack a record of what lies there?
 * @n:          a node that is as planned
 *
 * A run that was killed between putting and recording leaves a node that is as planned and does not know it;
 * files that were touched since have to be hashed by every run until their new stamps are recorded. And the record is the
 * last of a run that gives back what was there before.
 */
static bool node_record_is_due(const NodeRun *n) {
        _cleanup_free_ char *edition = store_edition(n->run->request->store);

        if (!streq_null(n->observation->identity, n->run->identity) ||
            !streq_null(n->observation->edition, edition) || taken_is_left(n->plan, n->observation))
                return true;
        for (size_t i = 0; i < n->plan->n_items; i++) {
                const PlanItem *item = n->plan->items[i];

                if ((item->type == PLAN_FILE || item->type == PLAN_UNIT || item->type == PLAN_BINARY) &&
                    !is_recorded(n->observation, item))
                        return true;
        }
        return false;
}

/**
 * node_record() - record that a node is as planned
 * @n:          the node
 * @reterr:     what went wrong
 *
 * Return: 0 or a negative errno.
 */
int node_record(NodeRun *n, Error **reterr) {
        _cleanup_free_ char *edition = store_edition(n->run->request->store);
        Host *host;
        int r;

        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = host_record(host, n->plan, n->run->identity, edition, reterr);
        node_release(n);
        return r;
}

static bool node_needs_record(const NodeRun *n) {
        return !node_differs(n) && node_record_is_due(n);
}

/* Whoever holds the lock is about to record, too. */
static int node_lock_and_record(NodeRun *n, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r;

        r = host_pool_lock(n->run->hosts, n->node, n->run->request->holder, /* wait= */ false, &error);
        if (r == -EBUSY)
                return 0;
        if (r < 0)
                return error_propagate(reterr, TAKE_PTR(error));
        r = node_record(n, reterr);
        /* what is changed has its locks taken in their order, and none from before; unless the caller had it, who keeps it */
        if (!n->run->request->hosts)
                node_unlock(n);
        return r;
}

/**
 * run_record_due() - write the records that are due of nodes that are as planned
 * @run:        the run, whose nodes were looked at
 *
 * An older copy of the cluster directory, or one of two that both went on, writes none: what the nodes were given is of the
 * other one, which would be refused for the edition that it does not know.
 *
 * Return: 0, or the negative result of the first node that failed.
 */
int run_record_due(InstallRun *run) {
        _cleanup_free_ char *outdated = run_outdated(run);

        if (outdated && !strv_contains(run->request->ignore, EDITION_CHECK))
                return 0;
        return crew_each(run, node_needs_record, node_lock_and_record);
}

/**
 * node_put() - put all that differs, and record that the node is as planned
 * @n:          the node
 * @reterr:     what could not be put
 *
 * The record comes after the files and before the units: what a process should run is compared with the
 * process, not with the record.
 *
 * Return: 0 or a negative errno.
 */
int node_put(NodeRun *n, Error **reterr) {
        int r;

        n->touched = true;
        r = node_retire(n, reterr);
        if (r < 0)
                return r;
        r = node_put_part(n, is_put, NULL, reterr);
        if (r < 0)
                return r;
        return node_record(n, reterr);
}

/**
 * node_put_binaries() - put only binaries (and directories), which nothing uses until a unit names them
 * @n:          the node; looked at again afterwards
 * @reterr:     what could not be put
 *
 * Return: 0 or a negative errno.
 */
int node_put_binaries(NodeRun *n, Error **reterr) {
        int r;

        r = node_put_part(n, change_is_ahead, NULL, reterr);
        if (r < 0)
                return r;
        return node_look(n, reterr);
}

/**
 * node_put_component() - put what differs of one component, ahead of the node's turn
 * @n:          the node
 * @c:          the component
 * @reterr:     what could not be put
 *
 * The record comes with all the rest.
 *
 * Return: 0 or a negative errno.
 */
int node_put_component(NodeRun *n, const Component *c, Error **reterr) {
        n->touched = true;
        return node_put_part(n, is_put, c, reterr);
}
