/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/restore.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/fs.h"
#include "etcd/snapshot.h"
#include "operate/restore-internal.h"

#define TIMEOUT (3 * USEC_PER_SEC)
#define SERVE_USEC (60 * USEC_PER_SEC)

static void restore_done(Restore *s) {
        host_pool_free(s->hosts);
        journal_done(&s->journal);
        free(s->identity);
        free(s->nodes);
}

static int refuse_foreign(const Restore *s, const char *path, const EtcdSnapshotFile *file, Error **reterr) {
        int r;

        if (strv_contains(file->marks, s->identity) || s->request->force)
                return 0;
        if (file->marks)
                r = error_set(reterr, ERROR_CONFIG, EXDEV,
                              "%s is of another cluster (identity %.8s..., ours is %.8s...)", path,
                              file->marks[0], s->identity);
        else
                r = error_set(reterr, ERROR_CONFIG, EXDEV, "%s carries the mark of no cluster of hardway",
                              path);
        error_detail(reterr,
                     "With the data of another cluster come its secrets, which can be read with its "
                     "secrets/encryption-key alone, and its tokens, which its pki/sa.key has signed. "
                     "If that is what you want: --force\n");
        return r;
}

static int digest_file(const char *path, char ret[static SHA256_HEX_SIZE], Error **reterr) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r;

        r = fd < 0 ? -errno : sha256_hex_file(fd, ret);
        return r < 0 ? error_set_errno(reterr, r, "%s: cannot be read", path) : 0;
}

/* Is it what it should be? Nothing is changed. */
static int examine(Restore *s, const char *path, RestoreResult *result, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile file = {};
        int r;

        r = etcd_snapshot_inspect(path, &file, reterr);
        if (r >= 0)
                r = refuse_foreign(s, path, &file, reterr);
        if (r >= 0)
                r = snapshot_facts(s->cluster, q->lock, path, &result->facts, reterr);
        if (r < 0)
                return r;
        result->facts.size = file.size;
        s->digest = file.digest;
        return 0;
}

/* One line for the question: what will be lost. */
static char* describe(const Restore *s) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_free_ char *text = NULL;
        const ProbeContext context = { .cluster = s->cluster, .store = s->request->install.store };
        uint64_t revision = 0;

        if (etcd_survey(&context, TIMEOUT, &survey, NULL) < 0)
                return xstrdup("etcd could not be asked");
        if (etcd_survey_lost(&survey, &text, NULL))
                return TAKE_PTR(text);
        for (size_t i = 0; i < survey.n_sights; i++)
                if (survey.sights[i].answers && survey.sights[i].status.revision > revision)
                        revision = survey.sights[i].status.revision;
        return xasprintf("etcd serves now, at revision %" PRIu64, revision);
}

static int confirm(const Restore *s, const char *path, const RestoreResult *result, Error **reterr) {
        _cleanup_free_ char *state = NULL;

        if (!s->request->confirm)
                return 0;
        state = describe(s);
        return s->request->confirm(s->request->userdata, path, &result->facts, state, reterr);
}

static bool takes_part(const Restore *s, const Node *node) {
        const InstallRequest *q = &s->request->install;

        for (size_t i = 0; i < q->n_nodes; i++)
                if (q->nodes[i] == node)
                        return (node->roles & (ROLE_CONTROLLER | ROLE_ETCD)) != 0;
        return false;
}

static size_t count_members(const Restore *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_nodes; i++)
                n += (s->nodes[i].node->roles & ROLE_ETCD) != 0;
        return n;
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
        if (count_members(s) == 0)
                return error_set(reterr, ERROR_USAGE, EINVAL, "no member is left to be restored");
        return 0;
}

/* The file that is restored: that of the command line, that of an interrupted run, or one that is taken of
 * the survivor now. */
static int choose_snapshot(Restore *s, char **ret, Error **reterr) {
        RestoreJournal journal = {};
        int r;

        if (s->request->snapshot) {
                *ret = xstrdup(s->request->snapshot);
                return 0;
        }
        r = journal_read(s->directory, &journal, reterr);
        if (r > 0 && access(journal.snapshot, R_OK) == 0) {
                *ret = TAKE_PTR(journal.snapshot);
                journal_done(&journal);
                return 0;
        }
        journal_done(&journal);
        return r < 0 ? r : survivor_save(s, ret, reterr);
}

