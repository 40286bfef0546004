/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before a member is replaced: may it be?
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/data.h"
#include "operate/replace-internal.h"

/* The voters besides the one to be replaced; or only those that are healthy. */
static size_t count_others(const Replace *s, bool sound) {
        size_t n = 0;

        ETCD_FOREACH_SIGHT(i, &s->survey)
                n += i != s->own && (sound ? etcd_sight_is_sound(i) : etcd_sight_votes(i));
        return n;
}

static int refuse_lost(const Replace *s, Error **reterr) {
        _cleanup_free_ char *text = NULL, *advice = NULL;
        int r;

        if (etcd_survey_lost(&s->survey, &text, &advice)) {
                r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "etcd: %s", text);
                error_detail(reterr, "A member can be replaced while the others have a quorum. Here: %s\n",
                             advice);
                return r;
        }
        if (count_others(s, false) == 0) {
                r = error_set(reterr, ERROR_CONFIG, EBUSY,
                              "%s has the only member: its data is all there is", s->node->name);
                error_detail(reterr,
                             "If it is lost: hardway etcd restore, from a snapshot. To move it: add a node, "
                             "then take this one out of the cluster file.\n");
                return r;
        }
        return 0;
}

/*
 * The old member is stopped before it goes from the list, on which the others agree while it counts still:
 * one of two, as a replacement that was interrupted leaves them, would never get out of it.
 */
static int refuse_quorum(const Replace *s, Error **reterr) {
        size_t healthy = count_others(s, true), voters = count_others(s, false);
        int r;

        if (!s->unfinished)
                voters += etcd_sight_votes(s->own);
        if (healthy >= etcd_quorum(voters))
                return 0;
        r = error_set(
                reterr, ERROR_UNAVAILABLE, EAGAIN,
                "without %s the others would be no quorum: %zu of %zu voter%s would be healthy, %zu %s needed",
                s->node->name, healthy, voters, voters == 1 ? "" : "s", etcd_quorum(voters),
                etcd_quorum(voters) == 1 ? "is" : "are");
        error_detail(reterr, "Mend one of the others first; see: hardway etcd members\n");
        return r;
}

/* A member that moved, or was left out, changes what the others and the load balancers are told of it. */
bool replace_is_told(const Replace *s) {
        return s->moved || s->had_moved || s->left_out;
}

/**
 * replace_forget_former() - nothing of this node is where it was any more
 * @s:          the replacement, which has come to its end
 * @reterr:     that cannot be written down
 *
 * Return: 0 or a negative errno.
 */
int replace_forget_former(const Replace *s, Error **reterr) {
        _cleanup_free_ char *path = etcd_server_certificate(s->node->name);

        return s->had_moved ? store_forget_former(s->probes.store, path, reterr) : 0;
}

static bool votes_here(const Replace *s) {
        return etcd_sight_is_sound(s->own) && !s->moved;
}

/* What goes last, once the new member votes, is there still. */
static int find_unfinished(Replace *s, Error **reterr) {
        _cleanup_(etcd_data_done) EtcdData data = {};
        int r;

        r = etcd_data_look(&s->probes, s->node, &data, reterr);
        if (r >= 0)
                s->unfinished = data.replaced;
        return r;
}

static int refuse_healthy(Replace *s, Error **reterr) {
        int r;

        if (!votes_here(s) || s->request->force)
                return 0;
        s->unfinished = s->left_out || s->had_moved;
        if (s->unfinished)
                return 0;
        r = find_unfinished(s, reterr);
        if (r < 0 || s->unfinished)
                return r;
        r = error_set(reterr, ERROR_CONFIG, EBUSY,
                      "the member of %s is healthy: there is nothing to replace", s->node->name);
        error_detail(reterr, "If its disk is to be changed nevertheless: --force\n");
        return r;
}

/**
 * replace_survey() - ask all members, and find this one and one to speak with among them
 * @s:          the replacement; gets what they say
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int replace_survey(Replace *s, Error **reterr) {
        int r;

        etcd_survey_done(&s->survey);
        s->own = s->one = NULL;
        r = etcd_survey(&s->probes, &s->survey, reterr);
        if (r < 0)
                return r;
        s->own = etcd_survey_find(&s->survey, s->node);
        s->one = etcd_survey_sound(&s->survey, s->own);
        return 0;
}

/**
 * replace_look() - see how far all is, and refuse what would cost the quorum or replaces nothing
 * @s:          the replacement; gets what is found
 * @reterr:     why not
 *
 * Return: 0 or a negative errno.
 */
int replace_look(Replace *s, Error **reterr) {
        _cleanup_free_ char *url = etcd_peer_url(s->node);
        int r;

        r = replace_survey(s, reterr);
        if (r < 0)
                return r;
        s->moved = s->own->member && !strv_contains(s->own->member->peer_urls, url);
        s->had_moved = replace_former_address(s, /* listed= */ false, NULL);
        r = refuse_lost(s, reterr);
        if (r >= 0)
                r = refuse_healthy(s, reterr);
        return r < 0 ? r : refuse_quorum(s, reterr);
}

/* The others speak for another cluster, and this node has the data of the last restore: they are who is wrong. */
static int refuse_current(const Replace *s, const EtcdData *data, Error **reterr) {
        _cleanup_free_ char *token = etcd_token(s->probes.store);
        int r;

        if (s->own->state != ETCD_STRANGER || !streq_null(token, data->token))
                return 0;
        r = error_set(
                reterr, ERROR_CONFIG, EEXIST,
                "%s: its data is that of the last restore, and the other members are of another cluster",
                s->node->name);
        error_detail(reterr,
                     "Nothing is taken from it. Stop etcd on the others, which came back with the data "
                     "of before, and replace those: hardway etcd replace NAME\n");
        return r;
}

/* Of this cluster, or of none? */
static int refuse_data(const Replace *s, const EtcdData *data, Error **reterr) {
        if (!data->member)
                return 0;
        if (replace_data_is_ours(s, data))
                return refuse_current(s, data, reterr);
        return error_set(reterr, ERROR_CONFIG, EEXIST,
                         "%s: there is etcd data in " ETCD_DATA " that is not of this cluster",
                         s->node->name);
}

/* Does it say that it is this cluster's? */
bool replace_data_is_ours(const Replace *s, const EtcdData *data) {
        _cleanup_free_ char *identity = etcd_identity(s->probes.store);

        return data->member && etcd_data_is_of(data, identity);
}

/* Does an apiserver run on that host? */
int replace_find_apiserver(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        static const char script[] = "systemctl is-active kube-apiserver.service 2>/dev/null || :\n";
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        int r;

        r = probe_exec(c, node, "does an apiserver run?", NULL, script, &out, reterr);
        if (r >= 0)
                *ret = streq(buffer_str(&out), "active\n");
        return r;
}

/**
 * replace_check_node() - is the node there, and is what lies on it ours to take away?
 * @s:          the replacement; is told whether there is data
 * @ret_apiserver: whether an apiserver runs there
 * @reterr:     why not
 *
 * Return: 0 or a negative errno.
 */
int replace_check_node(Replace *s, bool *ret_apiserver, Error **reterr) {
        _cleanup_(etcd_data_done) EtcdData data = {};
        int r;

        r = etcd_data_look(&s->probes, s->node, &data, reterr);
        if (r >= 0)
                r = refuse_data(s, &data, reterr);
        if (r < 0)
                return r;
        s->data = data.member;
        return replace_find_apiserver(&s->probes, s->node, ret_apiserver, reterr);
}
