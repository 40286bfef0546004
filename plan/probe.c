/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked of nodes, results of probes, and lists of checks
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/text.h"
#include "plan/probe.h"

ProbeContext probe_context(const Cluster *cluster, Store *store, const volatile int *cancelled) {
        return (ProbeContext) { .cluster = cluster, .store = store, .cancelled = cancelled };
}

int probe_exec_array(const ProbeContext *c, const Node *node, const char *title, const Buffer *variables,
                     const char *script, Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        if (!c->exec)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s was to be asked without a way to it",
                                 node->name);
        buffer_addf(&text, "# %s\n", title);
        if (variables)
                buffer_add(&text, variables->data, variables->size);
        buffer_add_str(&text, script);
        return c->exec(c->userdata, node, buffer_str(&text), ret, reterr);
}

/**
 * probe_result_set() - say what a probe found
 * @r:          the result; an earlier text is freed
 * @state:      what it means
 * @format:     printf-style, one line; NULL for no text
 */
void probe_result_set(ProbeResult *r, ProbeState state, const char *format, ...) {
        va_list ap;

        free(r->text);
        r->text = NULL;
        r->state = state;
        if (!format)
                return;
        va_start(ap, format);
        r->text = text_harmless(xvasprintf(format, ap), /* keep= */ 0);
        va_end(ap);
}

void probe_result_spare(ProbeResult *r, size_t n_go, size_t n_left, const char *none, const char *one) {
        if (n_go > 0 && n_left == 0)
                probe_result_set(r, PROBE_FAILED, "%s", none);
        else if (n_go > 0 && n_left == 1)
                probe_result_set(r, PROBE_READY, "%s", one);
        else
                probe_result_set(r, PROBE_READY, NULL);
}

void probe_result_done(ProbeResult *r) {
        free(r->text);
        *r = (ProbeResult) {};
}

/* What is found quotes nodes and members. It is made fit for terminals and for JSON here, whoever prints it. */

static Check* add(CheckList *l, CheckState state, char *id, const Node *node, const char *subject,
                  char *text) {
        Check *check;

        l->checks = xrealloc(l->checks, l->n_checks + 1, sizeof(Check));
        check = l->checks + l->n_checks++;
        *check = (Check) {
                .id = id,
                .node = node ? xstrdup(node->name) : NULL,
                .subject = text_harmless(xstrdup(subject), /* keep= */ 0),
                .state = state,
                .text = text_harmless(text, /* keep= */ 0),
        };
        return check;
}

/**
 * check_add() - add what a check found
 * @l:          the list
 * @state:      how bad it is
 * @id:         stable, for scripts: "etcd.members"
 * @node:       where, or NULL
 * @subject:    what was looked at: "kube-apiserver"
 * @format:     printf-style, what was found, one line
 *
 * Return: the check, lent until the next one is added; advice and data may be set.
 */
Check* check_add(CheckList *l, CheckState state, const char *id, const Node *node, const char *subject,
                 const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return add(l, state, xstrdup(id), node, subject, text);
}

Check* check_add_on(CheckList *l, CheckState state, const char *name, const Node *node, const char *subject,
                    const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return add(l, state, node ? xasprintf("%s/%s", name, node->name) : xstrdup(name), node, subject,
                   text);
}

void check_advise(Check *check, const char *format, ...) {
        va_list ap;

        free(check->advice);
        va_start(ap, format);
        check->advice = text_harmless(xvasprintf(format, ap), TEXT_LINES);
        va_end(ap);
}

/**
 * check_advise_silent() - what to do about a server that gives no answer, by how it gives none
 * @check:      the failure
 * @node:       where the server is
 * @unit:       its unit, without ".service"
 * @errnum:     of the request (http/http.h), positive; 0: it was another kind of failure
 */
void check_advise_silent(Check *check, const Node *node, const char *unit, int errnum) {
        switch (errnum) {
        case EHOSTUNREACH:
                check_advise(check,
                             "switch %s on, or mend its network: what runs there comes back by itself",
                             node->name);
                break;
        case ETIMEDOUT:
                check_advise(check,
                             "%s is off or cut off, and comes back by itself; or %s hangs: if ssh gets "
                             "there, journalctl -u %s, then systemctl restart %s",
                             node->name, unit, unit, unit);
                break;
        case EKEYEXPIRED:
                check_advise(check,
                             "hardway pki list: if it has ended there, too, hardway pki renew; else "
                             "hardway install --node %s, and see the clocks, there and here: timedatectl",
                             node->name);
                break;
        default:
                check_advise(check, "on %s: journalctl -u %s; then: hardway install --node %s", node->name,
                             unit, node->name);
        }
}

void check_list_append(CheckList *l, CheckList *other) {
        l->checks = xrealloc(l->checks, l->n_checks + other->n_checks + 1, sizeof(Check));
        for (size_t i = 0; i < other->n_checks; i++)
                l->checks[l->n_checks++] = other->checks[i];
        free(other->checks);
        *other = (CheckList) {};
}

size_t check_list_failed(const CheckList *l) {
        size_t n = 0;

        for (size_t i = 0; i < l->n_checks; i++)
                n += l->checks[i].state == CHECK_FAILED;
        return n;
}

void check_list_done(CheckList *l) {
        for (size_t i = 0; i < l->n_checks; i++) {
                free(l->checks[i].id);
                free(l->checks[i].node);
                free(l->checks[i].subject);
                free(l->checks[i].text);
                free(l->checks[i].advice);
                json_decref(l->checks[i].data);
        }
        free(l->checks);
        *l = (CheckList) {};
}
