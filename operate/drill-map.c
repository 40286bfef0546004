/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The ConfigMap that drills write to
 */

#include <errno.h>

#include "common/alloc.h"
#include "common/json.h"
#include "operate/drill-internal.h"

static int ask(const ProbeContext *c, const char *method, const char *more, const json_t *body,
               Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *base = cluster_endpoint_url(c->cluster);
        _cleanup_free_ char *url = xasprintf("%s" DRILL_CONFIG_MAP_PATH "%s", base, more);
        int r = probe_client(c, "ca", "admin", &http, reterr);

        return r < 0 ? r : http_json(http, method, url, body, NULL, reterr);
}

int drill_make_config_map(const ProbeContext *c, Error **reterr) {
        _cleanup_json_ json_t *body =
                json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
                          "name", DRILL_CONFIG_MAP, "namespace", "kube-system");

        return ask(c, "PATCH", "?fieldManager=hardway&force=true", body, reterr);
}

int drill_remove_config_map(const ProbeContext *c, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r = ask(c, "DELETE", "", NULL, &error);

        if (r >= 0 || r == -ENOENT)
                return 0;
        if (reterr)
                *reterr = TAKE_PTR(error);
        return r;
}
