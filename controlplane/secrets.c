/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "controlplane/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "controlplane/internal.h"

#define PAGE 200
#define PAGE_SIZE_MAX ((size_t) 128 << 20) /* annotations may be 256 KiB each */
#define TRIES 5
#define TIMEOUT (30 * USEC_PER_SEC)
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
#define OBJECT "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define LEASES                                                                      \
        "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?labelSelector=" \
        "apiserver.kubernetes.io%2Fidentity%3Dkube-apiserver"
#define FRESH_SEC 120
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-."

typedef struct Rewrite {
        const ProbeContext *c;
        HttpClient *http;
        char *base;
        SecretsRewritten done;
} Rewrite;

static void rewrite_done(Rewrite *w) {
        http_client_free(w->http);
        free(w->base);
}

static int ask(const Rewrite *w, HttpRequest request, const json_t *body, json_t **ret, Error **reterr) {
        request.timeout_usec = TIMEOUT;
        request.connect_timeout_usec = CONNECT_TIMEOUT;
        request.cancelled = w->c->cancelled;
        return http_request_json(w->http, &request, body, ret, reterr);
}

/* They become part of a path. */
static bool is_name(const char *text) {
        return text && *text && text[strspn(text, NAME_CHARACTERS)] == '\0';
}

/* As it is now, by the version of the object; NULL: it is gone. */
static int touch(const Rewrite *w, const char *namespace, const char *name, json_t **ret, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s/api/v1/namespaces/%s/secrets/%s?fieldManager=hardway",
                                             w->base, namespace, name);
        const HttpRequest request = {
                .method = "PATCH",
                .url = url,
                .content_type = "application/merge-patch+json",
                .accept = OBJECT,
                .often = true,
        };
        _cleanup_json_ json_t *nothing = json_object();

        for (unsigned k = 1;; k++) {
                _cleanup_error_ Error *error = NULL;
                int r = ask(w, request, nothing, ret, &error);

                if (r == -ENOENT)
                        return 0;
                /* changed by somebody else at the same time, which may happen again */
                if (r >= 0 || r != -EEXIST || k == TRIES)
                        return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : 0;
        }
}

static int rewrite(Rewrite *w, const json_t *item, Error **reterr) {
        const char *namespace = json_text(item, "namespace"), *name = json_text(item, "name"),
                   *before = json_text(item, "version"), *after;
        _cleanup_json_ json_t *now = NULL;
        int r;

        if (!is_name(namespace) || !is_name(name) || !before)
                return error_set(reterr, ERROR_UNAVAILABLE, EPROTO,
                                 "%s: the list of secrets has one without a name", w->base);
        r = touch(w, namespace, name, &now, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "secret %s/%s", namespace, name);
        after = now ? json_text(json_object_get(now, "metadata"), "resourceVersion") : NULL;
        w->done.n_secrets += after != NULL;
        w->done.n_written += after && !streq(before, after);
        return 0;
}

/* Return: 1 if there is more, from *from on. */
static int list_page(const Rewrite *w, char **from, json_t *names, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s/api/v1/secrets?limit=%d%s%s", w->base, PAGE,
                                             *from ? "&continue=" : "", *from ?: "");
        const HttpRequest request = { .url = url, .accept = LIST, .limit = PAGE_SIZE_MAX };
        _cleanup_json_ json_t *page = NULL;
        const char *more;
        json_t *item;
        size_t i;
        int r;

        r = ask(w, request, NULL, &page, reterr);
        if (r < 0)
                return r;
        if (!json_is_array(json_object_get(page, "items")))
                return error_set(reterr, ERROR_UNAVAILABLE, EPROTO, "%s: that is no list of secrets",
                                 w->base);
        json_array_foreach(json_object_get(page, "items"), i, item) {
                const json_t *m = json_object_get(item, "metadata");

                json_array_append_new(names,
                                      json_pack("{s:s*, s:s*, s:s*}", "namespace", json_text(m, "namespace"),
                                                "name", json_text(m, "name"), "version",
                                                json_text(m, "resourceVersion")));
        }
        more = json_text(json_object_get(page, "metadata"), "continue");
        free(*from);
        *from = more && *more ? xstrdup(more) : NULL;
        return *from != NULL;
}

