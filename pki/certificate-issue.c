/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "pki/certificate-internal.h"
#include "pki/key-internal.h"

#define SERIAL_SIZE \
        16 /* RFC 5280 section 4.1.2.2 allows 20; CA/Browser Forum asks for 64 random bits at least */
#define KEY_ID_SIZE 20
#define DNS_NAME_MAX 253
#define DNS_LABEL_MAX 63
#define SEC_PER_DAY INT64_C(86400)

DEFINE_CLEANUP_VOID(BASIC_CONSTRAINTS*, BASIC_CONSTRAINTS_free)
DEFINE_CLEANUP_VOID(ASN1_BIT_STRING*, ASN1_BIT_STRING_free)
DEFINE_CLEANUP_VOID(ASN1_OCTET_STRING*, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP_VOID(EXTENDED_KEY_USAGE*, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP_VOID(AUTHORITY_KEYID*, AUTHORITY_KEYID_free)
DEFINE_CLEANUP_VOID(GENERAL_NAMES*, GENERAL_NAMES_free)
DEFINE_CLEANUP_VOID(BIGNUM*, BN_free)

/*
 * The helpers below return whether it worked: what can fail in them is memory, and bytes that OpenSSL
 * refuses.
 */

static bool set_serial(X509 *x) {
        unsigned char bytes[SERIAL_SIZE];
        _cleanup_(BN_freep) BIGNUM *number = NULL;

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return false;
        bytes[0] |= 1; /* never zero; and never short, so that all certificates show the same length */
        number = BN_bin2bn(bytes, sizeof(bytes), NULL);
        return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
}

static bool add_to_subject(X509_NAME *name, int nid, const char *text) {
        return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *) text, -1, -1,
                                          0) == 1;
}

bool certificate_set_subject(X509_NAME *name, const CertificateProfile *profile) {
        if (profile->organization && !add_to_subject(name, NID_organizationName, profile->organization))
                return false;
        STRV_FOREACH(group, profile->groups)
                if (!add_to_subject(name, NID_organizationName, *group))
                        return false;
        return add_to_subject(name, NID_commonName, profile->common_name);
}

static bool set_validity(X509 *x, const CertificateProfile *profile, X509 *issuer, int64_t now) {
        int64_t begin = now - CERTIFICATE_BACKDATE_SEC, end = now + (int64_t) profile->days * SEC_PER_DAY;

        if (issuer && begin < certificate_not_before(issuer))
                begin = certificate_not_before(issuer);
        if (issuer && end > certificate_not_after(issuer))
                end = certificate_not_after(issuer);
        return ASN1_TIME_set(X509_getm_notBefore(x), (time_t) begin) &&
               ASN1_TIME_set(X509_getm_notAfter(x), (time_t) end);
}

static bool add_extension(X509 *x, int nid, void *value, bool critical) {
        return value && X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_APPEND) == 1;
}

/*
 * RFC 5280 section 4.2.1.3; keyEncipherment is for RSA key transport and means nothing for EC (RFC 5480
 * section 3).
 */
static bool add_key_usage(X509 *x, const CertificateProfile *profile, EVP_PKEY *key) {
        enum {
                DIGITAL_SIGNATURE = 0,
                KEY_ENCIPHERMENT = 2,
                KEY_CERT_SIGN = 5,
                CRL_SIGN = 6
        };
        _cleanup_(ASN1_BIT_STRING_freep) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

        if (!bits || !ASN1_BIT_STRING_set_bit(bits, DIGITAL_SIGNATURE, 1))
                return false;
        if (profile->usage & USAGE_CA) {
                if (!ASN1_BIT_STRING_set_bit(bits, KEY_CERT_SIGN, 1) ||
                    !ASN1_BIT_STRING_set_bit(bits, CRL_SIGN, 1))
                        return false;
        } else if (EVP_PKEY_is_a(key, "RSA") && !ASN1_BIT_STRING_set_bit(bits, KEY_ENCIPHERMENT, 1))
                return false;
        return add_extension(x, NID_key_usage, bits, /* critical= */ true);
}

static bool add_extended_key_usage(X509 *x, const CertificateProfile *profile) {
        static const struct {
                unsigned usage;
                int nid;
        } purposes[] = {
                { USAGE_SERVER, NID_server_auth },
                { USAGE_CLIENT, NID_client_auth },
        };
        _cleanup_(EXTENDED_KEY_USAGE_freep) EXTENDED_KEY_USAGE *list = EXTENDED_KEY_USAGE_new();

        if (!list)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(purposes); i++)
                if ((profile->usage & purposes[i].usage) &&
                    !sk_ASN1_OBJECT_push(list, OBJ_nid2obj(purposes[i].nid)))
                        return false;
        return sk_ASN1_OBJECT_num(list) == 0 ||
               add_extension(x, NID_ext_key_usage, list, /* critical= */ false);
}

