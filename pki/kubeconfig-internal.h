/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/json.h"

/*
 * kubeconfig-yaml.c: one YAML document as a tree of objects, arrays and strings; every scalar is a string.
 */
int kubeconfig_read_yaml(const char *what, const void *data, size_t size, json_t **ret, Error **reterr);
