/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Units of an earlier plan, which the node has no more: stopped and disabled before their files go
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "install/run.h"

/* Units of an earlier plan whose files are about to be removed */
static Strv retired_units(const NodeRun *n) {
        Strv names = NULL;

        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *c = n->changes.changes + i;
                _cleanup_free_ char *name = c->type == CHANGE_REMOVE ? plan_unit_of_path(c->path) : NULL;

                if (name && !plan_has_unit(n->plan, name))
                        strv_add(&names, name);
        }
        return names;
}

/* A timer, and what it starts: nobody notices that there will be no next time. */
static bool is_timed(char *const *names, const char *name) {
        size_t length = strlen(name) - strlen(strrchr(name, '.'));

        if (endswith(name, ".timer"))
                return true;
        STRV_FOREACH(other, names)
                if (endswith(*other, ".timer") && strncmp(*other, name, length) == 0 &&
                    streq(*other + length, ".timer"))
                        return true;
        return false;
}

/**
 * node_retires() - is something that runs about to go from a node for good?
 * @n:          the node, of which it is known what will change
 * @unit:       this unit; or NULL: any
 *
 * To those who use it that is the same as a restart that takes long.
 *
 * Return: true if so; timers, and what they start, do not count.
 */
bool node_retires(const NodeRun *n, const char *unit) {
        _cleanup_strv_ Strv names = retired_units(n);

        STRV_FOREACH(name, names)
                if (unit ? streq(*name, unit) : !is_timed(names, *name))
                        return true;
        return false;
}

/* Of a unit that systemd does not know (its package was purged by hand) nothing is left to be done. Takes error. */
static int unless_unknown(int r, Error *error, Error **reterr) {
        if (r < 0 && r != -ENOENT)
                return error_propagate(reterr, error);
        error_free(error);
        return 0;
}

static int unit_retire(UnitBus *bus, char *name, Error **reterr) {
        char *const names[] = { name, NULL };
        Error *error = NULL;
        int r;

        r = unit_bus_enable(bus, names, false, &error);
        r = unless_unknown(r, error, reterr);
        if (r < 0)
                return r;
        error = NULL;
        r = unit_bus_job(bus, UNIT_STOP, name, &error);
        return unless_unknown(r, error, reterr);
}

static int units_retire(UnitBus *bus, char *const *names, Error **reterr) {
        int r = 0;

        /* what stands on others first: keepalived before haproxy, etcd last */
        for (size_t i = strv_length(names); i > 0 && r >= 0; i--)
                r = unit_retire(bus, names[i - 1], reterr);
        if (r < 0)
                return r;
        return unit_bus_wait(bus, UNITS_TIMEOUT_USEC, reterr);
}

/**
 * node_retire() - stop and disable units whose files are about to go
 * @n:          the node
 * @reterr:     which does not stop
 *
 * Without its file a unit could neither be disabled nor be found by the next run.
 *
 * Return: 0 or a negative errno.
 */
int node_retire(NodeRun *n, Error **reterr) {
        _cleanup_strv_ Strv names = retired_units(n);
        UnitBus *bus;
        Host *host;
        int r;

        if (!names)
                return 0;
        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = host_bus(host, &bus, reterr);
        if (r >= 0)
                r = units_retire(bus, names, reterr);
        node_release(n);
        return r;
}
