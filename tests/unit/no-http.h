/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/probe.h"

/*
 * There are no clients: what they are asked is answered by the test, which replaces http_request or http_json.
 *
 * Wraps: probe_client http_client_free
 */

/* The test says whom it expects to be believed, by ca, and what is shown to it. */
void fake_client(const char *ca, const char *credential);

int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr);
int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr) {
        fake_client(ca, credential);
        *ret = (HttpClient*) xmalloc(1); /* so that one that is not freed is found */
        return 0;
}

HttpClient* __wrap_http_client_free(HttpClient *c);
HttpClient* __wrap_http_client_free(HttpClient *c) {
        free(c);
        return NULL;
}
