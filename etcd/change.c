/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What changes a cluster: its members, their disks, its alarms
 *
 * The gateway's status does not tell refusals apart, so its messages do (etcd
 * api/v3rpc/rpctypes/error.go).
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "etcd/client-internal.h"

#define COMPACT_TIMEOUT (300 * USEC_PER_SEC)

/* Does the member refuse with one of these words? */
static bool says(const Error *error, const char *const *words) {
        for (const char *const *w = words; *w; w++)
                if (strstr(error->message, *w))
                        return true;
        return false;
}

/* What passes by itself, as members meet each other. */
static const char *const passing[] = { "unhealthy cluster", "not enough started members",
                                       "no leader",         "request timed out",
                                       "leader changed",    NULL };

static int change(const EtcdEndpoint *e, const char *path, json_t *body, json_t **ret, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r;

        r = etcd_call(e, path, body, ret, &error);
        if (r >= 0)
                return 0;
        if (says(error, passing))
                return error_set(reterr, ERROR_TEMPORARY, EAGAIN, "%s", error->message);
        return error_propagate(reterr, TAKE_PTR(error));
}

static json_t* id_body(const char *key, uint64_t id) {
        _cleanup_free_ char *text = xasprintf("%" PRIu64, id);

        return json_pack("{s:s}", key, text);
}

/**
 * etcd_member_add() - add a learner to the list of members
 * @e:          a member that reaches a quorum
 * @peer_url:   where it will be
 * @ret:        the list with it; freed by etcd_members_done()
 * @reterr:     why not; -EAGAIN passes
 *
 * Return: 0 or a negative errno.
 */
int etcd_member_add(const EtcdEndpoint *e, const char *peer_url, EtcdMembers *ret, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        int r;

        r = change(e, "/v3/cluster/member/add",
                   json_pack("{s:[s],s:b}", "peerURLs", peer_url, "isLearner", 1), &tree, reterr);
        if (r >= 0)
                etcd_members_from_json(tree, ret);
        return r;
}

/**
 * etcd_member_remove() - take a member out of the list
 * @e:          another member, that reaches a quorum
 * @id:         who goes; gone already is success
 * @reterr:     why not; -EAGAIN passes
 *
 * Return: 0 or a negative errno.
 */
int etcd_member_remove(const EtcdEndpoint *e, uint64_t id, Error **reterr) {
        static const char *const gone[] = { "member not found", NULL };
        _cleanup_error_ Error *error = NULL;
        int r;

        r = change(e, "/v3/cluster/member/remove", id_body("ID", id), NULL, &error);
        if (r >= 0 || says(error, gone))
                return 0;
        return error_propagate(reterr, TAKE_PTR(error));
}

/**
 * etcd_member_promote() - let a learner vote
 * @e:          a voter that reaches a quorum
 * @id:         the learner; a voter already is success
 * @reterr:     why not; -EAGAIN passes
 *
 * Return: 1 if it votes now, 0 if it has to catch up first, or a negative errno.
 */
int etcd_member_promote(const EtcdEndpoint *e, uint64_t id, Error **reterr) {
        static const char *const behind[] = { "in sync with leader", NULL };
        static const char *const votes[] = { "can only promote a learner member", NULL };
        _cleanup_error_ Error *error = NULL;
        int r;

        r = change(e, "/v3/cluster/member/promote", id_body("ID", id), NULL, &error);
        if (r >= 0)
                return 1;
        if (says(error, behind))
                return 0;
        if (says(error, votes))
                return 1;
        return error_propagate(reterr, TAKE_PTR(error));
}

/**
 * etcd_defragment() - have a member give unused disk space back
 * @e:          the member; it answers nobody until it is done
 * @timeout_usec: how long that may take
 * @reterr:     why it did not
 *
 * Return: 0 or a negative errno.
 */
int etcd_defragment(const EtcdEndpoint *e, uint64_t timeout_usec, Error **reterr) {
        EtcdEndpoint patient = *e;

        patient.timeout_usec = timeout_usec;
        return etcd_call(&patient, "/v3/maintenance/defragment", json_object(), NULL, reterr);
}

/**
 * etcd_compact() - forget old revisions
 * @e:          a member that reaches a quorum
 * @revision:   the oldest that stays
 * @reterr:     why not; compacted already is success
 *
 * Watches that are further back are told so, and begin anew.
 *
 * Return: 0 or a negative errno.
 */
int etcd_compact(const EtcdEndpoint *e, uint64_t revision, Error **reterr) {
        static const char *const done[] = { "has been compacted", NULL };
        _cleanup_free_ char *text = xasprintf("%" PRIu64, revision);
        _cleanup_error_ Error *error = NULL;
        EtcdEndpoint patient = *e;
        int r;

        patient.timeout_usec = COMPACT_TIMEOUT;
        r = etcd_call(&patient, "/v3/kv/compaction", json_pack("{s:s,s:b}", "revision", text, "physical", 1),
                      NULL, &error);
        if (r >= 0 || says(error, done))
                return 0;
        return error_propagate(reterr, TAKE_PTR(error));
}

static EtcdAlarm alarm_from_text(const char *text) {
        return streq_null(text, "CORRUPT") ? ETCD_ALARM_CORRUPT : ETCD_ALARM_NOSPACE;
}

/**
 * etcd_alarms() - what has been raised and not been disarmed
 * @e:          a member that reaches a quorum
 * @ret:        the alarms; the caller frees
 * @ret_n:      how many
 * @reterr:     it could not be asked
 *
 * Return: 0 or a negative errno.
 */
int etcd_alarms(const EtcdEndpoint *e, EtcdAlarmed **ret, size_t *ret_n, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        const json_t *list, *item;
        size_t i;
        int r;

        r = etcd_call(e, "/v3/maintenance/alarm", json_pack("{s:s}", "action", "GET"), &tree, reterr);
        if (r < 0)
                return r;
        list = json_object_get(tree, "alarms");
        *ret = xnew(EtcdAlarmed, json_array_size(list) + 1);
        *ret_n = json_array_size(list);
        json_array_foreach(list, i, item)
                (*ret)[i] = (EtcdAlarmed) {
                        .member = json_uint64(item, "memberID"),
                        .alarm = alarm_from_text(json_text(item, "alarm")),
                };
        return 0;
}

int etcd_disarm(const EtcdEndpoint *e, const EtcdAlarmed *alarm, Error **reterr) {
        _cleanup_free_ char *id = xasprintf("%" PRIu64, alarm->member);
        const char *name = alarm->alarm == ETCD_ALARM_CORRUPT ? "CORRUPT" : "NOSPACE";

        return etcd_call(e, "/v3/maintenance/alarm",
                         json_pack("{s:s,s:s,s:s}", "action", "DEACTIVATE", "memberID", id, "alarm", name),
                         NULL, reterr);
}
