/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Small things asked of a node: any script, a file, why a unit failed. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

/* The first line of a script that says something, for --verbose. */
static char* script_title(const char *script) {
        const char *line = script + strspn(script, " \t\n");
        size_t n = strcspn(line, "\n");

        return xasprintf("%.*s%s", n > 60 ? 60 : (int) n, line, line[n] || n > 60 ? " ..." : "");
}

/**
 * host_exec_for() - host_exec() with a time limit of its own
 * @timeout_usec: 0: five minutes
 */
int host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr) {
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_free_ char *title = script_title(script);
        int r;

        r = channel_run(h, &(Script) { .name = title, .text = script, .timeout_usec = timeout_usec }, &answer,
                        reterr);
        if (r < 0)
                return r;
        if (ret) {
                *ret = answer.out;
                answer.out = BUFFER_NULL;
        }
        return 0;
}

/**
 * host_exec() - run a script of POSIX sh on the node, as root
 * @h:          the host
 * @script:     the script; it runs under "set -eu", in the root directory, in the C locale
 * @ret:        its standard output, or NULL; the caller calls buffer_done()
 * @reterr:     a status other than 0 is one, with standard error as its detail
 *
 * Return: 0, or a negative errno.
 */
int host_exec(Host *h, const char *script, Buffer *ret, Error **reterr) {
        return host_exec_for(h, script, 0, ret, reterr);
}

/**
 * host_read() - read a file of the node
 * @h:          the host
 * @path:       the file
 * @limit:      how much is acceptable
 * @ret:        its content; the caller calls buffer_done() or, for secrets, buffer_wipe()
 * @reterr:     names the file
 *
 * Return: 0, -ENOENT if there is none, -EFBIG beyond @limit, or another negative errno.
 */
int host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_free_ char *title = xasprintf("read %s", path);
        int r;

        shell_add_variable(&text, "H_PATH", path + (*path == '/'));
        buffer_addf(&text,
                    "if ! [ -e \"$H_PATH\" ]; then fail missing \"/$H_PATH: no such file\"; fi\n"
                    "head -c %zu -- \"$H_PATH\"\n",
                    limit + 1);
        r = channel_run(h, &(Script) { .name = title, .text = buffer_str(&text) }, &answer, reterr);
        if (r < 0)
                return r;
        if (answer.out.size > limit)
                return error_set(reterr, ERROR_IO, EFBIG, "%s: is larger than %zu bytes", path, limit);
        *ret = answer.out;
        answer.out = BUFFER_NULL;
        return 0;
}
