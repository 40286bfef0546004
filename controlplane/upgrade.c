/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked before a step to the next minor version of Kubernetes: would all that use the cluster go along?
 *
 * An apiserver serves kubelets of its own minor version and of three before (kubernetes.io, "Version Skew Policy"). It
 * counts who asked it for what a later version serves no more: apiserver_requested_deprecated_apis, with the release that
 * drops it (staging/src/k8s.io/apiserver/pkg/endpoints/metrics). Each counts what it was asked itself, so that each is
 * asked.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "controlplane/internal.h"

#define KUBELET_BEHIND 3
#define PAGE 50 /* nodes list their images: some 40 KiB each */
#define METRIC "apiserver_requested_deprecated_apis{"
#define LINE_MAX_SIZE (64U * 1024)
#define NAMED_MAX 5
#define TIMEOUT (20 * USEC_PER_SEC)
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)

typedef struct Question {
        const ProbeContext *c;
        HttpClient *http;
        char *base;
        Strv found; /* what is in the way */
        Buffer line;
} Question;

static void question_done(Question *q) {
        http_client_free(q->http);
        free(q->base);
        strv_free(q->found);
        buffer_done(&q->line);
}

static int ask_json(Question *q, const char *path, json_t **ret, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s%s", q->base, path);
        const HttpRequest request = { .url = url,
                                      .timeout_usec = TIMEOUT,
                                      .connect_timeout_usec = CONNECT_TIMEOUT,
                                      .cancelled = q->c->cancelled };

        return http_request_json(q->http, &request, NULL, ret, reterr);
}

/* Why nothing has to be asked; NULL if an apiserver runs there that is about to become one of a later minor version. What
 * runs tells its process: who asked at its port might hang on whatever else listens there. */
static const char* takes_no_step(const Cluster *c, char *const *running) {
        ArtifactOrigin origin;
        VersionStep step;
        Version from;

        if (!running || !running[0] || plan_binary_path_parse(running[0], &origin, &from) < 0)
                return "no apiserver of hardway's runs here";
        step = version_step(&from, &c->kubernetes);
        return step == VERSION_STEP_NEXT || step == VERSION_STEP_FAR ? NULL : "no step of a minor version";
}

/* "v1.36.3+k3s1", "v1.36.3-gke.100": of whoever has built it for himself. */
static int parse_built(const char *text, Version *ret) {
        _cleanup_free_ char *released = text ? xstrndup(text, strcspn(text, "-+")) : NULL;

        return released ? version_parse(released, ret) : -EINVAL;
}

static void take_kubelet(Question *q, const json_t *node) {
        const char *name = json_text(json_object_get(node, "metadata"), "name"),
                   *text = json_text(json_object_get(json_object_get(node, "status"), "nodeInfo"),
                                     "kubeletVersion");
        Version v;

        if (name && parse_built(text, &v) >= 0 && v.minor + KUBELET_BEHIND < q->c->cluster->kubernetes.minor)
                strv_addf(&q->found, "%s (%s)", name, text);
}

static int find_kubelets(Question *q, Error **reterr) {
        _cleanup_free_ char *from = NULL;
        int r;

        for (;;) {
                _cleanup_free_ char *path = xasprintf("/api/v1/nodes?limit=%d%s%s", PAGE,
                                                      from ? "&continue=" : "", from ? from : "");
                _cleanup_json_ json_t *page = NULL;
                const char *more;
                json_t *node;
                size_t i;

                r = ask_json(q, path, &page, reterr);
                if (r < 0)
                        return r;
                json_array_foreach(json_object_get(page, "items"), i, node)
                        take_kubelet(q, node);
                more = json_text(json_object_get(page, "metadata"), "continue");
                if (!more || !*more)
                        return 0;
                free(from);
                from = xstrdup(more);
        }
}

/* The value of a label, or NULL; the caller frees. */
static char* label(const char *line, const char *name) {
        _cleanup_free_ char *start = xasprintf("%s=\"", name);

        for (const char *at = strstr(line, start); at; at = strstr(at + 1, start))
                if (at[-1] == '{' || at[-1] == ',') /* METRIC stands before it */
                        return xstrndup(at + strlen(start), strcspn(at + strlen(start), "\""));
        return NULL;
}

static void take_line(Question *q, const char *line) {
        const Version *to = &q->c->cluster->kubernetes;
        _cleanup_free_ char *release = NULL, *group = NULL, *version = NULL, *resource = NULL, *text = NULL;
        const char *minor;
        unsigned n;

        if (!startswith(line, METRIC))
                return;
        release = label(line, "removed_release");
        group = label(line, "group");
        version = label(line, "version");
        resource = label(line, "resource");
        minor = release ? startswith(release, "1.") : NULL;
        if (!minor || !group || !version || !resource || parse_unsigned(minor, 0, 999, &n) < 0 ||
            n > to->minor)
                return;
        text = xasprintf("%s of %s%s%s", resource, group, *group ? "/" : "", version);
        strv_add_once(&q->found, text);
}

