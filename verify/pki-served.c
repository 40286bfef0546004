/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is really shown, against the store
 */

#include <openssl/x509v3.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "plan/store-name.h"
#include "verify/pki-internal.h"
#include "verify/served.h"

/* One port of one node. */
typedef struct Sight {
        const PkiCheckRequest *q;
        const Component *component;
        const ServedCertificate *row;
        const Node *node;
        char *id, *subject;
        char *name; /* of the certificate in the store */
        const StoreRequest *request;
        CheckList *checks;
} Sight;

static void sight_done(Sight *s) {
        free(s->id);
        free(s->subject);
        free(s->name);
}

static const Credential* find_credential(const Component *component, const char *name) {
        for (size_t i = 0; i < component->n_credentials; i++) {
                const Credential *c = component->credentials + i;

                if (c->type == STORE_CERTIFICATE && c->scope == PER_NODE && streq(c->name, name))
                        return c;
        }
        return NULL;
}

/* The store's own certificate: shown as it should be. */
static void add_same(const Sight *s, X509 *shown) {
        _cleanup_free_ char *life = NULL;
        CheckState state = pki_judge_life(s->q, shown, &life);
        Check *check = check_add(s->checks, state, s->id, s->node, s->subject,
                                 "shows the certificate of the store, %s", life);

        pki_set_life(s->q, check, shown);
        if (state != CHECK_OK)
                check_advise(check, "hardway pki renew %s", s->name);
}

/* While a CA is being replaced there are two, and either will do. */
static X509* find_issuer(const CertificateChain *cas, X509 *shown) {
        for (size_t i = 0; i < cas->n_certificates; i++)
                if (X509_check_issued(cas->certificates[i], shown) == X509_V_OK)
                        return cas->certificates[i];
        return cas->certificates[0];
}

static char* judge_other(const Sight *s, X509 *shown, CheckState *state) {
        _cleanup_(certificate_chain_done) CertificateChain cas = {};
        _cleanup_free_ char *ca_path = xasprintf("%s.crt", s->request->issuer);
        const Buffer *pem;
        char *why = NULL;
        int fault;

        if (store_file(s->q->store, ca_path, &pem, NULL) < 0 ||
            certificate_chain_from_pem(ca_path, pem->data, pem->size, CERTIFICATE_CHAIN_MAX, &cas, NULL) < 0)
                return xstrdup("the store has no CA to check it with");
        fault = certificate_check(shown, &s->request->profile, NULL, find_issuer(&cas, shown), s->q->now,
                                  s->q->warn_sec ?: STORE_RENEW_BEFORE_SEC, &why);
        if (fault != CERTIFICATE_GOOD && fault != CERTIFICATE_EXPIRES && fault != CERTIFICATE_WRONG_NAMES &&
            fault != CERTIFICATE_FORMER_NAMES)
                *state = CHECK_FAILED;
        return why ?: xstrdup("an older one, or newer, of the same CA");
}

static void add_other(const Sight *s, X509 *shown) {
        _cleanup_free_ char *life = NULL, *why = NULL;
        CheckState state = pki_judge_life(s->q, shown, &life);
        Check *check;

        if (state == CHECK_OK)
                state = CHECK_WARNING;
        why = judge_other(s, shown, &state);
        check = check_add(s->checks, state, s->id, s->node, s->subject,
                          "shows another certificate than the store has (%s): %s", life, why);
        if (state == CHECK_FAILED)
                check_advise(check,
                             "does another machine answer at its address? Reach it by ssh first (hardway "
                             "check --node %s); then hardway install --node %s brings it there",
                             s->node->name, s->node->name);
        else
                check_advise(check, "hardway install --node %s brings it there and restarts %s",
                             s->node->name, s->component->name);
        pki_set_life(s->q, check, shown);
}

static void judge(const Sight *s, const Buffer *pem) {
        _cleanup_(X509_freep) X509 *shown = NULL, *ours = NULL;
        _cleanup_free_ char *path = xasprintf("%s.crt", s->name), *a = NULL, *b = NULL;
        _cleanup_error_ Error *error = NULL;
        const Buffer *file;

        if (certificate_from_chain(s->subject, pem->data, pem->size, &shown, NULL, &error) < 0) {
                check_add(s->checks, CHECK_FAILED, s->id, s->node, s->subject, "%s", error->message);
                return;
        }
        if (store_file(s->q->store, path, &file, NULL) < 0 ||
            certificate_from_chain(path, file->data, file->size, &ours, NULL, NULL) < 0) {
                add_other(s, shown);
                return;
        }
        a = certificate_fingerprint(shown);
        b = certificate_fingerprint(ours);
        if (streq(a, b))
                add_same(s, shown);
        else
                add_other(s, shown);
}

void pki_check_served(const PkiCheckRequest *q, HostPool *hosts, const StoreRequests *requests,
                      const Component *component, const ServedCertificate *row, const Node *node,
                      CheckList *checks) {
        const Credential *credential = find_credential(component, row->credential);
        const ProbeContext probes = host_pool_probes(hosts, q->cluster, q->store, NULL);
        unsigned port = served_port(q->cluster, row);
        _cleanup_(sight_done) Sight s = {
                .q = q,
                .component = component,
                .row = row,
                .node = node,
                .id = xasprintf("served/%s/%s:%u", node->name, component->name, port),
                .subject = xasprintf("%s, port %u", component->name, port),
                .checks = checks,
        };
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        Check *check;
        int r;

        s.name = credential ? credential_store_name(credential, node) : NULL;
        s.request = s.name ? store_requests_find(requests, s.name) : NULL;
        if (!s.request)
                return;
        r = served_show(&probes, component, row, node, &pem, &error);
        if (r >= 0) {
                judge(&s, &pem);
                return;
        }
        check = check_add(checks, CHECK_WARNING, s.id, node, s.subject, "%s", error->message);
        check_advise(check, "what it shows was not looked at; hardway verify tells why it does not answer");
}
