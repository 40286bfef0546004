/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checks of the endpoint and of each apiserver
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "controlplane/internal.h"
#include "plan/store-name.h"

#define SUBJECT "kube-apiserver"
#define CONFIG_MAPS "/api/v1/namespaces/kube-system/configmaps"
#define CONFIG_MAP "hardway-verify" /* its label, and before the time the beginning of its name */
#define STALE_SEC 3600

/* The fingerprint of a certificate in PEM, or NULL. */
static char* fingerprint(const Buffer *pem) {
        _cleanup_(X509_freep) X509 *x = NULL;

        if (pem->size == 0 || certificate_from_chain("served", pem->data, pem->size, &x, NULL, NULL) < 0)
                return NULL;
        return certificate_fingerprint(x);
}

/* Is what was shown the certificate that the store has for this node? */
static bool is_served_by(const ProbeContext *c, const Node *node, const Buffer *served) {
        _cleanup_free_ char *name = node_certificate_name(node->name, "apiserver"),
                            *path = xasprintf("%s.crt", name);
        _cleanup_free_ char *shown = fingerprint(served), *stored = NULL;
        const Buffer *content;

        if (!shown || probe_store_file(c, path, &content, NULL) < 0)
                return false;
        stored = fingerprint(content);
        return stored && streq(shown, stored);
}

static bool is_foreign(const ProbeContext *c) {
        return c->cluster->endpoint.kind == ENDPOINT_FOREIGN;
}

static void check_served_by_any(const ProbeContext *c, const char *url, const Buffer *served,
                                CheckList *checks) {
        Check *check;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_CONTROLLER)
                if (is_served_by(c, node, served)) {
                        check_add(checks, CHECK_OK, "endpoint.certificate", NULL, "endpoint",
                                  "%s shows the certificate of %s", url, node->name);
                        return;
                }
        check = check_add(checks, CHECK_FAILED, "endpoint.certificate", NULL, "endpoint",
                          "%s shows a certificate that is not in the store", url);
        check_advise(check,
                     is_foreign(c) ?
                             "the load balancer there is not hardway's: it has to pass connections on "
                             "as they are (TCP), and not to end TLS itself" :
                             "it was issued anew and not installed, or by somebody else: hardway "
                             "install");
}

static void check_version(const ProbeContext *c, HttpClient *http, const char *url, CheckList *checks) {
        _cleanup_(api_answer_done) ApiAnswer answer = {};
        _cleanup_error_ Error *error = NULL;
        char wanted[VERSION_TEXT_SIZE];
        const char *version;
        Check *check;
        int r;

        version_format(&c->cluster->kubernetes, wanted);
        r = api_request(http, "GET", url, "/version", NULL, &answer, &error);
        if (r < 0) {
                check = check_add(checks, CHECK_FAILED, "endpoint.version", NULL, "endpoint", "%s",
                                  error->message);
                check_advise(check, "%s",
                             is_foreign(c) ?
                                     "the load balancer there is not hardway's: it has to pass TCP "
                                     "connections on to the apiservers that are ready" :
                             r == -EKEYREJECTED ?
                                     "what answers there is not this cluster, as far as its certificate "
                                     "tells: another machine with this address, or another cluster" :
                                     "nobody can use the cluster; what follows says why");
                return;
        }
        version = json_text(answer.tree, "gitVersion");
        if (answer.status != 200 || !version) {
                _cleanup_free_ char *text = api_answer_text(&answer);

                check_add(checks, CHECK_FAILED, "endpoint.version", NULL, "endpoint", "%s: %s", url, text);
                return;
        }
        if (streq(version, wanted))
                check = check_add(checks, CHECK_OK, "endpoint.version", NULL, "endpoint",
                                  "%s answers: Kubernetes %s", url, version);
        else {
                check = check_add(checks, CHECK_WARNING, "endpoint.version", NULL, "endpoint",
                                  "%s answers: Kubernetes %s, and the cluster file says %s", url, version,
                                  wanted);
                check_advise(check, "hardway install");
        }
        check->data = json_pack("{s:s,s:s}", "url", url, "version", version);
        check_served_by_any(c, url, &answer.served, checks);
}

static void check_node(const ProbeContext *c, const Node *node, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *base = cluster_apiserver_url(c->cluster, node);
        _cleanup_(api_answer_done) ApiAnswer answer = {};
        _cleanup_error_ Error *error = NULL;
        Check *check;

        if (probe_client(c, "ca", /* credential= */ NULL, &http, &error) < 0 ||
            api_request(http, "GET", base, "/readyz", NULL, &answer, &error) < 0) {
                check = check_add_on(checks, CHECK_FAILED, "apiserver.ready", node, SUBJECT, "%s",
                                     error->message);
                check_advise_silent(check, node, SUBJECT, error->errnum);
                return;
        }
        if (answer.status == 200)
                check_add_on(checks, CHECK_OK, "apiserver.ready", node, SUBJECT, "ready");
        else {
                _cleanup_free_ char *text = readyz_text(buffer_str(&answer.body));

                check = check_add_on(checks, CHECK_FAILED, "apiserver.ready", node, SUBJECT, "not ready: %s",
                                     *text ? text : buffer_str(&answer.body));
                check_advise(check, "[-]etcd: look at etcd on %s first; else: journalctl -u kube-apiserver",
                             node->name);
        }

        if (is_served_by(c, node, &answer.served))
                check_add_on(checks, CHECK_OK, "apiserver.certificate", node, SUBJECT,
                             "shows the certificate of the store");
        else {
                check = check_add_on(checks, CHECK_FAILED, "apiserver.certificate", node, SUBJECT,
                                     "shows another certificate than the store has");
                check_advise(check, "hardway install --node %s", node->name);
        }
}

