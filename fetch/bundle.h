/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the writer and the reader of bundles have to agree on, see fetch/bundle.c; the functions are in fetch/fetch.h. */
#define BUNDLE_LOCK "hardway.lock" /* the first member */
#define BUNDLE_FILES \
        "sha256/" /* in front of a digest; KEPT_SIGNATURE or KEPT_CERTIFICATE may be behind it */
