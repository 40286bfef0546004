/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "explain/explain.h"

int explain_add_verbs(Catalogue *c, const ExplainRequest *request, Error **reterr);
int explain_add_checks(Catalogue *c, const ExplainRequest *request, Error **reterr);
int explain_add_drills(Catalogue *c, const ExplainRequest *request, Error **reterr);
