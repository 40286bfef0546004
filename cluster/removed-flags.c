/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/flag-rules.h"
#include "common/alloc.h"
#include "common/strv.h"

/* An admission plugin that is gone: the apiserver does not start with an unknown one in either list. */
#define NO_PLUGIN(plugin, advice_)                                                         \
        { FLAG_APISERVER, "enable-admission-plugins", (plugin), 0, false, (advice_) }, {   \
                FLAG_APISERVER, "disable-admission-plugins", (plugin), 0, false, "drop it" \
        }

/*
 * Flags that old tutorials still give and that end a component of today before it has begun, "unknown flag".
 * All but a few were gone before the first version that hardway installs (0); the others say since when.
 */
static const RemovedFlag removed[] = {
        { FLAG_KUBERNETES, "insecure-port", NULL, 0, false, "use secure-port" },
        { FLAG_KUBERNETES, "insecure-bind-address", NULL, 0, false, "use bind-address" },
        { FLAG_KUBERNETES, "address", NULL, 0, false, "use bind-address" },
        { FLAG_KUBERNETES, "port", NULL, 0, false, "use secure-port" },
        { FLAG_KUBERNETES, "logtostderr", NULL, 0, false, "drop it: components log to standard error" },
        { FLAG_KUBERNETES, "alsologtostderr", NULL, 0, false, "drop it: components log to standard error" },
        { FLAG_KUBERNETES, "stderrthreshold", NULL, 0, false, "use v or vmodule" },
        { FLAG_KUBERNETES, "log-dir", NULL, 0, false, "drop it: the journal keeps the log" },
        { FLAG_KUBERNETES, "log-file", NULL, 0, false, "drop it: the journal keeps the log" },
        { FLAG_KUBERNETES, "log-file-max-size", NULL, 0, false, "drop it: the journal keeps the log" },
        { FLAG_KUBERNETES, "log-backtrace-at", NULL, 0, false, "use v or vmodule" },
        { FLAG_KUBERNETES, "add-dir-header", NULL, 0, false, "drop it" },
        { FLAG_KUBERNETES, "one-output", NULL, 0, false, "drop it" },
        { FLAG_KUBERNETES, "skip-headers", NULL, 0, false, "drop it" },
        { FLAG_KUBERNETES, "skip-log-headers", NULL, 0, false, "drop it" },

        { FLAG_APISERVER, "kubelet-https", NULL, 0, false,
          "drop it: kubelets are always reached over HTTPS" },
        { FLAG_APISERVER, "enable-swagger-ui", NULL, 0, false, "drop it" },
        { FLAG_APISERVER, "admission-control", NULL, 0, false, "use enable-admission-plugins" },
        { FLAG_APISERVER, "experimental-encryption-provider-config", NULL, 0, false,
          "drop it: hardway sets encryption-provider-config" },
        { FLAG_APISERVER, "cloud-provider", NULL, 0, false,
          "drop it and run the provider's controller manager" },
        { FLAG_APISERVER, "cloud-config", NULL, 0, false,
          "drop it and run the provider's controller manager" },
        /* without a value, which it wants by now: "invalid value" */
        { FLAG_APISERVER, "runtime-config", "api/all", 0, false,
          "name the groups that are wanted (GROUP/VERSION=true); all of them (api/all=true) means the alpha ones too" },
        NO_PLUGIN("Initializers", "MutatingAdmissionWebhook does this now, and is on"),
        NO_PLUGIN("PodPreset", "MutatingAdmissionWebhook does this now, and is on"),
        NO_PLUGIN("PodSecurityPolicy", "PodSecurity does this now, by labels of namespaces, and is on"),
        NO_PLUGIN("SecurityContextDeny", "PodSecurity does this now, by labels of namespaces, and is on"),
        NO_PLUGIN("DenyEscalatingExec", "allow pods/exec to nobody instead (RBAC)"),
        NO_PLUGIN("DenyExecOnPrivileged", "allow pods/exec to nobody instead (RBAC)"),
        NO_PLUGIN("PersistentVolumeLabel", "the driver of the volumes (CSI) labels them now"),
        { FLAG_APISERVER, "apiserver-count", NULL, 0, true,
          "drop it: the lease reconciler counts by itself" },
        { FLAG_APISERVER, "endpoint-reconciler-type", "master-count", 0, true,
          "drop it: the lease reconciler is the default" },

        { FLAG_CONTROLLER_MANAGER, "experimental-cluster-signing-duration", NULL, 0, false,
          "use cluster-signing-duration" },
        { FLAG_CONTROLLER_MANAGER, "enable-taint-manager", NULL, 0, false, "drop it: it is always on" },
        { FLAG_CONTROLLER_MANAGER, "pod-eviction-timeout", NULL, 0, false,
          "use tolerationSeconds in the pods" },
        { FLAG_CONTROLLER_MANAGER, "concurrent-service-syncs", NULL, 37, false, "drop it" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "leader-elect-resource-lock", "endpoints", 0, false,
          "drop it: leases are the only lock" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "leader-elect-resource-lock", "configmaps", 0, false,
          "drop it: leases are the only lock" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "leader-elect-resource-lock", "endpointsleases", 0,
          false, "drop it: leases are the only lock" },
        { FLAG_CONTROLLER_MANAGER | FLAG_SCHEDULER, "leader-elect-resource-lock", "configmapsleases", 0,
          false, "drop it: leases are the only lock" },

        { FLAG_ETCD, "enable-v2", NULL, 6, false, "drop it: there is only v3" },
        { FLAG_ETCD, "proxy*", NULL, 6, false, "drop it: there is only v3" },
        { FLAG_ETCD, "experimental-enable-v2v3", NULL, 6, false, "drop it: there is only v3" },
        { FLAG_ETCD, "experimental-*", NULL, 7, false,
          "use the flag of the same name without experimental-, or feature-gates" },
        { FLAG_ETCD, "experimental-*", NULL, 6, true,
          "3.7 has removed it: use the flag of the same name without experimental-, or feature-gates" },
        { FLAG_ETCD, "max-snapshots", NULL, 6, true, "drop it" },
};

bool flag_name_matches(const char *pattern, const char *name) {
        size_t n = strlen(pattern);

        if (n > 0 && pattern[n - 1] == '*')
                return strncmp(pattern, name, n - 1) == 0;
        return streq(pattern, name);
}

/* As one of words with commas between them: "NodeRestriction,Initializers". "api/all=true" is another word than "api/all". */
static bool value_has(const char *value, const char *word) {
        _cleanup_strv_ Strv words = strv_split(value, ", ");

        return strv_contains(words, word);
}

/**
 * removed_flag() - look up whether a flag is gone
 * @component:  whose flag it is
 * @name:       without dashes
 * @value:      its value, or NULL
 * @minor:      of the version that is going to run: 1.N of Kubernetes, 3.N of etcd
 *
 * Return: the row that says so, or NULL.
 */
const RemovedFlag* removed_flag(FlagComponent component, const char *name, const char *value,
                                unsigned minor) {
        for (size_t i = 0; i < ARRAY_SIZE(removed); i++) {
                const RemovedFlag *f = &removed[i];

                if ((f->components & component) && minor >= f->minor && flag_name_matches(f->name, name) &&
                    (!f->value || (value && value_has(value, f->value))))
                        return f;
        }
        return NULL;
}
