/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/store.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"

#define SUBJECT "certificates"

static void add_rotation(const Rotation *rotation, CheckList *checks) {
        _cleanup_free_ char *since = clock_format_iso(rotation->since);
        const char *phase = rotation_phase_to_string(rotation->phase);
        Check *check;

        check = check_add(checks, CHECK_WARNING, "pki.rotation", NULL, SUBJECT,
                          "%s is being replaced since %s, phase %s", rotation->name, since, phase);
        check_advise(check, "hardway pki %s goes on with it", rotation_command(rotation->name));
        check->data = json_pack("{s:s, s:s, s:I}", "name", rotation->name, "phase", phase, "since",
                                (json_int_t) rotation->since);
}

static void look_at_rotation(const VerifyRequest *request, CheckList *checks) {
        _cleanup_(rotation_done) Rotation rotation = {};
        _cleanup_error_ Error *error = NULL;
        int r;

        r = store_rotation(request->store, &rotation, &error);
        if (r < 0)
                check_add(checks, CHECK_FAILED, "pki.rotation", NULL, SUBJECT, "%s", error->message);
        else if (r > 0)
                add_rotation(&rotation, checks);
}

static void look_at_renewal(const VerifyRequest *request, CheckList *checks) {
        StoreRequests requests = {};
        _cleanup_strv_ Strv names = NULL;
        Check *check;

        store_requests_for(request->components, request->cluster, &requests);
        names = store_unproven(request->store, requests.requests, requests.n_requests);
        store_requests_done(&requests);
        if (!names)
                return;
        check = check_add(checks, CHECK_WARNING, "pki.renewal", NULL, SUBJECT,
                          "a renewal was stopped: %zu new ones have not been seen at work",
                          strv_length(names));
        check_advise(check, "hardway pki renew goes on with it");
}

void verify_store(const VerifyRequest *request, CheckList *checks) {
        look_at_rotation(request, checks);
        look_at_renewal(request, checks);
}
