/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

#include "common/fs.h"
#include "pki/key-internal.h"
#include "pki/kubeconfig.h"
#include "pki/store.h"

/* What the files store*.c share. */

#define STORE_LOCK "pki/.lock"
#define STORE_PENDING "pki/.pending"
#define STORE_PREVIOUS "pki/.previous"
#define STORE_FORMER "pki/former"
#define STORE_RETIRED "pki/retired"
#define STORE_SECRETS "secrets/" /* both in the store and in the cluster directory */
#define STORE_KEY_MODE 0600
#define STORE_PUBLIC_MODE 0644
#define STORE_DIRECTORY_MODE 0700
#define STORE_SECRET_SIZE_MAX 1024
#define STORE_PENDING_SIZE_MAX (1024 * 1024)

typedef struct StoreFile {
        char *path; /* in the store */
        Buffer data;
        char *fingerprint; /* or NULL: not asked for yet */
} StoreFile;

struct Store {
        pthread_mutex_t mutex; /* recursive; held by whoever reads */
        char *directory;
        char *cluster_file;            /* whose it is, see store_claim(); or NULL */
        const volatile int *cancelled; /* or NULL; lent */
        StoreAsk ask;                  /* for a passphrase; or NULL */
        void *ask_userdata;
        char *passphrase;  /* once it is known */
        Strv protect;      /* names of CAs whose keys are to be put under it */
        StoreFile **files; /* pointers: what was lent must not move */
        size_t n_files;
        Rotation rotation; /* name NULL: none */
        bool rotation_known;
        size_t n_stale; /* the first so many are kept for those who borrowed them, not looked at */
};

/* store-file.c */
Store* store_enter(Store *s);
void store_leave(Store **s);
/* For the rest of the scope. */
#define STORE_LOCKED(s) _cleanup_(store_leave) _unused_ Store *_locked_ = store_enter(s)
char* store_path_in_directory(const Store *s, const char *relative);
/* 0: absent, 1: read or known */
int store_read(Store *s, const char *path, StoreFile **ret, Error **reterr);
StoreFile* store_keep(Store *s, const char *path, Buffer *data); /* takes the data */
void store_forget(Store *s);                                     /* what was read may have changed on disk */

/* One request while it is looked at and carried out. */
typedef struct StoreEntry {
        const StoreRequest *request;
        StoreOutcome outcome;
        char *why;
        bool present;  /* at least one of its files is there */
        bool loose;    /* its secret file may be read by others */
        EVP_PKEY *key; /* of a CA or key pair; of all else when it has been made */
        X509 *certificate;
        int64_t expires;
        const char *key_type; /* of the key that is there; NULL: none */
        CertificateFault fault;
        bool external; /* CA: its key is kept elsewhere */
        bool sealed;   /* CA: its key is under a passphrase; key is NULL until it is needed */
        Buffer above;  /* CA: what servers show behind their own certificate, in PEM; empty for a root */
        Error *error;  /* what is wrong with its files, where the run goes on nevertheless */
} StoreEntry;

typedef struct EntryFiles {
        StoreFile *secret, *public; /* NULL: absent */
        char *secret_name, *public_name;
} EntryFiles;

typedef struct StoreRun {
        Store *store;
        StoreEntry *entries;
        size_t n_entries;
        int64_t now;
        bool tolerant; /* what is wrong with an entry stays with it, instead of ending the run */
        KeyMaker maker;
        Strv pending; /* names of pairs that a killed run was replacing */
} StoreRun;

/* store.c */
int store_lock(const Store *s, Error **reterr); /* >= 0: the caller closes */
/* Tells of each entry. Return: 1 if something is other than it was. */
int store_run_report(const StoreRun *run, StoreReport report, void *userdata);
void store_run_done(StoreRun *run);
char* store_entry_secret_path(const StoreRequest *r); /* the file that must not be read by others */
char* store_entry_public_path(const StoreRequest *r); /* the other one, or NULL */
StoreEntry* store_run_find_ca(const StoreRun *run, const char *name);