static int run_install(const Restore *s, ErrorList *errors) {
        InstallRequest request = s->request->install;
        _cleanup_(store_freep) Store *store = NULL;
        InstallResult result = {};
        Error *error = NULL;
        int r;

        /* a store of its own: the token has changed under the one that the caller has open */
        r = store_open(s->directory, &store, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        request.store = store;
        r = install_run(&request, &result, errors);
        install_result_done(&result);
        return r;
}

static int look_all(Restore *s, ErrorList *errors) {
        bool installed = true;
        int r;

        r = restore_each(s, restore_look, errors);
        for (size_t i = 0; i < s->n_nodes; i++)
                installed = installed && s->nodes[i].installed;
        if (r < 0 || installed || s->request->install.dry_run)
                return r;
        /* all was lost: programs, units and users first. What etcd makes of it is replaced right away. */
        s->hosts = host_pool_free(s->hosts);
        r = run_install(s, errors);
        s->hosts = host_pool_new(s->cluster, s->request->install.host);
        return r < 0 ? r : restore_each(s, restore_look, errors);
}

static bool all_swapped(const Restore *s) {
        for (size_t i = 0; i < s->n_nodes; i++)
                if (s->nodes[i].node->roles & ROLE_ETCD && !s->nodes[i].swapped)
                        return false;
        return true;
}

static int change_data(Restore *s, ErrorList *errors) {
        Error *error = NULL;
        int r;

        if (all_swapped(s))
                return 0;
        r = restore_each(s, restore_stop, errors);
        if (r >= 0)
                r = restore_each(s, restore_unpack, errors);
        if (r < 0)
                return r;
        r = journal_commit(s->directory, &s->journal, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        return restore_each(s, restore_swap, errors);
}

/* The new data serves: every member of it is healthy, and none is behind what was restored. */
static int await_service(Restore *s, RestoreResult *result, Error **reterr) {
        const ProbeContext context = { .cluster = s->cluster, .store = s->request->install.store };
        uint64_t deadline = clock_usec() + SERVE_USEC;
        size_t n_members = count_members(s), n_healthy;

        do {
                _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
                int r;

                r = etcd_survey(&context, TIMEOUT, &survey, reterr);
                if (r < 0)
                        return r;
                n_healthy = survey.n_healthy;
                result->revision = 0;
                for (size_t i = 0; i < survey.n_sights; i++)
                        if (survey.sights[i].status.revision > result->revision)
                                result->revision = survey.sights[i].status.revision;
                if (n_healthy >= n_members && result->revision >= result->facts.revision)
                        return 0;
                clock_sleep(200 * USEC_PER_MSEC);
        } while (clock_usec() < deadline);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                         "%zu of %zu restored members are healthy; the data of before is kept", n_healthy,
                         n_members);
}

static int finish(Restore *s, RestoreResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        /* it takes the nodes' locks itself */
        s->hosts = host_pool_free(s->hosts);
        r = run_install(s, errors);
        if (r < 0)
                return r;
        s->hosts = host_pool_new(s->cluster, s->request->install.host);
        r = await_service(s, result, &error);
        if (r >= 0)
                r = restore_each(s, restore_clean, errors);
        if (r >= 0)
                r = journal_end(s->directory, &error);
        if (error)
                error_list_take(errors, error);
        return r;
}

static int begin(Restore *s, const char *path, RestoreResult *result, Error **reterr) {
        char digest[SHA256_HEX_SIZE];
        int r;

        r = examine(s, path, result, reterr);
        if (r >= 0)
                r = digest_file(path, digest, reterr);
        if (r >= 0)
                r = confirm(s, path, result, reterr);
        if (r < 0 || s->request->install.dry_run)
                return r;
        r = journal_open(s->directory, path, digest, &s->journal, reterr);
        if (r < 0)
                return r;
        result->resumed = !s->journal.fresh;
        result->token = xstrdup(s->journal.token);
        return 0;
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
                r = choose_snapshot(&s, &ret->snapshot, &error);
        if (r >= 0)
                r = begin(&s, ret->snapshot, ret, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        ret->n_members = count_members(&s);
        r = look_all(&s, errors);
        if (r < 0 || request->install.dry_run)
                return r;
        r = change_data(&s, errors);
        return r < 0 ? r : finish(&s, ret, errors);
}

void restore_result_done(RestoreResult *r) {
        free(r->snapshot);
        free(r->token);
        *r = (RestoreResult) {};
}
