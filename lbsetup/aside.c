/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sparing an apiserver, before it is restarted
 *
 * haproxy would find out by itself, as an apiserver that is about to go says so. But at that moment it cuts
 * off what is under way there (on-marked-down, which is for servers that hang), and what was sent there a
 * moment before. Told beforehand, it sends nothing new, and leaves the rest to the apiserver, which ends it
 * in good order.
 */

#include "common/alloc.h"
#include "common/clock.h"
#include "common/shell.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

#define GOING_TIMEOUT (90 * USEC_PER_SEC) /* longer than an apiserver may take to stop */
#define GOING_PAUSE (500 * USEC_PER_MSEC)

static int run_script(const ProbeContext *c, const Node *node, const char *verb, const char *server,
                      Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;

        shell_add_variable(&variables, "verb", verb);
        shell_add_variable(&variables, "server", server);
        return probe_exec(c, node, "haproxy spares an apiserver, or no more", &variables, EMBED_LB_ASIDE_SH,
                          ret, reterr);
}

/* Also of a node that is a controller no more, as long as haproxy knows it. Nothing is gained by sparing the last one: haproxy would send new connections there all the same. */
static bool can_spare(const LbLook *l, const char *server) {
        bool known = false;
        size_t others = 0;

        for (size_t i = 0; i < l->n_servers; i++)
                if (streq(l->servers[i].name, server))
                        known = true;
                else
                        others += lb_server_is_up(l->servers + i);
        return known && others > 0;
}

/**
 * haproxy_set_aside() - have no load balancer send new connections to a node's apiserver
 * @c:          the context of the probe
 * @node:       the node on which something is about to be restarted
 * @reterr:     which load balancer does not do so
 *
 * One that cannot be asked, or whose haproxy does not answer, is passed over: the gates decide whether
 * the node may be touched then.
 *
 * Return: 0, also where there is nothing to be done, or a negative errno.
 */
int haproxy_set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_pair_ LbPair pair = {};
        int r;

        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair) {
                if (peer->result < 0 || peer->look.page == 0 || !can_spare(&peer->look, node->name))
                        continue;
                r = run_script(c, peer->node, "set-aside", node->name, NULL, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s could not be set aside", node->name);
        }
        return 0;
}

/* One that is not ready and has connections is on its way out: put back now, it would get new ones and have
 * all cut off a moment later. */
static int put_back(const ProbeContext *c, HttpClient *http, const LbPeer *peer, Error **reterr) {
        uint64_t deadline = clock_usec() + GOING_TIMEOUT;

        for (;;) {
                _cleanup_buffer_ Buffer out = BUFFER_NULL;
                bool ready = lb_apiserver_is_ready(c, http, peer->look.aside);
                bool insist = ready || clock_usec() > deadline;
                int r;

                r = run_script(c, peer->node, insist ? "bring-back" : "try-back", peer->look.aside, &out,
                               reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s could not be brought back", peer->look.aside);
                if (insist || !startswith(buffer_str(&out), "busy"))
                        return 0;
                clock_sleep(GOING_PAUSE);
        }
}

/**
 * haproxy_bring_back() - have all load balancers send connections again to what was set aside
 * @c:          the context of the probe
 * @reterr:     which load balancer does not do so
 *
 * Also to what a run has set aside that was killed. A load balancer that cannot be asked is passed over;
 * its next start forgets, and so does its next installation.
 *
 * Return: 0, also where there is nothing to be done, or a negative errno.
 */
int haproxy_bring_back(const ProbeContext *c, Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_pair_ LbPair pair = {};
        int r;

        r = probe_client(c, "ca", /* credential= */ NULL, &http, reterr);
        if (r < 0)
                return r;
        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair) {
                if (peer->result < 0 || !*peer->look.aside)
                        continue;
                r = put_back(c, http, peer, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
