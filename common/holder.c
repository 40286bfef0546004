/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/holder.h"

#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"

/* Behind sudo(8) it is who gave the command, as root is not somebody who can be called. */
static char* user_name(void) {
        const char *before = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
        const struct passwd *entry = before ? getpwnam(before) : NULL;

        if (!entry)
                entry = getpwuid(geteuid());
        return entry ? xstrdup(entry->pw_name) : xasprintf("%" PRIu32, (uint32_t) geteuid());
}

/**
 * holder_format() - say who is at work
 * @command:    at what: "hardway install"
 *
 * Return: one line, "pi@laptop since 2026-11-21T10:22:34Z: hardway install (process 4711)", with the present
 * time; the caller frees.
 */
char* holder_format(const char *command) {
        _cleanup_free_ char *user = user_name(), *since = clock_format_iso(clock_realtime());
        char host[HOST_NAME_MAX + 1] = "";

        (void) gethostname(host, sizeof(host) - 1);
        return xasprintf("%s@%s since %s: %s (process %d)", user, *host ? host : "?", since, command,
                         (int) getpid());
}
