/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/probe.h"

/*
 * The secrets of a cluster that serves, written anew
 *
 * An apiserver that reads something that was not encrypted with its first key writes it with that when it is next changed, be
 * it by nothing (k8s.io/apiserver/pkg/storage/etcd3: what is stale is written although it is the same). So each secret is
 * changed by nothing. What is in them is not asked for, but their names and annotations.
 */
typedef struct SecretsRewritten {
        size_t n_secrets;
        size_t n_written; /* of them: all others were encrypted so already */
} SecretsRewritten;

int secrets_rewrite(const ProbeContext *c, SecretsRewritten *ret, Error **reterr);
