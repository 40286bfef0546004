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
#define ETCD_TOKEN "secrets/etcd-token" /* there after a restore only */

char* etcd_identity(Store *store); /* NULL: there is none yet; the caller frees */
char* etcd_token(Store *store);    /* NULL: there is no identity yet; the caller frees */
char* etcd_mark_text(const char *identity, const char *token); /* of the mark; the caller frees */
