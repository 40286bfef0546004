/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"
#include "verify/pki.h"

/* The three sights of pki_check_run(), private to verify/. */
void pki_check_store(const PkiCheckRequest *q, const StoreRequests *requests, const StoreItems *items,
                     CheckList *checks);
void pki_check_node(const PkiCheckRequest *q, HostPool *hosts, const Node *node, CheckList *checks);
void pki_check_served(const PkiCheckRequest *q, HostPool *hosts, const StoreRequests *requests,
                      const Component *component, const ServedCertificate *row, const Node *node,
                      CheckList *checks);

/* How a certificate's remaining life is to be judged, and said: "until 2027-10-18, 320 days". */
CheckState pki_judge_life(const PkiCheckRequest *q, X509 *x, char **ret_text);
void pki_set_life(const PkiCheckRequest *q, Check *check, X509 *x);
