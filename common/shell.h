/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/strv.h"

/* Text for scripts of sh(1). */
void shell_add_quoted(Buffer *script, const char *text);
void shell_add_variable(Buffer *script, const char *name, const char *value);
void shell_add_number(Buffer *script, const char *name, uint64_t value);
/* "NAME='a b c'", a list of words that need no quoting each */
void shell_add_list(Buffer *script, const char *name, char *const *words);
