/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "common/buffer.h"
#include "common/error.h"

/*
 * JSON is jansson's; here is what every user of it would repeat: strict reading with an Error that says
 * where, member access that does not crash on a hostile document, and the same tree written as block YAML
 * (by libyaml's emitter, every string quoted, so that nothing is ever read as another type).
 */

/* A flag of json_dumps(): as many digits as a double keeps; with two more 0.1 becomes 0.10000000000000001. */
#define JSON_REALS JSON_REAL_PRECISION(15)

#define _cleanup_json_ _cleanup_(json_decrefp)

int json_parse(const char *what, const void *data, size_t size, json_t **ret, Error **reterr);
const char* json_text(const json_t *object, const char *key);       /* NULL if absent or not a string */
const char* json_path_text(const json_t *object, const char *path); /* "spec.holderIdentity" */
json_t* json_path(const json_t *object, const char *path);          /* lent, NULL if absent */
uint64_t json_uint64(const json_t *object, const char *key);        /* or of a string; 0 if absent */
json_t* json_seconds(uint64_t usec);                                /* of milliseconds: 0.023 */
json_t* json_latency(uint64_t usec);                                /* of microseconds: 0.000412 */
void json_write(const json_t *tree, Buffer *out);                   /* indented by 2, sorted, newline */
void json_write_yaml(const json_t *tree, const char *comment, Buffer *out); /* may be NULL */
