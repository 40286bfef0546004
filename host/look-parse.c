/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections of look.sh's answer, and those of them that make up the Observation. Facts are in
 * look-facts.c. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/parse.h"
#include "host/look-internal.h"

#define PATHS_MAX 100000

int look_bad(LookParser *p, const char *what, const char *line) {
        _cleanup_buffer_ Buffer shown = BUFFER_NULL;

        for (const char *c = line; *c && shown.size < 120; c++)
                buffer_add_char(&shown, *c >= ' ' && *c < 0x7f ? *c : '?');
        return error_set(p->reterr, ERROR_UNAVAILABLE, EBADMSG,
                         "the node's answer is not understood: %s: '%s'", what, buffer_str(&shown));
}

int look_each_line(LookParser *p, char *text, int (*function)(LookParser *p, char *line)) {
        while (*text) {
                char *line = text;
                size_t n = strcspn(text, "\n");
                int r;

                text += n;
                if (*text)
                        *text++ = 0;
                if (n == 0)
                        continue;
                r = function(p, line);
                if (r < 0)
                        return r;
        }
        return 0;
}

char* look_word(char **line) {
        char *word = *line + strspn(*line, " \t");
        size_t n = strcspn(word, " \t");

        if (n == 0)
                return NULL;
        *line = word + n;
        if (**line)
                *(*line)++ = 0;
        return word;
}

/* --- what an earlier run recorded --- */

static int read_applied(LookParser *p, const json_t *file) {
        Observation *o = p->observation;
        const char *path = json_text(file, "path"), *sha256 = json_text(file, "sha256"),
                   *stamp = json_text(file, "stamp");

        if (!path || path[0] != '/' || !sha256 || !stamp)
                return look_bad(p, "/var/lib/hardway/applied.json", "an entry of 'files'");
        o->applied = xrealloc(o->applied, o->n_applied + 1, sizeof(AppliedFile));
        o->applied[o->n_applied++] = (AppliedFile) {
                .path = xstrdup(path),
                .sha256 = xstrdup(sha256),
                .stamp = xstrdup(stamp),
        };
        return 0;
}

/* Records of before have none. */
static void read_traces(LookParser *p, const json_t *traces) {
        const json_t *trace;
        size_t i;

        json_array_foreach((json_t*) traces, i, trace) {
                const char *text = json_string_value(trace);

                if (text && i < PATHS_MAX)
                        strv_add(&p->observation->traces, text);
        }
}

static int look_applied(LookParser *p, char *text, size_t size) {
        _cleanup_json_ json_t *record = NULL;
        const json_t *files, *file;
        size_t i;
        int r;

        if (size == 0)
                return 0;
        r = json_parse("/var/lib/hardway/applied.json on the node", text, size, &record, p->reterr);
        if (r < 0)
                return r;
        files = json_object_get(record, "files");
        if (!json_is_array(files) || json_array_size(files) > PATHS_MAX)
                return look_bad(p, "/var/lib/hardway/applied.json", "'files'");
        json_array_foreach((json_t*) files, i, file) {
                r = read_applied(p, file);
                if (r < 0)
                        return r;
        }
        read_traces(p, json_object_get(record, "traces"));
        free(p->observation->identity);
        p->observation->identity = xstrdup_null(json_text(record, "identity"));
        free(p->observation->edition);
        p->observation->edition = xstrdup_null(json_text(record, "edition"));
        free(p->record);
        p->record = xstrndup(text, size);
        return 0;
}

static int generation_line(LookParser *p, char *line) {
        if (parse_uint64(line, 0, UINT64_MAX - 2, &p->observation->generation) < 0)
                return look_bad(p, "/var/lib/hardway/generation", line);
        return 0;
}

static int look_generation(LookParser *p, char *text, size_t size) {
        return look_each_line(p, text, generation_line);
}

/* --- paths --- */

