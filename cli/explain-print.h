/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "explain/explain.h"

/* Explanations for people, wrapped at the width of the terminal (80 columns where there is none). */
void explain_print(const VerbContext *v, const Explanation *e);
/* What else could be meant, one line each: its name, what it is, and the beginning of its value. */
void explain_print_choice(const VerbContext *v, const Explanation *const *list, size_t n);