/* Some MiB of which a few lines are of interest. */
static int take_metrics(void *userdata, const void *data, size_t size, Error **reterr) {
        Question *q = userdata;
        const char *at = data, *end = at + size;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t) (end - at));
                size_t n = (size_t) ((newline ? newline : end) - at);

                if (q->line.size + n <= LINE_MAX_SIZE)
                        buffer_add(&q->line, at, n);
                if (!newline)
                        break;
                take_line(q, buffer_str(&q->line));
                buffer_clear(&q->line);
                at = newline + 1;
        }
        return 0;
}

static int find_removed(Question *q, Error **reterr) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *url = xasprintf("%s/metrics", q->base);
        const HttpRequest request = { .url = url,
                                      .stall_usec = TIMEOUT, /* tens of MiB, of a large cluster */
                                      .connect_timeout_usec = CONNECT_TIMEOUT,
                                      .cancelled = q->c->cancelled,
                                      .sink = take_metrics,
                                      .userdata = q };
        int r;

        r = http_request(q->http, &request, &response, reterr);
        if (r < 0)
                return r;
        return response.status == 200 ? 0 : http_response_error(&response, &request, reterr);
}

/* A few by name, and how many more. The caller frees. */
static char* some(char *const *names) {
        _cleanup_strv_ Strv few = NULL;
        _cleanup_free_ char *list = NULL;
        size_t n = strv_length(names);

        for (size_t i = 0; i < n && i < NAMED_MAX; i++)
                strv_add(&few, names[i]);
        list = strv_join(few, ", ");
        return n > NAMED_MAX ? xasprintf("%s and %zu more", list, n - NAMED_MAX) : TAKE_PTR(list);
}

/* What is not known is no less in the way than what is. */
static void judge(Question *q, const Node *node, const char *name, int (*find)(Question *q, Error **reterr),
                  const char *found, const char *none, const char *unknown, const char *advice,
                  CheckList *checks) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *names = NULL;
        int r;

        q->found = strv_free(q->found);
        r = find(q, &error);
        names = some(q->found);
        if (q->found)
                check_advise(check_add_on(checks, CHECK_FAILED, name, node, name, "%s: %s", found, names),
                             "%s", advice);
        else if (r < 0)
                check_advise(check_add_on(checks, CHECK_FAILED, name, node, name, "%s: %s", unknown,
                                          error->message),
                             "Try again; to go on without knowing it: --ignore %s", name);
        else
                check_add_on(checks, CHECK_OK, name, node, name, "%s", none);
}

static void judge_kubelets(Question *q, const Node *node, CheckList *checks) {
        unsigned minor = q->c->cluster->kubernetes.minor, oldest = minor - KUBELET_BEHIND;
        _cleanup_free_ char *found = xasprintf("v1.%u serves kubelets from v1.%u on, and older are those of",
                                               minor, oldest),
                            *none = xasprintf("none is older than v1.%u", oldest);

        judge(q, node, "kubelets", find_kubelets, found, none, "it is not known how old they are",
              "Upgrade them first, or remove them: kubectl delete node NAME.", checks);
}

static void judge_removed(Question *q, const Node *node, CheckList *checks) {
        unsigned minor = q->c->cluster->kubernetes.minor;
        _cleanup_free_ char *found = xasprintf("since it started it was asked for what v1.%u has no more",
                                               minor),
                            *none = xasprintf("nobody has asked for what v1.%u has no more", minor),
                            *unknown = xasprintf(
                                    "it is not known whether anybody uses what v1.%u has no more", minor);

        judge(q, node, "removed-apis", find_removed, found, none, unknown,
              "Have whoever asks use a later version of it; the audit log names them (k8s.io/removed-release). If "
              "nobody needs it any more: --ignore removed-apis",
              checks);
}

/**
 * upgrade_preflight() - refuse a step to the next minor version that not all could follow
 * @c:          the context of the probe
 * @node:       its node
 * @running:    what its apiserver runs with, as of running_argv()
 * @checks:     gets the findings
 * @reterr:     there is nothing to ask it with
 *
 * Return: 0 or a negative errno.
 */
int upgrade_preflight(const ProbeContext *c, const Node *node, char *const *running, CheckList *checks,
                      Error **reterr) {
        _cleanup_(question_done) Question q = { .c = c, .base = cluster_apiserver_url(c->cluster, node) };
        const char *no_step = takes_no_step(c->cluster, running);
        int r;

        if (no_step) {
                check_add_on(checks, CHECK_OK, "kubelets", node, "kubelets", "%s", no_step);
                check_add_on(checks, CHECK_OK, "removed-apis", node, "removed-apis", "%s", no_step);
                return 0;
        }
        r = probe_client(c, "ca", "super-admin", &q.http, reterr);
        if (r < 0)
                return r;
        judge_kubelets(&q, node, checks);
        judge_removed(&q, node, checks);
        return 0;
}