static ObservedType type_of_mode(unsigned mode) {
        switch (mode & S_IFMT) {
        case S_IFREG:
                return OBSERVED_FILE;
        case S_IFDIR:
                return OBSERVED_DIRECTORY;
        case S_IFLNK:
                return OBSERVED_SYMLINK;
        default:
                return OBSERVED_OTHER;
        }
}

static int parse_mode(const char *word, unsigned *ret) {
        _cleanup_free_ char *padded = xasprintf("%8s", word);
        uint8_t bytes[4];

        for (char *c = padded; *c == ' '; c++)
                *c = '0';
        if (!*word || parse_hex(padded, bytes, sizeof(bytes)) < 0)
                return -EINVAL;
        *ret = (unsigned) bytes[0] << 24 | (unsigned) bytes[1] << 16 | (unsigned) bytes[2] << 8 | bytes[3];
        return 0;
}

/* "MTIME:CTIME:INODE", both times with nanoseconds: a stat that cannot give those gives something else
 * here */
static bool is_stamp(const char *s) {
        static const char digits[] = "0123456789";

        for (unsigned i = 0; i < 2; i++) {
                size_t n = strspn(s, digits);

                if (n == 0 || s[n] != '.' || strspn(s + n + 1, digits) != 9 || s[n + 10] != ':')
                        return false;
                s += n + 11;
        }
        return *s && strspn(s, digits) == strlen(s);
}

static bool observed_already(const Observation *o, const char *path) {
        for (size_t i = 0; i < o->n_paths; i++)
                if (streq(o->paths[i].path, path))
                        return true;
        return false;
}

static void use_recorded_digest(const Observation *o, ObservedPath *found) {
        for (size_t i = 0; i < o->n_applied; i++)
                if (streq(o->applied[i].path, found->path) && streq(o->applied[i].stamp, found->stamp) &&
                    strlen(o->applied[i].sha256) == SHA256_HEX_SIZE - 1) {
                        found->sha256 = xstrdup(o->applied[i].sha256);
                        return;
                }
}

/* MODE OWNER SIZE STAMP PATH [-> TARGET] */
static int path_line(LookParser *p, char *line) {
        _cleanup_free_ char *whole = xstrdup(line), *path = NULL;
        char *mode = look_word(&line), *owner = look_word(&line), *size = look_word(&line),
             *stamp = look_word(&line);
        Observation *o = p->observation;
        unsigned mode_value;
        uint64_t size_value;
        ObservedPath *found;
        char *arrow;

        if (!stamp || !*line || parse_mode(mode, &mode_value) < 0 ||
            parse_uint64(size, 0, UINT64_MAX, &size_value) < 0 || !strchr(owner, ':') || !is_stamp(stamp))
                return look_bad(p, "stat (it has to be that of GNU coreutils)", whole);
        arrow = type_of_mode(mode_value) == OBSERVED_SYMLINK ? strstr(line, " -> ") : NULL;
        path = xasprintf("/%.*s", arrow ? (int) (arrow - line) : (int) strlen(line), line);
        if (observed_already(o, path) || o->n_paths >= PATHS_MAX)
                return 0;
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        found = o->paths + o->n_paths++;
        *found = (ObservedPath) {
                .path = TAKE_PTR(path),
                .type = type_of_mode(mode_value),
                .mode = (mode_t) (mode_value & 07777),
                .owner = xstrdup(owner),
                .size = size_value,
                .stamp = xasprintf("%s:%s", size, stamp),
                .target = arrow ? xstrdup(arrow + strlen(" -> ")) : NULL,
        };
        if (found->type == OBSERVED_FILE)
                use_recorded_digest(o, found);
        return 0;
}

static int look_paths(LookParser *p, char *text, size_t size) {
        return look_each_line(p, text, path_line);
}

/* --- users --- */

static int user_line(LookParser *p, char *line) {
        line[strcspn(line, ":")] = 0;
        strv_add_once(&p->observation->users, line);
        return 0;
}

static int look_users(LookParser *p, char *text, size_t size) {
        return look_each_line(p, text, user_line);
}

/* --- all of it --- */

