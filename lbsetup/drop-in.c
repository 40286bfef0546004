/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Drop-ins from tables
 */

#include "lbsetup/internal.h"

/* What neither needs; found to work with haproxy 2.6 and 3.0, keepalived 2.2.7 and 2.3.3. */
const UnitSetting lb_fence[] = {
        SETTING_EXEC("NoNewPrivileges", "yes", "What the service needs none of, it does not get.",
                     "A set-user-id program on the node, and a mistake in it, would be a way to root."),
        SETTING_EXEC("ProtectSystem", "strict", "Everything is read-only but its runtime directories.",
                     "Whoever takes the service over could write anywhere."),
        LB_SANDBOX("ProtectHome", "yes"),
        LB_SANDBOX("PrivateTmp", "yes"),
        LB_SANDBOX("PrivateDevices", "yes"),
        LB_SANDBOX("DevicePolicy", "closed"),
        LB_SANDBOX("ProtectProc", "invisible"),
        LB_SANDBOX("ProtectKernelTunables", "yes"),
        LB_SANDBOX("ProtectKernelModules", "yes"),
        LB_SANDBOX("ProtectKernelLogs", "yes"),
        LB_SANDBOX("ProtectControlGroups", "yes"),
        LB_SANDBOX("ProtectClock", "yes"),
        LB_SANDBOX("ProtectHostname", "yes"),
        LB_SANDBOX("RestrictNamespaces", "yes"),
        LB_SANDBOX("RestrictRealtime", "yes"),
        LB_SANDBOX("RestrictSUIDSGID", "yes"),
        LB_SANDBOX("LockPersonality", "yes"),
        LB_SANDBOX("SystemCallArchitectures", "native"),
        LB_SANDBOX("SystemCallFilter", "@system-service"),
        LB_QUIET("SystemCallFilter", "~@keyring",
                 "Less those of the kernel's keyrings, which it does not use.",
                 "It could reach keys that others keep in the kernel."),
        LB_SANDBOX("SystemCallErrorNumber", "EPERM"),
        LB_SANDBOX("KeyringMode", "private"),
        LB_SANDBOX("UMask", "0077"),
        SETTING_EXEC("MemoryDenyWriteExecute", "yes",
                     "It makes no code while it runs: our configuration has no regular expressions to be "
                     "compiled.",
                     "An attacker who can write into its memory could run what he wrote."),
};

/**
 * lb_drop_in() - make a drop-in from a component's settings and the fence
 * @c:          what values depend on
 * @component:  the component
 * @ret:        the file, without an [Install] section: the unit has one
 * @reterr:     says which setting cannot be written
 *
 * Return: 0 or a negative errno.
 */
int lb_drop_in(const PlanContext *c, const Component *component, UnitFile **ret, Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(
                "Written by hardway, which replaces what is changed here; a drop-in behind this one "
                "(60-...) wins.");
        int r;

        r = service_add_settings(u, c, component->settings, component->n_settings, reterr);
        if (r < 0)
                return r;
        r = service_add_settings(u, c, component->fence, component->n_fence, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}
