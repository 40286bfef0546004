/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A cluster that lives where the cluster file does not look any more
 *
 * One edit of the list of nodes may leave no member of today in it: etcd goes to hosts of its own or comes back from
 * them, or all controllers are others, or have other addresses. Those who are asked then have no data, and would
 * begin with none, while the cluster goes on elsewhere. But what was made for its members is in the store, and their
 * certificates, those of today and those of before, say where they are; so they are asked, too. On a first
 * installation there is nobody to be asked.
 */

#include <errno.h>
#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "common/parallel.h"
#include "etcd/internal.h"

typedef struct Former {
        const ProbeContext *context;
        const Node *credential;
        char *name, *address;
        bool answers;
} Former;

typedef struct Formers {
        Former *list;
        size_t n;
} Formers;

static void formers_done(Formers *f) {
        for (size_t i = 0; i < f->n; i++) {
                free(f->list[i].name);
                free(f->list[i].address);
        }
        free(f->list);
}

/* Where members of the cluster file are was asked before. */
static bool is_asked(const Cluster *c, const InetAddress *address) {
        CLUSTER_FOREACH_NODE(node, c, ROLE_ETCD)
                if (inet_address_equal(&node->address, address))
                        return true;
        return false;
}

static void add_of(const ProbeContext *c, const char *name, Formers *f) {
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;

        etcd_addresses(c->store, name, &p);
        for (size_t i = 0; i < p.n_addresses; i++) {
                const InetAddress *address = p.addresses + i;

                if (is_asked(c->cluster, address))
                        continue;
                f->list = xrealloc(f->list, f->n + 1, sizeof(Former));
                f->list[f->n++] = (Former) {
                        .context = c,
                        .name = xstrdup(name),
                        .address = inet_endpoint_to_string(address, PORT_ETCD_CLIENT),
                };
        }
}

/* Whether there is a leader does not matter: it has data, and may have one in a moment. What is of before a
 * restore is no part of the cluster. */
static void ask(void *item) {
        Former *f = item;
        _cleanup_free_ char *url = xasprintf("https://%s", f->address);
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        _cleanup_(etcd_status_done) EtcdStatus status = {};

        f->answers = etcd_peer_open_url(f->context, f->credential, url, ETCD_ASK_USEC, &p, NULL) >= 0 &&
                     etcd_status(&p.endpoint, &status, NULL) >= 0 &&
                     etcd_is_current(f->context->store, status.cluster_id);
}

/* A member of the cluster file is elsewhere by it. */
static int refuse_moved(const char *name, const char *address, Error **reterr) {
        int r = error_set(reterr, ERROR_UNAVAILABLE, EEXIST,
                          "etcd of this cluster serves on %s at %s, which is not its address by the cluster "
                          "file, and no member answers where it is by that",
                          name, address);

        error_detail(
                reterr,
                "The members would begin with no data, and the cluster as it is be left behind. One after "
                "the other they keep it: put today's addresses back into the cluster file, and hardway "
                "pki gen; then give one its new address, hardway pki gen, and hardway etcd replace NAME; "
                "and so on. Or all at once: hardway etcd snapshot FILE, with the cluster file as it was; "
                "then, with the new one, hardway pki gen and hardway etcd restore FILE. If the data can "
                "go: switch etcd off there.\n");
        return r;
}

int etcd_refuse_former(const char *name, const char *address, Error **reterr) {
        int r = error_set(
                reterr, ERROR_UNAVAILABLE, EEXIST,
                "etcd of this cluster serves on %s (%s), which is no member by the cluster file, and "
                "none that is one answers",
                name, address);

        error_detail(
                reterr,
                "The members would begin with no data, and the cluster as it is be left behind. By steps "
                "its data goes along: put today's members back into the cluster file, add the new ones beside them "
                "and install; then take the old ones out, and install. Where that cannot be (etcd "
                "onto hosts of its own, or back): hardway etcd snapshot FILE, with the cluster file as it was; "
                "then, with the new one, hardway etcd restore FILE. If the data can go: switch etcd off "
                "there.\n");
        return r;
}

static int refuse(const Cluster *c, const Former *f, Error **reterr) {
        const Node *node = cluster_find_node(c, f->name);

        if (node && node->roles & ROLE_ETCD)
                return refuse_moved(f->name, f->address, reterr);
        return etcd_refuse_former(f->name, f->address, reterr);
}

/**
 * etcd_former() - does the cluster live on members that are not in the cluster file, or elsewhere by it?
 * @c:          the context of the probe; no member of the cluster file answers
 * @reterr:     it does: where, and what to do
 *
 * Return: 0, or -EEXIST.
 */
int etcd_former(const ProbeContext *c, Error **reterr) {
        _cleanup_(formers_done) Formers formers = {};
        _cleanup_strv_ Strv names = c->store ? store_nodes(c->store) : NULL;
        int r = 0;

        STRV_FOREACH(name, names)
                add_of(c, *name, &formers);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD)
                for (size_t i = 0; i < formers.n; i++)
                        formers.list[i].credential = node;
        parallel_each(ask, formers.list, sizeof(Former), formers.n);
        for (size_t i = 0; i < formers.n && r == 0; i++)
                if (formers.list[i].answers)
                        r = refuse(c->cluster, formers.list + i, reterr);
        return r;
}
