/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/certificate.h"
#include "pki/rotation.h"

/*
 * The store: pki/ and secrets/ beside the cluster file, on the driving machine
 *
 * It holds, in kubeadm's names, the three CAs (ca, etcd/ca, front-proxy-ca), the service-account key
 * (sa.key, sa.pub), the encryption key and the identity of the cluster (secrets/encryption-key,
 * secrets/identity), and per node what will lie on that node (nodes/NAME/...). Which certificates and
 * kubeconfigs those are is not known here: the caller hands in StoreRequests, which plan/ derives from the
 * components' declarations.
 *
 * Store paths. An entry of name NAME consists of one or two files, each with a path in the store, which
 * stands for a file in the cluster directory (the one that is given to store_open()):
 *
 *     type              store paths         example of NAME            in the cluster directory
 *     STORE_CA          NAME.crt, NAME.key  "ca", "etcd/ca"            pki/ca.crt, pki/etcd/ca.key
 *                       (NAME.chain, NAME.external: see below)
 *     STORE_CERTIFICATE NAME.crt, NAME.key  "nodes/c0/pki/apiserver"   pki/nodes/c0/pki/apiserver.crt
 *     STORE_KEY_PAIR    NAME.key, NAME.pub  "sa"                       pki/sa.key, pki/sa.pub
 *     STORE_KUBECONFIG  NAME.conf           "nodes/c0/scheduler"       pki/nodes/c0/scheduler.conf
 *                                           "admin" (no slash)         admin.conf
 *     STORE_SECRET      NAME                "secrets/identity"         secrets/identity
 *
 * That is: "secrets/..." lies in secrets/, "X.conf" without a slash beside the cluster file, all else in
 * pki/. Keys, kubeconfigs and secrets have mode 0600, directories 0700.
 *
 * store_file(), store_fingerprint() and store_credential() may be called by several threads at once; what
 * they lend stays where it is as long as the store is.
 *
 * store_generate() keeps what is valid, makes what is missing or no longer fits, never overwrites a CA, a
 * key pair or a secret, and publishes all that is new in one batch; it reports each entry through a
 * callback. Two runs at once exclude each other by a lock (pki/.lock).
 *
 * What a CA, key pair or secret is for cannot be had again by making a new one: once a certificate or
 * kubeconfig exists, a missing one of them is an error and not a reason to make it. Files that cannot be
 * read (cut off, DER, encrypted) and pairs that do not belong together are errors that name the file, and
 * nothing is touched. What a killed run left is not an error: files get their names in the order secrets,
 * key pairs, CAs, the rest; the key before its certificate; and pki/.pending names the pairs that were being
 * replaced.
 *
 * Renewal: store_renew() issues certificates and kubeconfigs anew that are still good, and keeps what it
 * replaces in pki/.previous until somebody has seen the new ones at work: store_settle() lets the old ones
 * go, store_revert() puts them back. Until then they are unproven.
 *
 * Rotation: while a CA, key pair or secret is being replaced, its paths mean what the phase asks for (see
 * pki/rotation.h): NAME.key is the key that issues or signs now, NAME.crt (NAME.pub) all that is to be
 * trusted, one PEM block after the other. The one half that belongs to the key is signing-NAME.crt
 * ("etcd/signing-ca.crt"), which at other times is the same as NAME.crt. NAME.chain goes with what is trusted.
 * A secret has the lines of both, that of the one in use first.
 * A new CA is a root, and under the passphrase if the old one is; one whose key is kept elsewhere cannot be
 * replaced so.
 *
 * Editions: each change of what nodes are given is a new edition of the store, "7 0123456789abcdef", and pki/history has all
 * of them, so that a copy of the directory that others have gone on from is known to be one.
 */

/*
 * CAs of your own
 *
 * A CA that was not made here (store_import_ca()) may be an intermediate one. NAME.crt is its certificate
 * alone: that is what components are told to trust, since whoever is certified by anything above it, by a
 * company's root, is no user of this cluster. NAME.chain holds the certificates above it up to the root.
 * Servers' certificates are followed by it, but for the root. "NAME.bundle" stands for NAME.crt and
 * NAME.chain together: for clients that insist on a root (OpenSSL's) when they check a server.
 *
 * A CA whose key is kept elsewhere has the file NAME.external in the place of NAME.key. What it would have
 * to issue is STORE_WAITS: store_csr() writes what to ask for, store_import() takes the answers.
 */

/*
 * Keys of CAs under a passphrase
 *
 * Each of them may be: NAME.key is an encrypted PKCS#8 then. It is opened only when something has to be
 * issued; the passphrase comes from whoever store_set_passphrase() names. Such a key never leaves this
 * machine, so for the nodes it is as if it were kept elsewhere. store_protect() names CAs whose keys the
 * next store_generate() puts under the passphrase, whether it makes them or finds them.
 *
 * ask is called once, and again when what it gave opens nothing; file: what is to be opened; new: nothing
 * is, and the answer had better be repeated. *ret is wiped by the store.
 */
