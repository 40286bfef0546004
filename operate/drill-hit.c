/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Breaking a thing, and putting it back
 *
 * What is killed comes back by systemd's hand, as all of our units have Restart=. A timer that thaws what is
 * to be frozen is set on the node before that. Power and link of a host are in the hands of a command of the
 * user's; before it is called, a child is started, the guard, that calls it again, to put the host back, when
 * its input ends: so when we do, however that happens. The command that cuts the host off holds that input
 * open, too: it may outlive us, and would otherwise cut off what has just been put back. A guard that has
 * put back says so in the file that says what is broken (drill-pending.c); it holds its lock until then.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/shell.h"
#include "operate/drill-internal.h"
#include "operate/operate-scripts.h"

#define THAW_SEC "30" /* by the node, if we do not */
#define POWER_TIMEOUT (DRILL_POWER_SEC * USEC_PER_SEC)
#define THAW_UNIT "hardway-drill"
#define BACK_TRIES 3u /* by us; then the guard goes on */
#define BACK_PAUSE (2 * USEC_PER_SEC)
#define GUARD_DIGITS "00000000"
#define PULSE_PORT 9 /* discard (RFC 863), which nobody has any more */

/* What the command is told, to take and to put back. */
static const char* power_word(const Drill *d, bool back) {
        if (d->action == DRILL_CUT)
                return back ? "on" : "cut";
        return back ? "up" : "down";
}

bool drill_is_of_host(const Drill *d) {
        return d->action == DRILL_CUT || d->action == DRILL_UNPLUG;
}

static Strv power_command(const DrillHit *h, bool back) {
        _cleanup_strv_ Strv command = strv_split(h->request->power, " ");
        Strv words = NULL;

        if (h->power_directory)
                words = strv_new("env", "-C", h->power_directory, NULL);
        STRV_FOREACH(word, command)
                strv_add(&words, *word);
        strv_add(&words, power_word(h->drill, back));
        strv_add(&words, h->node->name);
        return words;
}

/* What puts it back, as one would type it; the caller frees. */
char* drill_power_line(const DrillHit *h) {
        _cleanup_strv_ Strv words = power_command(h, /* back= */ true);

        return strv_join(words, " ");
}

/* The same, with the guard's input held open by it; it does not begin where there is no guard any more. */
static Strv guarded_command(const DrillHit *h) {
        _cleanup_strv_ Strv command = power_command(h, false);
        _cleanup_free_ char *input = xasprintf("/proc/%d/fd/%d", (int) getpid(), process_input_fd(h->guard));
        Strv words = strv_new("sh", "-c", "exec 9>\"$1\" || exit; shift; exec \"$@\"", "sh", input, NULL);

        STRV_FOREACH(word, command)
                strv_add(&words, *word);
        return words;
}

static int power_run(const DrillHit *h, bool back, Error **reterr) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_strv_ Strv words = power_command(h, back), guarded = NULL;
        _cleanup_free_ char *line = strv_join(words, " ");
        int r;

        if (!back)
                guarded = guarded_command(h);
        r = process_run(back ? words : guarded, NULL, POWER_TIMEOUT, &result, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "--power");
        if (result.timed_out)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "--power: '%s' did not end in %u s",
                                 line, (unsigned) (POWER_TIMEOUT / USEC_PER_SEC));
        if (result.status == 0)
                return 0;
        r = error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "--power: '%s' ended with status %d", line,
                      result.status);
        error_detail(reterr, "%s", buffer_str(&result.err));
        return r;
}

/* What the guard writes before it gets the name: one of those that fs_write() sweeps away. Empty: there is no file. */
static char* guard_temporary(const char *pending) {
        _cleanup_free_ char *directory = pending ? fs_path_dirname(pending) : NULL;

        return pending ? xasprintf("%s/.#%s." GUARD_DIGITS, directory, fs_path_basename(pending)) :
                         xstrdup("");
}

static int guard_start(DrillHit *h, Error **reterr) {
        _cleanup_free_ char *temporary = guard_temporary(h->request->pending);
        _cleanup_strv_ Strv back = power_command(h, true);
        _cleanup_strv_ Strv words =
                strv_new("sh", "-c", EMBED_DRILL_GUARD_SH, "sh", h->request->pending ?: "", temporary,
                         STRINGIFY(DRILL_KILL_SEC), STRINGIFY(DRILL_POWER_SEC), STRINGIFY(DRILL_GUARD_TRIES),
                         STRINGIFY(DRILL_GUARD_PAUSE_SEC), NULL);

        STRV_FOREACH(word, back)
                strv_add(&words, *word);
        return process_start(words, PROCESS_PIPES, &h->guard, reterr);
}

