/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes of the list of members, tried until what passes has passed
 *
 * A leader takes no change before its members have seen each other for five seconds (etcd
 * server/etcdserver/server.go, HealthInterval), and none while there is no leader.
 */

#include <errno.h>

#include "common/clock.h"
#include "etcd/client.h"

#define PASSES (30 * USEC_PER_SEC)
#define PAUSE (500 * USEC_PER_MSEC)

/* Whether it is worth another try; waits a moment before that. */
static bool again(int r, uint64_t since) {
        if (r != -EAGAIN || clock_usec() > since + PASSES)
                return false;
        clock_sleep(PAUSE);
        return true;
}

/**
 * etcd_member_add_patiently() - etcd_member_add(), for half a minute if need be
 * @e:          a member that reaches a quorum
 * @peer_url:   where the learner will be
 * @ret:        the list with it; freed by etcd_members_done()
 * @reterr:     why not
 *
 * Return: 0 or a negative errno.
 */
int etcd_member_add_patiently(const EtcdEndpoint *e, const char *peer_url, EtcdMembers *ret,
                              Error **reterr) {
        const uint64_t since = clock_usec();
        Error *error = NULL;
        int r;

        do {
                error = error_free(error);
                r = etcd_member_add(e, peer_url, ret, &error);
        } while (again(r, since));
        return r < 0 ? error_propagate(reterr, error) : 0;
}

/**
 * etcd_member_remove_patiently() - etcd_member_remove(), for half a minute if need be
 * @e:          another member, that reaches a quorum
 * @id:         who goes; gone already is success
 * @reterr:     why not
 *
 * Return: 0 or a negative errno.
 */
int etcd_member_remove_patiently(const EtcdEndpoint *e, uint64_t id, Error **reterr) {
        const uint64_t since = clock_usec();
        Error *error = NULL;
        int r;

        do {
                error = error_free(error);
                r = etcd_member_remove(e, id, &error);
        } while (again(r, since));
        return r < 0 ? error_propagate(reterr, error) : 0;
}
