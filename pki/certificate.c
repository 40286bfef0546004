/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "pki/key-internal.h"
#include "pki/pem.h"

DEFINE_CLEANUP_VOID(GENERAL_NAMES*, GENERAL_NAMES_free)
DEFINE_CLEANUP_VOID(BIGNUM*, BN_free)

/**
 * certificate_profile_add_dns() - want a DNS name
 * @p:          the profile
 * @name:       the name; nothing happens if it is there already
 */
void certificate_profile_add_dns(CertificateProfile *p, const char *name) {
        if (!strv_contains(p->dns_names, name))
                strv_add(&p->dns_names, name);
}

/**
 * certificate_profile_add_address() - want an IP address
 * @p:          the profile
 * @a:          the address; nothing happens if it is there already
 */
void certificate_profile_add_address(CertificateProfile *p, const InetAddress *a) {
        for (size_t i = 0; i < p->n_addresses; i++)
                if (inet_address_equal(p->addresses + i, a))
                        return;
        p->addresses = xrealloc(p->addresses, p->n_addresses + 1, sizeof(InetAddress));
        p->addresses[p->n_addresses++] = *a;
}

/**
 * certificate_profile_done() - free what a profile holds
 * @p:          the profile, empty afterwards
 */
void certificate_profile_done(CertificateProfile *p) {
        free(p->common_name);
        free(p->organization);
        strv_free(p->groups);
        strv_free(p->dns_names);
        free(p->addresses);
        *p = CERTIFICATE_PROFILE_NULL;
}

/**
 * certificate_to_pem() - write a certificate
 * @certificate: the certificate
 * @ret:        its PEM text is appended
 * @reterr:     where to say what failed
 *
 * Return: 0, or -EIO.
 */
int certificate_to_pem(X509 *certificate, Buffer *ret, Error **reterr) {
        unsigned char *der = NULL;
        int size = i2d_X509(certificate, &der);

        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a certificate");
        pem_encode("CERTIFICATE", der, (size_t) size, ret);
        OPENSSL_free(der);
        return 0;
}

/**
 * certificate_from_pem() - read a certificate
 * @what:       its name for the message, such as the path
 * @data:       PEM text of one certificate
 * @size:       its size
 * @ret:        the certificate; X509_free()
 * @reterr:     says what is wrong with the text
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int certificate_from_pem(const char *what, const void *data, size_t size, X509 **ret, Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        _cleanup_(X509_freep) X509 *certificate = NULL;
        const unsigned char *p;
        int r;

        r = pem_decode(what, data, size, "CERTIFICATE", &block, reterr);
        if (r < 0)
                return r;

        ERR_clear_error();
        p = block.der;
        certificate = d2i_X509(NULL, &p, block.size);
        if (!certificate || p != block.der + block.size)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, not a certificate", what);
        /* Extensions are parsed on first use; one that cannot be is as bad as a certificate that cannot. */
        if (X509_get_extension_flags(certificate) & EXFLAG_INVALID)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, its extensions cannot be read",
                                 what);
        if (!X509_get0_pubkey(certificate))
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, its key cannot be read", what);

        ERR_clear_error();
        *ret = TAKE_PTR(certificate);
        return 0;
}

int certificate_from_chain(const char *what, const void *data, size_t size, X509 **ret, size_t *ret_size,
                           Error **reterr) {
        size_t first = pem_first_size(data, size);
        int r;

        r = certificate_from_pem(what, data, first, ret, reterr);
        if (r >= 0 && ret_size)
                *ret_size = first;
        return r;
}

/**
 * certificate_fingerprint() - what names a certificate
 * @certificate: the certificate
 *
 * Return: the SHA-256 of its DER in hex, as "openssl x509 -fingerprint -sha256" gives it without the colons;
 * the caller frees.
 */
char* certificate_fingerprint(X509 *certificate) {
        unsigned char *der = NULL;
        char hex[SHA256_HEX_SIZE];
        int size = i2d_X509(certificate, &der);

        sha256_hex(der, size > 0 ? (size_t) size : 0, hex);
        OPENSSL_free(der);
        return xstrdup(hex);
}

static int64_t asn1_time_to_seconds(const ASN1_TIME *t) {
        struct tm tm = {};

        return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t) timegm(&tm) : 0;
}

/**
 * certificate_not_before() - the beginning of its validity
 * @certificate: the certificate
 *
 * Return: seconds since 1970.
 */
int64_t certificate_not_before(X509 *certificate) {
        return asn1_time_to_seconds(X509_get0_notBefore(certificate));
}

