/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/probe.h"

/*
 * The data of a member on its node, and whose it is
 *
 * The identity of the cluster never changes. The token is what etcd makes the ids of cluster and members of:
 * it is the identity at first, and a new one with every restore, so that a member with the data of before
 * can never be taken for one of after. Both stand in a mark beside the data.
 */
#define ETCD_DATA "/var/lib/etcd"
#define ETCD_MARK_PATH "/var/lib/hardway/etcd-identity"
#define ETCD_BEGAN_PATH \
        "/var/lib/hardway/etcd-began" /* of the unit: a member has served here, so its data has to be there */
#define ETCD_TOKEN "secrets/etcd-token" /* there after a restore only: the token, and the cluster's id */
#define ETCD_PREFLIGHT "etcd-data"      /* the check that asks whose data it is */

/* What lies on a node, by etcd_data_look(). */
typedef struct EtcdData {
        bool member;    /* a member's data */
        bool began;     /* one has served here, by the mark of its unit */
        bool replaced;  /* what a replacement has put out of the way, until the new member votes */
        char *other;    /* a name that hardway puts nowhere, or NULL */
        char *identity; /* by the mark; NULL: there is none */
        char *token;    /* the same; NULL as the identity */
        Strv asides;    /* tokens of restores that have put data aside */
} EtcdData;

int etcd_data_look(const ProbeContext *c, const Node *node, EtcdData *ret, Error **reterr);
/* The parser of what the node says, for its tests and its fuzz target; -EBADMSG. */
int etcd_data_parse(const char *text, EtcdData *ret);
/* Says its mark that it is of the cluster of this identity? No, where there is no mark, or no identity yet (NULL). */
bool etcd_data_is_of(const EtcdData *d, const char *identity);
void etcd_data_done(EtcdData *d);

/* Of a node, in the store: where its member is, and was; see store_addresses(). The caller frees. */
char* etcd_server_certificate(const char *node);
/* Those addresses, none of them loopback, are added to a profile: certificate_profile_done(). None, where it has no such certificate. */
void etcd_addresses(Store *store, const char *node, CertificateProfile *ret);
char* etcd_identity(Store *store); /* NULL: there is none yet; the caller frees */
char* etcd_token(Store *store);    /* NULL: there is no identity yet; the caller frees */
/* Of the cluster that a restore made, which stands beside its token; 0: there was none, or nobody noted it. */
uint64_t etcd_restored_id(Store *store);
/* Is it the cluster that the last restore made? True where there was none. */
bool etcd_is_current(Store *store, uint64_t cluster_id);
/* Which id etcd gives a cluster that begins with these members, by their peer URLs, under this token. */
uint64_t etcd_id_of(const char *token, char *const *peer_urls);
char* etcd_token_text(const char *token, uint64_t id);         /* of ETCD_TOKEN; the caller frees */
char* etcd_mark_text(const char *identity, const char *token); /* of the mark; the caller frees */
