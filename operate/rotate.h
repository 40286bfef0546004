/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "controlplane/secrets.h"
#include "install/install.h"

/*
 * Replacing a CA, the key pair of service accounts, or the key for secrets, of a cluster that serves
 *
 * It goes through the phases of pki/rotation.h. Each makes anew what no longer fits, and is rolled out to
 * all nodes, one at a time, with each node proven (operate/proven.h); only when it holds on all of them the
 * next one begins. So whoever is shown something new trusts it already, in whatever order nodes restart. Before the
 * last phase takes a key for secrets away, all secrets are written with the new one.
 * Cancelled, killed or failed, the next run goes on with the phase in which the state is.
 */
typedef struct RotateRequest {
        InstallRequest install; /* the rollout, to all nodes of the cluster */
        const char *name;       /* of the entry in the store: see pki/rotation.h */
        RotationPhase until;    /* the last phase to go through in this run */
        int64_t now;
        StoreReport report; /* each certificate and kubeconfig that is made anew; or NULL */
        void (*phase)(void *userdata,
                      const Rotation *rotation); /* one begins, or is gone on with; or NULL */
        void (*rewritten)(void *userdata, const SecretsRewritten *secrets); /* they are; or NULL */
        void *userdata;
} RotateRequest;

typedef struct RotateResult {
        bool ended;               /* nothing is under way any more */
        RotationPhase phase;      /* the last one that was gone through */
        size_t n_phases;          /* gone through in this run */
        SecretsRewritten secrets; /* what was written anew in this run */
        InstallResult install;    /* of the last rollout */
} RotateResult;

int rotate_refuse_other(const Rotation *rotation, const char *name, Error **reterr);
int rotate_run(const RotateRequest *request, RotateResult *ret, ErrorList *errors);
void rotate_result_done(RotateResult *r);
