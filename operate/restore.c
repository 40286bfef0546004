/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/restore.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "operate/hold.h"
#include "operate/restore-internal.h"

static void restore_done(Restore *s) {
        host_pool_free(s->hosts);
        etcd_survey_done(&s->survey);
        journal_done(&s->journal);
        journal_done(&s->earlier);
        for (size_t i = 0; i < s->n_nodes; i++) {
                free(s->nodes[i].token);
                strv_free(s->nodes[i].asides);
                observation_free(s->nodes[i].observation);
        }
        free(s->path);
        free(s->identity);
        free(s->nodes);
        free(s->others);
}

/* One line for the question: what will be lost. */
static char* describe(const Restore *s) {
        _cleanup_free_ char *text = NULL;
        uint64_t revision = 0;

        if (etcd_survey_lost(&s->survey, &text, NULL))
                return TAKE_PTR(text);
        for (size_t i = 0; i < s->survey.n_sights; i++)
                if (s->survey.sights[i].state == ETCD_HEALTHY &&
                    s->survey.sights[i].status.revision > revision)
                        revision = s->survey.sights[i].status.revision;
        return revision > 0 ? xasprintf("etcd serves now, at revision %" PRIu64, revision) :
                              xstrdup("etcd does not answer");
}

static char* describe_earlier(const Restore *s) {
        if (s->resumed)
                return xasprintf("This goes on with the restore that was begun at %s", s->journal.begun);
        if (!s->earlier.token)
                return NULL;
        if (s->finished)
                return xasprintf("The restore of %s that was begun at %s is complete; this is another one",
                                 s->earlier.snapshot, s->earlier.begun);
        return xasprintf("The restore of %s onto %s that was begun at %s did not come to its end; this is "
                         "another one",
                         s->earlier.snapshot, s->earlier.members, s->earlier.begun);
}

static int confirm(Restore *s, bool stops, const RestoreResult *result, Error **reterr) {
        _cleanup_free_ char *state = NULL, *earlier = NULL;
        int r;

        r = s->path ? restore_take_keys_back(s, /* ask= */ true, reterr) : 0;
        if (r < 0 || !s->request->confirm)
                return r;
        state = describe(s);
        earlier = describe_earlier(s);
        return s->request->confirm(s->request->userdata,
                                   &(RestoreQuestion) {
                                           .snapshot = s->path,
                                           .facts = s->path ? &result->facts : NULL,
                                           .survivor = s->request->survivor,
                                           .stops = stops,
                                           .state = state,
                                           .earlier = earlier,
                                   },
                                   reterr);
}

static bool takes_part(const Restore *s, const Node *node) {
        const InstallRequest *q = &s->request->install;

        return (node->roles & ROLE_CONTROL_PLANE) && node_is_among(node, q->nodes, q->n_nodes);
}

static int restore_init(Restore *s, const RestoreRequest *request, char **ret_directory, Error **reterr) {
        const InstallRequest *q = &request->install;

        *ret_directory = fs_path_dirname(q->cluster->path);
        *s = (Restore) {
                .request = request,
                .cluster = q->cluster,
                .directory = *ret_directory,
                .identity = etcd_identity(q->store),
                .hosts = host_pool_new(q->cluster, q->host),
                .nodes = xnew(RestoreNode, q->cluster->n_nodes),
        };
        for (size_t i = 0; i < q->cluster->n_nodes; i++)
                if (takes_part(s, q->cluster->nodes + i))
                        s->nodes[s->n_nodes++] =
                                (RestoreNode) { .restore = s, .node = q->cluster->nodes + i };
        if (!s->identity)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "the cluster has no identity yet (hardway pki gen makes it)");
        if (restore_count_members(s) == 0)
                return error_set(reterr, ERROR_USAGE, EINVAL, "no member is left to be restored");
        return 0;
}

static bool all_swapped(const Restore *s) {
        for (size_t i = 0; i < s->n_nodes; i++)
                if (s->nodes[i].node->roles & ROLE_ETCD && !s->nodes[i].swapped)
                        return false;
        return true;
}

