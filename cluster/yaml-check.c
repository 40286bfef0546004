/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/yaml-check.h"

#include <string.h>

#include "cluster/cluster.h"

DEFINE_CLEANUP_VOID(yaml_parser_t*, yaml_parser_delete)
DEFINE_CLEANUP_VOID(yaml_event_t*, yaml_event_delete)

/*
 * The length of the UTF-8 sequence at s, of which n > 0 bytes are there, or 0. Overlong forms and surrogates
 * are none.
 */
static size_t utf8_sequence(const unsigned char *s, size_t n, uint32_t *ret) {
        static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length = s[0] < 0x80                 ? 1 :
                        s[0] >= 0xc2 && s[0] < 0xe0 ? 2 :
                        (s[0] & 0xf0) == 0xe0       ? 3 :
                        s[0] >= 0xf0 && s[0] < 0xf5 ? 4 :
                                                      0;
        uint32_t c;

        if (length == 0 || length > n)
                return 0;

        c = length == 1 ? s[0] : s[0] & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3fu);
        }
        if (c < first[length] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
                return 0;

        *ret = c;
        return length;
}

/* Control characters, which libyaml would refuse as well, but without saying where. */
static bool is_printable(uint32_t c) {
        if (c == '\t' || c == '\n' || c == '\r' || c == 0x85)
                return true;
        return c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != 0xfeff && c != 0xfffe &&
               c != 0xffff;
}

/*
 * libyaml takes the square of the number of %TAG directives. A line that begins with '%' can be nothing but
 * a directive, or a continuation of a text that is not indented, which nobody writes.
 */
static int check_characters(Problems *p, const char *data, size_t size) {
        const unsigned char *s = (const unsigned char *) data;
        Mark mark = { 1, 1 };

        for (size_t i = 0; i < size;) {
                uint32_t c = 0;
                size_t n = utf8_sequence(s + i, size - i, &c);

                if (n == 0) {
                        problem_add(p, mark, "not UTF-8 (byte 0x%02x)", s[i]);
                        return -EINVAL;
                }
                if (!is_printable(c)) {
                        problem_add(p, mark, "character U+%04X does not belong into a text file", c);
                        return -EINVAL;
                }
                if (c == '%' && mark.column == 1) {
                        problem_add(p, mark, "YAML directives are not supported");
                        return -EINVAL;
                }

                mark = c == '\n' ? (Mark) { mark.line + 1, 1 } : (Mark) { mark.line, mark.column + 1 };
                i += n;
        }
        return 0;
}

static const char* find_line(const char *data, size_t size, size_t line) {
        const char *end = data + size;

        for (size_t i = 0; i < line && data; i++) {
                data = memchr(data, '\n', (size_t) (end - data));
                data = data ? data + 1 : NULL;
        }
        return data;
}

/* Whether there is a tab in front of the first word of a line. */
static bool is_indented_by_tab(const char *data, size_t size, size_t line) {
        const char *p = find_line(data, size, line), *end = data + size;

        while (p && p < end && *p == ' ')
                p++;
        return p && p < end && *p == '\t';
}

/* "::1" in braces or brackets, where a colon is a sign of its own; columns count characters, of which these are one byte each. */
static bool is_colons(const char *data, size_t size, const yaml_mark_t *mark) {
        const char *p = find_line(data, size, mark->line), *end = data + size;

        return p && (size_t) (end - p) > mark->column + 2 && strncmp(p + mark->column, "::", 2) == 0;
}

static int syntax_problem(Problems *p, const yaml_parser_t *parser, const char *data, size_t size) {
        const char *problem = parser->problem ?: "not YAML";

        if (is_indented_by_tab(data, size, parser->problem_mark.line))
                problem_add(p, mark_of(&parser->problem_mark),
                            "YAML is indented with blanks, and here is a tab");
        else if (is_colons(data, size, &parser->problem_mark))
                problem_add(p, mark_of(&parser->problem_mark),
                            "what begins with a colon, as an IPv6 address may, has to be in quotes here");
        else if (parser->context)
                problem_add(p, mark_of(&parser->problem_mark), "%s, %s in line %zu", problem,
                            parser->context, parser->context_mark.line + 1);
        else
                problem_add(p, mark_of(&parser->problem_mark), "%s", problem);
        return -EINVAL;
}

