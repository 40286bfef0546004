/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"

/*
 * Which etcd goes with which Kubernetes: the minor that kubeadm pairs it with, in the newest patch level
 * known to work. Patch levels below the floor have holes that a control plane should not run with
 * (GHSA-xg4h-6gfc-h4m8, GHSA-6vch-q96h-7gc3, GHSA-3wh4-j44w-pg92); they are warned about, not refused.
 */
static const struct {
        unsigned kubernetes_minor;
        Version etcd, etcd_floor;
} pairings[] = {
        { 34, { 3, 6, 16 }, { 3, 6, 14 } },
        { 35, { 3, 6, 16 }, { 3, 6, 14 } },
        { 36, { 3, 6, 16 }, { 3, 6, 14 } },
        { 37, { 3, 7, 3 }, { 3, 7, 1 } },
};

/* Longer numbers are no version anybody released, and would not fit VERSION_TEXT_SIZE. */
#define VERSION_NUMBER_MAX 99999u

/**
 * version_parse() - read a version
 * @s:          "v1.36.3", or the same without the "v"
 * @ret:        the version
 *
 * Pre-releases and build metadata are refused: hardway installs releases.
 *
 * Return: 0, or -EINVAL.
 */
int version_parse(const char *s, Version *ret) {
        unsigned numbers[3];

        if (*s == 'v')
                s++;

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                size_t n = i < 2 ? strcspn(s, ".") : strlen(s);
                _cleanup_free_ char *part = xstrndup(s, n);

                if ((i < 2 && s[n] != '.') || (part[0] == '0' && part[1]))
                        return -EINVAL;
                if (parse_unsigned(part, 0, VERSION_NUMBER_MAX, &numbers[i]) < 0)
                        return -EINVAL;
                s += n + (i < 2);
        }

        *ret = (Version) { numbers[0], numbers[1], numbers[2] };
        return 0;
}

/**
 * version_format() - write a version into a buffer
 * @v:          the version
 * @buffer:     where to
 *
 * Return: @buffer.
 */
const char* version_format(const Version *v, char buffer[static VERSION_TEXT_SIZE]) {
        snprintf(buffer, VERSION_TEXT_SIZE, "v%u.%u.%u", v->major, v->minor, v->patch);
        return buffer;
}

/**
 * version_to_string() - write a version
 * @v:          the version
 *
 * Return: "v1.36.3"; the caller frees.
 */
char* version_to_string(const Version *v) {
        char buffer[VERSION_TEXT_SIZE];

        return xstrdup(version_format(v, buffer));
}

/**
 * version_compare() - order two versions
 * @a:          one
 * @b:          the other
 *
 * Return: less than, equal to or greater than 0, as @a is older than, the same as or newer than @b.
 */
int version_compare(const Version *a, const Version *b) {
        if (a->major != b->major)
                return a->major < b->major ? -1 : 1;
        if (a->minor != b->minor)
                return a->minor < b->minor ? -1 : 1;
        if (a->patch != b->patch)
                return a->patch < b->patch ? -1 : 1;
        return 0;
}

/**
 * version_kubernetes_supported() - whether hardway's tables know this Kubernetes
 * @v:          the version
 *
 * Return: true or false.
 */
bool version_kubernetes_supported(const Version *v) {
        return v->major == 1 && v->minor >= VERSION_KUBERNETES_MINOR_FIRST &&
               v->minor <= VERSION_KUBERNETES_MINOR_LAST;
}

static size_t pairing_index(const Version *kubernetes) {
        for (size_t i = 0; i < ARRAY_SIZE(pairings); i++)
                if (pairings[i].kubernetes_minor == kubernetes->minor)
                        return i;
        return ARRAY_SIZE(pairings) - 1;
}

/**
 * version_etcd_for() - the etcd that is installed with a Kubernetes
 * @kubernetes: a supported version
 *
 * Return: the version of etcd.
 */
Version version_etcd_for(const Version *kubernetes) {
        return pairings[pairing_index(kubernetes)].etcd;
}

/**
 * version_etcd_floor() - the oldest etcd without known holes that goes with a Kubernetes
 * @kubernetes: a supported version
 *
 * Return: the version of etcd.
 */
Version version_etcd_floor(const Version *kubernetes) {
        return pairings[pairing_index(kubernetes)].etcd_floor;
}

/**
 * version_etcd_supported() - whether an etcd goes with a Kubernetes
 * @etcd:       the version of etcd
 * @kubernetes: a supported version of Kubernetes
 *
 * Return: true if it is of the minor in the pairing table.
 */
bool version_etcd_supported(const Version *etcd, const Version *kubernetes) {
        const Version *v = &pairings[pairing_index(kubernetes)].etcd;

        return etcd->major == v->major && etcd->minor == v->minor;
}

/**
 * version_step() - what lies between two versions of the same program
 * @from:       what runs
 * @to:         what is wanted
 *
 * Return: which step it is, by minor versions.
 */
VersionStep version_step(const Version *from, const Version *to) {
        if (from->major != to->major)
                return from->major < to->major ? VERSION_STEP_FAR : VERSION_STEP_BACK;
        if (from->minor == to->minor)
                return VERSION_STEP_NONE;
        if (from->minor > to->minor)
                return VERSION_STEP_BACK;
        return from->minor + 1 == to->minor ? VERSION_STEP_NEXT : VERSION_STEP_FAR;
}

/**
 * version_etcd_step_floor() - from which etcd a step to another minor version begins
 * @to:         where it goes
 *
 * Members of both run beside each other for a while, and the older must know what the newer sends: etcd.io,
 * "Upgrade etcd from v3.6 to v3.7".
 *
 * Return: the oldest version, or 0.0.0 if there is no such bound.
 */
Version version_etcd_step_floor(const Version *to) {
        return to->major == 3 && to->minor == 7 ? (Version) { 3, 6, 11 } : (Version) {};
}
