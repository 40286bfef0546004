/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "pki/rotation.h"

/* What is read can be written, and what was written is read as the same; its name cannot leave pki/. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Rotation rotation = {}, again = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Error *error = NULL;

        if (rotation_parse("state", data, size, &rotation, &error) < 0) {
                error_free(error);
                return 0;
        }
        if (strstr(rotation.name, "..") || rotation.name[0] == '/')
                abort();
        rotation_write(&rotation, &text);
        if (rotation_parse("state", text.data, text.size, &again, NULL) < 0)
                abort();
        if (strcmp(rotation.name, again.name) != 0 || rotation.phase != again.phase ||
            rotation.since != again.since)
                abort();
        rotation_done(&rotation);
        rotation_done(&again);
        return 0;
}
