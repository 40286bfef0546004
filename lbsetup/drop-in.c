/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Drop-ins from tables
 */

#include "lbsetup/internal.h"

/**
 * lb_drop_in() - make a drop-in from a table
 * @c:          what values depend on
 * @settings:   the table; a row without a reason stands below the one whose reason it shares
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
        *ret = TAKE_PTR(u);
        return 0;
}
