/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* What pki rotate-ca and pki rotate-sa share. */
typedef struct RotateArguments {
        const char *name;  /* of the entry in the store */
        const char *title; /* "the cluster's CA" */
        RotationPhase until;
        const char *warning; /* what stops working with the last phase, asked before that; or NULL */
        const char *command; /* with which to go on: "hardway pki rotate-ca cluster" */
} RotateArguments;

RotationPhase rotate_parse_until(const char *arg, const struct argp_state *state); /* of --until */
int rotate_verb(VerbContext *v, const RotateArguments *a, Error **reterr);
