/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/version.h"

/*
 * What is known of flags that a user may want to give: those that a component no longer has, with what to
 * use instead, and those that hardway has to set itself.
 */
typedef enum FlagComponent {
        FLAG_APISERVER = 1 << 0,
        FLAG_CONTROLLER_MANAGER = 1 << 1,
        FLAG_SCHEDULER = 1 << 2,
        FLAG_ETCD = 1 << 3,
        FLAG_KUBERNETES = FLAG_APISERVER | FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER,
} FlagComponent;

typedef struct RemovedFlag {
        unsigned components;
        const char *name;   /* a trailing "*" stands for any rest */
        const char *value;  /* only with this value, or this word of a list; NULL: with any */
        unsigned minor;     /* gone since 1.N of Kubernetes, 3.N of etcd; 0: since long */
        bool deprecated;    /* still accepted then, with a warning of its own */
        const char *advice; /* what to do instead */
} RemovedFlag;

typedef struct OwnedFlag {
        unsigned components;
        const char *name;  /* as above */
        const char *value; /* only with this value; NULL: with any */
        const char *why;   /* and what to use instead */
} OwnedFlag;

/*
 * value: NULL for a bare flag; minor: of Kubernetes, or of etcd for its flags. NULL if there is no such row.
 */
const RemovedFlag* removed_flag(FlagComponent component, const char *name, const char *value,
                                unsigned minor);
bool flag_name_matches(const char *pattern, const char *name); /* the pattern is that of a row */
const OwnedFlag* owned_flag(FlagComponent component, const char *name, const char *value);
bool repeated_flag(FlagComponent component, const char *name); /* each of several values counts */
#define FLAG_N_COMPONENTS 4
extern const char *const flag_component_names[FLAG_N_COMPONENTS + 1]; /* ended by NULL */
FlagComponent flag_component(const char *name);                       /* 0: none of ours */
