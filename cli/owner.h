/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * Whose the cluster directory is: once run by sudo, hardway leaves files there that only root can read
 */
void owner_explain(const VerbContext *v, Error **reterr); /* adds to an error of rights */
void owner_warn(const VerbContext *v);                    /* before such files are made */
