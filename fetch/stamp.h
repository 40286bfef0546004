/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * Looking for the version that a program was stamped with, in its bytes while they arrive
 *
 * Go programs carry their version as text. That of Kubernetes is put there by the linker (-X
 * k8s.io/component-base/version.gitVersion=v1.36.3), with a NUL behind it: STAMP_LINKED. That of etcd is a
 * constant of its source (api/version/version.go, without the "v"), and the compiler lays constants end to end,
 * so anything may stand around it: STAMP_CONSTANT counts it as found unless what is around makes it a piece of
 * another version.
 */
typedef enum StampForm {
        STAMP_LINKED,
        STAMP_CONSTANT,
} StampForm;

#define STAMP_TEXT_MAX 64U

typedef struct Stamp {
        StampForm form;
        char text[STAMP_TEXT_MAX]; /* what is looked for */
        size_t size;               /* of it; 0: nothing is, and that is found */
        char tail[STAMP_TEXT_MAX + 4];
        size_t tail_size; /* of what was seen last: the text may lie across two pieces */
        bool found;
} Stamp;

void stamp_init(Stamp *s, StampForm form, const char *version); /* "v1.36.3" */
void stamp_clear(Stamp *s);                                     /* the bytes begin anew */
void stamp_add(Stamp *s, const void *data, size_t size);
bool stamp_found(Stamp *s); /* in all that was added */
