/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "common/text.h"
#include "install/run.h"
#include "plan/diff.h"
#include "plan/render.h"

/*
 * A dry run's result: every change with its reason, and for text what it does to the lines
 */
static const char* change_subject(const Change *c) {
        if (c->path || !c->item)
                return c->path ?: "systemd";
        if (c->type == CHANGE_ENABLE || c->type == CHANGE_START || c->type == CHANGE_RESTART ||
            c->type == CHANGE_RELOAD)
                return c->item->unit.name;
        return c->item->path ?: c->item->id;
}

static bool has_text(const Change *c) {
        return c->type == CHANGE_UPDATE && c->item &&
               (c->item->type == PLAN_FILE || c->item->type == PLAN_UNIT);
}

/* What a link leads to is not what the plan is about, and may be a secret. */
static bool is_file(const NodeRun *n, const char *path) {
        const ObservedPath *found = observation_path(n->observation, path);

        return found && found->type == OBSERVED_FILE;
}

static int read_text(NodeRun *n, const char *path, Buffer *ret, Error **reterr) {
        Host *host;
        int r;

        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = host_read(host, path, DIFF_SIZE_MAX, ret, reterr);
        node_release(n);
        return r;
}

static void text_show(NodeRun *n, const Change *c, Buffer *out) {
        const AppliedFile *applied = observation_applied(n->observation, c->item->path);
        _cleanup_buffer_secret_ Buffer found = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        if (applied && !c->item->secret && read_text(n, c->item->path, &found, &error) < 0)
                buffer_addf(out, "%s, and cannot be shown\n", error->message);
        else
                change_render_diff(c, applied, &found, out);
}

static void change_show(NodeRun *n, const Change *c, Buffer *out) {
        buffer_addf(out, "%s %s%s%s%s\n", change_type_to_string(c->type), change_subject(c),
                    c->reason ? " (" : "", c->reason ?: "", c->reason ? ")" : "");
        if (has_text(c) && is_file(n, c->item->path))
                text_show(n, c, out);
}

static int node_show(NodeRun *n, _unused_ Error **reterr) {
        Buffer out = BUFFER_NULL;

        for (size_t i = 0; i < n->changes.n_changes; i++)
                change_show(n, &n->changes.changes[i], &out);
        for (size_t i = 0; i < n->changes.n_remarks; i++)
                buffer_addf(&out, "leave %s (%s)\n", n->changes.remarks[i].path, n->changes.remarks[i].text);
        n->diff = text_harmless(buffer_take(&out), TEXT_LINES);
        n->shown = changes_to_json(&n->changes);
        n->left = remarks_to_json(&n->changes);
        node_tell_alone(n);
        if (node_differs(n))
                node_end(n, INSTALL_UNTOUCHED, "differs");
        return 0;
}

static bool node_was_seen(const NodeRun *n) {
        return n->plan && n->errors.n_errors == 0;
}

void run_show(InstallRun *run) {
        (void) crew_each(run, node_was_seen, node_show);
}