/* In the order in which look.sh prints them; each has to be there, once. */
static const struct {
        const char *name;
        LookSection parse;
} sections[] = {
        { "applied", look_applied },     { "generation", look_generation },
        { "paths", look_paths },         { "units", look_units },
        { "inputs", look_inputs },       { "users", look_users },
        { "packages", look_packages },   { "tools", look_tools },
        { "systemd", look_systemd },     { "files", look_files },
        { "machine", look_machine },     { "addresses", look_addresses },
        { "listening", look_listening }, { "disk", look_disk },
        { "clock", look_clock },
};

/* The mark before a section, "\n@NONCE NAME\n", or NULL; *ret_body is the text behind it. */
static char* find_section(const char *nonce, const char *name, char *text, size_t size, char **ret_body) {
        _cleanup_free_ char *mark = xasprintf("\n@%s %s\n", nonce, name);
        char *found = memmem(text, size, mark, strlen(mark));

        *ret_body = found ? found + strlen(mark) : NULL;
        return found;
}

static int parse_sections(LookParser *p, char *text, size_t size) {
        char *body, *end = text + size;

        if (!find_section(p->request->nonce, sections[0].name, text, size, &body))
                return look_bad(p, "there is no section", sections[0].name);
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
                char *next = end, *next_body = NULL;
                int r;

                if (i + 1 < ARRAY_SIZE(sections)) {
                        next = find_section(p->request->nonce, sections[i + 1].name, body,
                                            (size_t) (end - body), &next_body);
                        if (!next)
                                return look_bad(p, "there is no section", sections[i + 1].name);
                        *next = 0;
                }
                r = sections[i].parse(p, body, (size_t) (next - body));
                if (r < 0)
                        return r;
                body = next_body;
        }
        return 0;
}

/**
 * look_parse() - understand what look.sh printed
 * @request:    what was asked
 * @data:       the answer
 * @size:       of it
 * @facts:      the defaults, changed where the node says otherwise (also on failure)
 * @ret:        the observation, with digests where the record has them under the same stamp
 * @reterr:     shows the line that is not understood
 *
 * Return: 0, or a negative errno.
 */
int look_parse(const LookRequest *request, const char *data, size_t size, Facts *facts, Look *ret,
               Error **reterr) {
        _cleanup_free_ char *text = xmalloc(size + 1);
        _cleanup_(look_done) Look look = LOOK_NULL;
        LookParser p = { .request = request, .facts = facts, .reterr = reterr };
        int r;

        memcpy(text, data, size);
        text[size] = 0;
        p.observation = xnew(Observation, 1);
        r = parse_sections(&p, text, size);
        free(p.hosts);
        look = (Look) { .observation = p.observation, .record = p.record };
        if (r < 0)
                return r;
        facts->observed = true;
        *ret = look;
        look = LOOK_NULL;
        return 0;
}

void look_done(Look *look) {
        observation_free(look->observation);
        free(look->record);
        *look = LOOK_NULL;
}

/* "DIGEST  PATH" */
static int digest_line(LookParser *p, char *line) {
        char *path = strstr(line, "  ");
        Observation *o = p->observation;

        if (!path || path - line != SHA256_HEX_SIZE - 1 ||
            strspn(line, "0123456789abcdef") != SHA256_HEX_SIZE - 1)
                return look_bad(p, "sha256sum", line);
        path += 2;
        for (size_t i = 0; i < o->n_paths; i++)
                if (streq(o->paths[i].path + 1, path)) {
                        free(o->paths[i].sha256);
                        o->paths[i].sha256 = xstrndup(line, SHA256_HEX_SIZE - 1);
                }
        return 0;
}

int look_parse_digests(const char *nonce, const char *data, size_t size, Observation *o, Error **reterr) {
        _cleanup_free_ char *text = xstrndup(data, size);
        LookParser p = { .observation = o, .reterr = reterr };
        char *body;

        if (!find_section(nonce, "digests", text, strlen(text), &body))
                return look_bad(&p, "there is no section", "digests");
        return look_each_line(&p, body, digest_line);
}