/* All has been done before, and whoever stopped that run did not see it: the data has been written to since. */
static int leave_finished(Restore *s, Error **reterr) {
        uint64_t revision;
        int r;

        if (!s->resumed || !all_swapped(s) ||
            restore_count_serving(s, &s->survey, &revision) < restore_count_members(s))
                return 0;
        s->earlier = s->journal;
        r = journal_new(s->earlier.survivor, s->earlier.members, &s->journal, reterr);
        if (r < 0)
                return r;
        s->resumed = false;
        s->finished = true;
        for (size_t i = 0; i < s->n_nodes; i++)
                s->nodes[i].swapped = false;
        if (s->request->survivor) {
                free(s->path);
                s->path = NULL;
        }
        return 0;
}

/* Questions only, with the nodes locked. */
static int look(Restore *s, RestoreResult *result, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        const ProbeContext context = probe_context(s->cluster, q->store, q->cancelled);
        int r;

        r = etcd_survey(&context, &s->survey, reterr);
        if (r >= 0)
                r = source_refuse_running(s, reterr);
        if (r >= 0)
                r = leave_finished(s, reterr);
        if (r >= 0)
                r = restore_refuse_older(s, reterr);
        if (r >= 0 && s->path)
                return s->journal.digest ? 0 : source_examine(s, result, reterr);
        return r < 0 ? r : survivor_check(s, reterr);
}

/* The load balancers are changed at the end only, but locked from the beginning: who holds some nodes and then waits for
 * others may be waited for. One that is away does not keep data from being restored. */
static int lock_nodes(Restore *s, bool wait, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        _cleanup_free_ const Node **nodes = xnew(const Node*, s->n_nodes + 1);
        const HoldRequest hold = {
                .cluster = s->cluster,
                .holder = q->holder,
                .wait = wait,
                .roles = ROLE_LOADBALANCER,
                .lenient = true,
                .firm = nodes,
                .n_firm = s->n_nodes,
        };

        for (size_t i = 0; i < s->n_nodes; i++)
                nodes[i] = s->nodes[i].node;
        return q->dry_run ? 0 : hold_nodes(s->hosts, &hold, reterr);
}

/* While somebody was asked this machine may have been asleep, and without its locks: somebody else may have been at work,
 * and what was to be gone may be back. */
static int look_again(Restore *s, bool of_survivor, ErrorList *errors) {
        const InstallRequest *q = &s->request->install;
        const ProbeContext context = probe_context(s->cluster, q->store, q->cancelled);
        Error *error = NULL;
        int r;

        r = lock_nodes(s, /* wait= */ false, &error);
        if (r >= 0) {
                r = restore_each(s, restore_look, errors);
                if (r < 0)
                        return r;
                etcd_survey_done(&s->survey);
                r = etcd_survey(&context, &s->survey, &error);
        }
        if (r >= 0)
                r = source_refuse_running(s, &error);
        if (r >= 0)
                r = restore_refuse_older(s, &error);
        if (r >= 0 && of_survivor)
                r = survivor_check(s, &error);
        if (error)
                error_list_take(errors, error);
        return r;
}

/* From a survivor that answers the snapshot comes before the question; one that has to be stopped for it is
 * stopped after it only. */
static int ask(Restore *s, bool taken, bool stops, RestoreResult *result, Error **reterr) {
        int r = 0;

        if (!taken && !stops && !s->request->install.dry_run) {
                r = survivor_save(s, reterr);
                if (r >= 0)
                        r = source_examine(s, result, reterr);
        }
        return r < 0 ? r : confirm(s, stops, result, reterr);
}

static int choose(Restore *s, RestoreResult *result, ErrorList *errors) {
        bool taken = s->path, stops = !taken && !survivor_answers(s);
        Error *error = NULL;
        int r;

        r = ask(s, taken, stops, result, &error);
        if (r >= 0 && !s->request->install.dry_run) {
                r = look_again(s, /* of_survivor= */ !taken, errors);
                s->begun = r >= 0;
                if (!s->begun)
                        restore_leave(s, errors);
                if (s->begun && stops)
                        r = survivor_take(s, &error);
                if (r >= 0 && stops)
                        r = source_examine(s, result, &error);
        }
        if (error)
                error_list_take(errors, error);
        return r;
}

