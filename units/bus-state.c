/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What systemd knows of a unit, and which units it starts at boot. */

#include <stddef.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "units/bus-internal.h"

/* --- properties --- */

static int read_text(sd_bus_message *m, void *field) {
        const char *s;
        int r = sd_bus_message_read(m, "v", "s", &s);

        if (r >= 0) {
                free(*(char**) field);
                *(char**) field = xstrdup(s);
        }
        return r;
}

static int read_unsigned(sd_bus_message *m, void *field) {
        uint32_t u;
        int r = sd_bus_message_read(m, "v", "u", &u);

        if (r >= 0)
                *(unsigned*) field = u;
        return r;
}

static int read_int(sd_bus_message *m, void *field) {
        int32_t i;
        int r = sd_bus_message_read(m, "v", "i", &i);

        if (r >= 0)
                *(int*) field = i;
        return r;
}

static int read_bool(sd_bus_message *m, void *field) {
        int b;
        int r = sd_bus_message_read(m, "v", "b", &b);

        if (r >= 0)
                *(bool*) field = b;
        return r;
}

static int read_strv(sd_bus_message *m, void *field) {
        Strv *v = field;
        const char *s;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        *v = strv_free(*v);
        while ((r = sd_bus_message_read(m, "s", &s)) > 0)
                strv_add(v, s);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_inputs(sd_bus_message *m, void *field) {
        _cleanup_strv_ Strv environment = NULL;
        int r = read_strv(m, &environment);

        STRV_FOREACH(assignment, environment) {
                const char *value = startswith(*assignment, "HARDWAY_INPUTS=");

                if (value) {
                        free(*(char**) field);
                        *(char**) field = xstrdup(value);
                }
        }
        return r;
}

static const struct {
        const char *name;
        int (*read)(sd_bus_message *m, void *field);
        size_t offset;
} properties[] = {
        { "LoadState", read_text, offsetof(UnitState, load_state) },
        { "ActiveState", read_text, offsetof(UnitState, active_state) },
        { "SubState", read_text, offsetof(UnitState, sub_state) },
        { "UnitFileState", read_text, offsetof(UnitState, file_state) },
        { "DropInPaths", read_strv, offsetof(UnitState, drop_ins) },
        { "NeedDaemonReload", read_bool, offsetof(UnitState, needs_reload) },
        { "Result", read_text, offsetof(UnitState, result) },
        { "Environment", read_inputs, offsetof(UnitState, inputs) },
        { "NRestarts", read_unsigned, offsetof(UnitState, n_restarts) },
        { "MainPID", read_unsigned, offsetof(UnitState, main_pid) },
        { "ExecMainStatus", read_int, offsetof(UnitState, exec_status) },
};

static int read_property(sd_bus_message *m, UnitState *state) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
                if (streq(properties[i].name, name))
                        return properties[i].read(m, (char*) state + properties[i].offset);
        return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, UnitState *state) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, state);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

/* One question for all properties of an interface: each would cost a round trip. */
static int get_properties(UnitBus *b, const char *unit, const char *path, const char *interface,
                          UnitState *state, Error **reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(b->bus, &call, SYSTEMD_NAME, path,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", interface);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot ask systemd", unit);
        r = bus_call_message(b, call, unit, &reply, reterr);
        if (r < 0)
                return r;
        r = read_properties(reply, state);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: systemd's answer is not understood", unit);
        return 0;
}

void unit_state_done(UnitState *state) {
        free(state->load_state);
        free(state->active_state);
        free(state->sub_state);
        free(state->file_state);
        free(state->result);
        free(state->inputs);
        strv_free(state->drop_ins);
        *state = (UnitState) {};
}

