/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/store.h"

/*
 * The data of a member on its node, and whose it is
 *
 * The identity of the cluster never changes. The token is what etcd makes the ids of cluster and members of:
 * it is the identity at first, and a new one with every restore, so that a member with the data of before
 * can never be taken for one of after. Both stand in a mark beside the data.
 */
#define ETCD_DATA "/var/lib/etcd"
#define ETCD_MARK_PATH "/var/lib/hardway/etcd-identity"
#define ETCD_TOKEN "secrets/etcd-token" /* there after a restore only: the token, and the cluster's id */
#define ETCD_PREFLIGHT "etcd-data"      /* the check that asks whose data it is */

/* Of a node, in the store: where its member is, and was; see store_addresses(). The caller frees. */
char* etcd_server_certificate(const char *node);
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