static bool add_basic_constraints(X509 *x, const CertificateProfile *profile) {
        _cleanup_(BASIC_CONSTRAINTS_freep) BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

        if (!constraints)
                return false;
        if (profile->usage & USAGE_CA) {
                constraints->ca = 0xff;
                constraints->pathlen = ASN1_INTEGER_new();
                if (!constraints->pathlen || ASN1_INTEGER_set(constraints->pathlen, 0) != 1)
                        return false;
        }
        return add_extension(x, NID_basic_constraints, constraints, /* critical= */ true);
}

/*
 * Subject key identifier: 160 bits of SHA-256 over the key (RFC 7093 section 2), as SHA-1 may be forbidden
 * here.
 */
static bool add_subject_key_id(X509 *x) {
        _cleanup_(ASN1_OCTET_STRING_freep) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
        const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
        unsigned char digest[EVP_MAX_MD_SIZE];

        if (!id || !key)
                return false;
        return EVP_Digest(ASN1_STRING_get0_data(key), (size_t) ASN1_STRING_length(key), digest, NULL,
                          EVP_sha256(), NULL) == 1 &&
               ASN1_OCTET_STRING_set(id, digest, KEY_ID_SIZE) == 1 &&
               add_extension(x, NID_subject_key_identifier, id, /* critical= */ false);
}

static bool add_authority_key_id(X509 *x, X509 *issuer) {
        _cleanup_(AUTHORITY_KEYID_freep) AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
        const ASN1_OCTET_STRING *subject = X509_get0_subject_key_id(issuer);

        if (!subject) /* an imported CA may have none, and then there is nothing to point at */
                return true;
        if (!id)
                return false;
        id->keyid = ASN1_OCTET_STRING_dup(subject);
        return id->keyid && add_extension(x, NID_authority_key_identifier, id, /* critical= */ false);
}

/* Takes the string. */
static bool push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value) {
        GENERAL_NAME *name = value ? GENERAL_NAME_new() : NULL;

        if (!name) {
                ASN1_STRING_free(value);
                return false;
        }
        GENERAL_NAME_set0_value(name, type, value);
        if (sk_GENERAL_NAME_push(names, name) > 0)
                return true;
        GENERAL_NAME_free(name);
        return false;
}

static ASN1_STRING* string_new(int type, const void *data, size_t size) {
        ASN1_STRING *s = ASN1_STRING_type_new(type);

        if (s && ASN1_STRING_set(s, data, (int) size) != 1) {
                ASN1_STRING_free(s);
                s = NULL;
        }
        return s;
}

static bool add_names(X509 *x, const CertificateProfile *profile) {
        _cleanup_(GENERAL_NAMES_freep) GENERAL_NAMES *names = GENERAL_NAMES_new();

        if (!names)
                return false;
        STRV_FOREACH(name, profile->dns_names)
                if (!push_name(names, GEN_DNS, string_new(V_ASN1_IA5STRING, *name, strlen(*name))))
                        return false;
        for (size_t i = 0; i < profile->n_addresses; i++) {
                const InetAddress *a = profile->addresses + i;

                if (!push_name(names, GEN_IPADD,
                               string_new(V_ASN1_OCTET_STRING, a->bytes, inet_address_size(a))))
                        return false;
        }
        return sk_GENERAL_NAME_num(names) == 0 ||
               add_extension(x, NID_subject_alt_name, names, /* critical= */ false);
}

/* The order is that of certificates made by Go, and so of kubeadm's. */
static bool add_extensions(X509 *x, const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer) {
        return add_key_usage(x, profile, key) && add_extended_key_usage(x, profile) &&
               add_basic_constraints(x, profile) && add_subject_key_id(x) &&
               (!issuer || add_authority_key_id(x, issuer)) && add_names(x, profile);
}

/* What can be asked for: all but the identifiers of keys, which are the CA's to choose. */
bool certificate_add_extensions(X509 *x, const CertificateProfile *profile, EVP_PKEY *key) {
        return add_key_usage(x, profile, key) && add_extended_key_usage(x, profile) &&
               add_basic_constraints(x, profile) && add_names(x, profile);
}

/* A company's CA may be limited to names of that company, and clients look at it (RFC 5280 4.2.1.10). */
int certificate_check_constraints(X509 *x, X509 *issuer, Error **reterr) {
        NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
        int result = X509_V_OK;

        if (constraints) {
                (void) X509_get_extension_flags(x); /* what is asked next looks at what this has read */
                result = NAME_CONSTRAINTS_check(x, constraints);
        }
        NAME_CONSTRAINTS_free(constraints);
        if (result == X509_V_OK)
                return 0;
        return error_set(reterr, ERROR_CONFIG, EPERM,
                         "the CA may not certify these names (its name constraints say so): %s",
                         X509_verify_cert_error_string(result));
}

/* RFC 1034 section 3.5 and the underscore that people use all the same; a wildcard as the first label. */
static bool is_dns_name(const char *name) {
        size_t label = 0;

        if (strlen(name) > DNS_NAME_MAX)
                return false;
        if (startswith(name, "*."))
                name += 2;
        for (; *name; name++) {
                bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');

                if (*name == '.' && label > 0)
                        label = 0;
                else if (letter || (*name >= '0' && *name <= '9') || *name == '-' || *name == '_')
                        label++;
                else
                        return false;
                if (label > DNS_LABEL_MAX)
                        return false;
        }
        return label > 0;
}

