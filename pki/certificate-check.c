/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "pki/certificate-internal.h"

#define SEC_PER_DAY INT64_C(86400)

/* Each check returns why the certificate does not serve, or NULL; the caller frees. */

static char* check_issuer(X509 *x, X509 *issuer) {
        X509 *signer = issuer ?: x;
        _cleanup_free_ char *name = NULL;
        EVP_PKEY *key;

        if (X509_check_issued(signer, x) != X509_V_OK) {
                name = certificate_subject(signer);
                return xasprintf("is not issued by the CA %s", name);
        }
        key = X509_get0_pubkey(signer);
        if (!key || X509_verify(x, key) != 1)
                return xstrdup("its signature is not that of the CA");
        return NULL;
}

static char* check_validity(X509 *x, int64_t now) {
        _cleanup_free_ char *when = NULL;

        if (now < certificate_not_before(x)) {
                when = clock_format_iso(certificate_not_before(x));
                return xasprintf("is not valid before %s", when);
        }
        if (now >= certificate_not_after(x)) {
                when = clock_format_iso(certificate_not_after(x));
                return xasprintf("has expired on %s", when);
        }
        return NULL;
}

int64_t certificate_part_of_life(X509 *x, int64_t most_sec, unsigned part) {
        int64_t sec = (certificate_not_after(x) - certificate_not_before(x)) / part;

        return sec < most_sec ? sec : most_sec;
}

/* A certificate that ends with its CA gains nothing from being issued again. */
static char* check_renewal(X509 *x, X509 *issuer, int64_t now, int64_t renew_before_sec) {
        int64_t end = certificate_not_after(x), days = (end - now) / SEC_PER_DAY;

        if (issuer && end >= certificate_not_after(issuer))
                return NULL;
        if (end - now >= certificate_part_of_life(x, renew_before_sec, CERTIFICATE_RENEW_PART))
                return NULL;
        if (days == 0)
                return xstrdup("expires within a day");
        return xasprintf("expires in %" PRIi64 " day%s", days, days == 1 ? "" : "s");
}

static char* check_usage(X509 *x, const CertificateProfile *profile) {
        unsigned usage = certificate_usage(x);
        uint32_t key_usage = X509_get_key_usage(x);

        if ((usage ^ profile->usage) & USAGE_CA)
                return xstrdup(usage & USAGE_CA ? "is a CA" : "is not a CA");
        if (usage & USAGE_CA)
                return key_usage & KU_KEY_CERT_SIGN ? NULL : xstrdup("may not sign certificates");
        if (!(key_usage & KU_DIGITAL_SIGNATURE))
                return xstrdup("may not sign (key usage)");
        if ((usage ^ profile->usage) & USAGE_SERVER)
                return xstrdup(usage & USAGE_SERVER ? "may be used by servers" :
                                                      "may not be used by servers");
        if ((usage ^ profile->usage) & USAGE_CLIENT)
                return xstrdup(usage & USAGE_CLIENT ? "may be used by clients" :
                                                      "may not be used by clients");
        return NULL;
}

static char* subject_part(X509 *x, int nid) {
        X509_NAME *name = X509_get_subject_name(x);
        int index = X509_NAME_get_index_by_NID(name, nid, -1), size;
        unsigned char *text = NULL;
        char *copy;

        if (index < 0)
                return NULL;
        if (X509_NAME_get_index_by_NID(name, nid, index) >= 0)
                return xstrdup("(more than one)");
        size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
        copy = xstrndup(size > 0 ? (const char*) text : "", size > 0 ? (size_t) size : 0);
        OPENSSL_free(text);
        return copy;
}

static char* check_subject(X509 *x, const CertificateProfile *profile) {
        _cleanup_free_ char *name = subject_part(x, NID_commonName);
        _cleanup_free_ char *organization = subject_part(x, NID_organizationName);

        if (!streq_null(name, profile->common_name))
                return xasprintf("names \"%s\", not \"%s\"", name ?: "", profile->common_name);
        if (!streq_null(organization, profile->organization))
                return xasprintf("is of the group \"%s\", not \"%s\"", organization ?: "",
                                 profile->organization ?: "");
        return NULL;
}

static bool has_address(const CertificateProfile *p, const InetAddress *a) {
        for (size_t i = 0; i < p->n_addresses; i++)
                if (inet_address_equal(p->addresses + i, a))
                        return true;
        return false;
}

/* The first name of one that the other has not; the caller frees. */
static char* name_missing(const CertificateProfile *of, const CertificateProfile *in) {
        STRV_FOREACH(name, of->dns_names)
                if (!strv_contains(in->dns_names, *name))
                        return xstrdup(*name);
        for (size_t i = 0; i < of->n_addresses; i++)
                if (!has_address(in, of->addresses + i))
                        return inet_address_to_string(of->addresses + i);
        return NULL;
}

static char* check_lacking(X509 *x, const CertificateProfile *profile) {
        _cleanup_(certificate_profile_done) CertificateProfile present = CERTIFICATE_PROFILE_NULL;
        _cleanup_free_ char *lacks = NULL;

        certificate_names(x, &present);
        lacks = name_missing(profile, &present);
        return lacks ? xasprintf("lacks the name %s", lacks) : NULL;
}

/* It may belong to another machine by now. */
static char* check_left_over(X509 *x, const CertificateProfile *profile) {
        _cleanup_(certificate_profile_done) CertificateProfile present = CERTIFICATE_PROFILE_NULL;
        _cleanup_free_ char *left_over = NULL;

        certificate_names(x, &present);
        left_over = name_missing(&present, profile);
        return left_over ? xasprintf("still has the name %s", left_over) : NULL;
}

/* Exactly the wanted ones. */
char* certificate_check_names(X509 *x, const CertificateProfile *profile) {
        return check_lacking(x, profile) ?: check_left_over(x, profile);
}

static char* check_key(X509 *x, EVP_PKEY *key) {
        if (key && !certificate_has_key(x, key))
                return xstrdup("its key is another one");
        return NULL;
}

static CertificateFault first_fault(X509 *x, const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer,
                                    int64_t now, int64_t renew_before_sec, char **ret_why) {
        if ((*ret_why = check_issuer(x, issuer)))
                return CERTIFICATE_WRONG_ISSUER;
        if ((*ret_why = check_key(x, key)))
                return CERTIFICATE_WRONG_KEY;
        if ((*ret_why = check_usage(x, profile)))
                return CERTIFICATE_WRONG_USAGE;
        if ((*ret_why = check_subject(x, profile)))
                return CERTIFICATE_WRONG_SUBJECT;
        if ((*ret_why = check_lacking(x, profile)))
                return CERTIFICATE_WRONG_NAMES;
        if ((*ret_why = check_left_over(x, profile)))
                return CERTIFICATE_FORMER_NAMES;
        if ((*ret_why = check_validity(x, now)))
                return CERTIFICATE_NOT_VALID;
        if ((*ret_why = check_renewal(x, issuer, now, renew_before_sec)))
                return CERTIFICATE_EXPIRES;
        return CERTIFICATE_GOOD;
}

int certificate_check(X509 *certificate, const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer,
                      int64_t now, int64_t renew_before_sec, char **ret_why) {
        char *why = NULL;
        CertificateFault fault = first_fault(certificate, profile, key, issuer, now, renew_before_sec, &why);

        ERR_clear_error();
        if (fault != CERTIFICATE_GOOD)
                *ret_why = why;
        return (int) fault;
}
