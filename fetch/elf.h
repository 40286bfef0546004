/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * Whether an open file is a 64-bit program for "arm64" or "amd64", by its ELF header. Does not move the
 * file's offset.
 */
int elf_check(int fd, const char *architecture, const char *what, Error **reterr);
