/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * What is known of a download that did not come to its end: it lies beside the bytes, as JSON, and says whether
 * and how another run may go on with them
 */
typedef struct Origin {
        char *url;
        char *validator; /* its ETag or Last-Modified, see fetch/headers.h; or NULL */
        char *sha256;    /* what the whole should be, as far as it is known; or NULL */
        uint64_t size;   /* of the whole; 0: not known */
} Origin;

#define ORIGIN_NULL ((Origin) {})
#define ORIGIN_SIZE_MAX (16U * 1024)

int origin_parse(const char *path, const void *data, size_t size, Origin *ret, Error **reterr);
void origin_write(const Origin *o, Buffer *ret);
void origin_copy(const Origin *o, Origin *ret);
void origin_done(Origin *o);
