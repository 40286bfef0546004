/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs over sd-bus, against a manager that is played by a thread at the other end of a socket. */

#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "units/bus.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define PATH "/org/freedesktop/systemd1"

typedef struct Manager {
        sd_bus *bus;
        pthread_t thread;
        UnitBus *client;
        unsigned n_jobs, n_reloads;
        const char *end_unit, *end_result; /* the next call is answered after this end of end_job */
        unsigned end_job;
        unsigned n_links; /* changed by each call about unit files: 0 or 1 */
        bool stop;
} Manager;

static int send_removed(Manager *m, const char *job, const char *unit, const char *result) {
        return sd_bus_emit_signal(m->bus, PATH, MANAGER, "JobRemoved", "uoss", 1, job, unit, result);
}

/* What happens to a job is in the unit's name: RESULT-..., "early" before the reply, "never", "lost"
 * hangs up. */
static int start_unit(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        _cleanup_free_ char *path = NULL, *result = NULL;
        const char *unit, *mode;
        int r;

        assert_true(sd_bus_message_read(call, "ss", &unit, &mode) > 0);
        if (startswith(unit, "none"))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.",
                                         unit);
        if (startswith(unit, "masked"))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.UnitMasked", "Unit %s is masked.",
                                         unit);
        if (startswith(unit, "secret"))
                return sd_bus_error_setf(error, "org.freedesktop.DBus.Error.AccessDenied", "Go away");
        if (startswith(unit, "odd"))
                return sd_bus_error_setf(error, "org.example.Odd", "Something odd");
        if (startswith(unit, "lost")) {
                m->stop = true;
                sd_bus_close(m->bus);
                return 1;
        }
        path = xasprintf(PATH "/job/%u", ++m->n_jobs);
        result = xstrndup(unit, strcspn(unit, "-."));
        /* somebody else's job, too */
        (void) send_removed(m, PATH "/job/999", "other.service", "failed");
        if (streq(result, "early"))
                (void) send_removed(m, path, unit, "done");
        r = sd_bus_reply_method_return(call, "o", path);
        if (r >= 0 && !streq(result, "early") && !streq(result, "never"))
                (void) send_removed(m, path, unit, result);
        return r;
}

static int append_property(sd_bus_message *reply, const char *name, const char *type, const void *value) {
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 's', name);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', type);
        if (r >= 0)
                r = streq(type, "as") ? sd_bus_message_append_strv(reply, (char**) value) :
                                        sd_bus_message_append_basic(reply, *type, value);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

static int get_all(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        static const char *const drop_ins[] = { "/etc/a.conf", "/run/b.conf", NULL };
        static const char *const environment[] = { "A=B", "HARDWAY_INPUTS=abc", NULL };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *interface;
        uint32_t pid = 42, restarts = 3;
        int32_t status = 9;
        int yes = 1;

        assert_true(sd_bus_message_read(call, "s", &interface) > 0);
        assert_true(sd_bus_message_new_method_return(call, &reply) >= 0);
        assert_true(sd_bus_message_open_container(reply, 'a', "{sv}") >= 0);
        if (endswith(interface, ".Unit")) {
                (void) append_property(reply, "LoadState", "s", "loaded");
                (void) append_property(reply, "ActiveState", "s", "active");
                (void) append_property(reply, "Following", "s", "");
                (void) append_property(reply, "NeedDaemonReload", "b", &yes);
                (void) append_property(reply, "DropInPaths", "as", drop_ins);
        } else {
                (void) append_property(reply, "Result", "s", "exit-code");
                (void) append_property(reply, "Environment", "as", environment);
                (void) append_property(reply, "MainPID", "u", &pid);
                (void) append_property(reply, "NRestarts", "u", &restarts);
                (void) append_property(reply, "ExecMainStatus", "i", &status);
        }
        assert_true(sd_bus_message_close_container(reply) >= 0);
        return sd_bus_send(sd_bus_message_get_bus(call), reply, NULL);
}

static int on_message(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        if (sd_bus_message_is_method_call(call, MANAGER, "StartUnit"))
                return start_unit(call, userdata, error);
        if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Properties", "GetAll"))
                return get_all(call, userdata, error);
        if (sd_bus_message_is_method_call(call, MANAGER, "LoadUnit"))
                return sd_bus_reply_method_return(call, "o", PATH "/unit/x");
        if (sd_bus_message_is_method_call(call, MANAGER, "Reload"))
                m->n_reloads++;
        if (m->end_unit) {
                _cleanup_free_ char *path = xasprintf(PATH "/job/%u", m->end_job);

                (void) send_removed(m, path, m->end_unit, m->end_result);
        }
        if (sd_bus_message_is_method_call(call, MANAGER, "ResetFailedUnit"))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit x not loaded.");
        if (sd_bus_message_is_method_call(call, MANAGER, "EnableUnitFiles"))
                return sd_bus_reply_method_return(call, "ba(sss)", true, m->n_links, "symlink", "/a", "/b");
        if (sd_bus_message_is_method_call(call, MANAGER, "MaskUnitFiles"))
                return sd_bus_reply_method_return(call, "a(sss)", m->n_links, "symlink", "/a", "/b");
        return sd_bus_reply_method_return(call, NULL);
}