/**
 * unit_bus_state() - what systemd knows of a unit
 * @b:          the connection
 * @unit:       its name; one that is not there has the load_state "not-found"
 * @ret:        what it knows; no string of it is NULL but inputs; the caller calls unit_state_done()
 * @reterr:     why systemd cannot be asked
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_state(UnitBus *b, const char *unit, UnitState *ret, Error **reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(unit_state_done) UnitState state = {};
        const char *path;
        int r;

        r = bus_call(b, "LoadUnit", unit, &reply, reterr, "s", unit);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: systemd's answer is not understood", unit);
        r = get_properties(b, unit, path, SYSTEMD_NAME ".Unit", &state, reterr);
        if (r >= 0 && endswith(unit, ".service"))
                r = get_properties(b, unit, path, SYSTEMD_NAME ".Service", &state, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
                char **text = (char**) ((char*) &state + properties[i].offset);

                if (properties[i].read == read_text && !*text)
                        *text = xstrdup("");
        }
        *ret = state;
        state = (UnitState) {};
        return 0;
}

/* --- unit files --- */

/* The list of what was done is the last thing in the reply, behind a boolean for EnableUnitFiles(). */
static bool links_changed(sd_bus_message *reply) {
        if (sd_bus_message_has_signature(reply, "ba(sss)") && sd_bus_message_skip(reply, "b") < 0)
                return true;
        return sd_bus_message_enter_container(reply, 'a', "(sss)") < 0 ||
               sd_bus_message_at_end(reply, false) <= 0;
}

/* EnableUnitFiles() and its kin change links only; systemd's picture of them is as old as its last
 * Reload. */
static int change_links(UnitBus *b, const char *method, char *const *units, const char *flags,
                        Error **reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_free_ char *names = strv_join(units, " ");
        int r;

        bus_trace(b, method, names);
        r = sd_bus_message_new_method_call(b->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                           method);
        if (r >= 0)
                r = sd_bus_message_append_strv(call, (char**) units);
        for (const char *f = flags; r >= 0 && *f; f++)
                r = sd_bus_message_append(call, "b", *f == '1');
        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask systemd");
        r = bus_call_message(b, call, units[0], &reply, reterr);
        if (r < 0)
                return r;
        return links_changed(reply) ? unit_bus_daemon_reload(b, reterr) : 0;
}

/**
 * unit_bus_enable() - have systemd start units at boot, or not
 * @b:          the connection
 * @units:      their names, one or more
 * @enable:     which of both
 * @reterr:     names the first unit
 *
 * Reads all unit files again (as unit_bus_daemon_reload() does) if that changed anything, since systemd
 * would go on telling the old state.
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_enable(UnitBus *b, char *const *units, bool enable, Error **reterr) {
        /* EnableUnitFiles(units, runtime, force), DisableUnitFiles(units, runtime) */
        return enable ? change_links(b, "EnableUnitFiles", units, "01", reterr) :
                        change_links(b, "DisableUnitFiles", units, "0", reterr);
}

/**
 * unit_bus_mask() - make it impossible to start units until the next boot, or take back whoever did that
 * @b:          the connection
 * @units:      their names, one or more
 * @mask:       which of both; false also for units that were masked for good, by systemctl mask
 * @reterr:     names the first unit
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_mask(UnitBus *b, char *const *units, bool mask, Error **reterr) {
        int r;

        /* MaskUnitFiles(units, runtime, force), UnmaskUnitFiles(units, runtime) */
        if (mask)
                return change_links(b, "MaskUnitFiles", units, "11", reterr);
        r = change_links(b, "UnmaskUnitFiles", units, "1", reterr);
        return r < 0 ? r : change_links(b, "UnmaskUnitFiles", units, "0", reterr);
}

/**
 * unit_bus_reset_failed() - forget that a unit has failed, and how often it was started
 * @b:          the connection
 * @unit:       its name; one that is not loaded has nothing to forget
 * @reterr:     why not
 *
 * Return: 0, or a negative errno.
 */
int unit_bus_reset_failed(UnitBus *b, const char *unit, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r;

        bus_trace(b, "ResetFailedUnit", unit);
        r = bus_call(b, "ResetFailedUnit", unit, NULL, &error, "s", unit);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : 0;
}
