/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"
#include "common/strv.h"

/*
 * Writing unit files (systemd.syntax(7))
 *
 * A UnitFile is sections of keys in the order they were added; a comment may stand before a key. Command
 * lines are given as an argv and quoted so that systemd hands exactly these bytes to the program: blanks,
 * quotes, backslashes, '%' (specifier), '$' (environment), ';' alone, empty and non-UTF-8 arguments
 * included. A value that cannot be expressed (a newline in a plain value) is refused, not bent. A section
 * may be taken up again later: its new keys go behind the ones it has.
 */
typedef struct UnitFile UnitFile;

UnitFile* unit_file_new(const char *head_comment); /* NULL: none */
void unit_file_section(UnitFile *u, const char *name);
/* Stands before the next key; several lines are allowed. */
void unit_file_comment(UnitFile *u, const char *text);

/* The value as systemd reads it: '%' means a specifier. */
int unit_file_set(UnitFile *u, const char *key, const char *value, Error **reterr);
/* '%' is escaped. */
int unit_file_set_literal(UnitFile *u, const char *key, const char *value, Error **reterr);
/* Each word quoted, '%' escaped. */
int unit_file_set_words(UnitFile *u, const char *key, char *const *words, Error **reterr);
/* ExecStart= and its kin; prefix is "" or made of '+', '-' and '!'; one argument a line where breaks is
 * true. */
int unit_file_set_command(UnitFile *u, const char *key, const char *prefix, char *const *argv, bool breaks,
                          Error **reterr);
/* The same, but '%' begins a specifier ("--key=%d/server.key"); unit_escape_percent() for what comes from
 * outside. */
int unit_file_set_command_specifiers(UnitFile *u, const char *key, const char *prefix, char *const *argv,
                                     bool breaks, Error **reterr);
int unit_file_set_environment(UnitFile *u, const char *name, const char *value, Error **reterr);

void unit_file_render(const UnitFile *u, Buffer *out);
UnitFile* unit_file_free(UnitFile *u);
DEFINE_CLEANUP(UnitFile*, unit_file_free)

char* unit_escape_percent(const char *value); /* each '%' doubled; the caller frees */
bool unit_name_is_valid(const char *name);
