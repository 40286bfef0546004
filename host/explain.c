/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why a unit failed, for people: how its process ended, the last lines that it wrote, and what is known to
 * be behind such lines.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

/* In the words of systemd, Go's runtime and strerror(3): none of them is of one component. */
static const struct {
        const char *pattern, *hint;
} hints[] = {
        { "address already in use", "Another process has the port; ss -ltnp on the node names it." },
        { "no space left on device", "The disk of the node is full." },
        { "read-only file system", "A file system of the node is read-only; dmesg there may say why." },
        { "certificate has expired or is not yet valid",
          "Compare the node's clock with the certificates' dates." },
        { "certificate signed by unknown authority",
          "Certificates of another cluster lie on the node, or the CA was changed." },
        { "permission denied", "A file that the unit needs does not belong to its user." },
        { "too many open files", "The node's limit of open files is reached." },
        { "cannot allocate memory", "The node has too little memory." },
        { "exec format error", "The program is for another architecture." },
        { "Failed to set up credentials",
          "A file that the unit loads as a credential is missing on the node." },
        { "Failed at step EXEC", "The program is missing, or is not for this architecture." },
        { "Failed at step USER", "The user that the unit runs as does not exist on the node." },
};

static const char* state_value(const char *state, const char *name, char *buffer, size_t size) {
        _cleanup_free_ char *key = xasprintf("\n%s=", name);
        const char *found = strstr(state, key);
        size_t n;

        buffer[0] = 0;
        if (found) {
                found += strlen(key);
                n = strcspn(found, "\n");
                if (n >= size)
                        n = size - 1;
                memcpy(buffer, found, n);
                buffer[n] = 0;
        }
        return buffer;
}

/* ExecMainCode is CLD_EXITED and its kin of waitid(2); ExecMainStatus a status or a signal then. */
static void add_end(const char *state, Buffer *out) {
        char code[16], status[16], n_restarts[16], result[64];
        unsigned number = 0;

        (void) state_value(state, "ExecMainCode", code, sizeof(code));
        (void) state_value(state, "ExecMainStatus", status, sizeof(status));
        (void) state_value(state, "NRestarts", n_restarts, sizeof(n_restarts));
        (void) state_value(state, "Result", result, sizeof(result));
        (void) parse_unsigned(status, 0, 255, &number);
        if (streq(code, "1"))
                buffer_addf(out, ", its process exited with status %s", status);
        else if (streq(code, "2") || streq(code, "3"))
                buffer_addf(out, ", its process was ended by SIG%s", sigabbrev_np((int) number) ?: status);
        if (*result && !streq(result, "success") && !streq(result, "exit-code") && !streq(result, "signal"))
                buffer_addf(out, " (%s)", result);
        if (*n_restarts && !streq(n_restarts, "0"))
                buffer_addf(out, ", restarted %s times", n_restarts);
}

static void add_lines(const char *text, Buffer *out) {
        while (*text) {
                size_t n = strcspn(text, "\n");

                if (n > 0)
                        buffer_addf(out, "  %.*s\n", n > 500 ? 500 : (int) n, text);
                text += n + (text[n] ? 1 : 0);
        }
}

static void add_hints(const char *journal, Buffer *out) {
        for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
                if (strcasestr(journal, hints[i].pattern))
                        buffer_addf(out, "%s\n", hints[i].hint);
}

/**
 * host_explain_unit() - why a unit is not well
 * @h:          the host
 * @unit:       its name
 * @ret:        lines for an Error's detail; the caller frees it
 * @reterr:     why the node cannot be asked
 *
 * Return: 0, or a negative errno.
 */
int host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr) {
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_free_ char *title = xasprintf("explain %s", unit), *mark = NULL;
        char active[32], sub[32];
        char *journal;
        int r;

        shell_add_variable(&text, "H_UNIT", unit);
        buffer_add(&text, EMBED_EXPLAIN_SH, EMBED_EXPLAIN_SH_SIZE);
        r = channel_run(h, &(Script) { .name = title, .text = buffer_str(&text) }, &answer, reterr);
        if (r < 0)
                return r;
        mark = xasprintf("\n@%s journal\n", answer.nonce);
        journal = strstr(buffer_str(&answer.out), mark);
        if (!journal)
                return error_set(reterr, ERROR_UNAVAILABLE, EBADMSG,
                                 "%s: the node's answer is not understood", unit);
        *journal = 0;
        journal += strlen(mark);

        buffer_addf(&out, "%s is %s (%s)", unit,
                    state_value(answer.out.data, "ActiveState", active, sizeof(active)),
                    state_value(answer.out.data, "SubState", sub, sizeof(sub)));
        add_end(answer.out.data, &out);
        buffer_add_str(&out, *journal ? "; its last lines:\n" : "; it wrote nothing to the journal\n");
        add_lines(journal, &out);
        add_hints(journal, &out);
        *ret = buffer_take(&out);
        return 0;
}
