/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Drop-ins from tables
 */

#include "lbsetup/internal.h"

/* What neither needs; found to work with haproxy 2.6 and 3.0, keepalived 2.2.7 and 2.3.3. */
static const UnitSetting fence[] = {
        SERVICE("NoNewPrivileges", "yes", "What the service needs none of, it does not get."),
        SERVICE("ProtectSystem", "strict", "Everything is read-only but its runtime directories."),
        SERVICE("ProtectHome", "yes", NULL),
        SERVICE("PrivateTmp", "yes", NULL),
        SERVICE("PrivateDevices", "yes", NULL),
        SERVICE("DevicePolicy", "closed", NULL),
        SERVICE("ProtectProc", "invisible", NULL),
        SERVICE("ProtectKernelTunables", "yes", NULL),
        SERVICE("ProtectKernelModules", "yes", NULL),
        SERVICE("ProtectKernelLogs", "yes", NULL),
        SERVICE("ProtectControlGroups", "yes", NULL),
        SERVICE("ProtectClock", "yes", NULL),
        SERVICE("ProtectHostname", "yes", NULL),
        SERVICE("RestrictNamespaces", "yes", NULL),
        SERVICE("RestrictRealtime", "yes", NULL),
        SERVICE("RestrictSUIDSGID", "yes", NULL),
        SERVICE("LockPersonality", "yes", NULL),
        SERVICE("SystemCallArchitectures", "native", NULL),
        SERVICE("SystemCallFilter", "@system-service", NULL),
        SERVICE("SystemCallFilter", "~@keyring", NULL),
        SERVICE("SystemCallErrorNumber", "EPERM", NULL),
        SERVICE("KeyringMode", "private", NULL),
        SERVICE("UMask", "0077", NULL),
        SERVICE("MemoryDenyWriteExecute", "yes",
                "It makes no code while it runs: our configuration has no regular expressions to be compiled."),
};

/* A row without a reason stands below the one whose reason it shares. */
static int add_rows(UnitFile *u, const PlanContext *c, const UnitSetting *settings, size_t n_settings,
                    Error **reterr) {
        int r;

        for (const UnitSetting *s = settings; s < settings + n_settings; s++) {
                if (s->why)
                        r = service_add_settings(u, c, s, 1, reterr);
                else {
                        unit_file_section(u, s->section);
                        r = unit_file_set(u, s->key, s->value, reterr);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * lb_drop_in() - make a drop-in from a table
 * @c:          what values depend on
 * @settings:   the table; the fence comes behind it
 * @n_settings: its rows
 * @ret:        the file, without an [Install] section: the unit has one
 * @reterr:     says which setting cannot be written
 *
 * Return: 0 or a negative errno.
 */
int lb_drop_in(const PlanContext *c, const UnitSetting *settings, size_t n_settings, UnitFile **ret,
               Error **reterr) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(
                "Written by hardway, which replaces what is changed here; a drop-in behind this one "
                "(60-...) wins.");
        int r;

        r = add_rows(u, c, settings, n_settings, reterr);
        if (r < 0)
                return r;
        r = add_rows(u, c, fence, ARRAY_SIZE(fence), reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}
