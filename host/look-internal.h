/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/look-parse.h"

/* What the files that understand look.sh share. */

typedef struct LookParser {
        const LookRequest *request;
        Facts *facts;
        Observation *observation;
        char *record;
        char *hosts;      /* lines of /etc/hosts and nsswitch.conf, NULL: none yet */
        unsigned n_units; /* blocks of systemctl's answer seen */
        Error **reterr;
} LookParser;

/* One section: its text, NUL-terminated behind size bytes; NULs may be in it, too. */
typedef int (*LookSection)(LookParser *p, char *text, size_t size);

/* Calls function for each line, without its newline and not empty; the first negative result ends it. */
int look_each_line(LookParser *p, char *text, int (*function)(LookParser *p, char *line));
/* -EBADMSG, and the Error shows the line */
int look_bad(LookParser *p, const char *what, const char *line);
/* The next word of *line, which goes behind it; NULL at its end. */
char* look_word(char **line);
/* The value under /run/hardway/UNIT.loaded grows line by line. */
ObservedUnit* look_unit(LookParser *p, const char *name);

int look_units(LookParser *p, char *text, size_t size);
int look_inputs(LookParser *p, char *text, size_t size);
int look_packages(LookParser *p, char *text, size_t size);
int look_tools(LookParser *p, char *text, size_t size);
int look_systemd(LookParser *p, char *text, size_t size);
int look_files(LookParser *p, char *text, size_t size);
int look_machine(LookParser *p, char *text, size_t size);
int look_addresses(LookParser *p, char *text, size_t size);
int look_listening(LookParser *p, char *text, size_t size);
int look_disk(LookParser *p, char *text, size_t size);
int look_clock(LookParser *p, char *text, size_t size);
