/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* Kubeconfigs for other people than the administrator. */

/* A certificate cannot be withdrawn: whoever has it is let in until it ends. */
#define KUBECONFIG_USER_DAYS 7

typedef struct KubeconfigUser {
        const char *name; /* NULL: the administrator is meant */
        Strv groups;
        unsigned days;
        bool masters; /* system:masters may be among the groups */
} KubeconfigUser;

bool kubeconfig_user_is_administrator(const KubeconfigUser *user);
int kubeconfig_user_check(const VerbContext *v, const KubeconfigUser *user, Error **reterr);
int kubeconfig_user_make(VerbContext *v, const KubeconfigUser *user, Buffer *ret, int64_t *ret_expires,
                         Error **reterr);
