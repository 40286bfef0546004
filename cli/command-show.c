/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command-show.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/events.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/shell.h"
#include "common/text.h"

#define SHORT_LINES 6 /* so many are shown as often as they are sent */

/* Who reads "see above" has to find it there: what is shown is remembered and printed in one go. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static size_t n_lines(const char *text) {
        size_t n = 0;

        for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
                n++;
        return n;
}

/* Where it was shown, or NULL: it will be now. */
static const char* shown_before(VerbContext *v, const char *text, const char *where) {
        char sha256[SHA256_HEX_SIZE];

        sha256_hex(text, strlen(text), sha256);
        STRV_FOREACH(line, v->shown)
                if (startswith(*line, sha256))
                        return *line + strlen(sha256) + 1;
        strv_addf(&v->shown, "%s %s", sha256, where);
        return NULL;
}

static void add_lines(Buffer *out, const char *mark, const char *text) {
        while (*text) {
                size_t n = strcspn(text, "\n");

                buffer_addf(out, "\n  %s%s%.*s", mark, n > 0 ? " " : "", (int) n, text);
                text += n + (text[n] == '\n');
        }
}

static bool is_plain(const char *word) {
        return *word && word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                          "-_=./:@%+,")] == 0;
}

static void add_argv(VerbContext *v, char *const *argv, const char *where, Buffer *out) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        const char *before;

        STRV_FOREACH(word, argv) {
                buffer_add_str(&line, line.size > 0 ? " " : "");
                if (is_plain(*word))
                        buffer_add_str(&line, *word);
                else
                        shell_add_quoted(&line, *word);
        }
        before = shown_before(v, buffer_str(&line), where);
        if (before)
                buffer_addf(out, "\n  $ %s ... (see above, %s)", argv[0], before);
        else
                buffer_addf(out, "\n  $ %s", buffer_str(&line));
}

static void add_part(VerbContext *v, const char *part, const char *where, Buffer *out) {
        size_t n = n_lines(part);
        const char *before = n > SHORT_LINES ? shown_before(v, part, where) : NULL;

        if (before)
                buffer_addf(out, "\n  | ... %zu lines (see above, %s)", n, before);
        else
                add_lines(out, "|", part);
}

/* What is asked again and again, until something is ready: but for the first and the last part, which a number drawn
 * anew makes different each time, it is the same. */
static bool is_repeated(VerbContext *v, const HostCommand *c, const char *where) {
        _cleanup_buffer_ Buffer all = BUFFER_NULL;
        size_t n = strv_length(c->parts);

        if (n < 3)
                return false;
        buffer_addf(&all, "%s\n%s\n", where, c->follows ?: "");
        for (size_t i = 1; i + 1 < n; i++)
                buffer_add_str(&all, c->parts[i]);
        return shown_before(v, buffer_str(&all), where) != NULL;
}

static char* describe(VerbContext *v, const HostCommand *c, const char *where) {
        Buffer out = BUFFER_NULL;

        if (is_repeated(v, c, where))
                return text_harmless(xasprintf("%s (again)", where), 0);
        buffer_add_str(&out, where);
        if (c->argv)
                add_argv(v, c->argv, where, &out);
        if (c->has_password)
                add_lines(&out, "<", "the password for sudo");
        STRV_FOREACH(part, c->parts)
                add_part(v, *part, where, &out);
        if (c->follows)
                add_lines(&out, "<", c->follows);
        return text_harmless(buffer_take(&out), TEXT_LINES);
}

void command_show(void *context, const Node *node, const HostCommand *command) {
        VerbContext *v = context;
        _cleanup_free_ char *where = xasprintf("%s: %s", node->name, command->name), *text = NULL;

        (void) pthread_mutex_lock(&mutex);
        text = describe(v, command, where);
        if (v->events)
                event_text(v, "command", node->name, text);
        else
                verb_log(v, text);
        (void) pthread_mutex_unlock(&mutex);
}

void request_show(void *context, const HttpTold *told) {
        VerbContext *v = context;
        double seconds = (double) told->duration_usec / USEC_PER_SEC;
        Buffer out = BUFFER_NULL;
        _cleanup_free_ char *text = NULL;

        buffer_addf(&out, "%s %s", told->method ?: "TLS", told->where);
        if (told->connect_to)
                buffer_addf(&out, " (at %s)", told->connect_to);
        if (told->reason)
                buffer_addf(&out, ": failed after %.3f s: %s", seconds, told->reason);
        else if (told->status > 0)
                buffer_addf(&out, ": %ld in %.3f s", told->status, seconds);
        else
                buffer_addf(&out, ": certificate shown in %.3f s", seconds);
        text = text_harmless(buffer_take(&out), 0);
        if (v->events)
                event_text(v, "request", NULL, text);
        else
                verb_log(v, text);
}
