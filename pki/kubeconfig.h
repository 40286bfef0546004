/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * Kubeconfigs: one cluster, one user with certificate and key inside, one context "USER@CLUSTER"
 * (kubernetes.io "Organizing Cluster Access Using kubeconfig Files", client-go's clientcmd api v1).
 *
 * What is read back is what we wrote, or what kubectl made of it (a namespace added, say): keys that mean
 * nothing to us are let be, but a second cluster, user or context is not ours and is refused, since writing
 * the file again would lose it.
 */

#define KUBECONFIG_SIZE_MAX (256 * 1024)

typedef struct Kubeconfig {
        char *cluster;
        char *server;
        char *user;
        Buffer ca;          /* PEM */
        Buffer certificate; /* PEM */
        Buffer key;         /* PEM, wiped */
} Kubeconfig;

#define KUBECONFIG_NULL ((Kubeconfig) {})

void kubeconfig_write(const Kubeconfig *k, Buffer *out); /* the caller wipes */
int kubeconfig_parse(const char *what, const void *data, size_t size, Kubeconfig *ret, Error **reterr);
void kubeconfig_done(Kubeconfig *k);
