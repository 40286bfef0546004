/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: whose data lies on the node
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/internal.h"

static Check* refuse(const Node *node, CheckList *checks, const char *format, ...) _printf_(3, 4);
static Check* refuse(const Node *node, CheckList *checks, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return check_add_on(checks, CHECK_FAILED, ETCD_PREFLIGHT, node, ETCD_PREFLIGHT, "%s", text);
}

/* mark and identity may be NULL: there is none (yet). */
static void refuse_foreign(const Node *node, const char *mark, const char *identity, CheckList *checks) {
        if (mark)
                check_advise(
                        refuse(node, checks,
                               "the etcd data in " ETCD_DATA
                               " belongs to another cluster (identity %.8s..., ours is %.8s...)",
                               mark, identity ?: "none yet"),
                        "Look at it before anything else. If all can go that the other cluster has on this node: "
                        "hardway reset --force --node %s",
                        node->name);
        else
                check_advise(
                        refuse(node, checks,
                               "there is etcd data in " ETCD_DATA " that hardway did not put there"),
                        "Look at it before anything else; a reset leaves it, as it is somebody's. If it can go: stop what "
                        "uses it, then remove or move it: mv " ETCD_DATA "/member /root/etcd-member");
}

/* Such as a distribution's etcd that has been stopped has in a directory of its own. */
static void refuse_other(const Node *node, const char *name, CheckList *checks) {
        check_advise(refuse(node, checks,
                            "there is %s in " ETCD_DATA " that hardway did not put there, and that might go "
                            "with a reset",
                            name),
                     "Look at it before anything else; then move or remove it: " ETCD_DATA
                     " has to be there for this alone, or not at all.");
}

/* Its own data, but of before a restore; or a restore was begun, and has not come to this node yet. */
static void refuse_older(const Node *node, CheckList *checks) {
        Check *check =
                refuse(node, checks, "the etcd data in " ETCD_DATA " is not that of the last restore");

        check_advise(
                check,
                "If hardway etcd restore was interrupted: run it again, it goes on. If the node was away "
                "meanwhile: hardway etcd replace %s",
                node->name);
}

/* Of a member that was there once: etcd would refuse to bootstrap it again, as it might forget what it had promised. Who says so
 * may be a quorum, a single member, or what lies on another one's disk: replace needs the first. */
static void refuse_lost_data(const ProbeContext *c, const Node *node, CheckList *checks) {
        if (cluster_count(c->cluster, ROLE_ETCD) == 1) {
                check_advise(
                        refuse(node, checks,
                               "the cluster has served, and the data of its only member is gone from " ETCD_DATA),
                        "If the disk is only not mounted: mount it. If it was lost: hardway etcd restore FILE\n"
                        "If the cluster is to begin anew, with nothing in it: hardway reset, then hardway install");
                return;
        }
        check_advise(
                refuse(node, checks,
                       "was a member of this etcd cluster, but its data is gone from " ETCD_DATA),
                "If its disk was lost or replaced: hardway etcd replace %s, once enough of the others serve to be a "
                "quorum; those that are off come back with hardway install --node NAME. If too few have their data: "
                "hardway etcd restore\n"
                "If the disk is only not mounted: mount it. If nothing of the cluster is to stay: hardway reset",
                node->name);
}

/* It would take what it is told first for all there is. */
static void refuse_alone(const Node *node, const Node *other, CheckList *checks) {
        check_advise(
                refuse(node, checks,
                       "has no etcd data, no member answers that it could join, and %s has some or cannot be asked",
                       other->name),
                "Bring the members back that have data, with hardway install --node NAME; then, if %s was a member: "
                "hardway etcd replace %s, else hardway install. If their data is lost: hardway etcd restore",
                node->name, node->name);
}

/* An empty disk. The node itself may remember. Return: whether something speaks against beginning with it. */
static bool refuse_empty(const ProbeContext *c, const Node *node, bool began, CheckList *checks) {
        const Node *other;
        EtcdBeginning beginning = began ? ETCD_WAS_STARTED : etcd_judge_empty(c, node, &other);

        if (beginning == ETCD_WAS_STARTED)
                refuse_lost_data(c, node, checks);
        else if (beginning == ETCD_NEEDS_OTHERS)
                refuse_alone(node, other, checks);
        return beginning != ETCD_BEGINS;
}

/* It may be that of a member at another address, which would not find the others. */
static void refuse_unread(const Node *node, const Error *why, CheckList *checks) {
        check_advise(
                refuse(node, checks,
                       "no member answers, and at which address the etcd data in " ETCD_DATA
                       " has this one cannot be told: %s",
                       error_message_behind(why, node->name)),
                "If its disk is broken, and the others are well: bring them up first, with hardway install --node "
                "NAME; then hardway etcd replace %s\n"
                "If the hosts have the addresses that they had when they ran: --ignore " ETCD_PREFLIGHT
                "/%s",
                node->name, node->name);
}