/* By the clocks of those that renew them. */
static int64_t newest(const json_t *leases) {
        int64_t latest = -1;
        json_t *lease;
        size_t i;

        json_array_foreach((json_t*) leases, i, lease) {
                int64_t at = lease_time(json_text(json_object_get(lease, "spec"), "renewTime"));

                latest = at > latest ? at : latest;
        }
        return latest;
}

/*
 * An apiserver of a controller that the cluster file has no more, and that was not reset, writes with the key that it has, and
 * would go on to when nobody else can read with it. Each that runs renews a lease every ten seconds (KEP-1965); its clock may
 * differ from others' by a minute, as hardway check has it.
 */
static int refuse_strangers(const Rewrite *w, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s%s", w->base, LEASES), *all = NULL;
        _cleanup_json_ json_t *answer = NULL;
        _cleanup_strv_ Strv hosts = NULL;
        const json_t *leases;
        size_t n_ours = 0, i;
        int64_t latest;
        json_t *lease;
        int r;

        r = ask(w, (HttpRequest) { .url = url }, NULL, &answer, reterr);
        if (r < 0)
                return r;
        leases = json_object_get(answer, "items");
        latest = newest(leases);
        json_array_foreach((json_t*) leases, i, lease) {
                const json_t *labels = json_object_get(json_object_get(lease, "metadata"), "labels");
                int64_t at = lease_time(json_text(json_object_get(lease, "spec"), "renewTime"));

                if (at >= latest - FRESH_SEC)
                        strv_add(&hosts,
                                 json_text(labels, "kubernetes.io/hostname") ?: "one without a name");
        }
        CLUSTER_FOREACH_NODE(node, w->c->cluster, ROLE_CONTROLLER)
                n_ours++;
        if (strv_length(hosts) <= n_ours)
                return 0;
        all = strv_join(hosts, ", ");
        r = error_set(
                reterr, ERROR_CONFIG, EBUSY,
                "%zu apiservers are at work (%s), and the cluster file has %zu controllers: one more would go on "
                "to write what the others cannot read",
                strv_length(hosts), all, n_ours);
        error_detail(
                reterr,
                "Take it off its machine (hardway reset, with the cluster file that has it), or stop it. One that was "
                "stopped counts for two minutes more.\n");
        return r;
}

/* All are listed before the first is written: a list of many pages holds for some minutes only. */
static int rewrite_all(Rewrite *w, const Node *node, Error **reterr) {
        _cleanup_json_ json_t *names = json_array();
        _cleanup_free_ char *from = NULL;
        json_t *name;
        size_t i;
        int r;

        free(w->base);
        w->base = cluster_apiserver_url(w->c->cluster, node);
        w->done = (SecretsRewritten) {};
        r = refuse_strangers(w, reterr);
        if (r < 0)
                return r;
        do
                r = list_page(w, &from, names, reterr);
        while (r > 0);
        if (r < 0)
                return r;
        json_array_foreach(names, i, name) {
                r = rewrite(w, name, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * secrets_rewrite() - have each secret written with the key that is in use
 * @c:          the context; all apiservers write with that key
 * @ret:        how many there were
 * @reterr:     which could not be written, or that no apiserver can be asked
 *
 * When it returns 0, none is left that was written with another key: whatever came meanwhile was written by these
 * apiservers, too. Doing it again does no harm.
 *
 * Return: 0 or a negative errno.
 */
int secrets_rewrite(const ProbeContext *c, SecretsRewritten *ret, Error **reterr) {
        _cleanup_(rewrite_done) Rewrite w = { .c = c };
        _cleanup_error_ Error *error = NULL;
        int r;

        r = probe_client(c, "ca", "super-admin", &w.http, reterr);
        if (r < 0)
                return r;
        r = error_set(&error, ERROR_INTERNAL, EINVAL, "there is no apiserver to ask");
        for (const Node *node = c->cluster->nodes; node < c->cluster->nodes + c->cluster->n_nodes; node++) {
                if (!(node->roles & ROLE_CONTROLLER))
                        continue;
                error = error_free(error);
                r = rewrite_all(&w, node, &error);
                if (r >= 0 || r == -ECANCELED || r == -EBUSY)
                        break;
        }
        *ret = w.done;
        return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : 0;
}
