/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/fetch.h"

/* What is published beside a file. Only PAPER_SHA256 has to be there. */
typedef enum PaperKind {
        PAPER_SHA256,
        PAPER_SHA512,
        PAPER_SIGNATURE,
        PAPER_CERTIFICATE,
        _PAPER_MAX,
} PaperKind;

/*
 * Where things lie: the official sites, and a mirror that has both under one base
 *
 *      dl.k8s.io                                       MIRROR
 *          release/VERSION/bin/linux/ARCH/NAME             release/VERSION/bin/linux/ARCH/NAME
 *          release/VERSION/bin/linux/ARCH/NAME.sha256      release/VERSION/bin/linux/ARCH/NAME.sha256
 *              and .sha512, .sig, .cert                        and .sha512, .sig, .cert
 *      github.com/etcd-io/etcd/releases/download
 *          VERSION/etcd-VERSION-linux-ARCH.tar.gz          etcd/VERSION/etcd-VERSION-linux-ARCH.tar.gz
 *          VERSION/SHA256SUMS                              etcd/VERSION/SHA256SUMS
 *
 * Binaries of one archive share a Layout; layout_same() says which requests those are.
 */
typedef struct Layout {
        char *label;              /* "kube-apiserver", "etcd": what is downloaded, for people */
        char *file;               /* path below the base */
        char *papers[_PAPER_MAX]; /* paths below the base; NULL: not published for such files */
        char *basename;           /* the file's name, as the checksum file has it */
        char *folder;             /* in the archive: "etcd-v3.6.16-linux-arm64"; NULL: not an archive */
} Layout;

#define LAYOUT_NULL ((Layout) {})

int layout_check(const FetchRequest *request, Error **reterr); /* values that are safe in paths and URLs */
bool layout_same(const FetchRequest *a, const FetchRequest *b);
void layout_init(const FetchRequest *request, bool mirror, Layout *ret);
void layout_done(Layout *l);
const char* layout_official(ArtifactOrigin origin); /* base URL, without a slash at the end */
int layout_check_mirror(const char *url, char **ret_base,
                        Error **reterr); /* https:// or file://; the caller frees */
