/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/macro.h"
#include "fetch/unpack.h"

#define TOTAL_MAX (1024U * 1024)

static int count(void *userdata, const void *data, size_t size, Error **reterr) {
        size_t *total = userdata;

        *total += size;
        if (*total > TOTAL_MAX)
                abort(); /* the limit does not hold */
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t totals[2] = {};
        UnpackMember members[] = {
                { .name = "etcd-v3.6.16-linux-arm64/etcd", .userdata = totals },
                { .name = "etcd-v3.6.16-linux-arm64/etcdctl", .userdata = totals + 1 },
        };
        _cleanup_close_ int fd = memfd_create("archive", MFD_CLOEXEC);
        Error *error = NULL;

        if (fd < 0 || write(fd, data, size) != (ssize_t) size || lseek(fd, 0, SEEK_SET) < 0)
                abort();
        (void) unpack(fd, members, ARRAY_SIZE(members), TOTAL_MAX, count, &error);
        error_free(error);
        return 0;
}
