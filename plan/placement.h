/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * Where the files of the store go, by what components declare: path, node, and whose input they are
 *
 * What is on no node (admin.conf, the keys of CAs) has no placement: it stays on the driving machine.
 */
typedef struct Placement {
        char *store_path; /* "nodes/c0/pki/apiserver.crt" */
        const Node *node; /* lent by the cluster */
        char *path;       /* "/etc/kubernetes/pki/apiserver.crt" */
        mode_t mode;
        const char *component; /* that puts it there; a constant */
        Strv units;            /* that are given it: "kube-apiserver.service" */
        char *why;             /* one sentence for people */
} Placement;

typedef struct Placements {
        Placement *list;
        size_t n;
} Placements;

int placements_for(const Component *const *components, const Cluster *c, Store *store, Placements *ret,
                   Error **reterr);
bool placement_is_of(const Placement *p, const char *name);
void placements_done(Placements *p);
