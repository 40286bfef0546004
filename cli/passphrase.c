/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/verb.h"
#include "common/alloc.h"
#include "common/fs.h"
#include "operate/backup.h"

/* Its only line. A second one would be a sign that this is not the file that was meant. */
static int read_file(const char *file, char **ret, Error **reterr) {
        bool is_input = streq(file, "-");
        const char *name = is_input ? "standard input" : file;
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_read(AT_FDCWD, is_input ? "/dev/stdin" : file, BACKUP_PASSPHRASE_MAX + 2, &text, reterr);
        if (r < 0)
                return r;

        if (text.size > 0 && text.data[text.size - 1] == '\n')
                text.data[--text.size] = '\0';
        if (text.size > 0 && text.data[text.size - 1] == '\r')
                text.data[--text.size] = '\0';
        if (text.size == 0)
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s: holds no passphrase", name);
        if (strlen(text.data) != text.size || strchr(text.data, '\n'))
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s: has to hold one line, the passphrase",
                                 name);
        *ret = xstrdup(text.data);
        return 0;
}

/**
 * passphrase_read() - get a passphrase
 * @what:       whose it is: "the backup"
 * @file:       where from: a file of one line, "-" for standard input, NULL to ask at the terminal
 * @twice:      whether to ask for it again, as nobody can look it up later
 * @ret:        the passphrase, not empty; secret_freep()
 * @reterr:     there is no terminal, the two differ, or the file is no passphrase
 *
 * Return: 0, or a negative errno.
 */
int passphrase_read(const char *what, const char *file, bool twice, char **ret, Error **reterr) {
        _cleanup_free_ char *prompt = xasprintf("Passphrase of %s: ", what);
        _cleanup_secret_ char *first = NULL, *second = NULL;
        int r;

        if (file)
                return read_file(file, ret, reterr);

        r = verb_read_password(prompt, &first, reterr);
        if (r < 0) {
                error_detail(reterr, "Without a terminal, give it with --passphrase-file.");
                return r;
        }
        if (!*first)
                return error_set(reterr, ERROR_USAGE, EINVAL, "no passphrase was given");
        if (twice) {
                r = verb_read_password("Once more, to be sure: ", &second, reterr);
                if (r < 0)
                        return r;
                if (!streq(first, second))
                        return error_set(reterr, ERROR_USAGE, EINVAL, "the two passphrases differ");
        }
        *ret = TAKE_PTR(first);
        return 0;
}
