/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/certificate.h"

/* certificate-check.c: why its names are not exactly those of the profile, NULL if they are */
char* certificate_check_names(X509 *x, const CertificateProfile *profile);

/* Parts of issuing that signing requests have, too; whether it worked. */
bool certificate_set_subject(X509_NAME *name, const CertificateProfile *profile);
bool certificate_add_extensions(X509 *x, const CertificateProfile *profile, EVP_PKEY *key);
int certificate_check_constraints(X509 *x, X509 *issuer, Error **reterr);

/*
 * certificate_issue() for the store, which writes it down and is done with it: X509_get0_pubkey() does not
 * work on what comes out, since decoding the key costs more than all the rest (see pki/key-internal.h). That
 * the issuer's key belongs to its certificate has been looked at before.
 */
int certificate_make(const CertificateProfile *profile, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                     int64_t now, X509 **ret, Error **reterr);
