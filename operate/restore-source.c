/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is restored: which data, whether it is what it should be, and what an earlier run was about
 */

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "etcd/snapshot.h"
#include "operate/restore-internal.h"

#define TIMEOUT (3 * USEC_PER_SEC)

static const char* other_mark(const Restore *s, const EtcdSnapshotFile *file) {
        STRV_FOREACH(mark, file->marks)
                if (!streq(*mark, s->identity))
                        return *mark;
        return NULL;
}

/*
 * The data of a cluster that was restored from another's snapshot has the marks of both: bbolt does not wipe
 * what it has freed. Whose it is now cannot be told from the marks, as either may have come from the other.
 */
static int refuse_foreign(const Restore *s, const EtcdSnapshotFile *file, Error **reterr) {
        const char *other = other_mark(s, file);
        bool ours = strv_contains(file->marks, s->identity);
        int r;

        if ((ours && !other) || s->request->force)
                return 0;
        if (ours)
                r = error_set(reterr, ERROR_CONFIG, EXDEV,
                              "%s carries our mark and that of another cluster (identity %.8s...)", s->path,
                              other);
        else if (other)
                r = error_set(reterr, ERROR_CONFIG, EXDEV,
                              "%s is of another cluster (identity %.8s..., ours is %.8s...)", s->path, other,
                              s->identity);
        else
                r = error_set(reterr, ERROR_CONFIG, EXDEV, "%s carries the mark of no cluster of hardway",
                              s->path);
        if (ours)
                error_detail(
                        reterr,
                        "Either that cluster was restored from a snapshot of this one, and this is a "
                        "snapshot of it; or this cluster was once restored from one of that: then it may "
                        "well be ours, and --force takes it.\n");
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

/**
 * source_examine() - is the file what it should be?
 * @s:          the restore, whose path is set; the journal's snapshot and digest become the file's
 * @result:     gets what it says
 * @reterr:     it is damaged, or another cluster's
 *
 * The digest comes first: what is sent later has to be what was found good here.
 *
 * Return: 0 or a negative errno.
 */
int source_examine(Restore *s, RestoreResult *result, Error **reterr) {
        _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile file = {};
        char digest[SHA256_HEX_SIZE], *absolute;
        int r;

        r = digest_file(s->path, digest, reterr);
        if (r >= 0)
                r = etcd_snapshot_inspect(s->path, &file, reterr);
        if (r >= 0)
                r = refuse_foreign(s, &file, reterr);
        if (r >= 0)
                r = snapshot_facts(s->cluster, s->request->install.lock, s->path, &result->facts, reterr);
        if (r >= 0)
                r = snapshot_facts_fit(s->path, &result->facts, &s->cluster->etcd, reterr);
        if (r < 0)
                return r;
        absolute = realpath(s->path, NULL);
        if (!absolute)
                return error_set_errno(reterr, errno, "%s: cannot be found", s->path);
        free(s->journal.snapshot);
        free(s->journal.digest);
        s->journal.snapshot = absolute;
        s->journal.digest = xstrdup(digest);
        result->facts.size = s->size = file.size;
        free(result->snapshot);
        result->snapshot = xstrdup(s->path);
        s->digest = file.digest;
        memcpy(s->keys, file.keys, sizeof(s->keys));
        return 0;
}

static char* member_names(const Restore *s) {
        _cleanup_strv_ Strv names = NULL;

        for (size_t i = 0; i < s->n_nodes; i++)
                if (s->nodes[i].node->roles & ROLE_ETCD)
                        strv_add(&names, s->nodes[i].node->name);
        return strv_join(names, ",");
}

/* The file that an earlier run has taken of the survivor, if it is still the same. Until that run came to the
 * swap, the survivor may have been started again, and have more by now: then it is taken anew. */
static bool has_taken(const Restore *s, const RestoreJournal *j) {
        _cleanup_free_ char *token = etcd_token(s->request->install.store);
        char digest[SHA256_HEX_SIZE];

        return streq_null(token, j->token) && digest_file(j->snapshot, digest, NULL) >= 0 &&
               streq(digest, j->digest);
}

/* Does this run go on with what an earlier one began? It has to be about the same in all. */
static bool is_same(const Restore *s, const RestoreJournal *old) {
        if (old->served || !streq(old->members, s->journal.members) ||
            !streq(old->survivor, s->journal.survivor))
                return false;
        return s->request->snapshot ? streq(old->digest, s->journal.digest) : has_taken(s, old);
}

/**
 * source_open() - what is restored, and does it go on with an earlier run?
 * @s:          the restore; its path is set unless the survivor's data has to be taken first, and its journals
 * @result:     gets what the file says
 * @reterr:     it is not what it should be
 *
 * Asks no node.
 *
 * Return: 0 or a negative errno.
 */
int source_open(Restore *s, RestoreResult *result, Error **reterr) {
        const RestoreRequest *q = s->request;
        _cleanup_free_ char *members = member_names(s);
        int r;

        r = journal_new(q->snapshot ? "" : q->survivor->name, members, &s->journal, reterr);
        if (r >= 0)
                r = journal_read(s->directory, &s->earlier, reterr);
        if (r >= 0 && q->snapshot) {
                s->path = xstrdup(q->snapshot);
                r = source_examine(s, result, reterr);
        }
        if (r < 0 || !s->earlier.token)
                return r;
        if (!is_same(s, &s->earlier)) {
                s->finished = s->earlier.served;
                return 0;
        }
        s->resumed = true;
        journal_done(&s->journal);
        s->journal = s->earlier;
        s->earlier = (RestoreJournal) {};
        if (s->path)
                return 0;
        s->path = xstrdup(s->journal.snapshot);
        return source_examine(s, result, reterr);
}

/* Anything but silence: who refuses our certificate is there, too. */
static bool apiserver_runs(const Restore *s, const Node *node) {
        const InstallRequest *q = &s->request->install;
        const ProbeContext c = probe_context(s->cluster, q->store, q->cancelled);
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *base = cluster_apiserver_url(s->cluster, node),
                            *url = xasprintf("%s/livez", base);
        const HttpRequest request = { .url = url, .timeout_usec = TIMEOUT, .connect_timeout_usec = TIMEOUT };
        HttpClient *http = NULL;
        int r;

        if (probe_client(&c, "ca", /* credential= */ NULL, &http, NULL) < 0)
                return false;
        r = http_request(http, &request, &response, NULL);
        http_client_free(http);
        return r >= 0 || (r != -ECONNREFUSED && r != -EHOSTUNREACH && r != -ETIMEDOUT);
}

static const char* what_runs(const Restore *s, const Node *node) {
        const EtcdSight *sight = etcd_survey_find(&s->survey, node);

        if (sight && (sight->state <= ETCD_WAITING || sight->answers))
                return "etcd";
        if (node->roles & ROLE_CONTROLLER && apiserver_runs(s, node))
                return "apiserver";
        return NULL;
}

/**
 * source_refuse_running() - are those gone that are left out?
 * @s:          the restore, whose survey is made
 * @reterr:     names one that is not
 *
 * One that runs would go on to serve the old data, beside the new, behind the same address.
 *
 * Return: 0 or a negative errno.
 */
int source_refuse_running(const Restore *s, Error **reterr) {
        for (const Node *node = s->cluster->nodes; node < s->cluster->nodes + s->cluster->n_nodes; node++) {
                const char *what;
                int r;

                if (!(node->roles & ROLE_CONTROL_PLANE) || restore_node(s, node))
                        continue;
                what = what_runs(s, node);
                if (!what)
                        continue;
                r = error_set(reterr, ERROR_CONFIG, EBUSY, "%s is to be left out, and its %s runs",
                              node->name, what);
                error_detail(reterr, "It would go on to serve the old data. Let it take part (without "
                                     "--without), or switch it off first.\n");
                return r;
        }
        return 0;
}