/* store-rotation.c: what paths stand for while a CA or key pair is being replaced */
int store_rotation_read(Store *s, const char *path, Buffer *ret, Error **reterr);
char* store_rotation_path(Store *s, const char *path); /* of the file on disk that is meant */
char* store_signing_path(const char *path);            /* "etcd/signing-ca.crt" of "etcd/ca.crt" */
bool store_is_rotated(Store *s, const char *name);
int store_stage_rotated(Store *s, FsBatch *batch, Error **reterr);

/* store-examine.c */
int store_run_examine(StoreRun *run, const StoreRequest *requests, size_t n_requests, Error **reterr);
int store_entry_key(StoreEntry *e, const EntryFiles *f, EVP_PKEY **ret, Error **reterr);
int store_bad_file(Error **reterr, const char *name, const char *problem);

/* store-ca.c: CAs, also those that were not made here */
int store_examine_ca(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr);
/* Its certificate as it stands in the file, and those above it up to the root; nothing if there is none. */
int store_ca_bundle(Store *s, const char *name, Buffer *ret, Error **reterr);
char* store_ca_path(const char *name, const char *ending); /* in the store */

/* store-seal.c: keys of CAs under a passphrase */
bool store_seals(const Store *s, const StoreEntry *e); /* whether this key is to be written under it */
int store_open_key(Store *s, const char *name, const Buffer *pem, EVP_PKEY **ret, Error **reterr);
int store_open_keys(StoreRun *run, Error **reterr); /* those that this run needs */

/* store-request.c: signing requests and their keys, in pki/requests */
char* store_request_path(const StoreRequest *request, const char *ending); /* in the store */
int store_request_key(Store *s, const StoreRequest *request, EVP_PKEY **ret, Error **reterr); /* 0: none */
int store_request_remove(const Store *s, const StoreRequest *request, Error **reterr);

/* store-serial.c: no two certificates of one CA may bear one number */
int store_check_serials(StoreRun *run, Error **reterr);
/* store-stage.c */
int store_stage(FsBatch *batch, const char *path, const Buffer *data, mode_t mode, FsFlags flags,
                Error **reterr);
/* pki/.pending with the names of pairs that are about to be replaced, before them in the batch. */
int store_stage_pending(const Store *s, FsBatch *batch, char *const *names, Error **reterr);
int store_publish(const Store *s, FsBatch *batch, Error **reterr); /* ... of which none is left then */

/* store-former.c: where owners of certificates were before these were issued for other addresses */
int store_stage_former(StoreRun *run, FsBatch *batch, const StoreEntry *e, Error **reterr);
void store_add_former(Store *s, const char *path, CertificateProfile *ret);

/* store-history.c */
int store_stage_edition(Store *s, FsBatch *batch, Error **reterr); /* before what is new */

/* store-owner.c */
int store_record_owner(const Store *s, Error **reterr);

/* store-tidy.c */
int store_tidy(StoreRun *run, Error **reterr); /* modes of directories and secrets */
void store_sweep(const StoreRun *run);         /* temporaries that a killed run left: under the lock */

/* store-secret.c */
int store_secret_draw(const StoreRequest *request, Buffer *out, Error **reterr);
int store_secret_next(Store *s, const StoreRequest *request, Buffer *ret, Error **reterr);

/* store-issue.c */
int store_stage_leaf(StoreRun *run, FsBatch *batch, const StoreEntry *e, Error **reterr);
int store_kubeconfig_text(StoreRun *run, const StoreEntry *e, const StoreEntry *ca, Buffer *ret,
                          Error **reterr);
int store_make_key(StoreRun *run, const StoreRequest *request, EVP_PKEY **ret, Error **reterr);
int store_make_pair(StoreRun *run, StoreEntry *e, const StoreEntry *ca, Error **reterr);
int store_check_above(const StoreEntry *ca, X509 *x,
                      Error **reterr); /* the CAs above may be limited to names */
int store_run_issue(StoreRun *run, Error **reterr);
