/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is sent to a node, told to whoever shows it. */

#include <string.h>

#include "common/alloc.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

/* The first line of every file in the folders' scripts/, which tests/check/node-scripts sees to. */
#define FILE_MARK "# shellcheck shell=sh\n"

static const char* next_file(const char *text) {
        const char *found = strstr(text, "\n" FILE_MARK);

        return found ? found + 1 : NULL;
}

/* What was made for this one command, and each file that stands behind it. */
static void add_parts(const char *text, Strv *parts) {
        for (const char *next; (next = next_file(text)); text = next) {
                _cleanup_free_ char *part = xstrndup(text, (size_t) (next - text));

                strv_add(parts, part);
        }
        strv_add(parts, text);
}

/**
 * trace_script() - tell of a script that is about to be sent
 * @h:          the host
 * @script:     the script
 * @argv:       what is started here
 * @begin:      what stands in front of the prelude
 * @end:        what stands behind the script
 */
void trace_script(const Host *h, const Script *script, char *const *argv, const char *begin,
                  const char *end) {
        _cleanup_strv_ Strv parts = NULL;

        if (!h->options.trace)
                return;
        strv_add(&parts, begin);
        strv_add(&parts, EMBED_PRELUDE_SH);
        add_parts(script->text, &parts);
        strv_add(&parts, end);
        h->options.trace(h->options.userdata, h->node,
                         &(HostCommand) {
                                 .name = script->name,
                                 .argv = argv,
                                 .has_password = h->password,
                                 .parts = parts,
                                 .follows = script->follows,
                         });
}

/* What systemd there is told to do: a UnitTrace. */
void trace_bus(void *host, const char *text) {
        const Host *h = host;
        _cleanup_free_ char *name = xasprintf("systemd: %s", text);

        h->options.trace(h->options.userdata, h->node, &(HostCommand) { .name = name });
}