/**
 * certificate_not_after() - the end of its validity
 * @certificate: the certificate
 *
 * Return: seconds since 1970.
 */
int64_t certificate_not_after(X509 *certificate) {
        return asn1_time_to_seconds(X509_get0_notAfter(certificate));
}

static char* name_to_string(const X509_NAME *name) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (int i = 0; i < X509_NAME_entry_count(name); i++) {
                X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
                const char *type = OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
                unsigned char *text = NULL;
                int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));

                if (b.size > 0)
                        buffer_add_str(&b, ", ");
                buffer_addf(&b, "%s=", type ?: "?");
                if (n > 0)
                        buffer_add(&b, text, (size_t) n);
                OPENSSL_free(text);
        }
        return buffer_take(&b);
}

/**
 * certificate_subject() - whom it names
 * @certificate: the certificate
 *
 * Return: "CN=kube-apiserver, O=..." in the order of the certificate; the caller frees.
 */
char* certificate_subject(X509 *certificate) {
        return name_to_string(X509_get_subject_name(certificate));
}

/**
 * certificate_issuer() - who signed it
 * @certificate: the certificate
 *
 * Return: the subject of its CA, as certificate_subject(); the caller frees.
 */
char* certificate_issuer(X509 *certificate) {
        return name_to_string(X509_get_issuer_name(certificate));
}

/**
 * certificate_serial() - its serial number
 * @certificate: the certificate
 *
 * Return: in hex, lower case; the caller frees.
 */
char* certificate_serial(X509 *certificate) {
        _cleanup_(BN_freep) BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
        char *hex = number ? BN_bn2hex(number) : NULL, *copy;

        copy = xstrdup(hex ?: "?");
        OPENSSL_free(hex);
        for (char *p = copy; *p; p++)
                if (*p >= 'A' && *p <= 'F')
                        *p = (char) (*p - 'A' + 'a');
        return copy;
}

/**
 * certificate_usage() - what it may be used for
 * @certificate: the certificate
 *
 * Return: mask of CertificateUsage, from basicConstraints and extendedKeyUsage.
 */
unsigned certificate_usage(X509 *certificate) {
        uint32_t flags = X509_get_extension_flags(certificate), extended;
        unsigned usage = 0;

        if (flags & EXFLAG_CA)
                usage |= USAGE_CA;
        if (flags & EXFLAG_XKUSAGE) {
                extended = X509_get_extended_key_usage(certificate);
                if (extended & XKU_SSL_SERVER)
                        usage |= USAGE_SERVER;
                if (extended & XKU_SSL_CLIENT)
                        usage |= USAGE_CLIENT;
        }
        return usage;
}

/**
 * certificate_has_key() - whether this is the key that it certifies
 * @certificate: the certificate
 * @key:        a private or public key
 *
 * Return: whether the public halves are the same.
 */
bool certificate_has_key(X509 *certificate, EVP_PKEY *key) {
        _cleanup_buffer_ Buffer ours = BUFFER_NULL;
        unsigned char *der = NULL;
        bool same = false;
        int size;

        /* As bytes: what a certificate holds is not decoded for this, which takes OpenSSL 3.0 0.1 ms. */
        size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
        if (size > 0 && key_public_to_der(key, &ours, NULL) >= 0)
                same = ours.size == (size_t) size && memcmp(ours.data, der, ours.size) == 0;
        OPENSSL_free(der);
        ERR_clear_error();
        return same;
}

static void names_add(const GENERAL_NAME *name, CertificateProfile *ret) {
        int type = 0;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
        const unsigned char *data;
        int size;

        if (type != GEN_DNS && type != GEN_IPADD)
                return;
        data = ASN1_STRING_get0_data(value);
        size = ASN1_STRING_length(value);

        if (type == GEN_DNS) {
                _cleanup_free_ char *text = xstrndup((const char*) data, (size_t) size);

                certificate_profile_add_dns(ret, text);
        } else if (size == 4 || size == 16) {
                InetAddress a = { .family = size == 4 ? AF_INET : AF_INET6 };

                memcpy(a.bytes, data, (size_t) size);
                certificate_profile_add_address(ret, &a);
        }
}

/**
 * certificate_names() - the names that it is good for
 * @certificate: the certificate
 * @ret:        its DNS names and addresses are added; certificate_profile_done()
 */
void certificate_names(X509 *certificate, CertificateProfile *ret) {
        _cleanup_(GENERAL_NAMES_freep) GENERAL_NAMES *names =
                X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
                names_add(sk_GENERAL_NAME_value(names, i), ret);
}
