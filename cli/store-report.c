/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/store-report.h"

#include "common/alloc.h"
#include "common/clock.h"

static const char *const outcomes[] = {
        [STORE_KEPT] = "kept",
        [STORE_MADE] = "made",
        [STORE_REISSUED] = "reissued",
        [STORE_WAITS] = "waits",
};

/* A date is enough: who needs the second asks for --json. */
static char* format_date(int64_t seconds) {
        char *text = seconds > 0 ? clock_format_iso(seconds) : xstrdup("");

        if (strlen(text) > strlen("2026-11-21"))
                text[strlen("2026-11-21")] = '\0';
        return text;
}

void store_report_entry(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                        int64_t expires) {
        static const Style style[] = {
                [STORE_KEPT] = STYLE_DIM,
                [STORE_MADE] = STYLE_GREEN,
                [STORE_REISSUED] = STYLE_YELLOW,
                [STORE_WAITS] = STYLE_YELLOW,
        };
        /* Nothing of a key pair is ever issued anew: the public half was written from the key. */
        const char *word =
                request->type == STORE_KEY_PAIR && outcome == STORE_REISSUED ? "mended" : outcomes[outcome];
        Report *report = userdata;
        VerbContext *v = report->v;
        _cleanup_free_ char *date = format_date(expires), *note = NULL;

        report->n_kept += outcome == STORE_KEPT;
        report->n_made += outcome == STORE_MADE;
        report->n_reissued += outcome == STORE_REISSUED;
        report->n_waits += outcome == STORE_WAITS;
        json_array_append_new(report->list,
                              json_pack("{s:s, s:s, s:s*, s:o*}", "name", request->name, "outcome",
                                        outcomes[outcome], "why", why, "expires",
                                        expires > 0 ? json_integer((json_int_t) expires) : NULL));

        /* What was kept as it was is of no interest to anybody, unless there is something to say of it. */
        if (outcome == STORE_KEPT && !why && !v->verbose)
                return;
        if (why)
                note = xasprintf("%s  (%s)", *date ? "" : " ", why);
        verb_note(v, "%s%-8s%s  %-*s%s%s%s", verb_style(v, style[outcome]), word, verb_style(v, STYLE_NONE),
                  *date || why ? 44 : 0, request->name, *date ? "  until " : "", date, note ?: "");
}
