/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"

/*
 * Unified diffs of two texts, as diff -u writes them, up to 64 KiB each. Texts that are equal give nothing.
 * What is not text (a NUL byte) or larger is only said to differ.
 */
#define DIFF_SIZE_MAX (64u * 1024u)

void diff_unified(const char *old_name, const Buffer *old, const char *new_name, const Buffer *new,
                  Buffer *out);
