/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/observation.h"

/*
 * A plan made visible. plan_render_tree() writes DIR/NODE/... as the node's file system will have it, plus
 * DIR/NODE.items, a list of everything that is no file (packages, users, sysctls, units' states, binaries
 * with digests, objects). Byte for byte the same for the same plan: golden tests compare it.
 */
typedef enum RenderSecrets {
        RENDER_FINGERPRINTS,   /* stand for them */
        RENDER_SECRETS,        /* they are written, too */
        RENDER_SECRETS_GUARDED /* ... behind a DIR/NODE/.gitignore */
} RenderSecrets;

int plan_render_tree(const Plan *p, const char *directory, RenderSecrets secrets, Error **reterr);
void plan_render_list(const Plan *p, Buffer *out);
/* A unified diff of one text item against the bytes found on the node; for secrets only that they differ. */
void change_render_diff(const Change *change, const AppliedFile *applied, const Buffer *found, Buffer *out);
json_t* changes_to_json(const Changes *c);
json_t* remarks_to_json(const Changes *c);
