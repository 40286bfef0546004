/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Facts and observation in one round trip
 *
 * Digests cost (five binaries take seconds to read on a small machine), so the stamp of each file decides:
 * where it is the one that was recorded, the recorded digest holds. A second round trip hashes the others;
 * when nothing was touched there are none, and one ssh is all that a run without changes costs.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"
#include "host/look-parse.h"

#define HASH_TIMEOUT_USEC (900 * USEC_PER_SEC)

/* What is asked for, from the plan. */
typedef struct Questions {
        Strv paths, servers, units, users, packages, sysctls;
} Questions;

static void questions_done(Questions *q) {
        strv_free(q->paths);
        strv_free(q->servers);
        strv_free(q->units);
        strv_free(q->users);
        strv_free(q->packages);
        strv_free(q->sysctls);
}

static void questions_add(Questions *q, const PlanItem *item) {
        if (item->path)
                strv_add(&q->paths, item->path + 1);
        if (item->type == PLAN_USER)
                strv_add_once(&q->users, item->user.name);
        else if (item->type == PLAN_PACKAGE)
                strv_add_once(&q->packages, item->package.name);
        else if (item->type == PLAN_SYSCTL)
                strv_add_once(&q->sysctls, item->sysctl.key);
        else if (item->type == PLAN_UNIT)
                strv_add_once(item->unit.n_ports > 0 ? &q->servers : &q->units, item->unit.name);
}

static void write_script(const Questions *q, Strv units, Buffer *text) {
        _cleanup_strv_ Strv sysctl_files = NULL;

        STRV_FOREACH(key, q->sysctls) {
                _cleanup_free_ char *path = sysctl_path(*key);

                strv_add(&sysctl_files, path);
        }
        shell_add_list(text, "H_PATHS", q->paths);
        shell_add_list(text, "H_UNITS", units);
        buffer_addf(text, "H_SERVERS=%zu\n", strv_length(q->servers));
        shell_add_list(text, "H_USERS", q->users);
        shell_add_list(text, "H_PACKAGES", q->packages);
        shell_add_list(text, "H_SYSCTLS", sysctl_files);
        buffer_add(text, EMBED_LOOK_SH, EMBED_LOOK_SH_SIZE);
}

/* stat says "No such file" of every path that is missing; what else it complains about matters. */
static int check_complaints(const char *err, Error **reterr) {
        for (const char *line = err; *line;) {
                size_t n = strcspn(line, "\n");
                _cleanup_free_ char *text = xstrndup(line, n);

                if (startswith(text, "stat: ") && !endswith(text, "No such file or directory") &&
                    !endswith(text, "Not a directory"))
                        return error_set(reterr, ERROR_IO, EIO, "cannot look: %s", text + strlen("stat: "));
                line += n + (line[n] ? 1 : 0);
        }
        return 0;
}

/* sudo says so itself; where there is no sudo to say it, /etc/hosts decides. */
static void judge_name(const Host *h, const char *err, Facts *facts) {
        const char *user = h->node->ssh.user;

        if (strstr(err, "sudo: unable to resolve host"))
                facts->name_resolves = false;
        else if (!h->node->local && user && !streq(user, "root"))
                facts->name_resolves = true;
}

static int run_look(Host *h, const Questions *q, Facts *facts, Look *ret, Error **reterr) {
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv units = strv_copy(q->servers);
        _cleanup_free_ char *name = NULL;
        LookRequest request = { .address = &h->node->address, .sysctls = q->sysctls };
        int r;

        strv_add_all(&units, q->units);
        request.units = units;
        name = xasprintf("look (%zu paths, %zu units)", strv_length(q->paths), strv_length(units));
        write_script(q, units, &text);
        r = channel_run(h, &(Script) { .name = name, .text = buffer_str(&text) }, &answer, reterr);
        if (r < 0)
                return r;
        r = check_complaints(buffer_str(&answer.err), reterr);
        if (r < 0)
                return r;
        request.nonce = answer.nonce;
        r = look_parse(&request, answer.out.data, answer.out.size, facts, ret, reterr);
        if (r < 0)
                return r;
        facts->clock_offset = facts->clock - clock_realtime();
        judge_name(h, buffer_str(&answer.err), facts);
        return 0;
}

static int run_hash(Host *h, bool deep, Observation *o, Error **reterr) {
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv paths = NULL;
        _cleanup_free_ char *name = NULL;
        int r;

        for (size_t i = 0; i < o->n_paths; i++)
                if (o->paths[i].type == OBSERVED_FILE && (deep || !o->paths[i].sha256))
                        strv_add(&paths, o->paths[i].path + 1);
        if (strv_length(paths) == 0)
                return 0;
        name = xasprintf("hash (%zu files)", strv_length(paths));
        shell_add_list(&text, "H_PATHS", paths);
        buffer_add(&text, EMBED_HASH_SH, EMBED_HASH_SH_SIZE);
        r = channel_run(
                h, &(Script) { .name = name, .text = buffer_str(&text), .timeout_usec = HASH_TIMEOUT_USEC },
                &answer, reterr);
        if (r < 0)
                return r;
        return look_parse_digests(answer.nonce, buffer_str(&answer.out), answer.out.size, o, reterr);
}

/* A link is what it points to, and is read each time: it has no stamp. */
static void remember_path(Host *h, const ObservedPath *found) {
        _cleanup_free_ char *link =
                found->type == OBSERVED_SYMLINK ? xasprintf("link:%s", found->target ?: "") : NULL;

        if (link)
                known_set(h, found->path, link, "");
        else if (found->sha256)
                known_set(h, found->path, found->sha256, found->stamp);
}

static void remember(Host *h, const Facts *facts, const Look *look) {
        const Observation *o = look->observation;

        h->looked = true;
        h->has_aes = facts->has_aes;
        h->generation = o->generation;
        h->applied = applied_free(h->applied, h->n_applied);
        h->applied = applied_copy(o->applied, o->n_applied);
        h->n_applied = o->n_applied;
        strv_free(h->traces);
        h->traces = strv_copy(o->traces);
        strv_free(h->taken);
        h->taken = strv_copy(o->taken);
        free(h->record);
        h->record = xstrdup_null(look->record);
        h->known = applied_free(h->known, h->n_known);
        h->n_known = 0;
        for (size_t i = 0; i < o->n_paths; i++)
                remember_path(h, o->paths + i);
}

/**
 * host_look() - facts of a node, and what lies and runs there
 * @h:          the host
 * @plan:       names the paths, units, users, packages and sysctls to look at; its content does not matter
 * @deep:       hash every file, not only those that were touched since they were recorded
 * @ret_facts:  the defaults, and what the node says; the caller calls facts_done()
 * @ret:        what was found; paths that an earlier run put there are in it, too
 * @reterr:     why the node could not be asked
 *
 * Return: 0, or a negative errno.
 */
int host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret, Error **reterr) {
        _cleanup_(questions_done) Questions questions = {};
        _cleanup_(facts_done) Facts facts = {};
        _cleanup_(look_done) Look look = LOOK_NULL;
        int r;

        for (size_t i = 0; i < plan->n_items; i++)
                questions_add(&questions, plan->items[i]);
        facts_default(plan->cluster, h->node, &facts);
        r = run_look(h, &questions, &facts, &look, reterr);
        if (r < 0)
                return r;
        r = run_hash(h, deep, look.observation, reterr);
        if (r < 0)
                return r;
        remember(h, &facts, &look);
        *ret_facts = facts;
        facts = (Facts) {};
        *ret = TAKE_PTR(look.observation);
        return 0;
}
