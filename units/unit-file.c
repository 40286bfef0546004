/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The unit-file writer
 *
 * Every section's text grows as keys are added; only a section may be taken up again later (a plan adds its
 * digest to [Service] after the component has written [Install]). What systemd would read differently from
 * what was asked is refused here, since it would do so silently: an unreadable line is a warning in the
 * node's journal and nothing else.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "units/unit-file.h"
#include "units/unit-quote.h"

typedef struct Section {
        char *name;
        Buffer body;
} Section;

struct UnitFile {
        Buffer head;
        Section *sections;
        size_t n_sections;
        size_t current;
        Buffer comment; /* waits for its key */
};

/* Carriage returns end lines too. */
static void add_comment_lines(Buffer *out, const char *text) {
        while (*text) {
                size_t n = strcspn(text, "\n\r");

                buffer_add_str(out, n > 0 ? "# " : "#");
                buffer_add(out, text, n);
                buffer_add_char(out, '\n');
                text += n;
                if (*text)
                        text++;
        }
}

/**
 * unit_file_new() - begin a unit file
 * @head_comment:       lines for the top, or NULL
 *
 * Return: the file, never NULL.
 */
UnitFile* unit_file_new(const char *head_comment) {
        UnitFile *u = xnew(UnitFile, 1);

        add_comment_lines(&u->head, head_comment ? head_comment : "");
        return u;
}

/**
 * unit_file_section() - say which section the next keys belong to
 * @u:          the file
 * @name:       "Service"
 *
 * A section that is there already is taken up again, its keys go behind those it has.
 */
void unit_file_section(UnitFile *u, const char *name) {
        for (size_t i = 0; i < u->n_sections; i++)
                if (streq(u->sections[i].name, name)) {
                        u->current = i;
                        return;
                }
        u->sections = xrealloc(u->sections, u->n_sections + 1, sizeof(Section));
        u->sections[u->n_sections] = (Section) { .name = xstrdup(name) };
        u->current = u->n_sections++;
}

void unit_file_comment(UnitFile *u, const char *text) {
        add_comment_lines(&u->comment, text);
}

static int check_key(const UnitFile *u, const char *key, Error **reterr) {
        if (u->n_sections == 0)
                return error_set(reterr, ERROR_INTERNAL, EINVAL,
                                 "%s= stands before any section of a unit file", key);
        for (const char *p = key; *p; p++)
                if (!isalnum((unsigned char) *p) && *p != '-')
                        return error_set(reterr, ERROR_INTERNAL, EINVAL,
                                         "'%s' is not the name of a unit setting", key);
        return *key ? 0 : error_set(reterr, ERROR_INTERNAL, EINVAL, "a unit setting has no name");
}

static int refuse(const char *key, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, EINVAL, "the value of %s= cannot be written in a unit file",
                         key);
}

/* value is in systemd's own spelling by now */
static int add_line(UnitFile *u, const char *key, const char *value, Error **reterr) {
        Section *s;
        int r;

        r = check_key(u, key, reterr);
        if (r < 0)
                return r;
        s = u->sections + u->current;
        buffer_add(&s->body, buffer_str(&u->comment), u->comment.size);
        buffer_clear(&u->comment);
        buffer_addf(&s->body, "%s=%s\n", key, value);
        return 0;
}

/**
 * unit_file_set() - add a key with a value in systemd's own spelling
 * @u:          the file
 * @key:        "Type"
 * @value:      what stands behind the '='; empty resets a list; specifiers work
 * @reterr:     says which key's value cannot be written
 *
 * Return: 0, or -EINVAL for a value that systemd would not read as given (a newline, blanks at its ends,
 * invalid UTF-8).
 */
int unit_file_set(UnitFile *u, const char *key, const char *value, Error **reterr) {
        return unit_value_is_valid(value) ? add_line(u, key, value, reterr) : refuse(key, reterr);
}

/**
 * unit_file_set_literal() - the same for text that comes from outside
 * @u:          the file
 * @key:        "Description"
 * @value:      text in which '%' is a '%'
 * @reterr:     says which key's value cannot be written
 *
 * Return: 0 or -EINVAL.
 */
int unit_file_set_literal(UnitFile *u, const char *key, const char *value, Error **reterr) {
        _cleanup_free_ char *escaped = unit_escape_percent(value);

        return unit_file_set(u, key, escaped, reterr);
}

/**
 * unit_file_set_words() - add a list of names, paths, or other words separated by blanks
 * @u:          the file
 * @key:        "ReadWritePaths", "LoadCredential"
 * @words:      any text, '%' is a '%'; no newline, double quote or backslash: list settings differ in how
 *              they read those
 * @reterr:     says which key's value cannot be written
 *
 * Return: 0 or -EINVAL.
 */
int unit_file_set_words(UnitFile *u, const char *key, char *const *words, Error **reterr) {
        _cleanup_buffer_ Buffer value = BUFFER_NULL;

        STRV_FOREACH(word, words) {
                if (value.size > 0)
                        buffer_add_char(&value, ' ');
                if (unit_quote_word(*word, 0, &value) < 0)
                        return refuse(key, reterr);
        }
        return add_line(u, key, buffer_str(&value), reterr);
}

