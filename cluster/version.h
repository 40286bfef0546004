/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/* A released version of Kubernetes or etcd, vMAJOR.MINOR.PATCH, and the table of what hardway supports. */
typedef struct Version {
        unsigned major, minor, patch;
} Version;

#define VERSION_TEXT_SIZE 36

int version_parse(const char *s, Version *ret); /* "v1.36.3" or "1.36.3"; -EINVAL */
const char* version_format(const Version *v, char buffer[static VERSION_TEXT_SIZE]); /* "v1.36.3" */
char* version_to_string(const Version *v);
int version_compare(const Version *a, const Version *b);

#define VERSION_KUBERNETES_DEFAULT ((Version) { 1, 36, 3 })
#define VERSION_KUBERNETES_MINOR_FIRST 34u
#define VERSION_KUBERNETES_MINOR_LAST 37u

bool version_kubernetes_supported(const Version *v);
Version version_etcd_for(const Version *kubernetes); /* the pairing table: 1.34-1.36 v3.6.16, 1.37 v3.7.3 */
Version version_etcd_floor(const Version *kubernetes); /* older patch levels have known holes: a warning */
/* From what runs to what is wanted, by minor versions. */
typedef enum VersionStep {
        VERSION_STEP_NONE, /* the same minor version, whatever patch level */
        VERSION_STEP_NEXT, /* the next one */
        VERSION_STEP_FAR,  /* further than that */
        VERSION_STEP_BACK,
} VersionStep;

VersionStep version_step(const Version *from, const Version *to);
/* The oldest etcd from which a step to the minor version of another may be taken; 0.0.0: any of the minor before. */
Version version_etcd_step_floor(const Version *to);
bool version_etcd_supported(const Version *etcd, const Version *kubernetes);
