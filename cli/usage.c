/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/events.h"
#include "cli/options.h"
#include "common/alloc.h"

/* While argp reads a command line. Whoever is called when the program ends has nothing but globals. */
static struct {
        VerbContext *v;
        bool json;
        FILE *stream, *before; /* stream is NULL when nothing is caught */
        char *text;
        size_t size;
} caught;

bool usage_wants_json(int argc, char *const *argv) {
        for (int i = 0; i < argc && !streq(argv[i], "--"); i++)
                /* argp takes beginnings, too */
                if (strlen(argv[i]) > strlen("--") && startswith("--json", argv[i]))
                        return true;
        return false;
}

/* Return: what was caught; the caller frees. */
static char* release(void) {
        (void) fclose(caught.stream);
        stderr = caught.before;
        caught.stream = NULL;
        return TAKE_PTR(caught.text);
}

/* Of "hardway plan: unrecognized option '--x'" and the line that argp puts below it. */
static void refuse(const char *text, Error **reterr) {
        _cleanup_free_ char *line = xstrndup(text, strcspn(text, "\n"));
        const char *said = startswith(line, "hardway: ") ?: startswith(line, "hardway ") ?: line;
        const Verb *verb = caught.v->verb;

        (void) error_set(reterr, ERROR_USAGE, EINVAL, "%s, see: hardway %s%s--help", said,
                         verb ? verb->name : "", verb ? " " : "");
}

/* The program ends: was it argp? --help and the like end it, too, and have said nothing here. */
static void end(int status, void *userdata) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *text = NULL;

        if (!caught.stream)
                return;
        text = release();
        if (status == 0 || !text || !*text)
                return;
        refuse(text, &error);
        caught.v->json = caught.json;
        options_choose_events(caught.v);
        if (caught.v->json)
                verb_tell_end(caught.v, -EINVAL, error);
        verb_print_error(caught.v, error);
}

void usage_begin(VerbContext *v) {
        static bool registered;

        if (!registered && on_exit(end, NULL) != 0)
                abort(); /* memory */
        registered = true;
        caught.v = v;
        caught.json = v->json;
        caught.stream = open_memstream(&caught.text, &caught.size);
        if (!caught.stream)
                abort();
        caught.before = stderr;
        stderr = caught.stream;
}

void usage_end(void) {
        free(release());
}