/* systemd takes the program's path without variables but the same word as argv[0] with them, and refuses
 * quotes, backslashes and control characters in it. */
static bool program_is_valid(const char *path) {
        for (const char *p = path; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f || strchr("\"'\\$", *p))
                        return false;
        return path[0] == '/' && !endswith(path, "/") && unit_text_is_utf8(path);
}

static int set_command(UnitFile *u, const char *key, const char *prefix, char *const *argv, bool breaks,
                       UnitQuote quote, Error **reterr) {
        _cleanup_buffer_ Buffer value = BUFFER_NULL;

        if (strspn(prefix, "-+!") != strlen(prefix) || strv_length(argv) == 0 || !program_is_valid(argv[0]))
                return refuse(key, reterr);
        buffer_add_str(&value, prefix);
        STRV_FOREACH(argument, argv) {
                if (argument != argv)
                        buffer_add_str(&value, breaks ? " \\\n        " : " ");
                if (unit_quote_word(*argument, quote, &value) < 0)
                        return refuse(key, reterr);
        }
        /* an unquoted word may grow, a quoted one may do so fourfold; systemd counts what is written */
        if (value.size > 1000 * 1000)
                return refuse(key, reterr);
        return add_line(u, key, buffer_str(&value), reterr);
}

/**
 * unit_file_set_command() - add a command line
 * @u:          the file
 * @key:        "ExecStart"
 * @prefix:     "" or a combination of '-', '+' and '!'
 * @argv:       what the program shall get, any bytes; argv[0] is its absolute path
 * @breaks:     one argument a line
 * @reterr:     says which key's value cannot be written
 *
 * Return: 0 or -EINVAL.
 */
int unit_file_set_command(UnitFile *u, const char *key, const char *prefix, char *const *argv, bool breaks,
                          Error **reterr) {
        return set_command(u, key, prefix, argv, breaks, QUOTE_ESCAPES | QUOTE_VARIABLES, reterr);
}

/**
 * unit_file_set_command_specifiers() - add a command line whose arguments hold specifiers
 * @u:          the file
 * @key:        "ExecStart"
 * @prefix:     "" or a combination of '-', '+' and '!'
 * @argv:       as for unit_file_set_command(), but a '%' begins a specifier of systemd.unit(5) "SPECIFIERS",
 *              such
 *              as %d, the directory of the unit's credentials; "%%" is a '%'
 * @breaks:     one argument a line
 * @reterr:     says which key's value cannot be written
 *
 * Return: 0 or -EINVAL.
 */
int unit_file_set_command_specifiers(UnitFile *u, const char *key, const char *prefix, char *const *argv,
                                     bool breaks, Error **reterr) {
        return set_command(u, key, prefix, argv, breaks,
                           QUOTE_ESCAPES | QUOTE_VARIABLES | QUOTE_KEEP_SPECIFIERS, reterr);
}

/**
 * unit_file_set_environment() - add one Environment= line
 * @u:          the file
 * @name:       of the variable: letters, digits and '_'
 * @value:      UTF-8 text; newlines are allowed, '$' and '%' are themselves
 * @reterr:     says which variable cannot be written
 *
 * Return: 0 or -EINVAL.
 */
int unit_file_set_environment(UnitFile *u, const char *name, const char *value, Error **reterr) {
        _cleanup_free_ char *assignment = xasprintf("%s=%s", name, value);
        _cleanup_buffer_ Buffer word = BUFFER_NULL;
        bool valid = *name && !isdigit((unsigned char) *name) && unit_text_is_utf8(value);

        for (const char *p = name; *p; p++)
                valid = valid && (isalnum((unsigned char) *p) || *p == '_');
        if (!valid || unit_quote_word(assignment, QUOTE_ESCAPES, &word) < 0)
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "the environment variable '%s' cannot be written in a unit file", name);
        return add_line(u, "Environment", buffer_str(&word), reterr);
}

/**
 * unit_file_render() - the file's text
 * @u:          the file
 * @out:        what to add it to
 */
void unit_file_render(const UnitFile *u, Buffer *out) {
        buffer_add(out, buffer_str(&u->head), u->head.size);
        for (size_t i = 0; i < u->n_sections; i++) {
                const Section *s = u->sections + i;

                if (i > 0 || u->head.size > 0)
                        buffer_add_char(out, '\n');
                buffer_addf(out, "[%s]\n", s->name);
                buffer_add(out, buffer_str(&s->body), s->body.size);
        }
}

UnitFile* unit_file_free(UnitFile *u) {
        if (!u)
                return NULL;
        for (size_t i = 0; i < u->n_sections; i++) {
                free(u->sections[i].name);
                buffer_done(&u->sections[i].body);
        }
        free(u->sections);
        buffer_done(&u->head);
        buffer_done(&u->comment);
        free(u);
        return NULL;
}
