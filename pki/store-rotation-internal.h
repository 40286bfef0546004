/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/store-internal.h"

/* What the files store-rotation*.c share. Files are named as seen from the cluster directory. */

#define ROTATION "pki/rotation"
#define STATE ROTATION "/state"

/* s->rotation: what is under way, as it is on disk now, behind the directory's lock: >= 0, the caller closes. To change it; store_forget() afterwards. */
int store_rotation_lock(Store *s, Error **reterr);
/* Adds a file to the bytes; 0: it is not there, which is an error if it is required. */
int store_rotation_add(const Store *s, const char *file, bool required, Buffer *ret, Error **reterr);
int store_rotation_stage(const Store *s, FsBatch *batch, const char *file, const Buffer *data, mode_t mode,
                         Error **reterr);
const char* store_rotation_ending(
        const Store *s); /* of the public half: "crt" or "pub"; NULL: a secret has none */
char* store_rotation_key(const Rotation *r); /* the store path of what must not be read by others */
/* From a path of the store, as it reads now, to a file. */
int store_rotation_stage_copy(Store *s, FsBatch *batch, const char *from, const char *file, mode_t mode,
                              Error **reterr);
int store_rotation_stage_state(const Store *s, FsBatch *batch, const Rotation *rotation, Error **reterr);
