/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/certificate.h"

/*
 * The store: pki/ and secrets/ beside the cluster file, on the driving machine
 *
 * It holds, in kubeadm's names, the three CAs (ca, etcd/ca, front-proxy-ca), the service-account key (sa.key, sa.pub), the encryption
 * key and the identity of the cluster (secrets/encryption-key, secrets/identity), and per node what will lie on that node
 * (nodes/NAME/...). Which certificates and kubeconfigs those are is not known here: the caller hands in StoreRequests,
 * which plan/ derives from the components' declarations.
 *
 * store_generate() keeps what is valid, makes what is missing or no longer fits, never overwrites a CA, and publishes all
 * that is new in one batch; it reports each entry through a callback. Two runs at once exclude each other by a lock.
 */

typedef enum StoreEntryType {
        STORE_CA,          /* NAME.crt and NAME.key */
        STORE_CERTIFICATE, /* NAME.crt and NAME.key */
        STORE_KUBECONFIG,  /* NAME (".conf"), with certificate and key inside */
        STORE_KEY_PAIR,    /* NAME.key and NAME.pub */
        STORE_SECRET,      /* NAME: random bytes, in base64 or hex */
} StoreEntryType;

typedef struct StoreRequest {
        StoreEntryType type;
        char *name;      /* path in the store without ending: "ca", "nodes/controller-0/pki/apiserver", "secrets/identity" */
        char *issuer;    /* name of the CA: "ca", "etcd/ca", "front-proxy-ca"; NULL for CAs, key pairs, secrets */
        char *key_type;  /* "ec:p256"; NULL for secrets */
        CertificateProfile profile;
        char *server;    /* kubeconfig: the apiserver's URL */
        char *cluster;   /* kubeconfig: the cluster's name */
        char *user;      /* kubeconfig: the user's name */
        size_t size;     /* secret: how many random bytes */
        bool hex;        /* secret: written as hex instead of base64 */
} StoreRequest;

void store_request_done(StoreRequest *r);

typedef enum StoreOutcome { STORE_KEPT, STORE_MADE, STORE_REISSUED } StoreOutcome;

/* why: for STORE_REISSUED; expires: notAfter, 0 where there is none */
typedef void (*StoreReport)(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                            int64_t expires);

typedef struct Store Store;

int store_open(const char *directory, Store **ret, Error **reterr); /* the cluster directory; makes nothing */
int store_generate(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, StoreReport report,
                   void *userdata, Error **reterr);

/* Bytes of a file of the store by its path ("pki/ca.crt"-less: "ca.crt", "nodes/c0/pki/apiserver.key"), read once and kept. Lent. */
int store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
/* What stands for a secret in a digest: the key's SPKI fingerprint, the certificate's, or for secrets a keyed hash. Lent. */
int store_fingerprint(Store *s, const char *path, const char **ret, Error **reterr);
Store* store_free(Store *s);
DEFINE_CLEANUP(Store*, store_free)