static void* manage(void *userdata) {
        Manager *m = userdata;

        while (!m->stop) {
                int r = sd_bus_process(m->bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(m->bus, UINT64_MAX);
                if (r < 0)
                        break;
        }
        return NULL;
}

static int manager_setup(void **state) {
        Manager *m = xnew(Manager, 1);
        Error *error = NULL;
        sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_true(sd_bus_new(&m->bus) >= 0);
        assert_true(sd_bus_set_fd(m->bus, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_set_server(m->bus, 1, id) >= 0);
        assert_true(sd_bus_start(m->bus) >= 0);
        assert_true(sd_bus_add_filter(m->bus, NULL, on_message, m) >= 0);
        assert_int_equal(pthread_create(&m->thread, NULL, manage, m), 0);
        assert_success(unit_bus_open_fd(fds[1], false, &m->client, &error), error, 0);
        *state = m;
        return 0;
}

static int manager_teardown(void **state) {
        Manager *m = *state;

        unit_bus_free(m->client);
        pthread_join(m->thread, NULL);
        sd_bus_close_unref(m->bus);
        free(m);
        return 0;
}

/* Has the manager say that one of its jobs is over, with the answer to a call that does nothing else. */
static void end_job(Manager *m, unsigned job, const char *unit, const char *result) {
        _cleanup_error_ Error *error = NULL;

        m->end_job = job;
        m->end_result = result;
        m->end_unit = unit;
        assert_success(unit_bus_daemon_reload(m->client, &error), error, 0);
        m->end_unit = NULL;
}

static void test_jobs(void **state) {
        static const char *const units[] = { "done-1.service", "early-1.service", "done-2.service",
                                             "early-2.service" };
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        for (unsigned round = 0; round < 50; round++) {
                for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                        assert_success(unit_bus_job(b, UNIT_START, units[i], &error), error, 0);
                assert_success(unit_bus_wait(b, 10 * USEC_PER_SEC, &error), error, 0);
        }
        assert_success(unit_bus_wait(b, 0, &error), error, 0);
        assert_true(unit_bus_is_alive(b));
}

static void test_failed(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        assert_success(unit_bus_job(b, UNIT_START, "done-1.service", &error), error, 0);
        assert_success(unit_bus_job(b, UNIT_START, "timeout-1.service", &error), error, 0);
        assert_success(unit_bus_job(b, UNIT_START, "failed-1.service", &error), error, 0);
        assert_int_equal(unit_bus_wait(b, 10 * USEC_PER_SEC, &error), -EPROTO);
        assert_contains(error->message, "start of timeout-1.service: it took too long");
        assert_contains(error->detail, "failed-1.service: it failed");
        error = error_free(error);
        assert_success(unit_bus_wait(b, 0, &error), error, 0);
}

/* What nobody waits for, or another job has replaced, cannot fail whoever waits later. */
static void test_not_waited_for(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        assert_success(unit_bus_nudge(b, UNIT_START, "canceled-1.service", &error), error, 0);
        assert_success(unit_bus_job(b, UNIT_START, "done-1.service", &error), error, 0);
        assert_success(unit_bus_wait(b, 10 * USEC_PER_SEC, &error), error, 0);
        assert_failure(unit_bus_nudge(b, UNIT_START, "none.service", &error), error, ERROR_UNAVAILABLE,
                       ENOENT);

        assert_success(unit_bus_job(b, UNIT_START, "never-1.service", &error), error, 0);
        assert_int_equal(unit_bus_wait(b, 0, NULL), -ETIMEDOUT);
        assert_success(unit_bus_job(b, UNIT_START, "never-1.service", &error), error, 0);
        end_job(*state, 3, "never-1.service", "canceled");
        end_job(*state, 4, "never-1.service", "done");
        assert_success(unit_bus_wait(b, 10 * USEC_PER_SEC, &error), error, 0);
}

static void test_timeout(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        assert_success(unit_bus_job(b, UNIT_START, "never-1.service", &error), error, 0);
        assert_success(unit_bus_job(b, UNIT_START, "done-1.service", &error), error, 0);
        assert_failure(unit_bus_wait(b, 50 * USEC_PER_MSEC, &error), error, ERROR_UNAVAILABLE, ETIMEDOUT);
        assert_failure(unit_bus_wait(b, 0, &error), error, ERROR_UNAVAILABLE, ETIMEDOUT);
        assert_int_equal(unit_bus_job(b, UNIT_START, "never-2.service", NULL), 0);
        assert_int_equal(unit_bus_wait(b, 0, &error), -ETIMEDOUT);
        assert_string_equal(error->message, "start of never-1.service: it has not ended in 0 s");
        assert_string_equal(error->detail, "start of never-2.service: it has not ended in 0 s\n");
        error = error_free(error);
        assert_success(unit_bus_job(b, UNIT_START, "failed-1.service", &error), error, 0);
        assert_int_equal(unit_bus_wait(b, 50 * USEC_PER_MSEC, &error), -EPROTO);
        error = error_free(error);
        assert_int_equal(unit_bus_wait(b, 0, NULL), -ETIMEDOUT);
}

static void test_refused(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        assert_failure(unit_bus_job(b, UNIT_START, "none.service", &error), error, ERROR_UNAVAILABLE,
                       ENOENT);
        assert_int_equal(unit_bus_job(b, UNIT_START, "masked.service", &error), -ERFKILL);
        assert_string_equal(error->message, "masked.service: the unit is masked");
        assert_contains(error->detail, "systemctl unmask masked.service");
        error = error_free(error);
        assert_failure(unit_bus_job(b, UNIT_START, "secret.service", &error), error, ERROR_PERMISSION,
                       EACCES);
        assert_true(unit_bus_job(b, UNIT_START, "odd.service", &error) < 0);
        assert_string_equal(error->message, "odd.service: Something odd");
        error = error_free(error);
        assert_success(unit_bus_reset_failed(b, "none.service", &error), error, 0);
}

static void test_lost(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_error_ Error *error = NULL;

        assert_true(unit_bus_job(b, UNIT_START, "lost.service", &error) < 0);
        assert_contains(error->message, "connection to systemd was lost");
        error = error_free(error);
        assert_true(unit_bus_daemon_reload(b, &error) < 0);
        assert_int_equal(error->kind, ERROR_UNAVAILABLE);
        assert_false(unit_bus_is_alive(b));
}

static void test_state(void **state) {
        UnitBus *b = ((Manager*) *state)->client;
        _cleanup_(unit_state_done) UnitState s = {};
        _cleanup_error_ Error *error = NULL;

        assert_success(unit_bus_state(b, "x.service", &s, &error), error, 0);
        assert_string_equal(s.load_state, "loaded");
        assert_string_equal(s.active_state, "active");
        assert_string_equal(s.sub_state, "");
        assert_string_equal(s.file_state, "");
        assert_string_equal(s.result, "exit-code");
        assert_string_equal(s.inputs, "abc");
        assert_string_equal(s.drop_ins[1], "/run/b.conf");
        assert_int_equal(s.main_pid, 42);
        assert_int_equal(s.n_restarts, 3);
        assert_int_equal(s.exec_status, 9);
        assert_true(s.needs_reload);
}

static void add_line(void *lines, const char *text) {
        buffer_addf(lines, "%s\n", text);
}

/* What it is told to do, for --verbose; not what it is asked. */
static void test_trace(void **state) {
        Manager *m = *state;
        _cleanup_strv_ Strv units = strv_new("a.service", "b.service", NULL);
        _cleanup_(unit_state_done) UnitState s = {};
        _cleanup_buffer_ Buffer told = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        unit_bus_set_trace(m->client, add_line, &told);
        m->n_links = 1;
        assert_success(unit_bus_enable(m->client, units, true, &error), error, 0);
        assert_success(unit_bus_job(m->client, UNIT_START, "done-1.service", &error), error, 0);
        (void) unit_bus_state(m->client, "done-1.service", &s, NULL);
        assert_string_equal(buffer_str(&told),
                            "EnableUnitFiles a.service b.service\nReload\nStartUnit done-1.service\n");
}

static void test_unit_files(void **state) {
        Manager *m = *state;
        _cleanup_strv_ Strv units = strv_new("a.service", "b.service", NULL);
        _cleanup_error_ Error *error = NULL;

        assert_success(unit_bus_enable(m->client, units, true, &error), error, 0);
        assert_success(unit_bus_mask(m->client, units, true, &error), error, 0);
        assert_int_equal(m->n_reloads, 0);
        m->n_links = 1;
        assert_success(unit_bus_enable(m->client, units, true, &error), error, 0);
        assert_success(unit_bus_mask(m->client, units, true, &error), error, 0);
        assert_int_equal(m->n_reloads, 2);
        /* an answer that is not understood may mean anything */
        assert_success(unit_bus_enable(m->client, units, false, &error), error, 0);
        /* until the next boot, and for good */
        assert_success(unit_bus_mask(m->client, units, false, &error), error, 0);
        assert_int_equal(m->n_reloads, 5);
}

#define manager_test(f) cmocka_unit_test_setup_teardown(f, manager_setup, manager_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                manager_test(test_jobs),       manager_test(test_failed),         manager_test(test_timeout),
                manager_test(test_refused),    manager_test(test_lost),           manager_test(test_state),
                manager_test(test_unit_files), manager_test(test_not_waited_for), manager_test(test_trace),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
