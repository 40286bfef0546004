/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * The table of verbs, in the order of --help and of the man page: X(install) is verb_install, of
 * verb-install.c.
 */
#define VERBS(X)          \
        X(init)           \
        X(check)          \
        X(fetch)          \
        X(plan)           \
        X(install)        \
        X(verify)         \
        X(status)         \
        X(kubeconfig)     \
        X(explain)        \
        X(reset)          \
        X(backup)         \
        X(restore)        \
        X(pki_gen)        \
        X(pki_list)       \
        X(pki_check)      \
        X(pki_renew)      \
        X(pki_rotate_ca)  \
        X(pki_rotate_sa)  \
        X(pki_rotate_key) \
        X(pki_import_ca)  \
        X(pki_csr)        \
        X(pki_import)     \
        X(etcd_members)   \
        X(etcd_snapshot)  \
        X(etcd_restore)   \
        X(etcd_replace)   \
        X(etcd_defrag)

#define VERB_DECLARE(name) extern const Verb verb_##name;
VERBS(VERB_DECLARE)
#undef VERB_DECLARE

#define VERBS_MAX 64

extern const Verb *const verbs[]; /* ended by NULL */

char* verb_group_help(const char *name);
int verb_find(int argc, char **argv, const Verb **ret, Error **reterr);
