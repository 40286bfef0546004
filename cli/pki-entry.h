/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "plan/placement.h"

/*
 * Entries of the store as people and scripts see them: what each is, whom it names, how long it holds, and
 * where it goes. All of it comes from the store and from what components declare.
 */
typedef struct PkiEntries {
        int64_t now;
        StoreRequests requests;
        StoreItems items;
        Placements placements;
} PkiEntries;

int pki_entries_load(VerbContext *v, PkiEntries *ret, Error **reterr);
void pki_entries_done(PkiEntries *e);

const char* pki_type_name(StoreEntryType type); /* "CA", "certificate", "kubeconfig", "key pair", "secret" */
const char* pki_state_name(const StoreItem *item); /* "valid", "missing", "broken", "due", "waits" */
Style pki_state_style(const StoreItem *item);
/* "ec:p256", and where the key is if that is not plain; the caller frees. */
char* pki_key_text(const StoreItem *item);
const char* pki_problem(const StoreItem *item); /* lent; NULL: nothing to say */
char* pki_names(const StoreItem *item);         /* "a, b, 10.0.0.1"; "" if it has none */
char* pki_date(int64_t seconds);                /* "2027-10-18"; "" for 0 */
char* pki_places(const PkiEntries *e, size_t i, bool whose, const char *separator); /* "PATH on c0, c1" */
json_t* pki_entry_to_json(const VerbContext *v, const PkiEntries *e, size_t i);
