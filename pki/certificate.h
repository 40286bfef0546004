/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/x509.h>

#include "common/inet.h"
#include "common/strv.h"
#include "pki/key.h"

/*
 * X.509 certificates: what is asked for (CertificateProfile), the CA that signs, and reading back.
 *
 * Rules (RFC 5280, RFC 5480, kubernetes.io "PKI certificates and requirements"): 128-bit random serial; SKI
 * and AKI; critical basicConstraints (CA:TRUE,pathlen:0 for our CAs); critical keyUsage (digitalSignature,
 * and keyEncipherment only for RSA); extendedKeyUsage; notBefore an hour before now, because a Raspberry
 * Pi's clock may lag behind at boot, but never before that of the CA; notAfter never behind that of the CA.
 */

DEFINE_CLEANUP_VOID(X509*, X509_free)

#define CERTIFICATE_BACKDATE_SEC 3600
#define CERTIFICATE_DAYS_MAX 36500

typedef enum CertificateUsage {
        USAGE_CA = 1 << 0,
        USAGE_SERVER = 1 << 1,
        USAGE_CLIENT = 1 << 2,
} CertificateUsage;

typedef struct CertificateProfile {
        char *common_name;
        char *organization; /* or NULL */
        Strv groups;        /* further ones; what was issued is not compared with them */
        unsigned usage;     /* mask of CertificateUsage */
        Strv dns_names;
        InetAddress *addresses;
        size_t n_addresses;
        unsigned days;
} CertificateProfile;

#define CERTIFICATE_PROFILE_NULL ((CertificateProfile) {})

void certificate_profile_add_dns(CertificateProfile *p, const char *name);         /* adds once */
void certificate_profile_add_address(CertificateProfile *p, const InetAddress *a); /* adds once */
void certificate_profile_done(CertificateProfile *p);

/*
 * issuer NULL: self-signed. now: seconds since 1970; refused (-ETIME) if it lies before the program's build
 * date.
 */
int certificate_issue(const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                      int64_t now, X509 **ret, Error **reterr);
int certificate_to_pem(X509 *certificate, Buffer *ret, Error **reterr);
int certificate_from_pem(const char *what, const void *data, size_t size, X509 **ret, Error **reterr);
/*
 * The first certificate of a text that may hold a chain, as servers have it: their own first, then those of
 * the CAs above. ret_size: how many bytes it takes; what follows is not looked at. NULL: not asked for.
 */
int certificate_from_chain(const char *what, const void *data, size_t size, X509 **ret, size_t *ret_size,
                           Error **reterr);

/* certificate-request.c */
int certificate_request_make(const CertificateProfile *profile, EVP_PKEY *key, Buffer *ret, Error **reterr);
int certificate_request_asks(const char *what, const void *data, size_t size,
                             const CertificateProfile *profile, EVP_PKEY *key, Error **reterr);

#define CERTIFICATE_CHAIN_MAX 8

typedef struct CertificateChain {
        X509 **certificates;
        size_t n_certificates;
} CertificateChain;

int certificate_chain_from_pem(const char *what, const void *data, size_t size, size_t max,
                               CertificateChain *ret, Error **reterr);
/* Return: 0 if it can be a CA with these above it, 1 if not: *ret_why */
int certificate_chain_check(X509 *ca, const CertificateChain *above, int64_t now, char **ret_why);
bool certificate_is_root(X509 *certificate);
void certificate_chain_done(CertificateChain *c);

char* certificate_fingerprint(X509 *certificate); /* hex SHA-256 of the DER */
int64_t certificate_not_before(X509 *certificate);
int64_t certificate_not_after(X509 *certificate);
/* So much of its life, but most_sec at most: somebody who has certificates of a week is not warned all the time. */
#define CERTIFICATE_RENEW_PART 3   /* renewal is due */
#define CERTIFICATE_URGENT_PART 10 /* somebody has to come */
int64_t certificate_part_of_life(X509 *x, int64_t most_sec, unsigned part);
char* certificate_subject(X509 *certificate); /* "CN=kube-apiserver, O=..." */
char* certificate_issuer(X509 *certificate);
char* certificate_serial(X509 *certificate);                        /* hex, without leading zeros */
unsigned certificate_usage(X509 *certificate);                      /* mask of CertificateUsage */
bool certificate_has_key(X509 *certificate, EVP_PKEY *key);         /* whether it certifies this key */
void certificate_names(X509 *certificate, CertificateProfile *ret); /* adds its SANs of type DNS and IP */

/* What speaks against a certificate; the first that is found counts. */
typedef enum CertificateFault {
        CERTIFICATE_GOOD,
        CERTIFICATE_WRONG_ISSUER,  /* another CA, or a signature that is not its */
        CERTIFICATE_WRONG_KEY,     /* certifies another key */
        CERTIFICATE_WRONG_USAGE,   /* may do less, or more, than it is for */
        CERTIFICATE_WRONG_SUBJECT, /* names somebody else */
        CERTIFICATE_WRONG_NAMES,   /* lacks a name */
        CERTIFICATE_FORMER_NAMES,  /* has one too many */
        CERTIFICATE_NOT_VALID,     /* not valid yet, or no more */
        CERTIFICATE_EXPIRES,       /* valid, but renewal is due */
} CertificateFault;

/*
 * certificate_check() - does this certificate still serve?
 *
 * Looks at signature and issuer, validity (renewal is due when less than renew_before_sec is left, unless
 * the CA itself ends then, or more than a third of a shorter life), usage, subject and names against the
 * profile, and that key (or NULL: not looked at) is the one it certifies.
 * Return: 0 if it does; a CertificateFault if it has to be issued again, *ret_why says why ("expires in 3
 * days", "lacks the name k8s.lan").
 */
int certificate_check(X509 *certificate, const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer,
                      int64_t now, int64_t renew_before_sec, char **ret_why);
