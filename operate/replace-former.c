/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where a member was that moves, while it runs there still
 *
 * Once it is out of the list it ends by itself, and the apiserver beside it has nothing to serve any more: clients would
 * learn that from requests that fail, and from watches that break off. So that is stopped before, as on any node on which
 * planned work stops something. The cluster file does not tell where it was; the list of members does, but nobody is
 * logged into because of that list alone: it has to be an address for which the store has made the member's certificate.
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/data.h"
#include "operate/operate-scripts.h"
#include "operate/replace-internal.h"

/* Its member's, by the list. */
static bool is_listed(const Replace *s, const char *url) {
        return s->own->member && strv_contains(s->own->member->client_urls, url);
}

static char* client_url(const InetAddress *address) {
        _cleanup_free_ char *endpoint = inet_endpoint_to_string(address, PORT_ETCD_CLIENT);

        return xasprintf("https://%s", endpoint);
}

/**
 * replace_former_address() - where was the node before?
 * @s:          the replacement
 * @listed:     only where its member is by the list
 * @ret:        an address that its certificates were good for, and that is not its own; or NULL
 *
 * The list tells that a member has moved until the old one is taken out of it, and a run may be killed at any moment
 * after that. But the addresses that its certificates were good for are kept until a replacement has come to its end.
 *
 * Return: true if there is one.
 */
bool replace_former_address(const Replace *s, bool listed, InetAddress *ret) {
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;

        if (s->probes.store)
                etcd_addresses(s->probes.store, s->node->name, &p);
        for (size_t i = 0; i < p.n_addresses; i++) {
                _cleanup_free_ char *url = client_url(p.addresses + i);

                if (inet_address_equal(p.addresses + i, &s->node->address) || (listed && !is_listed(s, url)))
                        continue;
                if (ret)
                        *ret = p.addresses[i];
                return true;
        }
        return false;
}

/* A host that is lost takes an ssh client as long as it waits at most; a member answers, or not, in no time. */
static bool member_answers(Replace *s) {
        _cleanup_free_ char *url = client_url(&s->former.node.address);
        _cleanup_(etcd_status_done) EtcdStatus status = {};

        return etcd_peer_open_url(&s->probes, s->node, url, ETCD_ASK_USEC, &s->former.peer, NULL) >= 0 &&
               etcd_status(&s->former.peer.endpoint, &status, NULL) >= 0 &&
               s->own->member->id == status.member_id;
}

/* What the cluster file says of the new host, its key and whether it is this machine, is not so of the old one. */
static void open_former(Replace *s) {
        s->former.node.ssh.host_key = NULL;
        s->former.node.local = false;
        s->former.node.index = 0;
        s->former.cluster = *s->request->install.cluster;
        s->former.cluster.nodes = &s->former.node;
        s->former.cluster.n_nodes = 1;
        s->former.hosts = host_pool_new(&s->former.cluster, s->request->install.host);
}

static ProbeContext former_probes(const Replace *s) {
        const InstallRequest *q = &s->request->install;

        return host_pool_probes(s->former.hosts, &s->former.cluster, q->store, q->cancelled);
}

static void warn(const Replace *s, const char *why) {
        char address[INET_TEXT_SIZE];
        _cleanup_free_ char *text = xasprintf(
                "what runs at %s, where it was, cannot be stopped in good order: %s; whoever uses the apiserver there is cut off",
                inet_address_format(&s->former.node.address, address), why);

        install_tell(&s->request->install, INSTALL_WARNING, s->node, text);
}

/* Whether it is the cluster's, and an apiserver runs there. */
static int look(Replace *s, bool *ret_apiserver, Error **reterr) {
        const ProbeContext probes = former_probes(s);
        _cleanup_(etcd_data_done) EtcdData data = {};
        int r;

        r = etcd_data_look(&probes, &s->former.node, &data, reterr);
        if (r < 0)
                return r;
        if (!replace_data_is_ours(s, &data))
                return error_set(reterr, ERROR_CONFIG, EEXIST, "the data there is not of this cluster");
        return replace_find_apiserver(&probes, &s->former.node, ret_apiserver, reterr);
}

/**
 * replace_find_former() - does the member run where it was?
 * @s:          the replacement; gets the former host, if it can be worked on
 * @ret_apiserver: whether an apiserver runs there, too
 *
 * If it does and that host cannot be logged into any more, there is a warning: no reason not to move.
 */
void replace_find_former(Replace *s, bool *ret_apiserver) {
        _cleanup_error_ Error *error = NULL;

        s->former.node = *s->node;
        if (!s->moved || !replace_former_address(s, /* listed= */ true, &s->former.node.address) ||
            !member_answers(s))
                return;
        open_former(s);
        if (look(s, ret_apiserver, &error) >= 0)
                return;
        warn(s, error_message_behind(error, s->node->name)); /* which is that of the new host, too */
        s->former.hosts = host_pool_free(s->former.hosts);
}

/**
 * replace_stop_former() - have nothing run where the member was
 * @s:          the replacement, which has spared its apiserver by now
 * @reterr:     what does not stop
 *
 * Return: 0, also where there is nothing to stop, or a negative errno.
 */
int replace_stop_former(Replace *s, Error **reterr) {
        char address[INET_TEXT_SIZE];
        ProbeContext probes;
        int r;

        if (!s->former.hosts)
                return 0;
        probes = former_probes(s);
        r = probe_exec(&probes, &s->former.node, "the member has another host now: nothing of it runs here",
                       NULL, EMBED_REPLACE_FORMER_SH, NULL, reterr);
        if (r >= 0)
                return r;
        error_detail(
                reterr,
                "Some of it may be stopped there; it is in the list still. The same command goes on from here: "
                "hardway etcd replace %s\n",
                s->node->name);
        return error_prefix(reterr, r, "at %s, where the member was",
                            inet_address_format(&s->former.node.address, address));
}

void replace_former_done(ReplaceFormer *f) {
        host_pool_free(f->hosts);
        etcd_peer_close(&f->peer);
}
