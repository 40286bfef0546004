/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "common/json.h"
#include "install/run.h"

/*
 * What goes through the API once it answers: the cluster objects of the plans, and the proof that the
 * endpoint serves
 *
 * Objects are applied by server-side apply (kubernetes.io "Server-Side Apply"), as super-admin, whose group
 * needs none of the bindings that are being made. An object that already says what ours says is left alone.
 */
#define ENDPOINT_WAIT_USEC (60 * USEC_PER_SEC)
#define OBJECTS_WAIT_USEC (60 * USEC_PER_SEC)
#define PAUSE_USEC (100 * USEC_PER_MSEC)

/* Whether have says everything that want says; it may say more. */
static bool json_says(const json_t *have, const json_t *want) {
        const char *key;
        json_t *value;
        size_t i;

        if (json_is_object(want)) {
                json_object_foreach((json_t*) want, key, value)
                        if (!json_says(json_object_get(have, key), value))
                                return false;
                return json_is_object(have);
        }
        if (json_is_array(want)) {
                if (!json_is_array(have) || json_array_size(have) != json_array_size(want))
                        return false;
                json_array_foreach(want, i, value)
                        if (!json_says(json_array_get(have, i), value))
                                return false;
                return true;
        }
        return json_equal(have, want);
}

static int object_apply(HttpClient *client, const char *base, const PlanItem *item, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s%s?fieldManager=hardway&force=true&fieldValidation=Strict",
                                             base, item->object.api);
        _cleanup_buffer_ Buffer body = BUFFER_NULL;
        HttpResponse response = HTTP_RESPONSE_NULL;
        HttpRequest request = {
                .method = "PATCH",
                .url = url,
                .content_type = "application/apply-patch+yaml", /* JSON is YAML */
        };
        int r;

        json_write(item->object.body, &body);
        request.body = body.data;
        request.body_size = body.size;
        r = http_request(client, &request, &response, reterr);
        /* 404: a namespace that the apiserver makes right after its start */
        if (r >= 0 && response.status >= 300)
                r = error_set(reterr,
                              response.status >= 500 || response.status == 403 || response.status == 404 ?
                                      ERROR_TEMPORARY :
                                      ERROR_INTERNAL,
                              EPROTO, "%s: the apiserver answered %ld: %.200s", item->object.api,
                              response.status, buffer_str(&response.body));
        http_response_done(&response);
        return r < 0 ? r : 0;
}

/* Return: 1 if it had to be applied. */
static int object_converge(HttpClient *client, const char *base, const PlanItem *item, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s%s", base, item->object.api);
        _cleanup_json_ json_t *have = NULL;
        int r;

        r = http_json(client, "GET", url, NULL, &have, NULL);
        if (r >= 0 && json_says(have, item->object.body))
                return 0;
        r = object_apply(client, base, item, reterr);
        return r < 0 ? r : 1;
}

static int objects_of(const NodeRun *n, HttpClient *client, size_t *ret_n, Error **reterr) {
        _cleanup_free_ char *base = cluster_apiserver_url(n->run->request->cluster, n->node);
        int r;

        PLAN_FOREACH(item, n->plan, PLAN_OBJECT) {
                r = object_converge(client, base, item, reterr);
                if (r < 0)
                        return r;
                *ret_n += (size_t) r;
        }
        return 0;
}

static bool node_has_objects(const NodeRun *n) {
        for (size_t i = 0; n->selected && n->plan && i < n->plan->n_items; i++)
                if (n->plan->items[i]->type == PLAN_OBJECT)
                        return true;
        return false;
}

static bool may_pass(const Error *error) {
        return error->kind == ERROR_TEMPORARY || error->kind == ERROR_UNAVAILABLE;
}

/* Any apiserver will do: the objects are the same in the plan of each. Return: 1 if there are none. */
static int objects_anywhere(InstallRun *run, HttpClient *client, size_t *ret_n, Error **reterr) {
        int r = 1;

        RUN_FOREACH_NODE(n, run) {
                if (!node_has_objects(n))
                        continue;
                *reterr = error_free(*reterr);
                r = objects_of(n, client, ret_n, reterr);
                if (r >= 0)
                        run_note_served(run);
                if (r >= 0 || !may_pass(*reterr))
                        return r;
        }
        return r;
}

/**
 * run_objects() - apply the cluster objects that are not there yet
 * @run:        the run
 * @insist:     try again for a while: the RBAC bootstrap of a fresh cluster may refuse for a moment
 * @ret_n:      how many had to be applied
 * @reterr:     what the apiservers say
 *
 * Return: 0; -EAGAIN if no apiserver answers and it is not worth insisting; or another negative errno.
 */
int run_objects(InstallRun *run, bool insist, size_t *ret_n, Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        uint64_t end = clock_usec() + OBJECTS_WAIT_USEC;
        int r;

        *ret_n = 0;
        r = probe_client(&run->probes, "ca", "super-admin", &client, reterr);
        if (r < 0)
                return r;
        for (;;) {
                Error *error = NULL;

                r = objects_anywhere(run, client, ret_n, &error);
                if (r >= 0)
                        return 0;
                if (!insist || !may_pass(error) || clock_usec() > end) {
                        r = may_pass(error) && !insist ? -EAGAIN : r;
                        (void) error_propagate(reterr, error);
                        return error_prefix(reterr, r, "cluster objects");
                }
                error_free(error);
                clock_sleep(PAUSE_USEC);
        }
}

/* Is all that makes the endpoint answer in the hands of this run? */
static bool run_has_endpoint(const InstallRun *run) {
        return run_is_whole(run) && run->request->cluster->endpoint.kind != ENDPOINT_FOREIGN;
}

static void tell_foreign(InstallRun *run, const char *url) {
        _cleanup_free_ char *text = xasprintf(
                "%s does not answer yet; the load balancer there is not hardway's, and has to pass TCP "
                "connections on to port %u of the controllers",
                url, run->request->cluster->apiserver_port);

        run_warn(run, text);
}

/**
 * run_endpoint() - wait until the cluster answers where its users will ask
 *
 * GET /version through the endpoint, trusting the cluster CA only. Without it there is no installation to
 * speak of; where load balancers were not part of this run, or are not ours, and the endpoint does not
 * answer, that is only told.
 */
int run_endpoint(InstallRun *run, InstallResult *result, Error **reterr) {
        _cleanup_free_ char *base = cluster_endpoint_url(run->request->cluster);
        _cleanup_free_ char *url = xasprintf("%s/version", base);
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        uint64_t end = clock_usec() + ENDPOINT_WAIT_USEC;
        int r;

        if (!run_has_endpoint(run))
                end = clock_usec() + USEC_PER_SEC;
        result->url = xstrdup(base);
        r = probe_client(&run->probes, "ca", NULL, &client, reterr);
        if (r < 0)
                return r;
        for (;;) {
                _cleanup_error_ Error *error = NULL;
                _cleanup_json_ json_t *version = NULL;

                r = http_json(client, "GET", url, NULL, &version, &error);
                if (r >= 0) {
                        result->answer_usec = clock_usec() - run->start_usec;
                        result->version = xstrdup_null(json_text(version, "gitVersion"));
                        return 0;
                }
                if (clock_usec() > end)
                        break;
                clock_sleep(PAUSE_USEC);
        }
        if (run->request->cluster->endpoint.kind == ENDPOINT_FOREIGN)
                tell_foreign(run, base);
        if (!run_has_endpoint(run))
                return 0;
        return error_set(
                reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                "%s does not answer, although every node is as it should be; hardway verify tells more",
                url);
}
