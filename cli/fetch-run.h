/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "fetch/fetch.h"

/* The command line of hardway fetch. */
typedef struct FetchArguments {
        FetchOptions options; /* what of it is given there */
        Strv mirrors;
        const char *bundle, *from; /* or NULL */
        bool list, prune;
} FetchArguments;

int fetch_run_verb(VerbContext *v, const FetchArguments *a, Error **reterr);
