/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a word to what it means
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"

#define WORD_SIZE_MAX 4096

/*
 * "--etcd-servers=https://..." is about the flag; a path may be given without its beginning. What was copied
 * out of a file comes with the blanks in front, with quotes, and with the backslash that says that it goes on.
 */
static char* normalize(const char *word) {
        _cleanup_free_ char *cut = xstrndup(word, WORD_SIZE_MAX);
        _cleanup_strv_ Strv words = strv_split(cut, " \t\n\"\\");
        char *copy = strv_join(words, " ");
        char *flag = startswith(copy, "--") ? copy : strstr(copy, " --");
        char *value = flag ? strchr(flag, '=') : NULL;

        if (value)
                *value = '\0';
        return copy;
}

static bool is_path_of(const char *path, const char *word) {
        size_t n = strlen(path), m = strlen(word);

        return *path == '/' && m > 0 && n > m && path[n - m - 1] == '/' && streq(path + n - m, word);
}

static bool is_alias(const Explanation *e, const char *word) {
        _cleanup_free_ char *flag = startswith(word, "-") ? NULL : xasprintf("--%s", word);

        return strv_contains(e->aliases, word) || (flag && strv_contains(e->aliases, flag)) ||
               is_path_of(e->name, word);
}

static void add(const Explanation ***list, size_t *n, const Explanation *e) {
        *list = xrealloc(*list, *n + 1, sizeof(Explanation*));
        (*list)[(*n)++] = e;
}

static void add_hinted(Found *f, bool known, const Explanation *e) {
        if (known)
                add(&f->others, &f->n_others, e);
        else
                add(&f->matches, &f->n_matches, e);
}

static void find_word(const Catalogue *c, const char *wanted, Found *f) {
        bool known;

        for (size_t i = 0; i < c->n_entries; i++)
                if (streq(c->entries[i]->name, wanted))
                        add(&f->matches, &f->n_matches, c->entries[i]);
        for (size_t i = 0; i < c->n_entries; i++) {
                const Explanation *e = c->entries[i];

                if (streq(e->name, wanted) || !is_alias(e, wanted))
                        continue;
                if (f->n_matches > 0 && streq(f->matches[0]->name, wanted))
                        add(&f->others, &f->n_others, e);
                else
                        add(&f->matches, &f->n_matches, e);
        }
        known = f->n_matches > 0;
        for (size_t i = 0; i < c->n_entries; i++) {
                const Explanation *e = c->entries[i];

                if (strv_contains(e->hints, wanted) && !is_alias(e, wanted) && !streq(e->name, wanted))
                        add_hinted(f, known, e);
        }
}

static bool find_beginning(const Catalogue *c, const char *wanted, Found *f) {
        for (size_t i = 0; i < c->n_entries; i++)
                if (c->entries[i]->is_line && is_alias(c->entries[i], wanted))
                        add(&f->matches, &f->n_matches, c->entries[i]);
        return f->n_matches > 0;
}

/* "ProtectSystem=strict", "timeout connect 100ms": the longest beginning that is a line's */
static void find_line(const Catalogue *c, const char *wanted, Found *f) {
        _cleanup_free_ char *line = xstrdup(wanted);

        line[strcspn(line, "=")] = '\0';
        while (!find_beginning(c, line, f)) {
                char *last = strrchr(line, ' ');

                if (!last)
                        return;
                *last = '\0';
        }
}

/**
 * catalogue_find() - what could be meant by a word
 * @c:          the catalogue
 * @word:       a name, or one of the shorter words for it; several words with blanks between them; or where
 *              nothing is known of that, a line as it stands in a file
 * @ret:        what was found; see Found
 */
void catalogue_find(const Catalogue *c, const char *word, Found *ret) {
        _cleanup_free_ char *wanted = normalize(word);
        Found f = {};

        find_word(c, wanted, &f);
        if (f.n_matches == 0)
                find_line(c, wanted, &f);
        *ret = f;
}

bool found_is_one_thing(const Found *f) {
        for (size_t i = 1; i < f->n_matches; i++)
                if (!streq(f->matches[i]->name, f->matches[0]->name))
                        return false;
        return f->n_matches > 0;
}

void found_done(Found *f) {
        free(f->matches);
        free(f->others);
        *f = (Found) {};
}

/**
 * catalogue_nearest() - the name or short word that looks most like a word
 * @c:          the catalogue
 * @word:       what was asked for
 *
 * Return: it, or NULL if none is near; the caller frees.
 */
char* catalogue_nearest(const Catalogue *c, const char *word) {
        _cleanup_free_ char *wanted = normalize(word);
        _cleanup_strv_ Strv all = NULL;
        const char *nearest;

        if (strlen(wanted) > 80)
                return NULL;
        for (size_t i = 0; i < c->n_entries; i++) {
                const Explanation *e = c->entries[i];

                strv_add(&all, e->name);
                strv_add_all(&all, e->aliases);
                strv_add_all(&all, e->hints);
                if (*e->name == '/')
                        strv_add(&all, strrchr(e->name, '/') + 1);
        }
        nearest = string_nearest(wanted, (const char *const *) all);
        return xstrdup_null(nearest);
}

static json_t* values_to_json(const Explanation *e) {
        json_t *array = json_array();

        for (size_t i = 0; i < e->n_values; i++) {
                json_t *where = json_array();

                STRV_FOREACH(name, e->values[i].where)
                        json_array_append_new(where, json_string(*name));
                json_array_append_new(array,
                                      json_pack("{so,ss}", "where", where, "value", e->values[i].text));
        }
        return array;
}

json_t* explanation_to_json(const Explanation *e) {
        json_t *parts = json_array();

        for (size_t i = 0; i < e->n_parts; i++)
                json_array_append_new(parts, json_pack("{ss,ss*,ss*}", "name", e->parts[i].name, "text",
                                                       e->parts[i].text, "by_hand", e->parts[i].by_hand));
        return json_pack("{ss,ss,ss*,ss*,ss*,ss*,ss*,ss*,so,so,sb}", "name", e->name, "kind", e->kind, "why",
                         e->why, "without", e->without, "documentation", e->manual, "usage", e->usage,
                         "by_hand", e->by_hand, "read_by", e->read_by, "values", values_to_json(e), "parts",
                         parts, "in_cluster", !e->absent);
}
