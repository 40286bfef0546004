/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * A CA, the key pair of service accounts, or the key for secrets, that is being replaced under a running cluster
 *
 * It goes in phases, each of which has to hold on all nodes before the next one begins: whoever is shown
 * something of the new one must have come to trust it before.
 *
 *     phase     issues, signs   is trusted
 *     trust     the old one     both
 *     reissue   the new one     both
 *     finish    the new one     the new one
 *
 * For a key that encrypts, to issue is to write and to be trusted is to be read with; what the old one has written is
 * written anew before it goes.
 *
 * The state is the one file pki/rotation/state; beside it lie both of them (old.key, old.crt, new.key,
 * new.crt; .pub of a key pair). Only one can be under way at a time. See pki/store.h for what the store's
 * paths mean meanwhile.
 */
typedef enum RotationPhase {
        ROTATION_TRUST,
        ROTATION_REISSUE,
        ROTATION_FINISH,
        _ROTATION_PHASE_MAX,
        _ROTATION_PHASE_INVALID = -EINVAL,
} RotationPhase;

typedef struct Rotation {
        char *name; /* the entry's in the store: "ca", "etcd/ca", "front-proxy-ca", "sa", "secrets/encryption-key" */
        RotationPhase phase;
        int64_t since; /* seconds since 1970 */
} Rotation;

#define ROTATION_SIZE_MAX 4096

int rotation_parse(const char *what, const void *data, size_t size, Rotation *ret, Error **reterr);
void rotation_write(const Rotation *r, Buffer *out);
void rotation_done(Rotation *r);
/* With which command it is replaced: "rotate-ca", of pki. */
const char* rotation_command(const char *name);

const char* rotation_phase_to_string(RotationPhase p);
RotationPhase rotation_phase_from_string(const char *name); /* _ROTATION_PHASE_INVALID */
