/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* What verbs about keys and certificates share: names of CAs on the command line, and files given there. */

/* "cluster", "etcd", "front-proxy" for "ca", "etcd/ca", "front-proxy-ca"; the caller frees. */
char* pki_ca_word(const char *name);
/* The CA of that word, or of its name in the store; lent by the requests. */
int pki_find_ca(const StoreRequest *requests, size_t n_requests, const char *word, const StoreRequest **ret,
                Error **reterr);
int pki_read_file(const char *path, size_t limit, Buffer *ret, Error **reterr); /* the caller wipes */