static int refuse_cancelled(const Restore *s, Error **reterr, const char *text) {
        return error_if_cancelled(s->request->install.cancelled, reterr, "%s", text);
}

/* Between the first new data and the last there is nothing that serves: nobody wants to be left there. */
static void insist(const Restore *s) {
        host_pool_insist(s->hosts);
        install_tell(&s->request->install, INSTALL_NOTE, NULL,
                     "From here on it goes to its end, also after Ctrl-C.");
}

static Strv left_out_names(const Restore *s) {
        Strv names = NULL;

        CLUSTER_FOREACH_NODE(node, s->cluster, ROLE_ETCD)
                if (!restore_node(s, node))
                        strv_add(&names, node->name);
        return names;
}

static int change_data(Restore *s, ErrorList *errors) {
        _cleanup_strv_ Strv urls = restore_peer_urls(s), left_out = left_out_names(s);
        Error *error = NULL;
        int r;

        r = restore_each(s, restore_stop, errors);
        if (r >= 0)
                r = restore_each(s, restore_unpack, errors);
        if (r < 0)
                return r;
        /* the last moment at which all can still be as it was */
        r = refuse_cancelled(s, &error, "stopped as asked");
        if (r >= 0) {
                insist(s);
                r = journal_commit(s->directory, &s->journal, etcd_id_of(s->journal.token, urls), left_out,
                                   &error);
        }
        s->committed = r >= 0 || journal_is_committed(s->directory, &s->journal);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        return restore_each(s, restore_swap, errors);
}

/* Everything that can be refused, and what is needed for the rest; nothing is stopped but a survivor that gives its
 * data no other way. */
static int prepare(Restore *s, RestoreResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = choose(s, result, errors);
        if (r < 0 || s->request->install.dry_run)
                return r;
        r = restore_take_keys_back(s, /* ask= */ false, &error);
        if (r >= 0)
                r = journal_write(s->directory, &s->journal, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = restore_each(s, restore_equip, errors);
        if (r >= 0 && s->finished)
                r = restore_each(s, restore_clean, errors);
        return r < 0 ? r : restore_each(s, restore_room, errors);
}

static int replace_data(Restore *s, RestoreResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = refuse_cancelled(s, &error, "stopped as asked; the control plane was not stopped");
        if (r >= 0)
                r = lock_nodes(s, /* wait= */ false, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        result->resumed = s->resumed;
        result->token = xstrdup(s->journal.token);
        if (!all_swapped(s))
                r = change_data(s, errors);
        return r < 0 ? r : restore_finish(s, result, errors);
}

static int run(Restore *s, RestoreResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = lock_nodes(s, s->request->install.wait, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = restore_each(s, restore_look, errors);
        if (r < 0)
                return r;
        others_look(s);
        r = look(s, result, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = prepare(s, result, errors);
        if (r >= 0 && !s->request->install.dry_run)
                r = replace_data(s, result, errors);
        if (r < 0 && s->begun)
                restore_fail(s, errors);
        return r;
}

/**
 * restore_run() - restore etcd's data on all members
 * @request:    what, and where
 * @ret:        what was restored; to be released with restore_result_done() in any case
 * @errors:     what went wrong
 *
 * Return: 0 once the cluster serves the data of the snapshot; a negative errno otherwise. The same request goes
 * on with a restore that was interrupted.
 */
int restore_run(const RestoreRequest *request, RestoreResult *ret, ErrorList *errors) {
        _cleanup_(restore_done) Restore s = {};
        _cleanup_free_ char *directory = NULL;
        Error *error = NULL;
        int r;

        *ret = (RestoreResult) {};
        r = restore_init(&s, request, &directory, &error);
        if (r >= 0)
                r = source_open(&s, ret, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        ret->n_members = restore_count_members(&s);
        return run(&s, ret, errors);
}

void restore_result_done(RestoreResult *r) {
        free(r->snapshot);
        free(r->token);
        *r = (RestoreResult) {};
}