/* When an object of ours was written, by its name, in seconds; 0: it is none. */
static uint64_t written_at(const char *name) {
        const char *rest = startswith(name ? name : "", CONFIG_MAP "-");
        _cleanup_free_ char *seconds = rest ? xstrndup(rest, strcspn(rest, "-")) : NULL;
        uint64_t at;

        return seconds && parse_uint64(seconds, 0, INT64_MAX, &at) >= 0 ? at : 0;
}

/* Of runs that were killed before they could. One that is under way has its own. */
static void remove_stale(HttpClient *http, const char *url) {
        _cleanup_(api_answer_done) ApiAnswer found = {};
        uint64_t now = (uint64_t) clock_realtime();
        json_t *item;
        size_t i;

        if (api_request(http, "GET", url, CONFIG_MAPS "?labelSelector=" CONFIG_MAP "&limit=50", NULL, &found,
                        NULL) < 0)
                return;
        json_array_foreach(json_object_get(found.tree, "items"), i, item) {
                _cleanup_(api_answer_done) ApiAnswer removed = {};
                const char *name = json_path_text(item, "metadata.name");
                _cleanup_free_ char *path = xasprintf(CONFIG_MAPS "/%s", name ? name : "");
                uint64_t at = written_at(name);

                if (at > 0 && at + STALE_SEC < now)
                        (void) api_request(http, "DELETE", url, path, NULL, &removed, NULL);
        }
}

/* What was written has to come back. Under a name of its own: another verify, here or elsewhere, may be at it, too. */
static int write_and_read(HttpClient *http, const char *url, char **ret_problem, Error **reterr) {
        _cleanup_free_ char *name = NULL, *path = NULL, *patch = NULL;
        _cleanup_json_ json_t *body = NULL;
        _cleanup_(api_answer_done) ApiAnswer written = {}, read = {}, removed = {};
        uint32_t number;
        int r;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                abort(); /* cannot happen for so few bytes, see getrandom(2) */
        name = xasprintf(CONFIG_MAP "-%" PRId64 "-%08" PRIx32, clock_realtime(), number);
        path = xasprintf(CONFIG_MAPS "/%s", name);
        patch = xasprintf("%s?fieldManager=hardway&force=true", path);
        body = json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:s}},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                         "metadata", "name", name, "namespace", "kube-system", "labels", CONFIG_MAP, "",
                         "data", "value", name);
        r = api_request(http, "PATCH", url, patch, body, &written, reterr);
        if (r < 0)
                return r;
        if (written.status >= 300) {
                *ret_problem = api_answer_text(&written);
                return 0;
        }
        r = api_request(http, "GET", url, path, NULL, &read, reterr);
        if (r >= 0 && !streq_null(json_path_text(read.tree, "data.value"), name))
                *ret_problem =
                        read.status >= 300 ? api_answer_text(&read) : xstrdup("read back something else");
        /* whatever the answer was, it is not to stay */
        (void) api_request(http, "DELETE", url, path, NULL, &removed, NULL);
        remove_stale(http, url);
        return r;
}

static void check_write(const ProbeContext *c, const char *url, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *problem = NULL;
        _cleanup_error_ Error *error = NULL;
        uint64_t begin;
        Check *check;
        int r;

        r = probe_client(c, "ca", "admin", &http, &error);
        begin = clock_usec();
        if (r >= 0)
                r = write_and_read(http, url, &problem, &error);
        if (r >= 0 && !problem) {
                check_add(checks, CHECK_OK, "endpoint.write", NULL, "endpoint",
                          "a write was read back and removed in %u ms",
                          (unsigned) ((clock_usec() - begin) / USEC_PER_MSEC));
                return;
        }
        check = check_add(checks, CHECK_FAILED, "endpoint.write", NULL, "endpoint",
                          "nothing can be written: %s", problem ? problem : error->message);
        if (!problem)
                check_advise(check, "The endpoint was not reached: see what else is said of it");
        else if (startswith(problem, "HTTP status 401"))
                check_advise(check, "admin.conf is not believed; has it expired (hardway pki list)? Then: "
                                    "hardway pki renew admin");
        else if (startswith(problem, "HTTP status 403"))
                check_advise(check, "hardway install applies the role bindings");
        else
                check_advise(check, "Look at etcd: hardway etcd members");
}

/**
 * apiserver_verify() - add the checks of the endpoint and of each apiserver
 * @c:          the context of the probe
 * @checks:     where to
 *
 * The endpoint is asked with nothing but the cluster's CA in hand, as any new client would.
 *
 * Return: 0 or a negative errno.
 */
int apiserver_verify(const ProbeContext *c, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *url = cluster_endpoint_url(c->cluster);
        int r;

        r = probe_client(c, "ca", /* credential= */ NULL, &http, NULL);
        if (r < 0)
                return r;
        check_version(c, http, url, checks);
        check_write(c, url, checks);
        probe_each_node(c, ROLE_CONTROLLER, check_node, checks);
        return 0;
}
