/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include "common/clock.h"
#include "operate/drill-internal.h"

static InetAddress here;

/* A socket at a port of its own; *ret_port is that. */
static int socket_here(unsigned *ret_port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = here.in };
        socklen_t size = sizeof(in);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr*) &in, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr*) &in, &size), 0);
        *ret_port = ntohs(in.sin_port);
        return fd;
}

static int setup(void **state) {
        return inet_address_parse("127.0.0.1", &here);
}

/* One that refuses is there; and as that does not end, nothing is said of when it did. */
static void test_goes_on(void **state) {
        unsigned port;
        _unused_ _cleanup_close_ int fd =
                socket_here(&port); /* has the port, so that nobody listens on it */
        uint64_t begun = clock_usec();

        assert_int_equal(drill_pulse_end(drill_pulse_start(&here, port)), 0);
        assert_true(clock_usec() - begun >= 900 * USEC_PER_MSEC);
        assert_int_equal(drill_pulse_end(NULL), 0);
}

/* A listener whose queue is full says nothing, as a host that is away. */
static void test_falls_silent(void **state) {
        unsigned port;
        _cleanup_close_ int fd = socket_here(&port), first = -EBADF, second = -EBADF;
        uint64_t begun = clock_usec(), full, last;
        Pulse *p = drill_pulse_start(&here, port);

        clock_sleep(100 * USEC_PER_MSEC);
        assert_int_equal(listen(fd, 0), 0);
        full = clock_usec();
        first = inet_connect_begin(&here, port);
        second = inet_connect_begin(&here, port);
        last = drill_pulse_end(p);
        assert_true(last > begun);
        assert_true(last < full + 500 * USEC_PER_MSEC);
        assert_true(clock_usec() - last >= 100 * USEC_PER_MSEC);
}

/* Where nothing is ever heard it is not waited. */
static void test_never(void **state) {
        unsigned port;
        _cleanup_close_ int fd = socket_here(&port), first = -EBADF, second = -EBADF;
        uint64_t begun;

        assert_int_equal(listen(fd, 0), 0);
        first = inet_connect_begin(&here, port);
        second = inet_connect_begin(&here, port);
        begun = clock_usec();
        assert_int_equal(drill_pulse_end(drill_pulse_start(&here, port)), 0);
        assert_true(clock_usec() - begun < 900 * USEC_PER_MSEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_goes_on),
                cmocka_unit_test(test_falls_silent),
                cmocka_unit_test(test_never),
        };

        return cmocka_run_group_tests_name("pulse", tests, setup, NULL);
}
