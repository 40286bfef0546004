/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of rules, and how a finding becomes what people see of it
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/rules.h"
#include "common/alloc.h"

#define CHECK_SSH "ssh"

/* In the order in which findings are shown. What fails is an error of the cluster (65) unless it is the
 * network's (69) or the disk's (74). Each is explained in hardway(1). */
static const CheckRule rules[] = {
        { "members", ERROR_CONFIG, EINVAL, .all = rule_members },
        { "architecture", ERROR_CONFIG, ENOEXEC, .node = rule_architecture },
        { "systemd", ERROR_CONFIG, EOPNOTSUPP, .node = rule_systemd },
        { "name", ERROR_CONFIG, EINVAL, .node = rule_name },
        { "clock", ERROR_CONFIG, ETIME, .node = rule_clock },
        { "clock-sync", ERROR_CONFIG, ETIME, .node = rule_clock_sync },
        { "clock-spread", ERROR_CONFIG, ETIME, .all = rule_clock_spread },
        { "hostnames", ERROR_CONFIG, ENOTUNIQ, .all = rule_hostnames },
        { "machine-ids", ERROR_CONFIG, ENOTUNIQ, .all = rule_machine_ids },
        { "mac-addresses", ERROR_CONFIG, ENOTUNIQ, .all = rule_mac_addresses },
        { "product-ids", ERROR_CONFIG, ENOTUNIQ, .all = rule_product_ids },
        { "memory", ERROR_CONFIG, ENOMEM, .node = rule_memory },
        { "cgroup", ERROR_CONFIG, EOPNOTSUPP, .node = rule_cgroup },
        { "page-size", ERROR_CONFIG, EOPNOTSUPP, .node = rule_page_size },
        { "swap", ERROR_CONFIG, EOPNOTSUPP, .node = rule_swap },
        { "disk-space", ERROR_IO, ENOSPC, .node = rule_disk_space },
        { "disk-sync", ERROR_IO, ETIME, .node = rule_disk_sync },
        { "identity", ERROR_CONFIG, EEXIST, .node = rule_identity },
        { "versions", ERROR_CONFIG, EOPNOTSUPP, .node = rule_versions },
        { "leftovers", ERROR_CONFIG, EEXIST, .node = rule_leftovers },
        { "packages", ERROR_UNAVAILABLE, ENOENT, .node = rule_packages },
        { "ports-free", ERROR_CONFIG, EADDRINUSE, .node = rule_ports_free },
        { "names", ERROR_CONFIG, EINVAL, .node = rule_names },
        { "reach", ERROR_UNAVAILABLE, EHOSTUNREACH, .node = rule_reach },
        { "reach", ERROR_UNAVAILABLE, EHOSTUNREACH, .all = rule_reach_here },
        { "endpoint", ERROR_CONFIG, EINVAL, .all = rule_endpoint },
        { "vip-network", ERROR_CONFIG, ENETUNREACH, .node = rule_vip_network },
        { "sysctls", ERROR_CONFIG, EINVAL, .node = rule_sysctls },
};

/* Those who know better are told that they were listened to. */
static void ignore(const CheckWorld *w, Check *finding) {
        _cleanup_free_ char *text = NULL;

        if (finding->state == CHECK_OK || !strv_contains(w->ignore, finding->subject))
                return;
        finding->state = finding->state == CHECK_FAILED ? CHECK_WARNING : CHECK_OK;
        text = finding->text;
        finding->text = xasprintf("ignored: %s", text);
}

Check* judge(Judge *j, CheckState state, const Node *node, const char *format, ...) {
        _cleanup_free_ char *id =
                node ? xasprintf("%s/%s", j->rule->name, node->name) : xstrdup(j->rule->name);
        _cleanup_free_ char *text = NULL;
        Check *finding;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        finding = check_add(j->findings, state, id, node, j->rule->name, "%s", text);
        ignore(j->world, finding);
        return finding;
}

void check_node(const CheckWorld *w, const CheckNode *n, CheckList *findings) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].node)
                        rules[i].node(&(Judge) { .world = w, .rule = rules + i, .findings = findings }, n);
}

void check_all(const CheckWorld *w, CheckList *findings) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (rules[i].all)
                        rules[i].all(&(Judge) { .world = w, .rule = rules + i, .findings = findings });
}

void check_failure(const Node *node, const Error *error, CheckList *findings) {
        _cleanup_free_ char *id = xasprintf(CHECK_SSH "/%s", node->name);
        _cleanup_free_ char *prefix = xasprintf("%s: ", node->name);
        const char *text = startswith(error->message, prefix);
        Check *finding;

        finding = check_add(findings, CHECK_FAILED, id, node, CHECK_SSH, "%s", text ? text : error->message);
        finding->kind = error->kind;
        if (error->detail)
                check_advise(finding, "%.*s", (int) strlen(error->detail) - 1, error->detail);
}

int check_components(const CheckWorld *w, const ProbeContext *c, const Node *node, CheckList *findings,
                     Error **reterr) {
        size_t first = findings->n_checks;
        int r;

        for (const Component *const *p = w->components; *p; p++) {
                if (!(*p)->preflight || !component_on_node(*p, w->cluster, node))
                        continue;
                r = (*p)->preflight(c, node, findings, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = first; i < findings->n_checks; i++)
                ignore(w, findings->checks + i);
        return 0;
}

static const CheckRule* find_rule(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (streq(rules[i].name, name))
                        return rules + i;
        return NULL;
}

Error* check_to_error(const Check *finding) {
        const CheckRule *rule = find_rule(finding->subject);
        /* what a component finds is data or an address that somebody else has */
        ErrorKind kind = finding->kind ? finding->kind : rule ? rule->kind : ERROR_CONFIG;
        Error *error = NULL;

        (void) error_set(&error, kind, rule ? rule->errnum : EEXIST, "%s%s%s",
                         finding->node ? finding->node : "", finding->node ? ": " : "", finding->text);
        if (finding->advice)
                error_detail(&error, "%s\n", finding->advice);
        return error;
}

static void list_names(const Component *const *components, const char **names, size_t n_max) {
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(rules) && n < n_max; i++)
                names[n++] = rules[i].name;
        for (const Component *const *c = components; *c; c++)
                for (size_t i = 0; i < (*c)->n_preflights && n < n_max; i++)
                        names[n++] = (*c)->preflights[i].name;
}

int check_names_exist(const Component *const *components, char *const *names, Error **reterr) {
        const char *known[ARRAY_SIZE(rules) + 64] = {};

        list_names(components, known, ARRAY_SIZE(known) - 1);
        STRV_FOREACH(name, names) {
                const char *nearest = string_nearest(*name, known);
                bool found = false;

                for (size_t i = 0; known[i]; i++)
                        found = found || streq(known[i], *name);
                if (streq(*name, CHECK_SSH))
                        return error_set(
                                reterr, ERROR_USAGE, EINVAL,
                                "--ignore: '%s' cannot be ignored: what cannot be reached cannot be "
                                "installed",
                                *name);
                if (!found)
                        return error_set(reterr, ERROR_USAGE, EINVAL,
                                         "--ignore: there is no check '%s'%s%s%s; hardway(1) lists them",
                                         *name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                                         nearest ? "'?" : "");
        }
        return 0;
}