static void refuse_renumbered(const ProbeContext *c, const Node *node, const char *was, CheckList *checks) {
        _cleanup_free_ char *is = etcd_peer_url(node);

        check_advise(
                refuse(node, checks,
                       "the etcd data in " ETCD_DATA
                       " is of a member at %s, by the cluster file it is at %s, and no member answers: "
                       "none would find the others",
                       was, is),
                "If the hosts have other addresses now, and their data: hardway etcd restore --survivor %s, "
                "whose data has got furthest of those that can be asked; it becomes all members', at the "
                "addresses of today. With --without NAME for each that is gone.\n"
                "If only the cluster file has other addresses: put today's back, and hardway pki gen.",
                etcd_furthest(c, node)->name);
}

/* No member finds another, and nobody knows it but the data. */
static bool refuse_elsewhere(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *was = NULL;

        if (etcd_data_elsewhere(c, node, &was, &error) < 0)
                refuse_unread(node, error, checks);
        else if (was)
                refuse_renumbered(c, node, was, checks);
        return error || was;
}

/* Whether a member's own list, or that which a quorum has, knows the node. Return: 1, 0, or a negative errno if it gives none;
 * *ret_was is the URL that it has there, if it is another one, or NULL; who does not care passes NULL. */
static int lists(const ProbeContext *c, const Node *asked, const Node *node, char **ret_was) {
        _cleanup_free_ char *url = etcd_peer_url(node);
        _cleanup_(etcd_members_done) EtcdMembers members = {};
        const EtcdMember *named;
        int r = etcd_members_of(c, asked, ETCD_ASK_USEC, /* linearizable= */ asked != node, &members);

        if (r < 0)
                return r;
        if (etcd_members_find_peer(&members, url))
                return 1;
        named = etcd_members_find_name(&members, node->name);
        if (ret_was && named && named->peer_urls && named->peer_urls[0])
                *ret_was = xstrdup(named->peer_urls[0]);
        return named != NULL;
}

/* The others speak with it at another address, and go on to. Itself it may not even be able to listen there. */
static void refuse_listed_elsewhere(const Node *node, const char *was, CheckList *checks) {
        check_advise(
                refuse(node, checks,
                       "the members have it at %s, which is not its address by the cluster file, and it has the data of "
                       "then in " ETCD_DATA,
                       was),
                "If its host has another address now: hardway etcd replace %s, which sets up a new member there. "
                "If only the cluster file has: put the address back, and hardway pki gen.",
                node->name);
}

/* Of this cluster, and taken out of it since: its data knows that, and it would never serve again. */
static void refuse_taken_out(const Node *node, CheckList *checks) {
        check_advise(refuse(node, checks,
                            "was taken out of etcd's members, and still has the data of then in " ETCD_DATA
                            ", with which it cannot join again"),
                     "hardway etcd replace %s; or hardway reset --node %s, and hardway install", node->name,
                     node->name);
}

/* Data of this cluster: does anybody know its member, there? Only what others agree on is believed; a member that works says for
 * itself that it is one. */
static bool refuse_unknown(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_free_ char *was = NULL;
        int known = -EHOSTUNREACH;

        if (lists(c, node, node, NULL) > 0)
                return false;
        CLUSTER_FOREACH_NODE(other, c->cluster, ROLE_ETCD)
                if (other != node && known < 0)
                        known = lists(c, other, node, &was);
        if (known < 0)
                return refuse_elsewhere(c, node, checks);
        if (known == 0)
                refuse_taken_out(node, checks);
        else if (was)
                refuse_listed_elsewhere(node, was, checks);
        return known == 0 || was;
}

/* Return: whether anything speaks against what lies there. */
static bool judge(const ProbeContext *c, const Node *node, const EtcdData *data, CheckList *checks) {
        /* none yet is as good as another one */
        _cleanup_free_ char *identity = etcd_identity(c->store), *token = etcd_token(c->store);

        if (!data->member) {
                if (!data->other || data->identity)
                        return identity && refuse_empty(c, node, data->began, checks);
                refuse_other(node, data->other, checks);
                return true;
        }
        if (!etcd_data_is_of(data, identity)) {
                refuse_foreign(node, data->identity, identity, checks);
                return true;
        }
        if (!streq_null(data->token, token)) {
                refuse_older(node, checks);
                return true;
        }
        return refuse_unknown(c, node, checks);
}

/**
 * etcd_preflight() - does the data on the node belong to this cluster, and is there a place for its snapshots?
 * @c:          the context of the probe
 * @node:       the node that is about to be changed
 * @checks:     gets findings: data without our mark, and a member whose data is gone, are failures
 * @reterr:     why the node cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int etcd_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_(etcd_data_done) EtcdData data = {};
        int r;

        r = etcd_preflight_place(c, node, checks, reterr);
        if (r >= 0)
                r = etcd_data_look(c, node, &data, reterr);
        if (r < 0 || judge(c, node, &data, checks))
                return r;
        check_add_on(checks, CHECK_OK, ETCD_PREFLIGHT, node, ETCD_PREFLIGHT, "%s",
                     data.member ? "of this cluster" : "none yet");
        return 0;
}