typedef int (*StoreAsk)(void *userdata, const char *file, bool new, char **ret, Error **reterr);

#define STORE_RENEW_BEFORE_SEC (30 * INT64_C(86400))

typedef enum StoreEntryType {
        STORE_CA,          /* NAME.crt and NAME.key */
        STORE_CERTIFICATE, /* NAME.crt and NAME.key */
        STORE_KUBECONFIG,  /* NAME.conf, with certificate and key inside */
        STORE_KEY_PAIR,    /* NAME.key and NAME.pub */
        STORE_SECRET,      /* NAME: random bytes, in base64 (see pki/secret.h) or hex */
        _STORE_ENTRY_TYPE_MAX,
} StoreEntryType;

typedef struct StoreRequest {
        StoreEntryType type;
        char *name;     /* path in the store without ending: "ca", "nodes/controller-0/pki/apiserver" */
        char *issuer;   /* name of the CA: "ca", "etcd/ca"; NULL for CAs, key pairs, secrets */
        char *key_type; /* "ec:p256"; NULL for secrets */
        CertificateProfile profile;
        char *server;  /* kubeconfig: the apiserver's URL */
        char *cluster; /* kubeconfig: the cluster's name */
        char *user;    /* kubeconfig: the user's name */
        size_t size;   /* secret: how many random bytes */
        bool hex;      /* secret: written as hex instead of base64 */
} StoreRequest;

void store_request_done(StoreRequest *r);
Strv store_request_files(const StoreRequest *r); /* the store paths of its files; the caller frees */

typedef enum StoreOutcome {
        STORE_KEPT,
        STORE_MADE,
        STORE_REISSUED,
        STORE_WAITS, /* neither: it is for a CA to issue whose key is not here */
        _STORE_OUTCOME_MAX,
} StoreOutcome;

/*
 * why: for STORE_REISSUED and STORE_WAITS the reason, otherwise NULL or a remark ("its mode was 0644", "expires in 12 days:
 * rotate it"); expires: notAfter, 0 where there is none (yet). Called in the order of the requests, after
 * all is on disk.
 */
typedef void (*StoreReport)(void *userdata, const StoreRequest *request, StoreOutcome outcome,
                            const char *why, int64_t expires);

typedef struct Store Store;

/* directory: the cluster directory; makes nothing */
int store_open(const char *directory, Store **ret, Error **reterr);
/* 1: it is that cluster file's, 0: nobody knows yet; a negative errno: another one's */
int store_claim(Store *s, const char *cluster_file, Error **reterr);
int store_claim_unused(Store *s, const char *cluster_file, Error **reterr);
/* Return: 0: all was so already, 1: something was made */
int store_generate(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now,
                   StoreReport report, void *userdata, Error **reterr);
/*
 * What store_generate() would do, and nothing done; 0: all is kept, 1: something would be made or reissued.
 */
int store_examine(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, StoreReport report,
                  void *userdata, Error **reterr);

typedef enum StoreRenewFlags {
        STORE_RENEW_DRY_RUN = 1 << 0, /* report what would be, write nothing */
} StoreRenewFlags;

/* Is this one to be renewed? outcome: what store_generate() would do; expires: notAfter, 0 if it is not made
 * yet. */
typedef bool (*StoreChoice)(void *userdata, const StoreRequest *request, StoreOutcome outcome,
                            int64_t expires);

/* Return: 0: nothing was to be renewed, 1: something was */
int store_renew(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now,
                StoreRenewFlags flags, StoreChoice choice, StoreReport report, void *userdata,
                Error **reterr);
/* What it holds now; NULL: nothing was changed since there are editions. The caller frees. */
char* store_edition(Store *s);
/* What it holds, or once held? ret_newer is set if not: by its number it comes after all that it did. */
bool store_knows_edition(Store *s, const char *edition, bool *ret_newer);
/* Names of entries; the caller frees. */
Strv store_unproven(Store *s, const StoreRequest *requests, size_t n_requests);
int store_settle(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                 Error **reterr);
int store_revert(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                 Error **reterr);

/* 1: something is being replaced; 0: nothing is, and ret is untouched */
int store_rotation(Store *s, Rotation *ret, Error **reterr);
int store_rotation_begin(Store *s, const StoreRequest *request, int64_t now, Error **reterr);
int store_rotation_advance(Store *s, RotationPhase phase, Error **reterr);
int store_rotation_end(Store *s, Error **reterr);
/* 2: it was (dry_run: would be) taken back; 1: it is among those of the store anyway; 0: nobody has kept it */
int store_secret_readmit(Store *s, const StoreRequest *request, unsigned number, bool dry_run,
                         Error **reterr);

