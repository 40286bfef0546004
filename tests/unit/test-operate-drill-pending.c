/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <sys/file.h>

#include "tests/unit/drill-fixture.h"

/* What a drill has left broken: put back by its guard, or by the next command, and known until then. */

/* How often the command was called, once it was called so often; it is waited for a guard, which is on its own. */
static unsigned await_calls(const char *log, unsigned n) {
        unsigned lines = 0;

        for (unsigned i = 0; i < 2000 && lines < n; i++) {
                _cleanup_buffer_ Buffer said = BUFFER_NULL;

                lines = 0;
                if (fs_read_optional(AT_FDCWD, log, 4096, &said, NULL) > 0)
                        for (const char *p = buffer_str(&said); (p = strchr(p, '\n')); p++)
                                lines++;
                (void) usleep(10000);
        }
        return lines;
}

static unsigned n_told;

static void tell(void *userdata, Stage stage) {
        assert_int_equal(stage, STAGE_DRILL_GUARD);
        n_told++;
}

static char *asked_for; /* which command of the file; the answer is yes */

static int allow(void *userdata, const char *line, Error **reterr) {
        free(asked_for);
        asked_for = xstrdup(line);
        return 0;
}

static int recover_by(const char *power, bool ask, char **ret_what, Error **reterr) {
        const HostOptions host = {};
        const DrillRequest request = { .cluster = &f.cluster,
                                       .components = fakes,
                                       .host = &host,
                                       .power = power,
                                       .pending = pending,
                                       .allow = ask ? allow : NULL,
                                       .step = tell };

        free(TAKE_PTR(asked_for));
        return drill_recover(&request, ret_what, reterr);
}

static int recover(char **ret_what, Error **reterr) {
        return recover_by(NULL, /* ask= */ true, ret_what, reterr);
}

