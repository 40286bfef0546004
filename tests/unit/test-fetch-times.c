/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How long a download may take: a server that stalls is given up and named, one that is only slow is waited
 * for.
 */

#include "fetch/download.h"
#include "tests/fetch/fixture.h"

static void test_stall(void **state) {
        retries = 1; /* each takes its time */
        /* or a machine with much else to do has not even connected by then */
        stall_usec = 5 * USEC_PER_SEC;
        connect_usec = 4 * USEC_PER_SEC;
        assert_fails("good", "/stall:1000", ETIMEDOUT, ERROR_UNAVAILABLE, "2000 bytes had come");
        assert_fails("good", "/slow:100", ETIMEDOUT, ERROR_UNAVAILABLE, "too slow");
        assert_fails("silent", "", ETIMEDOUT, ERROR_UNAVAILABLE, "the TLS handshake did not end");
        retries = 3;
        stall_usec = connect_usec = USEC_PER_SEC;
}

typedef struct Taken {
        uint64_t size;
        unsigned n_done, n_again;
} Taken;

static int taken_begin(void *userdata, const DownloadBegin *begin, Error **reterr) {
        return 0;
}

static int taken_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Taken *taken = userdata;

        taken->size += size;
        return 0;
}

static void taken_again(void *userdata, const Error *error, uint64_t wait_usec) {
        Taken *taken = userdata;

        print_message("%s\n", error->message);
        taken->n_again++;
}

static void taken_done(void *userdata, DownloadOutcome outcome, Error *error) {
        Taken *taken = userdata;

        if (outcome != DOWNLOAD_DONE)
                print_message("%s\n", error->message);
        assert_int_equal(outcome, DOWNLOAD_DONE);
        taken->n_done++;
}

/* On a line on which one program takes longer than a connection may, the others wait for it and do not fail. */
static void test_queue(void **state) {
        static const char *const names[] = { "kube-apiserver", "kubectl", "kubectl" };
        _cleanup_(downloads_freep) Downloads *d = NULL;
        Taken taken[ARRAY_SIZE(names)] = {};
        int r;

        assert_int_equal(downloads_new(&(DownloadOptions) { .ca_bundle = ca,
                                                           .connect_timeout_usec = 2 * USEC_PER_SEC,
                                                           .stall_usec = 5 * USEC_PER_SEC,
                                                           .connections = 1 },
                                       &d, NULL),
                         0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_free_ char *url = server_url(&server, "good",
                                                      "/rate:66000/release/" VERSION "/bin/linux/arm64/"),
                                    *whole = xasprintf("%s%s", url, names[i]);

                downloads_add(d, &(DownloadRequest) { .url = whole,
                                                     .limit = 2 * SIZE,
                                                     .begin = taken_begin,
                                                     .write = taken_write,
                                                     .again = taken_again,
                                                     .done = taken_done,
                                                     .userdata = taken + i });
        }
        while ((r = downloads_step(d, NULL)) > 0)
                ;
        assert_int_equal(r, 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(taken[i].n_done, 1);
                assert_int_equal(taken[i].n_again, 0);
                assert_int_equal(taken[i].size, SIZE + (i > 0));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stall),
                cmocka_unit_test(test_queue),
        };

        return cmocka_run_group_tests_name("fetch-times", tests, fixture_start, fixture_stop);
}
