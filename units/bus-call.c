/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls to systemd's manager, and what its refusals mean. The names of errors are those of systemd's
 * bus-common-errors.h. */

#include "common/alloc.h"
#include "units/bus-internal.h"

/* text: what goes behind the unit's name; NULL: systemd's own words say it better */
static const struct {
        const char *name;
        ErrorKind kind;
        int errnum;
        const char *text, *advice;
} call_errors[] = {
        { SYSTEMD_NAME ".NoSuchUnit", ERROR_UNAVAILABLE, ENOENT, "systemd knows no such unit", NULL },
        { SYSTEMD_NAME ".UnitMasked", ERROR_UNAVAILABLE, ERFKILL, "the unit is masked",
          "If that is not wanted: systemctl unmask UNIT\n" },
        { SYSTEMD_NAME ".LoadFailed", ERROR_UNAVAILABLE, EBADMSG, "systemd cannot read the unit",
          "systemctl status UNIT says what is wrong with it.\n" },
        { SYSTEMD_NAME ".BadUnitSetting", ERROR_UNAVAILABLE, EBADMSG, "the unit has a bad setting",
          "systemctl status UNIT says which.\n" },
        { SYSTEMD_NAME ".TransactionIsDestructive", ERROR_TEMPORARY, EDEADLK,
          "another job on the node excludes this one (is it shutting down?)",
          "systemctl list-jobs shows them.\n" },
        { SYSTEMD_NAME ".TransactionJobsConflicting", ERROR_TEMPORARY, EDEADLK,
          "jobs on the node exclude each other", "systemctl list-jobs shows them.\n" },
        { SYSTEMD_NAME ".OnlyByDependency", ERROR_UNAVAILABLE, ELOOP,
          "the unit can only be started by another one", NULL },
        { SYSTEMD_NAME ".NoSuchJob", ERROR_UNAVAILABLE, ENOENT, "the job is gone", NULL },
        { "org.freedesktop.DBus.Error.AccessDenied", ERROR_PERMISSION, EACCES, NULL, NULL },
        { "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ERROR_PERMISSION, EACCES, NULL,
          NULL },
        { "org.freedesktop.DBus.Error.NoReply", ERROR_UNAVAILABLE, ETIMEDOUT, "systemd does not answer",
          NULL },
        { "org.freedesktop.DBus.Error.Timeout", ERROR_UNAVAILABLE, ETIMEDOUT, "systemd does not answer",
          NULL },
};

static void add_advice(Error **reterr, const char *advice, const char *unit) {
        const char *mark = strstr(advice, "UNIT");

        if (mark)
                error_detail(reterr, "%.*s%s%s", (int) (mark - advice), advice, unit, mark + strlen("UNIT"));
        else
                error_detail(reterr, "%s", advice);
}

/* A lost connection has no name of its own among D-Bus' errors. */
static bool is_connection_lost(int r) {
        return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN || r == -ECONNABORTED;
}

static int call_error(int r, const sd_bus_error *error, const char *subject, Error **reterr) {
        const char *what = subject ? subject : "systemd";

        for (size_t i = 0; i < ARRAY_SIZE(call_errors); i++) {
                const char *text = call_errors[i].text;

                if (!sd_bus_error_has_name(error, call_errors[i].name))
                        continue;
                if (!text)
                        text = error->message && *error->message ? error->message : "not allowed";
                (void) error_set(reterr, call_errors[i].kind, call_errors[i].errnum, "%s: %s", what, text);
                if (call_errors[i].advice)
                        add_advice(reterr, call_errors[i].advice, what);
                return -call_errors[i].errnum;
        }
        if (is_connection_lost(r))
                return error_set(reterr, ERROR_UNAVAILABLE, r, "the connection to systemd was lost: %s",
                                 strerror(-r));
        return error_set(reterr, ERROR_UNAVAILABLE, r, "%s: %s", what,
                         error->message && *error->message ? error->message : strerror(-r));
}

/**
 * bus_call_message() - send a call that is written already, wait for the reply
 * @b:          the connection
 * @call:       the call; lent
 * @subject:    the unit that it is about, for the Error; or NULL
 * @ret:        the reply, or NULL if it is of no interest
 * @reterr:     what systemd says against it
 *
 * Return: 0, or a negative errno.
 */
int bus_call_message(UnitBus *b, sd_bus_message *call, const char *subject, sd_bus_message **ret,
                     Error **reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call(b->bus, call, /* usec= */ 0, &error, ret);
        return r < 0 ? call_error(r, &error, subject, reterr) : 0;
}

/* Tells of an order that is about to be given. */
void bus_trace(UnitBus *b, const char *method, const char *subject) {
        _cleanup_free_ char *text = xasprintf("%s%s%s", method, subject ? " " : "", subject ?: "");

        if (b->trace)
                b->trace(b->trace_userdata, text);
}

/**
 * bus_call() - call a method of systemd's manager
 * @b:          the connection
 * @method:     "StartUnit"
 * @subject:    the unit that it is about, for the Error; or NULL
 * @ret:        the reply, or NULL if it is of no interest
 * @reterr:     what systemd says against it
 * @types:      the types of the arguments that follow, as sd_bus_message_append(3) has them
 *
 * Return: 0, or a negative errno.
 */
int bus_call(UnitBus *b, const char *method, const char *subject, sd_bus_message **ret, Error **reterr,
             const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(b->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                           method);
        if (r >= 0 && *types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(call, types, ap);
                va_end(ap);
        }
        if (r < 0)
                return call_error(r, &SD_BUS_ERROR_NULL, subject, reterr);
        return bus_call_message(b, call, subject, ret, reterr);
}
