/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>

#include "cli/init.h"
#include "common/alloc.h"
#include "common/fs.h"

#define IGNORE_SIZE_MAX (1024u * 1024u)

/* The cluster directory is made to be committed; what is secret in it is not. Nor is what says which keys these are: with that and
 * without them, somebody else's old kubeconfigs would pass for new ones. */
static const char comment[] =
        "# hardway: secrets, and what comes and goes. Commit hardway.yaml and hardway.lock.\n";
static const char *const patterns[] = {
        "/pki/**/*.key", "/pki/**/*.conf",    "/pki/.*",     "/secrets/",
        "/admin.conf",   "/super-admin.conf", "/snapshots/", "/*.backup",
        "/*.hardway",    "/.hardway-busy",    "/failover.*", "/pki/history",
};

static bool has_line(const char *text, const char *line) {
        _cleanup_strv_ Strv lines = strv_split(text, "\r\n");

        return strv_contains(lines, line);
}

/**
 * init_write_ignore() - keep secrets out of version control
 * @v:          the context
 * @reterr:     why .gitignore cannot be read or written
 *
 * Lines of a .gitignore that is there already stay as they are.
 *
 * Return: 0, or a negative errno.
 */
int init_write_ignore(const VerbContext *v, Error **reterr) {
        _cleanup_free_ char *path = verb_path(v, ".gitignore");
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        bool begun = false;
        int r;

        r = fs_read_optional(AT_FDCWD, path, IGNORE_SIZE_MAX, &text, reterr);
        if (r < 0)
                return r;
        if (text.size > 0 && text.data[text.size - 1] != '\n')
                buffer_add_char(&text, '\n');

        for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
                if (has_line(buffer_str(&text), patterns[i]))
                        continue;
                if (!begun)
                        buffer_add_str(&text, comment);
                begun = true;
                buffer_addf(&text, "%s\n", patterns[i]);
        }
        if (!begun)
                return 0;

        r = fs_write(AT_FDCWD, path, text.data, text.size, 0644, 0, reterr);
        return r < 0 ? r : 0;
}