/*
 * Each entry on its own, whatever is wrong with the others: what is there, and what store_generate() would
 * do with it.
 */
typedef struct StoreItem {
        const StoreRequest *request; /* lent */
        bool present;                /* at least one of its files is there */
        bool loose;                  /* its secret file may be read by others */
        bool external, sealed;       /* CA: its key is kept elsewhere; is under a passphrase */
        StoreOutcome outcome;
        CertificateFault fault; /* of a certificate that would be issued again */
        char *why;              /* or NULL: as for StoreReport */
        Error *error;           /* what is wrong with its files; the rest may then be unknown */
        X509 *certificate;      /* NULL: has none, or it cannot be read */
        const char *key_type;   /* "ec:p256", of the key that is there; lent; NULL as above */
} StoreItem;

typedef struct StoreItems {
        StoreItem *items; /* in the order of the requests */
        size_t n_items;
} StoreItems;

int store_inspect(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, StoreItems *ret,
                  Error **reterr);
void store_items_done(StoreItems *items);

/* Bytes of a file of the store by its store path ("ca.crt", "sa.pub", "nodes/c0/pki/apiserver.key",
 * "secrets/encryption-key", "admin.conf"), read once and kept. Lent. */
int store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
/* What stands for a secret in a digest: the key's SPKI fingerprint, for a kubeconfig a hash of its
 * certificate, CA and server, for secrets and for what is public one of the content. Lent. */
int store_fingerprint(Store *s, const char *path, const char **ret, Error **reterr);
/* A kubeconfig for somebody else, certified now and kept nowhere. */
int store_issue_user(Store *s, const StoreRequest *ca, const StoreRequest *user, int64_t now, Buffer *ret,
                     int64_t *ret_expires, Error **reterr);
/* Certificate and key in PEM of a certificate ("nodes/c0/pki/etcd/healthcheck-client") or of a kubeconfig
 * ("super-admin"). Checked to belong together. Lent. */
int store_credential(Store *s, const char *name, const Buffer **ret_certificate, const Buffer **ret_key,
                     Error **reterr);
/* A CA that was made elsewhere: PEM, and names for messages. */
typedef struct CaImport {
        const char *certificate_name, *key_name, *chain_name;
        const Buffer *certificate;
        const Buffer *key;   /* NULL: it is kept elsewhere */
        const Buffer *chain; /* NULL: it is a root */
} CaImport;

int store_import_ca(Store *s, const StoreRequest *requests, size_t n_requests, const char *name,
                    const CaImport *from, int64_t now, bool dry_run, Error **reterr);

/*
 * What a CA whose key is kept elsewhere has to certify: store_csr() makes a key and a signing request for
 * each, in pki/requests/NAME.key and .csr, and lets be those that are there and still ask for the right
 * thing. store_import() takes certificates as they come, in any order and number; each belongs to the
 * request whose key it certifies. The old pair stays in use until then.
 */
typedef void (*StoreCsrReport)(void *userdata, const StoreRequest *request, const char *path, bool made);

int store_csr(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, bool dry_run,
              StoreCsrReport report, void *userdata, Error **reterr);

typedef struct StoreAnswer {
        const char *name;  /* of the file, for messages */
        const Buffer *pem; /* one certificate or more; those of CAs are let be */
} StoreAnswer;

int store_import(Store *s, const StoreRequest *requests, size_t n_requests, const StoreAnswer *answers,
                 size_t n_answers, int64_t now, bool dry_run, StoreReport report, void *userdata,
                 ErrorList *errors);

/* Whether the key of a CA is no business of the nodes: it is kept elsewhere, or under a passphrase. */
bool store_ca_key_stays(Store *s, const char *name);
bool store_ca_has_chain(Store *s, const char *name);
/* Nodes that the store has something for, whatever the cluster file says by now; and what addresses one of its
 * certificates is good for, and was before: those that are given up are kept in pki/former. */
Strv store_nodes(const Store *s);
int store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr);
int store_forget_former(Store *s, const char *path, Error **reterr); /* nothing is there any more */
char* store_path(const Store *s, const char *path); /* where that file lies; the caller frees */
/* Looked at before each key, and while one is made: then what is made by then is published, and the call fails with
 * -ECANCELED (ERROR_TEMPORARY). Lent. */
void store_set_cancelled(Store *s, const volatile int *cancelled);
void store_set_passphrase(Store *s, StoreAsk ask, void *userdata);
void store_protect(Store *s, const char *ca);
Store* store_free(Store *s);
DEFINE_CLEANUP(Store*, store_free)
