/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A member that joins a cluster which serves
 *
 * It is added as a learner, which does not vote: nothing is risked while it catches up. Then it is started with
 * the list of members as it is now, and with "existing" instead of the plan's "new", by a drop-in in /run, which
 * matters until there is data. Once it is in sync it is promoted. What an earlier run left (a learner in the
 * list, a drop-in) is found and used.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"
#include "units/unit-file.h"

#define DROP_IN "/run/systemd/system/etcd.service.d/90-hardway-join.conf"

/* Learners that never started and are not this node's were left by a run that was given up. */
static int drop_leftovers(const EtcdSurvey *survey, const EtcdSight *one, const Node *node, Error **reterr) {
        int r;

        ETCD_FOREACH_SIGHT(s, survey) {
                if (!s->member || !s->member->learner || s->node == node)
                        continue;
                if (s->state == ETCD_HEALTHY || (s->node && s->member->client_urls))
                        return error_set(reterr, ERROR_TEMPORARY, EBUSY,
                                         "etcd: %s is joining, one at a time: let it finish first",
                                         etcd_sight_name(s));
                r = etcd_member_remove(&one->peer.endpoint, s->member->id, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What etcd's list says goes into a unit file and a script that root runs: names and addresses only. */
static bool is_plain(const char *text) {
        return *text &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/[]") ==
                       strlen(text);
}

/* As --initial-cluster wants it: with the name that the new one will have. */
static int initial_cluster(const EtcdMembers *m, const char *own_url, const char *own_name, char **ret,
                           Error **reterr) {
        _cleanup_strv_ Strv parts = NULL;

        for (size_t i = 0; i < m->n_members; i++) {
                bool own = strv_contains(m->members[i].peer_urls, own_url);
                const char *name = own ? own_name : m->members[i].name ?: "unnamed";

                STRV_FOREACH(url, m->members[i].peer_urls) {
                        if (!is_plain(name) || !is_plain(*url))
                                return error_set(
                                        reterr, ERROR_VERIFY, EBADMSG,
                                        "etcd's list of members has a name or address that is none");
                        strv_addf(&parts, "%s=%s", name, *url);
                }
        }
        *ret = strv_join(parts, ",");
        return 0;
}

static int drop_in(const ProbeContext *c, const Node *node, const char *cluster, Buffer *out,
                   Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u =
                unit_file_new("Written by hardway, for the first start alone.");
        PlanContext context = { .cluster = c->cluster, .node = node, .store = c->store };
        _cleanup_free_ char *binary = plan_binary_path(c->cluster, ORIGIN_ETCD, "etcd");
        _cleanup_strv_ Strv argv = NULL;
        int r;

        argv = flags_to_argv(binary, etcd_flags, ETCD_N_FLAGS, "etcd", &context);
        for (char **a = argv; *a; a++) {
                char *other = startswith(*a, "--initial-cluster=") ?
                                      xasprintf("--initial-cluster=%s", cluster) :
                              startswith(*a, "--initial-cluster-state=") ?
                                      xstrdup("--initial-cluster-state=existing") :
                                      NULL;

                if (other) {
                        free(*a);
                        *a = other;
                }
        }
        unit_file_section(u, "Service");
        r = unit_file_set_literal(u, "ExecStart", "", reterr);
        if (r >= 0)
                r = unit_file_set_command_specifiers(u, "ExecStart", "", argv, /* breaks= */ true, reterr);
        if (r >= 0)
                unit_file_render(u, out);
        return r;
}

static int put_drop_in(const ProbeContext *c, const Node *node, const char *cluster, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, variables = BUFFER_NULL;
        int r;

        r = drop_in(c, node, cluster, &text, reterr);
        if (r < 0)
                return r;
        shell_add_variable(&variables, "drop_in", DROP_IN);
        shell_add_variable(&variables, "text", buffer_str(&text));
        return probe_exec(c, node, "its first start is as a member of a cluster that exists", &variables,
                          EMBED_ETCD_JOIN_SH, NULL, reterr);
}

/* A learner that was added for this very start. One that has been started has promised to keep what it was sent:
 * with an empty disk it cannot go on as the same. */
static bool is_usable(const EtcdSight *own, const char *url) {
        return own->member && strv_contains(own->member->peer_urls, url) && !own->member->client_urls;
}

static int join(const ProbeContext *c, const EtcdSurvey *survey, const EtcdSight *one, const Node *node,
                Error **reterr) {
        const EtcdSight *own = etcd_survey_find(survey, node);
        _cleanup_(etcd_members_done) EtcdMembers added = {};
        _cleanup_free_ char *url = etcd_peer_url(node), *cluster = NULL;
        bool usable = is_usable(own, url);
        int r;

        r = drop_leftovers(survey, one, node, reterr);
        if (r >= 0 && own->member && !usable)
                r = etcd_member_remove(&one->peer.endpoint, own->member->id, reterr);
        if (r < 0)
                return r;
        if (!usable) {
                r = etcd_member_add_patiently(&one->peer.endpoint, url, &added, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "etcd: the new member cannot be added");
        }
        r = initial_cluster(usable ? &survey->list : &added, url, node->name, &cluster, reterr);
        if (r >= 0)
                r = put_drop_in(c, node, cluster, reterr);
        return r < 0 ? r : 1;
}

/* It holds the whole command line, so it must not outlive its purpose: the next version's would never be used. Also
 * one that a run left which was killed. */
static int forget_drop_in(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;

        shell_add_variable(&variables, "drop_in", DROP_IN);
        shell_add_variable(&variables, "data", ETCD_DATA);
        return probe_exec(c, node, "the first start is over", &variables, EMBED_ETCD_JOINED_SH, NULL,
                          reterr);
}

/**
 * etcd_join() - get ready to start a member that has no data in a cluster that serves
 * @c:          the context of the probe
 * @node:       the node, on which everything is but not started
 * @reterr:     it cannot join now
 *
 * Return: 1 if it is about to join, 0 if there is nothing to do, or a negative errno.
 */
int etcd_join(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_(etcd_data_done) EtcdData data = {};
        const EtcdSight *one, *own;
        int r;

        r = etcd_data_look(c, node, &data, reterr);
        if (r >= 0 && data.member)
                r = forget_drop_in(c, node, reterr);
        if (r < 0 || data.member)
                return r;
        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        one = etcd_survey_sound(&survey, NULL);
        own = etcd_survey_find(&survey, node);
        /* A voter that was never started is one of the first members, and late: it starts as those did. */
        if (!one || (own->member && !own->member->learner))
                return 0;
        return join(c, &survey, one, node, reterr);
}

static int promote(const EtcdSurvey *survey, const EtcdSight *own, ProbeResult *ret) {
        const EtcdSight *one = etcd_survey_sound(survey, NULL);
        _cleanup_error_ Error *error = NULL;
        int r;

        if (!one) {
                probe_result_set(ret, PROBE_WAITING, "no voter is healthy");
                return 0;
        }
        r = etcd_member_promote(&one->peer.endpoint, own->member->id, &error);
        if (r <= 0)
                probe_result_set(ret, PROBE_WAITING, "%s", r < 0 ? error->message : "learner, catches up");
        return r > 0;
}

/* A member that cannot be asked is somebody else's finding, unless it was about to join. */
static int settle_unknown(const ProbeContext *c, const Node *node, const Error *why, ProbeResult *ret,
                          Error **reterr) {
        static const char script[] = "if [ -e " DROP_IN " ]; then echo yes; fi\n";
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        int r;

        r = probe_exec(c, node, "is it about to join?", NULL, script, &out, reterr);
        if (r >= 0 && startswith(buffer_str(&out), "yes"))
                probe_result_set(ret, PROBE_WAITING, "%s", why->message);
        return r;
}

/**
 * etcd_settle() - make a learner that has caught up a voter
 * @c:          the context of the probe
 * @node:       the node, whose member was started
 * @ret:        ready once it votes, or if it is none that has to be waited for
 * @reterr:     what the store lacks, or the node does not answer
 *
 * Return: 0 or a negative errno.
 */
int etcd_settle(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        _cleanup_(etcd_status_done) EtcdStatus status = {};
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_error_ Error *error = NULL;
        const EtcdSight *own;
        int r;

        r = etcd_peer_open(c, node, ETCD_ASK_USEC, &p, reterr);
        if (r < 0)
                return r;
        probe_result_set(ret, PROBE_READY, NULL);
        if (etcd_status(&p.endpoint, &status, &error) < 0)
                return settle_unknown(c, node, error, ret, reterr);
        if (!etcd_is_current(c->store, status.cluster_id)) {
                etcd_say_older(node, ret);
                return 0;
        }
        if (!status.learner)
                return forget_drop_in(c, node, reterr);
        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        own = etcd_survey_find(&survey, node);
        if (!own->member || !own->member->learner || promote(&survey, own, ret) > 0)
                return forget_drop_in(c, node, reterr);
        return 0;
}
