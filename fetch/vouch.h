/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/fetch.h"

/*
 * Whose word is enough for what comes from a mirror or a bundle
 *
 * Their own checksums show that nothing was damaged on the way, and nothing else. Every release of Kubernetes that
 * is supported is signed, so its programs need a signature that holds, or a digest that this program knows
 * (fetch/known.c), or that somebody has said: the lock, or the caller, by --sha256 or --accept-mirror. etcd's
 * releases are not signed: the digest of its archive may be known, and if it is not there is nothing to ask for. Of
 * what a bundle has of etcd that cannot be told either, as the archive is not in it.
 */
bool vouch_needed(const FetchRequest *request, const char *sha256);
int vouch_refuse(const char *who, const char *accept, const FetchRequest *request, const char *sha256,
                 Error **reterr);
