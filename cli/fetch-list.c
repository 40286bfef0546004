/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fetch-display.h"
#include "cli/progress-line.h"
#include "cli/table.h"
#include "common/alloc.h"

typedef struct ProofRow {
        const char *proof, *words;
} ProofRow;

/* What the lock calls it, and what that means. */
static const ProofRow proof_table[] = {
        { "signature", "signed by the release" },
        { "known", "known to hardway" },
        { "official", "published officially" },
        { "mirror", "published by a mirror" },
        { "accepted", "a mirror's or bundle's word, accepted" },
        { "bundle", "from a bundle" },
        { "hand", "pinned by hand" },
};

static const char* proof_words(const char *proof) {
        for (size_t i = 0; proof && i < ARRAY_SIZE(proof_table); i++)
                if (streq(proof_table[i].proof, proof))
                        return proof_table[i].words;
        return "pinned";
}

static bool is_needed(const LockEntry *e, const FetchRequest *requests, size_t n_requests) {
        for (size_t i = 0; i < n_requests; i++)
                if (streq(e->name, requests[i].name) && streq(e->version, requests[i].version) &&
                    streq(e->architecture, requests[i].architecture))
                        return true;
        return false;
}

static bool is_cached(const LockEntry *e) {
        _cleanup_free_ char *path = fetch_cache_path(NULL, e);
        struct stat st;

        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t) st.st_size == e->size;
}

static void list_json(const VerbContext *v, const FetchRequest *requests, size_t n_requests) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < lock_count(v->lock); i++) {
                const LockEntry *e = lock_nth(v->lock, i);
                json_t *object =
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b}", "name", e->name, "version",
                                  e->version, "architecture", e->architecture, "url", e->url, "sha256",
                                  e->sha256, "size", (json_int_t) e->size, "cached", is_cached(e), "needed",
                                  is_needed(e, requests, n_requests));

                if (!object)
                        abort();
                (void) json_object_set_new(object, "proof", e->proof ? json_string(e->proof) : json_null());
                (void) json_array_append_new(list, object);
        }
        for (size_t i = 0; i < n_requests; i++)
                if (!lock_find(v->lock, requests[i].name, requests[i].version, requests[i].architecture))
                        (void) json_array_append_new(
                                list, json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:b, s:b, s:n}", "name",
                                                requests[i].name, "version", requests[i].version,
                                                "architecture", requests[i].architecture, "url", "sha256",
                                                "size", "cached", false, "needed", true, "proof"));
        verb_print_json(list);
}

static void list_entry(Table *t, const LockEntry *e, bool needed) {
        _cleanup_free_ char *size = format_size(e->size);
        bool cached = is_cached(e);

        table_row(t, e->name, e->version, e->architecture, size, cached ? "yes" : "no",
                  needed ? "yes" : "no", proof_words(e->proof), e->sha256, NULL);
        if (!cached && needed)
                table_style(t, 4, STYLE_YELLOW);
        if (e->proof && streq(e->proof, "accepted"))
                table_style(t, 6, STYLE_YELLOW);
}

/**
 * fetch_list() - print what is pinned, what vouches for it, and whether it is in the cache
 * @v:          the context, with cluster and lock
 * @requests:   what the cluster needs
 * @n_requests: how many
 *
 * Return: 0.
 */
int fetch_list(const VerbContext *v, const FetchRequest *requests, size_t n_requests) {
        _cleanup_(table_freep) Table *t = NULL;

        if (v->json) {
                list_json(v, requests, n_requests);
                return 0;
        }
        t = table_new(v, "BINARY", "VERSION", "ARCH", "SIZE", "CACHED", "NEEDED", "PROOF", "SHA-256", NULL);
        table_align_right(t, 3);
        table_text(t, 6);
        table_spare(t, 7, "--json");
        for (size_t i = 0; i < lock_count(v->lock); i++) {
                const LockEntry *e = lock_nth(v->lock, i);

                list_entry(t, e, is_needed(e, requests, n_requests));
        }
        for (size_t i = 0; i < n_requests; i++)
                if (!lock_find(v->lock, requests[i].name, requests[i].version, requests[i].architecture))
                        table_row(t, requests[i].name, requests[i].version, requests[i].architecture, "",
                                  "no", "yes", "not fetched yet", "", NULL);
        table_print(t);
        return 0;
}
