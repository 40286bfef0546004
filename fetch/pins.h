/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/fetch.h"
#include "fetch/layout.h"

/*
 * Digests that a person gave for this run, by name: of a binary ("kubectl"), also of one that comes in an archive
 * ("etcdctl"), or of the archive itself, by its file name
 */
const char* pins_find(const FetchOptions *o, const FetchRequest *request);
const char* pins_find_archive(const FetchOptions *o, const Layout *layout);
int pins_check(const FetchOptions *o, const FetchRequest *requests, size_t n_requests, const Lock *lock,
               Error **reterr);
