/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/* The name of a credential in the store, without ending; node is looked at where the scope is PER_NODE. */
char* credential_store_name(const Credential *credential, const Node *node);
/* The same of a node's certificate: "etcd/server"; also of a node that the cluster file has no more. */
char* node_certificate_name(const char *node, const char *certificate);
/* What stands behind the node's name in it, with "pki/" or not, or NULL: it is no node's. *ret_n is the length of the
 * node's name, which stands at ret_node. */
const char* store_name_split(const char *name, const char **ret_node, size_t *ret_n);
