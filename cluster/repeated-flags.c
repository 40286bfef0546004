/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/flag-rules.h"

#include "common/alloc.h"

/*
 * Flags that take each of several values (the types strings, stringArray, int32Slice, namedCertKey and the maps in
 * what `--help` of the programs prints, Kubernetes 1.36). Of any other the last one counts and those before
 * are lost without a word. etcd has none: its lists are one value with commas.
 */
static const struct {
        unsigned components;
        const char *name;
} repeated[] = {
        { FLAG_KUBERNETES, "allow-metric-labels" },
        { FLAG_KUBERNETES, "disabled-metrics" },
        { FLAG_KUBERNETES, "emulated-version" },
        { FLAG_KUBERNETES, "feature-gates" },
        { FLAG_KUBERNETES, "min-compatibility-version" },
        { FLAG_KUBERNETES, "requestheader-allowed-names" },
        { FLAG_KUBERNETES, "requestheader-extra-headers-prefix" },
        { FLAG_KUBERNETES, "requestheader-group-headers" },
        { FLAG_KUBERNETES, "requestheader-uid-headers" },
        { FLAG_KUBERNETES, "requestheader-username-headers" },
        { FLAG_KUBERNETES, "tls-cipher-suites" },
        { FLAG_KUBERNETES, "tls-curve-preferences" },
        { FLAG_KUBERNETES, "tls-sni-cert-key" },

        { FLAG_APISERVER, "api-audiences" },
        { FLAG_APISERVER, "authorization-mode" },
        { FLAG_APISERVER, "cors-allowed-origins" },
        { FLAG_APISERVER, "disable-admission-plugins" },
        { FLAG_APISERVER, "enable-admission-plugins" },
        { FLAG_APISERVER, "etcd-servers-overrides" },
        { FLAG_APISERVER, "kubelet-preferred-address-types" },
        { FLAG_APISERVER, "runtime-config" },
        { FLAG_APISERVER, "service-account-issuer" },
        { FLAG_APISERVER, "service-account-key-file" },
        { FLAG_APISERVER, "strict-transport-security-directives" },
        { FLAG_APISERVER, "watch-cache-sizes" },

        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "authorization-always-allow-paths" },
        { FLAG_CONTROLLER_MANAGER, "controllers" },
};

/**
 * repeated_flag() - whether a flag may be given several times
 * @component:  whose flag it is
 * @name:       without dashes
 *
 * Return: true if each of its values counts.
 */
bool repeated_flag(FlagComponent component, const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(repeated); i++)
                if ((repeated[i].components & component) && streq(repeated[i].name, name))
                        return true;
        return false;
}
