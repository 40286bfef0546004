/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Further questions to a node
 */

#include <stdlib.h>
#include <string.h>

#include "check/check-scripts.h"
#include "check/rules.h"
#include "common/alloc.h"
#include "common/shell.h"

/* Words of plans and cluster files mean nothing to a shell; the hostname comes from the node. */
static bool is_plain(const char *word) {
        return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                          "._:@/-")] == '\0';
}

static void set_list(Buffer *script, const char *variable, char *const *words) {
        _cleanup_strv_ Strv plain = NULL;

        STRV_FOREACH(word, words)
                if (is_plain(*word))
                        strv_add(&plain, *word);
        shell_add_list(script, variable, plain);
}

static void set_word(Buffer *script, const char *variable, const char *word) {
        _cleanup_strv_ Strv one = NULL;

        if (word)
                strv_add(&one, word);
        set_list(script, variable, one);
}

static void set_ways(const CheckWorld *w, const CheckNode *n, Buffer *script) {
        _cleanup_free_ CheckWay *ways = NULL;
        _cleanup_strv_ Strv targets = NULL;
        size_t n_ways = check_ways(w, n->node, &ways);

        for (size_t i = 0; i < n_ways; i++) {
                _cleanup_free_ char *target = way_target(&ways[i].to->address, ways[i].port);

                strv_add(&targets, target);
        }
        set_list(script, "H_WAYS", targets);
}

static void set_names(const CheckWorld *w, const CheckNode *n, Buffer *script) {
        _cleanup_strv_ Strv names = NULL;

        if (n->facts->hostname)
                strv_add(&names, n->facts->hostname);
        for (size_t i = 0; i < w->cluster->n_nodes; i++)
                if (!strv_contains(names, w->cluster->nodes[i].name))
                        strv_add(&names, w->cluster->nodes[i].name);
        STRV_FOREACH(name,
                     w->cluster->endpoint.address.family != AF_UNSPEC ? w->cluster->endpoint.names : NULL)
                if (!strv_contains(names, *name))
                        strv_add(&names, *name);
        set_list(script, "H_NAMES", names);
}

static void set_packages(const CheckNode *n, Buffer *script) {
        _cleanup_strv_ Strv packages = NULL;

        PLAN_FOREACH(item, n->plan, PLAN_PACKAGE)
                if (!strv_contains(n->observation->packages, item->package.name))
                        strv_add(&packages, item->package.name);
        set_list(script, "H_PACKAGES", packages);
}

static void set_leftovers(Buffer *script) {
        _cleanup_buffer_ Buffer paths = BUFFER_NULL, units = BUFFER_NULL;

        leftovers_to_look_for(&paths, &units);
        shell_add_variable(script, "H_LEFTOVERS", buffer_str(&paths));
        shell_add_variable(script, "H_SERVICES", buffer_str(&units));
}

/* The directory of the first component that has its data on this disk, unless it is at work. */
static void set_sync(const CheckWorld *w, const CheckNode *n, Buffer *script) {
        const char *directory = NULL;

        for (const Component *const *c = w->components; *c && !directory; c++) {
                const ObservedUnit *u = (*c)->unit ? observation_unit(n->observation, (*c)->unit) : NULL;

                if ((*c)->data && component_on_node(*c, w->cluster, n->node) && !(u && u->main_pid != 0))
                        directory = (*c)->data + 1;
        }
        set_word(script, "H_SYNC", directory);
}

/**
 * check_ask() - ask a node what is only worth knowing before something is installed
 * @c:          the context of the probe
 * @w:          the world, in which all nodes were looked at
 * @n:          the node
 * @thorough:   also what takes seconds: measuring the disk, fetching lists of packages
 * @ret:        the answers; the caller calls answers_done()
 * @reterr:     why it could not be asked
 *
 * Return: 0 or a negative errno.
 */
int check_ask(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, bool thorough, Answers *ret,
              Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        set_word(&variables, "H_INTERFACE", n->facts->interface);
        set_word(&variables, "H_THOROUGH", thorough ? "yes" : "no");
        set_ways(w, n, &variables);
        set_names(w, n, &variables);
        set_packages(n, &variables);
        set_leftovers(&variables);
        set_sync(w, n, &variables);
        r = probe_exec(c, n->node, "what speaks against installing here?", &variables, EMBED_QUESTIONS_SH,
                       &out, reterr);
        if (r < 0)
                return r;
        answers_parse(buffer_str(&out), ret);
        return 0;
}
