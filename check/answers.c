/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Understanding what questions.sh prints
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/answers.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"

#define LIST_MAX 1000 /* of anything: more than a cluster has nodes, ports or names */

static void set_text(char **field, const char *value) {
        size_t n = strlen(value);

        while (n > 0 && value[n - 1] == ' ')
                n--;
        if (n == 0)
                return;
        free(*field);
        *field = xstrndup(value, n);
}

static char* next_word(char **rest) {
        char *word;

        do
                word = strsep(rest, " ");
        while (word && !*word);
        return word;
}

char* way_target(const InetAddress *address, unsigned port) {
        char text[INET_TEXT_SIZE];

        return xasprintf("%s/%u", inet_address_format(address, text), port);
}

void answers_add_way(Answers *a, const char *target, WayState state, const char *error) {
        if (a->n_ways >= LIST_MAX)
                return;
        a->ways = xrealloc(a->ways, a->n_ways + 1, sizeof(WayAnswer));
        a->ways[a->n_ways++] = (WayAnswer) {
                .target = xstrdup(target),
                .state = state,
                .error = xstrdup_null(error && *error ? error : NULL),
        };
}

/* "10.77.0.21/2380 unreachable No route to host" */
static void add_way(Answers *a, char *rest) {
        static const struct {
                const char *word;
                WayState state;
        } states[] = {
                { "open", WAY_OPEN },
                { "refused", WAY_REFUSED },
                { "silent", WAY_SILENT },
                { "unreachable", WAY_UNREACHABLE },
        };
        char *target = next_word(&rest), *word = next_word(&rest);

        for (size_t i = 0; word && i < ARRAY_SIZE(states); i++)
                if (streq(word, states[i].word))
                        answers_add_way(a, target, states[i].state, rest);
}

/* getent(1) says ::ffff:127.0.1.1 for 127.0.1.1 on a host that has no other IPv4 address (AI_V4MAPPED of getaddrinfo(3)). */
static const char* unmap(const char *address) {
        const char *rest = startswith(address, "::ffff:");

        return rest && strchr(rest, '.') ? rest : address;
}

/* "controller-1 10.77.0.21 fd00::21", "controller-1 slow", "controller-1" */
static void add_name(Answers *a, char *rest) {
        char *name = next_word(&rest), *word;
        NameAnswer *n;

        if (!name || a->n_names >= LIST_MAX)
                return;
        a->names = xrealloc(a->names, a->n_names + 1, sizeof(NameAnswer));
        n = a->names + a->n_names++;
        *n = (NameAnswer) { .name = xstrdup(name) };
        while ((word = next_word(&rest)))
                if (streq(word, "slow"))
                        n->slow = true;
                else
                        strv_add(&n->addresses, unmap(word));
}

static void add_package(Answers *a, char *rest) {
        char *name = next_word(&rest), *candidate = next_word(&rest);

        if (!name || a->n_packages >= LIST_MAX)
                return;
        a->packages = xrealloc(a->packages, a->n_packages + 1, sizeof(PackageAnswer));
        a->packages[a->n_packages++] = (PackageAnswer) {
                .name = xstrdup(name),
                .candidate = xstrdup_null(candidate),
        };
}

/* "0.0107831", and "9.1e-05" of what took less than a tenth of a millisecond: that is none. */
static int parse_seconds(const char *text, uint64_t *ret_usec) {
        const char *dot = strchr(text, '.');
        _cleanup_free_ char *whole = xstrndup(text, dot ? (size_t) (dot - text) : strlen(text));
        char digits[] = "000000";
        uint64_t seconds, usec;

        if (strstr(text, "e-")) {
                *ret_usec = 0;
                return 0;
        }
        for (size_t i = 0; dot && i < sizeof(digits) - 1 && dot[1 + i]; i++)
                digits[i] = dot[1 + i];
        if (parse_uint64(whole, 0, 3600, &seconds) < 0 || parse_uint64(digits, 0, 999999, &usec) < 0)
                return -EINVAL;
        *ret_usec = seconds * USEC_PER_SEC + usec;
        return 0;
}

