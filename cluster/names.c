/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/cluster.h"

#include "common/alloc.h"

/* The enumerations of the cluster file as they are spelled there. */

static const char *const architectures[_ARCH_MAX] = {
        [ARCH_ARM64] = "arm64",
        [ARCH_AMD64] = "amd64",
};

static const char *const key_types[_KEY_TYPE_MAX] = {
        [KEY_EC_P256] = "ec:p256",   [KEY_EC_P384] = "ec:p384",   [KEY_RSA_2048] = "rsa:2048",
        [KEY_RSA_3072] = "rsa:3072", [KEY_RSA_4096] = "rsa:4096",
};

/**
 * architecture_to_string() - the name that Kubernetes and Debian give an architecture
 * @a:          the architecture
 *
 * Return: "arm64" or "amd64"; NULL for anything else.
 */
const char* architecture_to_string(Architecture a) {
        return a >= 0 && a < _ARCH_MAX ? architectures[a] : NULL;
}

/**
 * architecture_from_string() - read the name of an architecture
 * @s:          as Kubernetes and Debian call it, or as uname(2) does
 *
 * Return: the architecture, or _ARCH_INVALID.
 */
Architecture architecture_from_string(const char *s) {
        for (Architecture a = 0; a < _ARCH_MAX; a++)
                if (streq(s, architectures[a]))
                        return a;
        if (streq(s, "aarch64"))
                return ARCH_ARM64;
        if (streq(s, "x86_64"))
                return ARCH_AMD64;
        return _ARCH_INVALID;
}

/**
 * key_type_to_string() - the name of a type of key
 * @t:          the type
 *
 * Return: "ec:p256", "rsa:2048", ...; NULL for anything else.
 */
const char* key_type_to_string(KeyType t) {
        return t >= 0 && t < _KEY_TYPE_MAX ? key_types[t] : NULL;
}

/**
 * key_type_from_string() - read the name of a type of key
 * @s:          "ec:p256", "rsa:2048", ...
 *
 * Return: the type, or _KEY_TYPE_INVALID.
 */
KeyType key_type_from_string(const char *s) {
        for (KeyType t = 0; t < _KEY_TYPE_MAX; t++)
                if (streq(s, key_types[t]))
                        return t;
        return _KEY_TYPE_INVALID;
}

/**
 * node_role_to_string() - the name of a role
 * @role:       exactly one role
 *
 * Return: "controller", "etcd" or "loadbalancer"; NULL for anything else.
 */
const char* node_role_to_string(NodeRole role) {
        switch (role) {
        case ROLE_CONTROLLER:
                return "controller";
        case ROLE_ETCD:
                return "etcd";
        case ROLE_LOADBALANCER:
                return "loadbalancer";
        default:
                return NULL;
        }
}
