/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"
#include "fetch/signature.h"

/*
 * Signature and certificate of a program, as they are published, once they were found right:
 * CACHE/papers/ABCDEF....sig and .cert, by the program's digest
 *
 * They are of no more use here; a bundle takes them to where they are verified again. So nobody believes what lies
 * there: what is only half there, damaged, or of two signings (as the two are written one after the other) is not
 * there, and is fetched again for the next bundle.
 */
typedef struct KeptPapers {
        Buffer signature, certificate;
} KeptPapers;

#define KEPT_PAPERS "papers"
#define KEPT_SIGNATURE ".sig"
#define KEPT_CERTIFICATE ".cert"

int kept_write(const char *cache, const char *sha256, const Buffer *signature, const Buffer *certificate,
               Error **reterr);
bool kept_read(const char *cache, const char *sha256, const SignatureTrust *trust, KeptPapers *ret);
bool kept_have(const KeptPapers *k);
void kept_done(KeptPapers *k);