/* "10 0.0107831": a batch of ten writes; sync_mean_usec is their sum until all are read */
static void add_sync(Answers *a, char *rest) {
        char *count = next_word(&rest), *seconds = next_word(&rest);
        uint64_t usec;
        unsigned n;

        if (!seconds || a->sync_writes > LIST_MAX || parse_unsigned(count, 1, 1000, &n) < 0 ||
            parse_seconds(seconds, &usec) < 0)
                return;
        a->sync_writes += n;
        a->sync_mean_usec += usec;
        if (usec / n > a->sync_worst_usec)
                a->sync_worst_usec = usec / n;
}

static void add_arp_ignore(Answers *a, char *rest) {
        char *word = next_word(&rest);
        unsigned value;

        if (word && parse_unsigned(word, 0, 8, &value) >= 0 && value > a->arp_ignore)
                a->arp_ignore = value;
}

static void add_listed(Strv *list, char *rest) {
        if (*rest && strv_length(*list) < LIST_MAX)
                strv_add(list, rest);
}

static void add_fact(Answers *a, const char *kind, char *rest) {
        const struct {
                const char *kind;
                char **field;
        } texts[] = {
                { "model", &a->model },
                { "product", &a->product_id },
                { "mac", &a->mac },
                { "cmdline", &a->cmdline },
                { "cmdline-file", &a->cmdline_file },
                { "cmdline-next", &a->cmdline_next },
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(kind, texts[i].kind))
                        set_text(texts[i].field, rest);
        if (streq(kind, "container"))
                a->container = true;
        else if (streq(kind, "cgroup2"))
                a->cgroup2 = true;
        else if (streq(kind, "swap"))
                add_listed(&a->swaps, rest);
        else if (streq(kind, "leftover"))
                add_listed(&a->leftovers, rest);
        else if (streq(kind, "arp-ignore"))
                add_arp_ignore(a, rest);
}

/**
 * answers_parse() - understand what questions.sh printed
 * @text:       lines of "KIND WORDS"
 * @ret:        filled in; freed by answers_done()
 */
void answers_parse(const char *text, Answers *ret) {
        static const struct {
                const char *kind;
                void (*add)(Answers *a, char *rest);
        } lists[] = {
                { "way", add_way },
                { "name", add_name },
                { "package", add_package },
                { "sync", add_sync },
        };
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        Answers a = {};

        STRV_FOREACH(line, lines) {
                char *rest = *line, *kind = strsep(&rest, " "), none[] = "";

                rest = rest ? rest : none;
                add_fact(&a, kind, rest);
                for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                        if (streq(kind, lists[i].kind))
                                lists[i].add(&a, rest);
        }
        if (a.sync_writes > 0)
                a.sync_mean_usec /= a.sync_writes;
        *ret = a;
}

/* What was found out about a way, or NULL if nothing was. */
const WayAnswer* answers_way(const Answers *a, const InetAddress *address, unsigned port) {
        _cleanup_free_ char *target = way_target(address, port);

        for (size_t i = 0; i < a->n_ways; i++)
                if (streq(a->ways[i].target, target))
                        return a->ways + i;
        return NULL;
}

void answers_done(Answers *a) {
        char *texts[] = { a->model, a->cmdline, a->cmdline_file, a->cmdline_next, a->product_id, a->mac };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free(texts[i]);
        for (size_t i = 0; i < a->n_ways; i++) {
                free(a->ways[i].target);
                free(a->ways[i].error);
        }
        for (size_t i = 0; i < a->n_names; i++) {
                free(a->names[i].name);
                strv_free(a->names[i].addresses);
        }
        for (size_t i = 0; i < a->n_packages; i++) {
                free(a->packages[i].name);
                free(a->packages[i].candidate);
        }
        free(a->ways);
        free(a->names);
        free(a->packages);
        strv_free(a->swaps);
        strv_free(a->leftovers);
        *a = (Answers) {};
}
