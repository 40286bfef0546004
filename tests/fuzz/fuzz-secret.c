/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "pki/secret.h"

/* What is read can be written, and what was written is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Secret secret = {}, again = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Error *error = NULL;

        if (secret_parse("secret", data, size, &secret, &error) < 0) {
                error_free(error);
                return 0;
        }
        for (size_t i = 0; i < secret.n_lines; i++) {
                if (i > 0)
                        buffer_add_char(&text, '\n');
                secret_write_line(secret.lines[i].number, secret.lines[i].text, &text);
        }
        if (secret.n_lines == 0 || secret_parse("secret", text.data, text.size, &again, NULL) < 0 ||
            again.n_lines != secret.n_lines)
                abort();
        for (size_t i = 0; i < secret.n_lines; i++) {
                if (again.lines[i].number != secret.lines[i].number ||
                    strcmp(again.lines[i].text, secret.lines[i].text) != 0 ||
                    !secret_find(&secret, secret.lines[i].number))
                        abort();
        }
        (void) secret_has_size(&secret, 32);
        secret_done(&secret);
        secret_done(&again);
        return 0;
}
