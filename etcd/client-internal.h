/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "etcd/client.h"

/* What the files of the client share. */
int etcd_call(const EtcdEndpoint *e, const char *path, json_t *body, json_t **ret,
              Error **reterr); /* takes body */
void etcd_members_from_json(const json_t *tree, EtcdMembers *ret);
