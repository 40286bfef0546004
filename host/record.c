/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record on the node: what was put there, and the stamps under which it is known to be that
 *
 * applied.json says whose the node is and which files are ours; applied.paths holds the same paths as plain
 * lines, so that look.sh can look at those, too, that no plan names any more.
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/json.h"
#include "host/host-internal.h"
#include "plan/traces.h"

#define RECORD "/var/lib/hardway/applied.json"
#define RECORD_PATHS "/var/lib/hardway/applied.paths"

static void add_entry(json_t *files, Buffer *paths, const char *path, const char *sha256,
                      const char *stamp) {
        json_array_append_new(files,
                              json_pack("{s:s, s:s, s:s}", "path", path, "sha256", sha256, "stamp", stamp));
        buffer_addf(paths, "%s\n", path + 1);
}

/* An empty stamp is equal to none, so that the file is hashed when it is looked at next. */
static void add_item(const Host *h, const PlanItem *item, json_t *files, Buffer *paths) {
        const AppliedFile *known = known_find(h, item->path);
        bool certain = known && item->sha256 && streq(known->sha256, item->sha256);

        if (item->type == PLAN_SYMLINK) {
                _cleanup_free_ char *target = xasprintf("link:%s", item->symlink.target);

                add_entry(files, paths, item->path, target, "");
        } else
                add_entry(files, paths, item->path, item->sha256 ? item->sha256 : "",
                          certain ? known->stamp : "");
}

static const PlanItem* find_item(const Plan *plan, const char *path) {
        for (size_t i = 0; i < plan->n_items; i++)
                if (plan_item_is_file(plan->items[i]) && streq(plan->items[i]->path, path))
                        return plan->items[i];
        return NULL;
}

/* What earlier plans put there and is still there: binaries of the version before, files that somebody
 * has edited. */
static void add_earlier(const Host *h, const Plan *plan, json_t *files, Buffer *paths) {
        for (size_t i = 0; i < h->n_applied; i++) {
                const AppliedFile *f = h->applied + i;
                const AppliedFile *known = known_find(h, f->path);

                if (known && !find_item(plan, f->path))
                        add_entry(files, paths, f->path, f->sha256,
                                  streq(known->sha256, f->sha256) ? known->stamp : "");
        }
}

/* Those of this plan, and of earlier ones, whose directories are looked at by their paths. */
static json_t* make_traces(const Host *h, const Plan *plan, Buffer *paths) {
        _cleanup_strv_ Strv own = plan_traces(plan);
        json_t *traces = json_array();

        STRV_FOREACH(trace, own)
                json_array_append_new(traces, json_string(*trace));
        STRV_FOREACH(trace, h->traces) {
                _cleanup_strv_ Strv words = NULL;

                if (strv_contains(own, *trace))
                        continue;
                json_array_append_new(traces, json_string(*trace));
                if (trace_parse(*trace, &words) >= 0 && trace_is_directory(words) &&
                    !plan_find_path(plan, words[1]))
                        buffer_addf(paths, "%s\n", words[1] + 1);
        }
        return traces;
}

/* Which of them are ours, and are there, is seen on the node. */
static void add_leftovers(const Host *h, const Plan *plan, Buffer *ret) {
        _cleanup_strv_ Strv own = plan_traces(plan);

        STRV_FOREACH(trace, h->traces) {
                _cleanup_strv_ Strv words = NULL;

                if (!strv_contains(own, *trace) && trace_parse(*trace, &words) >= 0 &&
                    streq(words[0], "file"))
                        buffer_addf(ret, "leftover %s\n", words[1] + 1);
        }
}

static void plan_digest(const Plan *plan, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA256");
        _cleanup_free_ char *hex = NULL;

        for (size_t i = 0; i < plan->n_items; i++) {
                digest_add_str(d, plan->items[i]->id);
                digest_add_str(d, plan->items[i]->sha256 ? plan->items[i]->sha256 : "");
        }
        hex = digest_hex(d);
        memcpy(ret, hex, SHA256_HEX_SIZE);
}

static void make_record(const Host *h, const Plan *plan, const char *identity, const char *edition,
                        Buffer *record, Buffer *paths) {
        _cleanup_json_ json_t *root = NULL;
        json_t *files = json_array();
        char digest[SHA256_HEX_SIZE];

        for (size_t i = 0; i < plan->n_items; i++)
                if (plan_item_is_file(plan->items[i]))
                        add_item(h, plan->items[i], files, paths);
        add_earlier(h, plan, files, paths);
        plan_digest(plan, digest);
        root = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "identity", identity, "cluster",
                         plan->cluster->name, "node", plan->node->name, "plan", digest, "files", files,
                         "traces", make_traces(h, plan, paths));
        if (edition)
                json_object_set_new(root, "edition", json_string(edition));
        json_write(root, record);
}

static void add_file(PutOrders *o, const char *path, const Buffer *content,
                     char sha256[static SHA256_HEX_SIZE]) {
        sha256_hex(content->data, content->size, sha256);
        o->files = xrealloc(o->files, o->n_files + 1, sizeof(PutFile));
        o->files[o->n_files++] = (PutFile) {
                .path = path,
                .mode = 0600,
                .owner = "root:root",
                .data = buffer_str(content),
                .size = content->size,
                .sha256 = sha256,
        };
}

/**
 * host_record() - write on the node what was put there
 * @h:          the host, looked at before; puts since then are taken into account
 * @plan:       the plan, which is true there now
 * @identity:   the cluster's
 * @edition:    of the store that the plan is made of; or NULL
 * @reterr:     why it cannot be written
 *
 * Asks the node nothing and writes only if it would write something new, so it can be called at the end of
 * every run. What was there before hardway came, and the plan has no more, comes back; what services of an earlier plan
 * wrote goes, where it is known to be theirs (metrics).
 *
 * Return: 0, or a negative errno.
 */
int host_record(Host *h, const Plan *plan, const char *identity, const char *edition, Error **reterr) {
        _cleanup_(put_orders_done) PutOrders orders = {};
        _cleanup_buffer_ Buffer record = BUFFER_NULL, paths = BUFFER_NULL;
        char record_sha256[SHA256_HEX_SIZE], paths_sha256[SHA256_HEX_SIZE];
        int r;

        make_record(h, plan, identity, edition, &record, &paths);
        put_give_back(&orders, h, plan);
        if (h->record && streq(h->record, buffer_str(&record)) && !orders.gives)
                return 0;
        add_file(&orders, RECORD_PATHS, &paths, paths_sha256);
        add_file(&orders, RECORD, &record, record_sha256);
        add_leftovers(h, plan, &orders.leftovers);
        strv_add(&orders.sync_directories, "var/lib/hardway");
        r = put_run(h, "record", &orders, NULL, reterr);
        if (r < 0)
                return r;
        free(h->record);
        h->record = buffer_take(&record);
        if (orders.gives) {
                strv_free(h->taken);
                h->taken = TAKE_PTR(orders.taken);
        }
        return 0;
}
