/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore whose data is in place: everything is started and waited for, and what was put aside goes
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "operate/restore-internal.h"
#include "plan/edition.h"
#include "plan/observation.h"

#define SERVE_USEC (60 * USEC_PER_SEC)

/* Of the cluster that the restore makes. */
size_t restore_count_members(const Restore *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_nodes; i++)
                n += (s->nodes[i].node->roles & ROLE_ETCD) != 0;
        return n;
}

/* Nobody wants to be left where the new data is in place and nothing serves it. So what serves it comes first, for itself:
 * a load balancer that is lost meanwhile does not keep it from being started. And nobody else comes in between: the locks
 * are kept. What was asked before anything was stopped is no reason any more; nor is a version before the one that ran:
 * the data that could not have gone back is not there any more. */
static int run_install(const Restore *s, Store *store, ErrorList *errors) {
        _cleanup_free_ const Node **nodes = xnew(const Node*, s->n_nodes + 1);
        InstallRequest request = s->request->install;
        _cleanup_strv_ Strv ignore = strv_copy(request.ignore);
        InstallResult result = {};
        int r;

        strv_add_once(&ignore, EDITION_CHECK);
        strv_add_once(&ignore, VERSIONS_CHECK);
        request.ignore = ignore;
        request.cancelled = NULL;
        request.hosts = s->hosts;
        request.store = store;
        request.nodes = nodes;
        for (size_t i = 0; i < s->n_nodes; i++)
                nodes[i] = s->nodes[i].node;
        request.n_nodes = s->n_nodes;
        r = install_run(&request, &result, errors);
        install_result_done(&result);
        request.ignore = s->request->install.ignore;
        return r < 0 ? r : others_install(s, &request, errors);
}

/* The members that take part, of those that answer for the cluster that the restore made. */
size_t restore_count_serving(const Restore *s, const EtcdSurvey *survey, uint64_t *ret_revision) {
        size_t n = 0;

        *ret_revision = 0;
        ETCD_FOREACH_SIGHT(i, survey) {
                if (i->state != ETCD_HEALTHY || !i->node || !restore_node(s, i->node))
                        continue;
                n++;
                if (i->status.revision > *ret_revision)
                        *ret_revision = i->status.revision;
        }
        return n;
}

/* The new data serves: every member of it is healthy, and none is behind what was restored. */
static int count_healthy(const Restore *s, Store *store, RestoreResult *result, size_t *ret,
                         Error **reterr) {
        const ProbeContext context = probe_context(s->cluster, store, NULL); /* it goes to its end */
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r;

        r = etcd_survey(&context, &survey, reterr);
        if (r < 0)
                return r;
        *ret = restore_count_serving(s, &survey, &result->revision);
        return *ret >= restore_count_members(s) && result->revision >= result->facts.revision;
}

static int await_service(const Restore *s, Store *store, RestoreResult *result, Error **reterr) {
        uint64_t deadline = clock_usec() + SERVE_USEC;
        size_t n_healthy;

        do {
                int r;

                r = count_healthy(s, store, result, &n_healthy, reterr);
                if (r != 0)
                        return r < 0 ? r : 0;
                clock_sleep(200 * USEC_PER_MSEC);
        } while (clock_usec() < deadline);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                         "%zu of %zu restored members are healthy; the data of before is kept", n_healthy,
                         restore_count_members(s));
}

void restore_warn(const Restore *s, const Node *node, const char *text) {
        install_tell(&s->request->install, INSTALL_WARNING, node, text);
}

/* What cannot be tidied up takes room, and is no reason to restore again. */
static void tidy_up(Restore *s) {
        ErrorList errors = ERROR_LIST_NULL;

        (void) restore_each(s, restore_clean, &errors);
        for (size_t i = 0; i < errors.n_errors; i++) {
                _cleanup_free_ char *text =
                        xasprintf("what was kept in " ETCD_DATA "/before-%s may still be "
                                  "there: %s",
                                  s->journal.token, errors.errors[i]->message);

                restore_warn(s, NULL, text);
        }
        error_list_done(&errors);
        for (const RestoreNode *n = s->nodes; n < s->nodes + s->n_nodes; n++)
                STRV_FOREACH(token, n->asides) {
                        _cleanup_free_ char *text = xasprintf(
                                ETCD_DATA "/before-%s is what a restore has put aside that did not "
                                          "come to its end: it stays. Remove it if nobody needs it",
                                *token);

                        restore_warn(s, n->node, text);
                }
}

/* Whatever was at addresses that were given up: it is of before the restore. One that stays costs a question, later. */
static void forget_former(const Restore *s, Store *store) {
        for (const RestoreNode *n = s->nodes; n < s->nodes + s->n_nodes; n++) {
                _cleanup_free_ char *path = etcd_server_certificate(n->node->name);

                if (n->node->roles & ROLE_ETCD)
                        (void) store_forget_former(store, path, NULL);
        }
}

/* Data whose secrets nobody can read serves nobody: what it took the place of stays, and the same command goes on. */
static int refuse_unread(const Restore *s, int installed, Error **reterr) {
        if (installed >= 0 || !s->key_is_lost)
                return 0;
        return error_set(
                reterr, ERROR_UNAVAILABLE, ENOKEY,
                "the data of before is kept (" ETCD_DATA
                "/before-%s), as secrets in the new one may be what keeps the apiservers from becoming ready",
                s->journal.token);
}

static int complete(Restore *s, Store *store, int installed, RestoreResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = await_service(s, store, result, &error);
        if (r >= 0)
                r = refuse_unread(s, installed, &error);
        if (r >= 0) {
                s->journal.served = true;
                r = journal_write(s->directory, &s->journal, &error);
        }
        if (r >= 0) {
                tidy_up(s);
                forget_former(s, store);
                r = journal_end(s->directory, &error);
        }
        if (error)
                error_list_take(errors, error);
        return r;
}

/* Something else may be amiss when etcd serves already. */
static bool serves(const Restore *s, Store *store, RestoreResult *result) {
        size_t n;

        return count_healthy(s, store, result, &n, NULL) > 0;
}

/**
 * restore_finish() - start everything with the data that is in place
 * @s:          the restore
 * @result:     gets the revision
 * @errors:     what does not start, or does not serve
 *
 * A restore whose data serves is over, also if the rest of the installation is not.
 *
 * Return: 0 or a negative errno; s->journal.served says which it is.
 */
int restore_finish(Restore *s, RestoreResult *result, ErrorList *errors) {
        _cleanup_(store_freep) Store *store = NULL;
        Error *error = NULL;
        int r, installed;

        /* a store of its own: the token has changed under the one that the caller has open */
        r = store_open(s->directory, &store, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        host_pool_insist(s->hosts);
        installed = run_install(s, store, errors);
        if (installed < 0 && !serves(s, store, result))
                return installed;
        r = complete(s, store, installed, result, errors);
        return installed < 0 ? installed : r;
}
