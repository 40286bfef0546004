/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "common/alloc.h"
#include "pki/key-internal.h"

/*
 * EC private keys as DER (RFC 5915 section 3)
 *
 *     ECPrivateKey ::= SEQUENCE { version INTEGER { 1 }, privateKey OCTET STRING, parameters [0] OPTIONAL,
 *                                 publicKey [1] BIT STRING OPTIONAL }
 *
 * Inside PKCS#8 the curve stands outside and the parameters are left out, as Go and OpenSSL do.
 */
typedef struct EcPrivateKey {
        int32_t version;
        ASN1_OCTET_STRING *private_key;
        ASN1_TYPE *parameters;
        ASN1_BIT_STRING *public_key;
} EcPrivateKey;

#define EC_PRIVATE_KEY_VERSION 1

/* clang-format off: these macros open and close an array */
ASN1_SEQUENCE(EcPrivateKey) = {
        ASN1_EMBED(EcPrivateKey, version, INT32),
        ASN1_SIMPLE(EcPrivateKey, private_key, ASN1_OCTET_STRING),
        ASN1_EXP_OPT(EcPrivateKey, parameters, ASN1_ANY, 0),
        ASN1_EXP_OPT(EcPrivateKey, public_key, ASN1_BIT_STRING, 1),
} static_ASN1_SEQUENCE_END(EcPrivateKey)
/* clang-format on */

static void ec_private_key_free(EcPrivateKey *k) {
        if (k && k->private_key)
                OPENSSL_cleanse(k->private_key->data, (size_t) k->private_key->length);
        ASN1_item_free((ASN1_VALUE*) k, ASN1_ITEM_rptr(EcPrivateKey));
}
DEFINE_CLEANUP_VOID(EcPrivateKey*, ec_private_key_free)

DEFINE_CLEANUP_VOID(BIGNUM*, BN_clear_free)
DEFINE_CLEANUP_VOID(OSSL_PARAM_BLD*, OSSL_PARAM_BLD_free)

/* OSSL_PARAM_free() wipes only what lies in the secure heap. */
static void params_free(OSSL_PARAM *params) {
        OSSL_PARAM *private = params ? OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY) : NULL;

        if (private)
                OPENSSL_cleanse(private->data, private->data_size);
        OSSL_PARAM_free(params);
}
DEFINE_CLEANUP_VOID(OSSL_PARAM*, params_free)

/*
 * EVP_PKEY_get_bn_param() would leave a copy of the number on the stack (OpenSSL 3.0), hence into memory of
 * our own, which is wiped. *ret is, too, by whoever frees it.
 */
static bool read_number(EVP_PKEY *key, BIGNUM **ret) {
        unsigned char native[KEY_FIELD_SIZE_MAX];
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native)),
                OSSL_PARAM_construct_end(),
        };
        bool ok = EVP_PKEY_get_params(key, params) == 1 && OSSL_PARAM_get_BN(params, ret) == 1;

        OPENSSL_cleanse(native, sizeof(native));
        return ok;
}

/* Takes both halves out of a key. */
static int ec_private_key_fill(EVP_PKEY *key, const KeyType *type, EcPrivateKey *ret) {
        _cleanup_(BN_clear_freep) BIGNUM *number = NULL;
        unsigned char field[KEY_FIELD_SIZE_MAX], point[KEY_POINT_SIZE_MAX];
        size_t field_size = key_field_size(type), point_size = 0;
        bool ok;

        if (key_read_public_point(key, point, &point_size, NULL) < 0 || !read_number(key, &number))
                return -EIO;

        ret->version = EC_PRIVATE_KEY_VERSION;
        ret->public_key = ASN1_BIT_STRING_new();
        ok = ret->private_key && ret->public_key &&
             BN_bn2binpad(number, field, (int) field_size) == (int) field_size &&
             ASN1_OCTET_STRING_set(ret->private_key, field, (int) field_size) == 1 &&
             ASN1_BIT_STRING_set(ret->public_key, point, (int) point_size) == 1;
        OPENSSL_cleanse(field, sizeof(field));
        if (!ok)
                return -EIO;

        /* Whole bytes: otherwise trailing zero bits of the point would be cut off. */
        ret->public_key->flags |= ASN1_STRING_FLAG_BITS_LEFT;
        return 0;
}