/* Says what of an event is refused, or returns NULL. */
static const char* event_refused(const yaml_event_t *e, size_t n_documents) {
        switch (e->type) {
        case YAML_ALIAS_EVENT:
                return "aliases (*NAME) are not supported";
        case YAML_DOCUMENT_START_EVENT:
                return n_documents > 1 ? "a cluster file holds one document, here begins a second one" :
                                         NULL;
        case YAML_SCALAR_EVENT:
                if (e->data.scalar.anchor)
                        return "anchors (&NAME) are not supported";
                return e->data.scalar.tag ? "tags (!NAME) are not supported" : NULL;
        case YAML_SEQUENCE_START_EVENT:
                if (e->data.sequence_start.anchor)
                        return "anchors (&NAME) are not supported";
                return e->data.sequence_start.tag ? "tags (!NAME) are not supported" : NULL;
        case YAML_MAPPING_START_EVENT:
                if (e->data.mapping_start.anchor)
                        return "anchors (&NAME) are not supported";
                return e->data.mapping_start.tag ? "tags (!NAME) are not supported" : NULL;
        default:
                return NULL;
        }
}

static int event_depth(yaml_event_type_t type) {
        switch (type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
                return 1;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return -1;
        default:
                return 0;
        }
}

/*
 * One event at a time, so that libyaml never sees more than the first lines of what is nested deeply: its
 * time grows with the square of the depth (200 KB of "[" take it 41 s), and it has no limit of its own.
 */
static int check_events(Problems *p, yaml_parser_t *parser, const char *data, size_t size) {
        size_t n_documents = 0;
        int depth = 0;

        for (;;) {
                yaml_event_t event = {};
                _cleanup_(yaml_event_deletep) yaml_event_t *e = &event;
                const char *refused;

                if (!yaml_parser_parse(parser, e))
                        return syntax_problem(p, parser, data, size);
                if (e->type == YAML_STREAM_END_EVENT)
                        return 0;

                n_documents += e->type == YAML_DOCUMENT_START_EVENT;
                depth += event_depth(e->type);
                refused = event_refused(e, n_documents);
                if (depth > YAML_DEPTH_MAX)
                        refused = "nested too deeply";
                if (refused) {
                        problem_add(p, mark_of(&e->start_mark), "%s", refused);
                        return -EINVAL;
                }
        }
}

/* A byte order mark says nothing in UTF-8, but some editors leave one. */
static void skip_bom(const char **data, size_t *size) {
        static const char bom[] = { '\xef', '\xbb', '\xbf' };

        if (*size >= sizeof(bom) && memcmp(*data, bom, sizeof(bom)) == 0) {
                *data += sizeof(bom);
                *size -= sizeof(bom);
        }
}

static void parser_begin(yaml_parser_t *parser, const char *data, size_t size) {
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(parser, (const unsigned char *) data, size);
}

/**
 * yaml_check() - refuse what a cluster file has no need of
 * @p:          where to say what is refused; one problem, since what follows it would be guesswork
 * @data:       the text
 * @size:       its size
 *
 * Return: 0, or -EINVAL.
 */
int yaml_check(Problems *p, const char *data, size_t size) {
        yaml_parser_t storage;
        _cleanup_(yaml_parser_deletep) yaml_parser_t *parser = NULL;
        int r;

        if (size > CLUSTER_FILE_SIZE_MAX) {
                problem_add(p, (Mark) {}, "larger than %u KiB", CLUSTER_FILE_SIZE_MAX / 1024);
                return -EINVAL;
        }

        skip_bom(&data, &size);
        r = check_characters(p, data, size);
        if (r < 0)
                return r;

        if (!yaml_parser_initialize(&storage)) {
                problem_add(p, (Mark) {}, "libyaml cannot start");
                return -ENOMEM;
        }
        parser = &storage;
        parser_begin(parser, data, size);
        return check_events(p, parser, data, size);
}

/**
 * yaml_load() - read a text that yaml_check() has passed
 * @p:          where to say what is wrong
 * @data:       the text
 * @size:       its size
 * @ret:        the document; the caller deletes it with yaml_document_delete()
 *
 * Return: 0, or -EINVAL.
 */
int yaml_load(Problems *p, const char *data, size_t size, yaml_document_t *ret) {
        yaml_parser_t storage;
        _cleanup_(yaml_parser_deletep) yaml_parser_t *parser = NULL;

        if (!yaml_parser_initialize(&storage)) {
                problem_add(p, (Mark) {}, "libyaml cannot start");
                return -ENOMEM;
        }
        parser = &storage;
        skip_bom(&data, &size);
        parser_begin(parser, data, size);
        if (!yaml_parser_load(parser, ret))
                return syntax_problem(p, parser, data, size);
        return 0;
}
