/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/digest.h"
#include "common/error.h"

/*
 * Checksum files, as the sites publish them: one bare digest (dl.k8s.io's NAME.sha256, with or without a
 * newline), or lines of "DIGEST  NAME" as sha256sum(1) writes them (etcd's SHA256SUMS; the last line may
 * lack its newline). Anything else is refused: a page of HTML, digests of another kind, a name twice with
 * two digests.
 */
#define CHECKSUMS_SIZE_MAX (64U * 1024)

/* The same for SHA-512, with 128 digits. */
#define SHA512_HEX_SIZE 129

int checksums_find(const void *data, size_t size, const char *name, char ret[static SHA256_HEX_SIZE],
                   Error **reterr);
int checksums_find_512(const void *data, size_t size, const char *name, char ret[static SHA512_HEX_SIZE],
                       Error **reterr);