int key_ec_to_pkcs8(EVP_PKEY *key, const KeyType *type, PKCS8_PRIV_KEY_INFO *p8, Error **reterr) {
        _cleanup_(ec_private_key_freep) EcPrivateKey *k =
                (EcPrivateKey*) ASN1_item_new(ASN1_ITEM_rptr(EcPrivateKey));
        unsigned char *der = NULL;
        int size = -1;

        if (k && ec_private_key_fill(key, type, k) >= 0)
                size = ASN1_item_i2d((ASN1_VALUE*) k, &der, ASN1_ITEM_rptr(EcPrivateKey));
        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a private key");

        /* Takes the DER, and wipes it with the rest. */
        if (PKCS8_pkey_set0(p8, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), 0, V_ASN1_OBJECT,
                            OBJ_nid2obj(type->curve_nid), der, size) != 1) {
                OPENSSL_clear_free(der, (size_t) size);
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a private key");
        }
        return 0;
}

static EVP_PKEY* ec_private_key_load(const EcPrivateKey *k, const KeyType *type) {
        _cleanup_(BN_clear_freep) BIGNUM *number = NULL;
        _cleanup_(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *builder = NULL;
        _cleanup_(params_freep) OSSL_PARAM *params = NULL;
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *context = NULL;
        EVP_PKEY *key = NULL;

        number = BN_bin2bn(k->private_key->data, k->private_key->length, NULL);
        builder = OSSL_PARAM_BLD_new();
        if (!number || !builder ||
            !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, type->group, 0) ||
            !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) ||
            !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, k->public_key->data,
                                              (size_t) k->public_key->length))
                return NULL;

        params = OSSL_PARAM_BLD_to_param(builder);
        context = EVP_PKEY_CTX_new_from_name(NULL, type->algorithm, NULL);
        if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
                return NULL;
        return key;
}

/* The curve of a PKCS#8, NULL if it is none of ours. */
static const KeyType* pkcs8_curve(const X509_ALGOR *algorithm) {
        const ASN1_OBJECT *object = NULL;
        const void *parameters = NULL;
        int type = V_ASN1_UNDEF;

        X509_ALGOR_get0(&object, &type, &parameters, algorithm);
        if (OBJ_obj2nid(object) != NID_X9_62_id_ecPublicKey || type != V_ASN1_OBJECT)
                return NULL;
        switch (OBJ_obj2nid(parameters)) {
        case NID_X9_62_prime256v1:
                return key_type_find("ec:p256");
        case NID_secp384r1:
                return key_type_find("ec:p384");
        default:
                return NULL;
        }
}

/*
 * Reads what key_ec_to_pkcs8() writes; all else is left to OpenSSL's decoders, which also know what to
 * complain of.
 */
int key_ec_from_pkcs8(const PKCS8_PRIV_KEY_INFO *p8, EVP_PKEY **ret) {
        _cleanup_(ec_private_key_freep) EcPrivateKey *k = NULL;
        const X509_ALGOR *algorithm = NULL;
        const unsigned char *der = NULL, *p;
        const KeyType *type;
        EVP_PKEY *key;
        int size = 0;

        if (PKCS8_pkey_get0(NULL, &der, &size, &algorithm, p8) != 1)
                return 0;
        type = pkcs8_curve(algorithm);
        if (!type)
                return 0;

        p = der;
        k = (EcPrivateKey*) ASN1_item_d2i(NULL, &p, size, ASN1_ITEM_rptr(EcPrivateKey));
        if (!k || p != der + size || k->version != EC_PRIVATE_KEY_VERSION || k->parameters ||
            !k->public_key || k->private_key->length != (int) key_field_size(type))
                return 0;

        key = ec_private_key_load(k, type);
        if (!key)
                return 0;
        *ret = key;
        return 1;
}