/* There is nothing to be put back any more. */
static void guard_dismiss(DrillHit *h) {
        int status;

        if (!h->guard)
                return;
        (void) !write(process_input_fd(h->guard), "done\n", 5);
        (void) process_wait(h->guard, 5 * USEC_PER_SEC, &status);
        h->guard = process_free(h->guard);
}

/* The guard goes on where we have given up. */
static int power_back(DrillHit *h, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r = 0;

        for (unsigned i = 0; i < BACK_TRIES; i++) {
                if (i > 0)
                        clock_sleep(BACK_PAUSE);
                error = error_free(error);
                r = power_run(h, true, &error);
                if (r >= 0) {
                        guard_dismiss(h);
                        return r;
                }
        }
        h->guard = process_leave(h->guard);
        if (reterr)
                *reterr = TAKE_PTR(error);
        return r;
}

/* Of the unit that is broken, which the script knows as H_UNIT. */
#define run_there(h, title, script, reterr)                                               \
        ({                                                                                \
                _cleanup_buffer_ Buffer _unit_ = BUFFER_NULL;                             \
                                                                                          \
                shell_add_variable(&_unit_, "H_UNIT", (h)->component->unit);              \
                probe_exec((h)->probes, (h)->node, title, &_unit_, script, NULL, reterr); \
        })

/* Who is frozen has to thaw by himself. */
static int prepare_there(const DrillHit *h, Error **reterr) {
        if (h->drill->action == DRILL_KILL)
                return run_there(h, "a drill is about to kill something here", ":\n", reterr);
        return run_there(h, "what a drill is about to freeze thaws by itself",
                         "systemctl stop " THAW_UNIT ".timer 2>/dev/null || :\n"
                         "systemd-run --quiet --collect --unit=" THAW_UNIT " --on-active=" THAW_SEC
                         "s --timer-property=AccuracySec=1s systemctl kill --signal=CONT \"$H_UNIT\"\n",
                         reterr);
}

static int hit_there(const DrillHit *h, Error **reterr) {
        if (h->drill->action == DRILL_KILL)
                return run_there(h, "a drill kills it", "systemctl kill --signal=KILL \"$H_UNIT\"\n",
                                 reterr);
        return run_there(h, "a drill freezes it", "systemctl kill --signal=STOP \"$H_UNIT\"\n", reterr);
}

/* Also what was killed is started, if for whatever reason systemd has not done so. */
static int put_back_there(const DrillHit *h, Error **reterr) {
        if (h->drill->action == DRILL_KILL)
                return run_there(h, "what a drill has killed is started",
                                 "systemctl start --no-block \"$H_UNIT\"\n", reterr);
        return run_there(h, "what a drill has frozen thaws",
                         "systemctl kill --signal=CONT \"$H_UNIT\"\n"
                         "systemctl stop " THAW_UNIT ".timer 2>/dev/null || :\n",
                         reterr);
}

/**
 * drill_prepare() - do all that can be done before the thing breaks
 * @h:          what, and where
 * @reterr:     why it cannot be broken
 *
 * That is: what puts it back if we do not, and what takes a moment, such as a connection to the node, which
 * would be taken for part of the failure.
 *
 * Return: 0 or a negative errno.
 */
int drill_prepare(DrillHit *h, Error **reterr) {
        int r;

        r = drill_pending_write(h, reterr);
        if (r < 0)
                return r;
        if (drill_is_of_host(h->drill))
                r = guard_start(h, reterr);
        else
                r = prepare_there(h, reterr);
        if (r < 0)
                (void) drill_pending_rest(h->request, NULL);
        return r;
}

static int cut_off(DrillHit *h, uint64_t *since, Error **reterr) {
        Pulse *pulse = drill_pulse_start(&h->node->address, PULSE_PORT);
        int r = power_run(h, /* back= */ false, reterr);
        uint64_t heard = drill_pulse_end(pulse);

        if (heard > *since)
                *since = heard;
        return r;
}

/**
 * drill_hit() - break the thing
 * @h:          what was given to drill_prepare()
 * @since:      when it was begun; set to when the host was heard for the last time, if it is a host that is
 *              broken and that could be seen
 * @reterr:     why it could not be broken; it may be broken all the same
 *
 * Return: 0 or a negative errno.
 */
int drill_hit(DrillHit *h, uint64_t *since, Error **reterr) {
        return drill_is_of_host(h->drill) ? cut_off(h, since, reterr) : hit_there(h, reterr);
}

/**
 * drill_put_back() - put the thing back, whether it was broken or not
 * @h:          what was given to drill_hit()
 * @reterr:     why that failed
 *
 * Return: 0 or a negative errno.
 */
int drill_put_back(DrillHit *h, Error **reterr) {
        return drill_is_of_host(h->drill) ? power_back(h, reterr) : put_back_there(h, reterr);
}

/* One that is still there was not told that all is put back, and so puts back. */
void drill_hit_done(DrillHit *h) {
        h->guard = process_leave(h->guard);
}
