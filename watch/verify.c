/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the watch has found last, as a check
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/shell.h"
#include "watch/internal.h"
#include "watch/watch-scripts.h"

#define SUBJECT "watch"
#define LATE_SEC (2 * 3600 + 900) /* it looks every hour, and up to ten minutes later */

/* "<3>etcd member ...": problems are of priority 4 and below (sd-daemon(3)) */
static const char* problem_of(const char *line) {
        return line[0] == '<' && line[1] >= '0' && line[1] <= '4' && line[2] == '>' ? line + 3 : NULL;
}

static void judge_look(const Node *node, uint64_t age, char *const *lines, CheckList *checks) {
        _cleanup_free_ char *ago = clock_format_span(age * USEC_PER_SEC);
        const char *first = NULL, *summary = "";
        size_t n_problems = 0;

        STRV_FOREACH(line, lines) {
                const char *problem = problem_of(*line), *told = startswith(*line, "<6>");

                n_problems += problem != NULL;
                first = first ? first : problem;
                summary = told ? told : summary;
        }
        if (age > LATE_SEC)
                check_advise(check_add_on(checks, CHECK_WARNING, SUBJECT, node, SUBJECT,
                                          "has not looked for %s, and is to look every hour", ago),
                             "on %s: journalctl -u " WATCH_SERVICE, node->name);
        else if (n_problems > 0)
                check_advise(check_add_on(checks, CHECK_WARNING, SUBJECT, node, SUBJECT, "%s%s (%s ago)",
                                          first, n_problems > 1 ? ", and more" : "", ago),
                             "on %s: journalctl -t hardway-watch -p warning", node->name);
        else
                check_add_on(checks, CHECK_OK, SUBJECT, node, SUBJECT, "looked %s ago: %s", ago, summary);
}

void watch_judge(const Node *node, const char *text, CheckList *checks) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        size_t n = strv_length(lines);
        uint64_t now, then;

        if (n < 3 || parse_uint64(lines[0], 0, INT64_MAX, &now) < 0 || !streq(lines[1], "active"))
                check_advise(check_add_on(checks, CHECK_FAILED, SUBJECT, node, SUBJECT,
                                          "its timer is not active"),
                             "hardway install --node %s", node->name);
        else if (!streq(lines[2], "success"))
                check_advise(check_add_on(checks, CHECK_WARNING, SUBJECT, node, SUBJECT,
                                          "its last look ended badly: %s", lines[2]),
                             "on %s: journalctl -u " WATCH_SERVICE, node->name);
        else if (n < 4 || parse_uint64(lines[3], 0, INT64_MAX, &then) < 0)
                check_add_on(checks, CHECK_OK, SUBJECT, node, SUBJECT,
                             "has not looked yet: it does so within minutes");
        else
                judge_look(node, now > then ? now - then : 0, lines + 4, checks);
}

static void ask(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;

        shell_add_variable(&variables, "timer", WATCH_TIMER);
        shell_add_variable(&variables, "service", WATCH_SERVICE);
        shell_add_variable(&variables, "state", WATCH_STATE);
        if (probe_exec(c, node, "what has the watch found last?", &variables, EMBED_WATCH_FOUND_SH, &out,
                       NULL) >= 0)
                watch_judge(node, buffer_str(&out), checks);
}

/**
 * watch_verify() - add what the watch has found on each node
 * @c:          the context of the probe
 * @checks:     where to
 *
 * A node that cannot be asked is told of elsewhere.
 *
 * Return: 0.
 */
int watch_verify(const ProbeContext *c, CheckList *checks) {
        probe_each_node(c, ROLE_ALL, ask, checks);
        return 0;
}
