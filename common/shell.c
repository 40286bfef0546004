/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text that goes into a script. Between single quotes nothing is special but the single quote. */

#include "common/shell.h"

#include <inttypes.h>

/**
 * shell_add_quoted() - add one word to a script, whatever bytes it is made of
 * @script:     the script
 * @text:       the word
 */
void shell_add_quoted(Buffer *script, const char *text) {
        buffer_add_char(script, '\'');
        for (; *text; text++)
                if (*text == '\'')
                        buffer_add_str(script, "'\\''");
                else
                        buffer_add_char(script, *text);
        buffer_add_char(script, '\'');
}

void shell_add_variable(Buffer *script, const char *name, const char *value) {
        buffer_addf(script, "%s=", name);
        shell_add_quoted(script, value);
        buffer_add_char(script, '\n');
}

void shell_add_number(Buffer *script, const char *name, uint64_t value) {
        buffer_addf(script, "%s=%" PRIu64 "\n", name, value);
}

/**
 * shell_add_list() - set a variable to a list of words
 * @script:     the script
 * @name:       the variable
 * @words:      the words; none has blanks or characters that mean something to a shell
 */
void shell_add_list(Buffer *script, const char *name, char *const *words) {
        _cleanup_free_ char *value = strv_join(words, " ");

        shell_add_variable(script, name, value ? value : "");
}
