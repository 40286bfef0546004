/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/* The name of a credential in the store, without ending; node is looked at where the scope is PER_NODE. */
char* credential_store_name(const Credential *credential, const Node *node);
