/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taking a snapshot: of which member, and where to
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "etcd/internal.h"
#include "etcd/snapshot.h"

#define RESERVE (UINT64_C(16) * 1024 * 1024) /* left free on the disk that it is written to */

/**
 * etcd_save_path() - the usual place of a snapshot that is taken now
 * @c:          the cluster
 *
 * Return: a path beside the cluster file; the caller frees.
 */
char* etcd_save_path(const Cluster *c) {
        _cleanup_free_ char *directory = fs_path_dirname(c->path);
        time_t now = (time_t) clock_realtime();
        char text[32] = "";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                (void) strftime(text, sizeof(text), "%Y-%m-%dT%H%M%SZ", &tm);
        return xasprintf("%s%ssnapshots/%s-%s.db", streq(directory, ".") ? "" : directory,
                         streq(directory, ".") ? "" : "/", c->name, text);
}

static const EtcdSight* choose(const EtcdSurvey *survey) {
        const EtcdSight *leader = etcd_survey_leader(survey), *found = NULL;

        ETCD_FOREACH_SIGHT(s, survey)
                if (s->node && etcd_sight_is_sound(s) && (!found || found == leader))
                        found = s;
        return found;
}

static int refuse_lost(const EtcdSurvey *survey, Error **reterr) {
        _cleanup_free_ char *text = NULL, *advice = NULL;
        int r;

        if (!etcd_survey_lost(survey, &text, &advice))
                return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "etcd has no healthy member");
        r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "etcd: %s", text);
        error_detail(reterr, "%s\n", advice);
        error_detail(reterr, "A snapshot of a single member that answers may lack what was written last; it "
                             "is taken of the one that you name: --node NAME\n");
        return r;
}

static int select_member(const EtcdSurvey *survey, const Node *node, const EtcdSight **ret, Error **reterr) {
        const EtcdSight *s = node ? etcd_survey_find(survey, node) : choose(survey);

        if (!node && !s)
                return refuse_lost(survey, reterr);
        if (!s)
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s has no etcd member", node->name);
        if (!s->answers)
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "%s: %s", node->name, s->why);
        *ret = s;
        return 0;
}

/**
 * etcd_save_space() - is there room for a snapshot?
 * @path:       where it is to be
 * @size:       bytes
 * @reterr:     how much is missing
 *
 * Return: 0 or a negative errno.
 */
int etcd_save_space(const char *path, uint64_t size, Error **reterr) {
        _cleanup_free_ char *directory = fs_path_dirname(path);
        struct statvfs st;
        uint64_t available;

        if (statvfs(directory, &st) < 0)
                return error_set_errno(reterr, errno, "%s: cannot be examined", directory);
        available = (uint64_t) st.f_bavail * st.f_frsize;
        if (available >= RESERVE && size <= available - RESERVE)
                return 0;
        return error_set(reterr, ERROR_IO, ENOSPC, "%s: %" PRIu64 " MB are needed, %" PRIu64 " MB are free",
                         directory, size / 1000000 + RESERVE / 1000000 + 1, available / 1000000);
}

/**
 * etcd_save() - take a snapshot
 * @c:          the context of the probe
 * @request:    of which member, and where to; the folder has to be there
 * @ret:        what was taken, and of which member
 * @reterr:     nobody gives one, or it could not be written
 *
 * Return: 0 or a negative errno.
 */
int etcd_save(const ProbeContext *c, const EtcdSaveRequest *request, EtcdSaved *ret, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        const EtcdSight *s = NULL;
        EtcdSaved saved;
        int r;

        r = etcd_survey(c, &survey, reterr);
        if (r >= 0)
                r = select_member(&survey, request->node, &s, reterr);
        if (r >= 0)
                r = etcd_save_space(request->path, s->status.db_size, reterr);
        if (r < 0)
                return r;
        saved = (EtcdSaved) {
                .node = s->node,
                .quorum = s->state == ETCD_HEALTHY,
                .older = s->state == ETCD_STRANGER,
                .revision = s->status.revision,
        };
        http_client_set_cancelled(s->peer.endpoint.http, c->cancelled);
        r = etcd_snapshot(&s->peer.endpoint, AT_FDCWD, request->path, request->check, request->progress,
                          request->userdata, &saved.size, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", s->node->name);
        *ret = saved;
        return 0;
}

/**
 * etcd_before_rollout() - save the data before other binaries get to it
 * @c:          the context of the probe
 * @reterr:     no member gave a snapshot, or it could not be written
 *
 * It lies in snapshots/ beside the cluster file. A newer etcd may change its data in a way that the old one
 * cannot read: then this is the way back.
 *
 * Return: 0 or a negative errno.
 */
int etcd_before_rollout(const ProbeContext *c, Error **reterr) {
        _cleanup_free_ char *path = etcd_save_path(c->cluster), *folder = fs_path_dirname(path);
        const EtcdSaveRequest request = { .path = path };
        EtcdSaved saved;
        int r;

        r = fs_mkdir_parents(AT_FDCWD, folder, 0700, reterr);
        if (r >= 0)
                r = etcd_save(c, &request, &saved, reterr);
        return r < 0 ? error_prefix(reterr, r, "etcd: no snapshot could be taken before the change") : 0;
}
