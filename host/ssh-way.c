/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What went wrong on the way to a node that ssh reaches through something else
 *
 * A jump host's connection is one of an ssh of its own, whose words a connection that is to be shared throws away (ssh redirects
 * them to /dev/null where ControlPersist is set). So what is left of each of its failures is that the way was closed before the node
 * said anything; then it is tried once more, alone, to hear them.
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "host/host-internal.h"

#define TRY_USEC (15 * USEC_PER_SEC)
#define NODE_SAID_NOTHING "kex_exchange_identification"
#define NO_ADDRESS "UNKNOWN port 65535" /* ssh's name for what is at the other end of a program */

#define BOTH_SILENT "One of the two is off, or a firewall swallows packets. By hand: ssh {}\n"
#define COMPARE_KEY                                                                                            \
        "Compare it with what that says itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then log\n" \
        "in once by hand: ssh {}\n"
#define OTHER_KEY                                                                                               \
        "Somebody reinstalled it, or another machine answers in its place. If it was reinstalled, forget the\n" \
        "old key (ssh-keygen -R, with its name or address), and log in once by hand: ssh {}\n"

typedef struct Way {
        char *jump;    /* as ssh knows it, or NULL: */
        char *command; /* what is started instead */
} Way;

static void way_done(Way *w) {
        freep(&w->jump);
        freep(&w->command);
}

static bool is_set(const char *value) {
        return value && !streq(value, "none");
}

static bool way_find(const Host *h, Way *ret) {
        ret->jump = transport_setting(h, "proxyjump");
        if (is_set(ret->jump))
                return true;
        freep(&ret->jump);
        ret->command = transport_setting(h, "proxycommand");
        return is_set(ret->command);
}

/* Does ssh come to the node without going through anything else? */
bool ssh_way_is_direct(const Host *h) {
        _cleanup_(way_done) Way way = {};

        return !way_find(h, &way);
}

/* Lines that tell no more than that the node said nothing. */
static char* without_the_end(const char *text) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        Buffer out = BUFFER_NULL;

        STRV_FOREACH(line, lines)
                if (**line && !strstr(*line, NODE_SAID_NOTHING) && !strstr(*line, NO_ADDRESS))
                        buffer_addf(&out, "%s\n", *line);
        return buffer_take(&out);
}

/* What is said on the way, without what is shared; NULL: the way is open by now. The caller frees it. */
static char* listen_on_the_way(const Host *h) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_strv_ Strv argv = transport_argv_alone(h);

        if (process_run(argv, NULL, TRY_USEC, &result, NULL) < 0 ||
            !strstr(buffer_str(&result.err), NODE_SAID_NOTHING))
                return NULL;
        return without_the_end(buffer_str(&result.err));
}

static int set_error(const SshFailure *f, const char *who, const char *advised, const char *said,
                     Error **reterr) {
        _cleanup_free_ char *message = ssh_failure_fill(f->text, who, NULL), *detail = failure_detail(said);
        _cleanup_free_ char *advice = ssh_failure_fill(f->advice ? f->advice : "", advised, NULL);
        int r = error_set(reterr, f->kind, f->errnum, "%s", message);

        if (*advice)
                error_detail(reterr, "%s", advice);
        if (*detail)
                error_detail(reterr, "%s", detail);
        return r;
}

/* The jump host passes it on that the node refuses; all else is about itself. */
static int judge_jump(const Host *h, const Way *w, const char *said, Error **reterr) {
        static const SshFailure closed = { "", ERROR_UNAVAILABLE, EPROTO, "ssh: {} lets nothing through",
                                           "By hand: ssh {}\n" };
        _cleanup_free_ char *jump = xasprintf("the jump host %s", w->jump);
        const SshFailure *known = ssh_failure_find(said);
        SshFailure f = known ? *known : closed;
        char address[INET_TEXT_SIZE];

        (void) inet_address_format(&h->node->address, address);
        if (known && f.errnum != EACCES && strstr(said, "stdio forwarding failed"))
                return set_error(&f, address, address, said, reterr);
        if (f.errnum == ENOKEY)
                f.advice = COMPARE_KEY;
        else if (f.errnum == EKEYREJECTED)
                f.advice = OTHER_KEY;
        return set_error(&f, jump, w->jump, said, reterr);
}

static int judge_silence(const Host *h, const Way *w, const char *text, Error **reterr) {
        static const SshFailure silent = { "", ERROR_UNAVAILABLE, EHOSTDOWN,
                                           "ssh: nothing comes through {}, or from the node behind it",
                                           BOTH_SILENT };
        _cleanup_free_ char *jump = xasprintf("the jump host %s", w->jump);

        return set_error(&silent, jump, w->jump, text, reterr);
}

static int judge_command(const Host *h, const char *said, Error **reterr) {
        static const SshFailure ended = {
                "", ERROR_UNAVAILABLE, EPROTO,
                "ssh: the ProxyCommand on the way to {} ended without a connection",
                "See ~/.ssh/config. By hand: ssh {}\n"
        };
        char address[INET_TEXT_SIZE];

        (void) inet_address_format(&h->node->address, address);
        return set_error(&ended, address, address, said, reterr);
}

/**
 * ssh_way_error() - was it something on the way to the node?
 * @h:          the host, to which no connection came about
 * @text:       what ssh said
 * @reterr:     what went wrong there
 *
 * Return: a negative errno, or 0 if there is nothing on the way, or it is open by now.
 */
int ssh_way_error(const Host *h, const char *text, Error **reterr) {
        _cleanup_(way_done) Way way = {};
        _cleanup_free_ char *said = NULL;

        if (h->node->local || (!strstr(text, NODE_SAID_NOTHING) && !strstr(text, NO_ADDRESS)) ||
            !way_find(h, &way))
                return 0;
        if (way.jump && strstr(text, "timed out"))
                return judge_silence(h, &way, text, reterr);
        said = listen_on_the_way(h);
        if (!said)
                return 0;
        return way.jump ? judge_jump(h, &way, said, reterr) : judge_command(h, said, reterr);
}
