/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore that failed: what was stopped is started again, or which command goes on
 *
 * Each node notes what ran and what was enabled before anything of it is stopped, so that a later run knows it, too.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "operate/operate-scripts.h"
#include "operate/restore-internal.h"

void restore_script_note(const char *units, Buffer *out) {
        restore_script_begin("what runs, and what is enabled", out);
        shell_add_variable(out, "units", units);
        buffer_add_str(out, EMBED_RESTORE_NOTE_SH);
}

void restore_script_start(Buffer *out) {
        restore_script_begin("as it was", out);
        buffer_add_str(out, EMBED_RESTORE_START_SH);
}

void restore_script_forget(Buffer *out) {
        buffer_add_str(out, "rm -f " NOTE "\n");
}

static int start_again(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        restore_script_start(&script);
        r = host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, &out, reterr);
        if (r < 0)
                return r;
        n->started = startswith(buffer_str(&out), "started");
        if (n->started)
                restore_step(n, STAGE_RESTORE_UNDO);
        return 0;
}

static void add_word(Buffer *out, const char *word) {
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:+@%,=";

        buffer_add_char(out, ' ');
        if (*word && strspn(word, plain) == strlen(word))
                buffer_add_str(out, word);
        else
                shell_add_quoted(out, word);
}

/* What its user typed, but for what does not matter. */
static char* command_of(const Restore *s) {
        const RestoreRequest *q = s->request;
        Buffer out = BUFFER_NULL;

        buffer_add_str(&out, "hardway etcd restore");
        if (q->force)
                buffer_add_str(&out, " --force");
        STRV_FOREACH(name, q->install.ignore) {
                buffer_add_str(&out, " --ignore");
                add_word(&out, *name);
        }
        if (q->survivor)
                buffer_add_str(&out, " --survivor");
        add_word(&out, q->survivor ? q->survivor->name : q->snapshot);
        CLUSTER_FOREACH_NODE(node, s->cluster, ROLE_ETCD)
                if (!restore_node(s, node)) {
                        buffer_add_str(&out, " --without");
                        add_word(&out, node->name);
                }
        return buffer_take(&out);
}

/* By this run or, if it goes on with an earlier one, by that. */
static bool is_committed(const Restore *s) {
        _cleanup_free_ char *token = etcd_token(s->request->install.store);

        return s->committed || streq_null(token, s->journal.token);
}

/* Is there new data on some node? Also that of a restore that was given up half way: some have its data then, and others
 * that of before. What lies aside says nothing by itself; that of a restore long ago does, too. */
static bool is_swapped(const Restore *s) {
        _cleanup_free_ char *token = etcd_token(s->request->install.store);
        bool aside = false, mixed = false;

        for (const RestoreNode *n = s->nodes; n < s->nodes + s->n_nodes; n++) {
                if (n->swapped)
                        return true;
                aside = aside || n->asides;
                mixed = mixed || ((n->node->roles & ROLE_ETCD) && n->data && !streq_null(n->token, token));
        }
        return aside && mixed;
}

static void tell(const Restore *s, const ErrorList *failed, Error **error) {
        _cleanup_free_ char *command = command_of(s), *names = NULL;
        _cleanup_strv_ Strv started = NULL;

        for (const RestoreNode *n = s->nodes; n < s->nodes + s->n_nodes; n++)
                if (n->started)
                        strv_add(&started, n->node->name);
        names = strv_join(started, ", ");
        if (started)
                error_detail(error, "No data was replaced. What was stopped is started again on %s.\n",
                             names);
        for (size_t i = 0; i < failed->n_errors; i++)
                error_detail(error, "What was stopped may not run again: %s\n", failed->errors[i]->message);
        if (failed->n_errors > 0)
                error_detail(error, "What does not run yet is started by: hardway install\n");
        if (started)
                error_detail(error, "Once the cause is gone: %s\n", command);
}

/**
 * restore_fail() - after a failure: start again what was stopped, or say how it goes on
 * @s:          the restore
 * @errors:     why it failed; what was done and what is to be done is added to the last
 *
 * Before the first swap all is as it was. After it the old data may be that of a minority, or of a majority that
 * must not serve: nothing is started with it.
 */
void restore_fail(Restore *s, ErrorList *errors) {
        Error **last = errors->errors + errors->n_errors - 1;
        ErrorList failed = ERROR_LIST_NULL;

        if (s->journal.served) {
                error_detail(last,
                             "The data is restored, and serves. What is left is done by: hardway install\n");
                return;
        }
        if (is_committed(s) || is_swapped(s)) {
                _cleanup_free_ char *command = command_of(s);

                error_detail(
                        last,
                        "There may be new data already, so nothing is started with that of before. This "
                        "goes on with: %s\n",
                        command);
                return;
        }
        host_pool_insist(s->hosts);
        (void) restore_each(s, start_again, &failed);
        tell(s, &failed, last);
        error_list_done(&failed);
}

/**
 * restore_leave() - after a second look that failed: say how it goes on
 * @s:          the restore
 * @errors:     why it failed; what is to be done is added to the last
 *
 * This run has stopped nothing. What an earlier one has is not started: somebody else may be at work by now, and
 * how far that has come was not seen.
 */
void restore_leave(const Restore *s, ErrorList *errors) {
        _cleanup_free_ char *command = command_of(s);

        if (s->resumed)
                error_detail(
                        errors->errors + errors->n_errors - 1,
                        "What the restore that was begun at %s has stopped was left as it is. It goes on with: %s\n",
                        s->journal.begun, command);
}