static int check_clock(X509 *issuer, int64_t now, Error **reterr) {
        _cleanup_free_ char *today = clock_format_iso(now), *other = NULL;

        if (now < clock_build_date()) {
                other = clock_format_iso(clock_build_date());
                return error_set(reterr, ERROR_TEMPORARY, ETIME,
                                 "this machine's clock says %s, before hardway was made (%s): set the clock",
                                 today, other);
        }
        if (!issuer)
                return 0;
        if (now < certificate_not_before(issuer)) {
                other = clock_format_iso(certificate_not_before(issuer));
                return error_set(reterr, ERROR_TEMPORARY, ETIME,
                                 "this machine's clock says %s, the CA is valid from %s: set the clock",
                                 today, other);
        }
        if (now >= certificate_not_after(issuer)) {
                other = clock_format_iso(certificate_not_after(issuer));
                return error_set(reterr, ERROR_CONFIG, EKEYEXPIRED, "the CA has expired on %s", other);
        }
        return 0;
}

static int check_request(const CertificateProfile *profile, X509 *issuer, Error **reterr) {
        if (!profile->common_name || !*profile->common_name)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "a certificate without a name");
        if (profile->days == 0 || profile->days > CERTIFICATE_DAYS_MAX)
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "%u days is no validity for a certificate (1 to %u)", profile->days,
                                 (unsigned) CERTIFICATE_DAYS_MAX);
        STRV_FOREACH(name, profile->dns_names)
                if (!is_dns_name(*name))
                        return error_set(reterr, ERROR_CONFIG, EINVAL, "not a DNS name: \"%s\"", *name);
        if (issuer && !(certificate_usage(issuer) & USAGE_CA))
                return error_set(reterr, ERROR_CONFIG, EINVAL, "the issuer is not a CA");
        return 0;
}

static int certificate_build(const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer, int64_t now,
                             X509 *x, Error **reterr) {
        int r;

        if (X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x))
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a certificate");
        if (!certificate_set_subject(X509_get_subject_name(x), profile))
                return pki_error(reterr, ERROR_CONFIG, "\"%s\" cannot stand in a certificate",
                                 profile->common_name);
        if (X509_set_issuer_name(x, X509_get_subject_name(issuer ?: x)) != 1 ||
            !set_validity(x, profile, issuer, now))
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a certificate");

        r = key_fill_public(key, X509_get_X509_PUBKEY(x), reterr);
        if (r < 0)
                return r;
        if (!add_extensions(x, profile, key, issuer))
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a certificate");
        return 0;
}

int certificate_make(const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                     int64_t now, X509 **ret, Error **reterr) {
        _cleanup_(X509_freep) X509 *x = NULL;
        _cleanup_free_ char *lost = NULL;
        EVP_PKEY *signer = issuer ? issuer_key : key;
        const KeyType *type = key_type_of(signer);
        int r;

        r = check_clock(issuer, now, reterr);
        if (r < 0)
                return r;
        r = check_request(profile, issuer, reterr);
        if (r < 0)
                return r;

        x = X509_new();
        if (!x || !type)
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a certificate");
        r = certificate_build(profile, key, issuer, now, x, reterr);
        if (r < 0)
                return r;
        if (X509_sign(x, signer, EVP_get_digestbyname(type->digest)) <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot sign a certificate");
        lost = certificate_check_names(x, profile);
        if (lost)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "a new certificate %s", lost);
        if (issuer) {
                r = certificate_check_constraints(x, issuer, reterr);
                if (r < 0)
                        return r;
        }

        ERR_clear_error();
        *ret = TAKE_PTR(x);
        return 0;
}

/**
 * certificate_issue() - make and sign a certificate
 * @profile:    whom it names and what for
 * @key:        the key that it certifies, private or public
 * @issuer:     the CA, or NULL: signs itself
 * @issuer_key: the CA's private key; not looked at if @key signs itself
 * @now:        seconds since 1970
 * @ret:        the certificate; X509_free()
 * @reterr:     says what cannot be
 *
 * Return: 0; -ETIME if @now lies before this program was made, or before the CA was; -EKEYEXPIRED if the CA
 * has expired; -EINVAL or -EBADMSG if the profile cannot be certified; -EIO if OpenSSL fails.
 */
int certificate_issue(const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                      int64_t now, X509 **ret, Error **reterr) {
        _cleanup_(X509_freep) X509 *x = NULL;
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        int r;

        if (issuer && !certificate_has_key(issuer, issuer_key))
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "the CA's key does not belong to its certificate");
        r = certificate_make(profile, key, issuer, issuer_key, now, &x, reterr);
        if (r < 0)
                return r;
        r = certificate_to_pem(x, &pem, reterr);
        if (r < 0)
                return r;
        return certificate_from_pem("the new certificate", pem.data, pem.size, ret, reterr);
}
