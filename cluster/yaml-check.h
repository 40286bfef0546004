/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <yaml.h>

#include "cluster/problems.h"

/*
 * YAML, reduced to what a cluster file needs, before anybody looks at the content
 *
 * yaml_check() refuses what is too large, not UTF-8, nested too deeply, more than one document, and the
 * parts of YAML that let a file say one thing and mean another: anchors, aliases, tags, directives. What
 * passes is a tree of mappings, lists and texts that libyaml loads in linear time.
 */

#define YAML_DEPTH_MAX 16

int yaml_check(Problems *p, const char *data, size_t size);
int yaml_load(Problems *p, const char *data, size_t size, yaml_document_t *ret); /* the caller deletes */

static inline Mark mark_of(const yaml_mark_t *m) {
        return (Mark) { (int) m->line + 1, (int) m->column + 1 };
}
