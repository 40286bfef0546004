/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * Signatures of Kubernetes' releases: NAME.sig and NAME.cert beside every binary
 *
 * They are made without a lasting key ("keyless", Sigstore): whoever releases proves to an authority, Fulcio,
 * who they are, gets a certificate for ten minutes, signs with its key, and throws the key away. What is verified
 * here is that
 *      - the signature is that of the certificate's key over the file (ECDSA over its SHA-256),
 *      - the certificate is for signing code, and Fulcio issued it: up to the root that is compiled in, at the time
 *        when it was issued,
 *      - Fulcio issued it to the account that releases Kubernetes, as its identity provider told.
 *
 * The limit: that the signature was made within those ten minutes, and that everybody could see the certificate
 * being issued, stands in public logs (Rekor, the certificate transparency log), which are asked by other programs
 * (cosign) and not here. So a key that was stolen and not thrown away, or a Fulcio that was deceived in silence,
 * would not be noticed.
 */
typedef struct SignatureTrust {
        const char *authorities; /* PEM; the first is the root, the others lead to it */
        const char *identity;    /* to whom certificates are issued: the mail address in them */
        const char *issuer;      /* who told so: extension 1.3.6.1.4.1.57264.1.8, or its older form .1.1 */
} SignatureTrust;

extern const SignatureTrust signature_trust_kubernetes;

#define SIGNATURE_SIZE_MAX (4U * 1024)
#define SIGNATURE_CERTIFICATE_SIZE_MAX (32U * 1024)

/* Both as they are published: base64 of the signature, base64 of the PEM text (or that text itself). */
int signature_check(const SignatureTrust *trust, const char *sha256, const Buffer *signature,
                    const Buffer *certificate, Error **reterr);
