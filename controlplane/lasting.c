/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before something is written: would what runs be given a value that the cluster's own objects do not bear?
 *
 * Services and nodes keep the addresses that they were given, tokens the issuer that they were signed by. What the processes
 * run with, not what lies in their unit files, is what the cluster lives with.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "controlplane/controlplane-scripts.h"
#include "controlplane/internal.h"

/* What the user wrote is for a unit file, where "%%" stands for '%'; these flags have no specifiers. */
static void unescape_percent(char *word) {
        char *to = word;

        for (const char *from = word; *from; from++) {
                if (from[0] == '%' && from[1] == '%')
                        from++;
                *to++ = *from;
        }
        *to = '\0';
}

/* Of a flag that may be given several times, or once with commas. */
static Strv values_of(char *const *argv, const char *flag) {
        _cleanup_free_ char *start = xasprintf("--%s=", flag);
        Strv values = NULL;

        STRV_FOREACH(word, argv) {
                const char *value = startswith(*word, start);
                _cleanup_strv_ Strv parts = value ? strv_split(value, ",") : NULL;

                STRV_FOREACH(part, parts)
                        strv_add(&values, *part);
        }
        return values;
}

static Strv planned_argv(const ProbeContext *c, const Node *node, const Component *component) {
        Facts facts;
        const PlanContext context = {
                .cluster = c->cluster, .node = node, .facts = &facts, .store = c->store
        };
        Strv argv;

        facts_default(c->cluster, node, &facts);
        argv = flags_to_argv(component->name, component->flags, component->n_flags, component->name,
                             &context);
        facts_done(&facts);
        STRV_FOREACH(word, argv)
                unescape_percent(*word);
        return argv;
}

/* A second network of the other family is one more; the first is what all have addresses of. */
bool lasting_grows(char *const *before, char *const *after) {
        for (; *before; before++, after++)
                if (!*after || !streq(*before, *after))
                        return false;
        return true;
}

void lasting_advise_back(Check *check, _unused_ const LastingFlag *row, _unused_ char *const *before,
                         _unused_ char *const *after) {
        check_advise(check,
                     "Put it back (and then hardway pki gen). A second network, of the other family, may be "
                     "added behind it. See CHANGES in hardway.yaml(5)");
}

/* The first signs, all are believed: what was signed is believed still, and what will be signed by one is by the others,
 * which run with the old list yet. */
bool lasting_is_believed(char *const *before, char *const *after) {
        return *before && *after && strv_contains(after, *before) && strv_contains(before, *after);
}

void lasting_advise_steps(Check *check, const LastingFlag *row, char *const *before, char *const *after) {
        check_advise(check,
                     "Go by steps, with hardway install after each: extra-args.kube-apiserver.%s: "
                     "[%s, %s]; then [%s, %s]; and without it when no token of the first is left",
                     row->flag, before[0], after[0], after[0], before[0]);
}

static void judge_flag(const LastingFlag *row, char *const *running, char *const *planned, const Node *node,
                       CheckList *checks) {
        _cleanup_strv_ Strv before = values_of(running, row->flag), after = values_of(planned, row->flag);
        _cleanup_free_ char *is = strv_join(before, ","), *wanted = strv_join(after, ",");
        Check *check;

        if (!before || !after || row->allows(before, after)) {
                check_add_on(checks, CHECK_OK, row->name, node, row->name, "%s",
                             before ? is : "nothing runs here that has one");
                return;
        }
        check = check_add_on(checks, CHECK_FAILED, row->name, node, row->name,
                             "the cluster lives with %s, and would be given %s (%s): %s", is, wanted,
                             row->key, row->without);
        row->advise(check, row, before, after);
}

/**
 * running_argv() - with what was a component started that runs?
 * @c:          the context of the probe
 * @node:       its node
 * @component:  which
 * @ret:        the words of its command line, NULL if it does not run; the caller frees
 * @reterr:     why it cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int running_argv(const ProbeContext *c, const Node *node, const Component *component, Strv *ret,
                 Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        shell_add_variable(&variables, "H_UNIT", component->unit);
        r = probe_exec(c, node, "with which flags does it run?", &variables, EMBED_ARGV_SH, &out, reterr);
        if (r < 0)
                return r;
        *ret = strv_split(buffer_str(&out), "\n");
        return 0;
}

/**
 * lasting_preflight() - refuse what the objects of a cluster that lives do not bear
 * @c:          the context of the probe
 * @node:       its node
 * @component:  whose flags
 * @running:    what it runs with, as of running_argv()
 * @rows:       which of them
 * @n_rows:     how many
 * @checks:     gets a finding for each
 */
void lasting_preflight(const ProbeContext *c, const Node *node, const Component *component,
                       char *const *running, const LastingFlag *rows, size_t n_rows, CheckList *checks) {
        _cleanup_strv_ Strv planned = planned_argv(c, node, component);

        for (size_t i = 0; i < n_rows; i++)
                judge_flag(rows + i, running, planned, node, checks);
}
