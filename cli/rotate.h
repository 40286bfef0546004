/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* What pki rotate-ca, rotate-sa and rotate-key share. */
typedef struct RotateArguments {
        const char *name;          /* of the entry in the store */
        const char *title;         /* "the cluster's CA" */
        RotationPhase until;       /* where --until does not say another */
        const char *warning;       /* what stops working with the last phase, asked before that; or NULL */
        const char *command;       /* with which to go on: "hardway pki rotate-ca cluster" */
        const char *const *phases; /* what each means: rotate_trust, or others */
        const char *between;       /* what is written anew before the last phase: "all secrets"; or NULL */
        const char *after;         /* what to do when it is at its end */
} RotateArguments;

extern const char *const rotate_trust[_ROTATION_PHASE_MAX]; /* of what is shown, and trusted */

enum {
        ROTATE_KEY_UNTIL = VERB_KEY,
};

extern const struct argp_option rotate_options[]; /* of a verb that goes to the end by itself */
error_t rotate_parse(int key, char *arg, struct argp_state *state);
int rotate_verb(VerbContext *v, const RotateArguments *a, Error **reterr);
