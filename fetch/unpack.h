/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * Taking named members out of a gzipped tar archive that nobody vouches for
 *
 * The whole archive is read to its end, and refused, with the member's name, if anything in it is not what a
 * release holds: a name that is absolute or has "..", something that is neither a file nor a directory
 * (links and devices), a wanted member twice, more than UNPACK_SIZE_MAX bytes altogether (also in what is
 * not wanted: a bomb costs time as well), an end too early. A member that is missing is an error, unless it is optional. Only the
 * members asked for are given to write(), in pieces, in the order of the archive; the caller keeps them back
 * until unpack() has returned 0.
 */
#define UNPACK_SIZE_MAX (UINT64_C(2) << 30)
#define UNPACK_ENTRIES_MAX 10000U

typedef struct UnpackMember {
        const char *name; /* "etcd-v3.6.16-linux-arm64/etcd" */
        void *userdata;
        bool optional; /* it need not be there */
        bool found;    /* set by unpack() */
} UnpackMember;

typedef int (*UnpackWrite)(void *userdata, const void *data, size_t size, Error **reterr);

int unpack(int fd, UnpackMember *members, size_t n_members, uint64_t size_max, UnpackWrite write,
           Error **reterr);