/* It is tried again, and once we have given up our guard goes on. */
static void test_power_fails(void **state) {
        _cleanup_free_ char *script = NULL, *log = NULL, *power = NULL, *text = NULL, *what = NULL;

        log = xasprintf("%s/log", directory);
        script = xasprintf("%s/power", directory);
        power = xasprintf("sh %s", script);
        text = xasprintf("echo \"$*\" >>%s\n[ \"$1\" = cut ] || [ $(wc -l <%s) -ge \"$(cat %s/from)\" ]\n",
                         log, log, directory);
        assert_int_equal(fs_write(AT_FDCWD, script, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
        {
                _cleanup_free_ char *from = xasprintf("%s/from", directory);

                assert_int_equal(fs_write(AT_FDCWD, from, "3\n", 2, 0644, FS_NO_SYNC, NULL), 1);
                heir = "lb1";
                assert_int_equal(run_with("owner-power", power, NULL), 0);
                assert_int_equal(await_calls(log, 3), 3);

                /* the cut, three times by us, and once by the guard */
                assert_int_equal(unlink(log), 0);
                assert_int_equal(fs_write(AT_FDCWD, from, "5\n", 2, 0644, FS_NO_SYNC, NULL), 1);
                setup(NULL);
                assert_int_equal(run_with("owner-power", power, NULL), -EREMOTEIO);
                /* nobody puts back beside it: it is waited for, and what is left is done */
                slow = true;
                assert_int_equal(recover(&what, NULL), 0);
                assert_contains(what, "the ConfigMap kube-system/hardway-failover is there (since 20");
                assert_int_equal(access(pending, F_OK), -1);
                assert_int_equal(await_calls(log, 5), 5);
        }
}

/* The disk is full when the guard has put the host back: the file says what it said, and that is done once more. */
static void test_guard_cannot_note(void **state) {
        _cleanup_free_ char *log = xasprintf("%s/noted", directory),
                            *script = xasprintf("%s/plug", directory), *power = xasprintf("sh %s", script),
                            *text = NULL, *what = NULL;

        text = xasprintf("echo \"$*\" >>%s\n"
                         "ln -sf /dev/full %s/.#%s.00000000\n"
                         "[ \"$1\" = cut ] || [ $(wc -l <%s) -ge 5 ]\n",
                         log, directory, fs_path_basename(pending), log);
        assert_int_equal(fs_write(AT_FDCWD, script, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
        heir = "lb1";
        assert_int_equal(run_with("owner-power", power, NULL), -EREMOTEIO);
        assert_int_equal(await_calls(log, 5), 5);
        slow = true;
        assert_int_equal(recover(&what, NULL), 0);
        assert_contains(what, "the owner of the VIP loses its power (lb0, since 20");
        assert_int_equal(await_calls(log, 6), 6);
        assert_int_equal(access(pending, F_OK), -1);
        free(text);
        text = xasprintf("%s/.#%s.00000000", directory,
                         fs_path_basename(pending)); /* that of the sixth call */
        assert_int_equal(faccessat(AT_FDCWD, text, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* It was put back, and the disk is full: that the file is in the way no more needs no room. */
static void test_cannot_note(void **state) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *what = NULL, *again = NULL;

        rest_fails = 1;
        assert_int_equal(run_with("haproxy-hung", NULL, &error), -ENOSPC);
        assert_contains(error->message, pending);
        assert_null(done);
        error = error_free(error);

        setup(NULL);
        rest_fails = 2;
        assert_success(run_with("haproxy-hung", NULL, &error), error, 0);
        assert_int_equal(access(pending, F_OK), -1);

        /* it cannot be removed either: somebody has to hear of it */
        setup(NULL);
        unlink_fails = true;
        assert_int_equal(run_with("haproxy-hung", NULL, &error), -EROFS);
        assert_contains(error->message, pending);
        assert_contains(error->message, "cannot remove");
        error = error_free(error);
        assert_int_equal(recover(&what, &error), -EROFS);
        assert_contains(error->message, pending);
        error = error_free(error);
        unlink_fails = false;
        assert_success(recover(&again, &error), error, 0);
        assert_int_equal(access(pending, F_OK), -1);
}

static void write_pending(const char *text) {
        assert_int_equal(fs_write(AT_FDCWD, pending, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
}

/* A guard that ends neither in time nor at all is told of, and not waited for without end. */
static void test_guard_hangs(void **state) {
        _cleanup_free_ char *what = NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int fd = -EBADF;

        write_pending("{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\",\"power\":\"true\"}");
        fd = open(pending, O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        n_told = 0;
        assert_int_equal(recover(&what, &error), -ETIMEDOUT);
        assert_contains(error->message, "the command of --power of an interrupted drill hangs");
        assert_int_equal(n_told, 1);
        assert_int_equal(access(pending, F_OK), 0);
}

/* We did not get to it: the next command does. */
static void test_recover(void **state) {
        _cleanup_free_ char *what = NULL, *none = NULL, *text = NULL;
        _cleanup_error_ Error *error = NULL;

        back_fails = true;
        assert_int_equal(run_with("haproxy-hung", NULL, NULL), -EREMOTEIO);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw");
        text = drill_pending_text(pending);
        assert_contains(text, "haproxy hangs on the owner of the VIP (lb0, since ");
        assert_int_equal(recover(&what, NULL), -EREMOTEIO);
        assert_string_equal(what, text);
        assert_int_equal(access(pending, F_OK), 0);

        back_fails = false;
        free(TAKE_PTR(what));
        assert_success(recover(&what, &error), error, 0);
        assert_string_equal(what, text);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw lb0:thaw lb0:thaw");
        assert_int_equal(access(pending, F_OK), -1);

        assert_success(recover(&none, &error), error, 0);
        assert_null(none);
        none = drill_pending_text(pending);
        assert_null(none);
}

/* The machine that a drill ran on has died, and with it the guard: all that there is is the file. */
static void test_recover_host(void **state) {
        _cleanup_free_ char *log = xasprintf("%s/recovered", directory), *text = NULL, *what = NULL,
                            *other = NULL;
        _cleanup_buffer_ Buffer said = BUFFER_NULL;

        /* the command is found where it was found then, and what it is told is what puts back */
        write_pending("echo \"$PWD $*\" >>recovered");
        text = xasprintf("%s/plug", directory);
        assert_int_equal(rename(pending, text), 0);
        free(TAKE_PTR(text));
        text = xasprintf(
                "{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\",\"power\":\"sh ./plug --name x\","
                "\"directory\":\"%s\"}",
                directory);
        write_pending(text);
        assert_int_equal(recover(&what, NULL), 0);
        assert_string_equal(what, "the owner of the VIP loses its network (lb1, since x)");
        assert_int_equal(fs_read(AT_FDCWD, log, 4096, &said, NULL), 0);
        free(TAKE_PTR(text));
        text = xasprintf("env -C %s sh ./plug --name x up lb1", directory);
        assert_string_equal(asked_for, text);
        free(TAKE_PTR(text));
        text = xasprintf("%s --name x up lb1\n", directory);
        assert_string_equal(buffer_str(&said), text);
        assert_int_equal(access(pending, F_OK), -1);

        /* a node that is the cluster's no more is nobody's matter; what cannot be read is said */
        write_pending("{\"drill\":\"owner-link\",\"node\":\"gone\",\"since\":\"x\"}");
        free(TAKE_PTR(what));
        assert_int_equal(recover(&what, NULL), 0);
        assert_int_equal(access(pending, F_OK), -1);
        write_pending("{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\"}");
        assert_int_equal(recover(&other, NULL), -EINVAL);
        free(TAKE_PTR(other));
        write_pending("{\"drill\":1}");
        assert_int_equal(recover(&other, NULL), -EINVAL);
        write_pending("{");
        assert_true(recover(&other, NULL) < 0);
        free(TAKE_PTR(other));
        other = drill_pending_text(pending);
        assert_contains(other, "cannot be read");
}

/* A directory may have come from elsewhere, with a file that is not ours: no command of it is run unasked. */
static void test_recover_unasked(void **state) {
        _cleanup_free_ char *log = xasprintf("%s/unasked", directory), *power = NULL, *text = NULL,
                            *what = NULL, *again = NULL;
        _cleanup_buffer_ Buffer said = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        struct stat st;

        power = xasprintf("%s/switch", directory);
        text = xasprintf("#!/bin/sh\necho \"$*\" >>%s\n", log);
        assert_int_equal(fs_write(AT_FDCWD, power, text, strlen(text), 0755, FS_NO_SYNC, NULL), 1);
        free(TAKE_PTR(text));
        text = xasprintf(
                "{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\",\"power\":\"%s of the file\"}",
                power);
        write_pending(text);
        assert_int_equal(recover_by(NULL, /* ask= */ false, &what, &error), -EPERM);
        assert_contains(error->message, "of the file up lb1'");
        assert_int_equal(access(log, F_OK), -1);
        assert_int_equal(access(pending, F_OK), 0);

        /* that of the command line is ours */
        assert_int_equal(recover_by(power, /* ask= */ true, &again, NULL), 0);
        assert_null(asked_for);
        assert_int_equal(fs_read(AT_FDCWD, log, 4096, &said, NULL), 0);
        assert_string_equal(buffer_str(&said), "up lb1\n");
        assert_int_equal(access(pending, F_OK), -1);

        /* what we leave ourselves nobody else can write, and no other user sees the command */
        setup(NULL);
        back_fails = true;
        assert_int_equal(run_with("haproxy-hung", NULL, NULL), -EREMOTEIO);
        assert_int_equal(stat(pending, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(chmod(pending, 0666), 0);
        back_fails = false;
        error = error_free(error);
        free(TAKE_PTR(again));
        assert_int_equal(recover(&again, &error), -EPERM);
        assert_contains(error->message, "can be written by others");
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw");
}

/* It has died when nothing was broken: there is the ConfigMap still. */
static void test_recover_map(void **state) {
        _cleanup_free_ char *what = NULL, *again = NULL;
        _cleanup_error_ Error *error = NULL;

        write_pending("{\"since\":\"x\"}");
        map_fails = true;
        assert_int_equal(recover(&what, &error), -ECONNREFUSED);
        assert_string_equal(what, "the ConfigMap kube-system/hardway-failover is there (since x)");
        assert_int_equal(access(pending, F_OK), 0);

        map_fails = false;
        removed = 0;
        assert_int_equal(recover(&again, NULL), 0);
        assert_int_equal(removed, 1);
        assert_int_equal(access(pending, F_OK), -1);
        assert_null(done);

        /* what was broken is put back also where nobody answers yet; the next one has the rest to do */
        free(TAKE_PTR(again));
        write_pending("{\"drill\":\"haproxy-hung\",\"node\":\"lb1\",\"since\":\"x\"}");
        map_fails = true;
        assert_int_equal(recover(&again, NULL), 0);
        assert_string_equal(done, "lb1:thaw");
        free(TAKE_PTR(again));
        again = drill_pending_text(pending);
        assert_contains(again, "the ConfigMap kube-system/hardway-failover is there (since 20");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                drill_test(test_guard_hangs),       drill_test(test_power_fails),
                drill_test(test_recover),           drill_test(test_recover_host),
                drill_test(test_recover_map),       drill_test(test_cannot_note),
                drill_test(test_guard_cannot_note), drill_test(test_recover_unasked),
        };
        int r;

        if (drill_directory() < 0)
                return 1;
        r = cmocka_run_group_tests_name("drills left", tests, NULL, NULL);
        drill_directory_done();
        free(asked_for);
        return r;
}
