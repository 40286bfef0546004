/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ending a master of ssh over its socket. The masters here say what OpenSSH 9.2 was seen to say, or worse;
 * that a real one ends is for the lab's tests, whose hosts have no connection left after a run.
 */

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/host-internal.h"
#include "unit.h"

#define HELLO "\0\0\0\10\0\0\0\1\0\0\0\4"
#define TERMINATE "\0\0\0\10\20\0\0\5\0\0\0\1"
#define OK "\0\0\0\10\200\0\0\1\0\0\0\1"
#define DENIED                                 \
        "\0\0\0\24\200\0\0\2\0\0\0\1\0\0\0\10" \
        "Not you."

typedef struct Master {
        int listens;
        const char *says;
        size_t size;
        char heard[64];
        ssize_t n_heard;
} Master;

static void* serve(void *userdata) {
        Master *m = userdata;
        int fd = accept(m->listens, NULL, NULL);

        m->n_heard = recv(fd, m->heard, sizeof(HELLO TERMINATE) - 1, MSG_WAITALL);
        assert_int_equal(send(fd, m->says, m->size, MSG_NOSIGNAL), m->size);
        (void) close(fd);
        return NULL;
}

/* What master_end() makes of a master that says this, and then closes. */
static int meet(const UnitDir *dir, const char *says, size_t size, Master *m) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        pthread_t thread;
        int r;

        *m = (Master) { .listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .says = says,
                       .size = size };
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/master", dir->path);
        assert_int_equal(bind(m->listens, (struct sockaddr*) &address, sizeof(address)), 0);
        assert_int_equal(listen(m->listens, 1), 0);
        assert_int_equal(pthread_create(&thread, NULL, serve, m), 0);
        r = master_end(address.sun_path);
        assert_int_equal(pthread_join(thread, NULL), 0);
        (void) close(m->listens);
        assert_int_equal(unlink(address.sun_path), 0);
        return r;
}

#define MEET(says, m) meet(*state, (says), sizeof(says) - 1, (m))

static void test_end(void **state) {
        Master m;

        assert_int_equal(MEET(HELLO OK, &m), 0);
        assert_int_equal(m.n_heard, sizeof(HELLO TERMINATE) - 1);
        assert_memory_equal(m.heard, HELLO TERMINATE, sizeof(HELLO TERMINATE) - 1);
}

/* Whatever else it says: then it was not told, and ssh has to do it. */
static void test_other_answers(void **state) {
        Master m;

        assert_int_equal(MEET(HELLO DENIED, &m), -EPROTO);
        assert_int_equal(MEET("\0\0\0\10\0\0\0\1\0\0\0\5" OK, &m), -EPROTO);      /* version 5 */
        assert_int_equal(MEET(HELLO "\0\0\0\10\200\0\0\1\0\0\0\2", &m), -EPROTO); /* another request */
        assert_int_equal(MEET(HELLO "\377\377\377\377\200\0\0\1\0\0\0\1", &m), -EPROTO); /* too long */
        assert_int_equal(MEET(HELLO "\0\0\0\4\200\0\0\1", &m), -EPROTO);                 /* too short */
        assert_int_equal(MEET(HELLO "\0\0\0\10\200\0", &m), -EPROTO);                    /* cut */
        assert_int_equal(MEET(HELLO, &m), -EPROTO);
        assert_int_equal(MEET("", &m), -EPROTO);
}

static void test_nobody(void **state) {
        (void) state;
        assert_int_equal(master_end("/nowhere/master"), -ENOTCONN);
        assert_int_equal(
                master_end("/nowhere/whose/name/is/longer/than/the/name/of/a/socket/may/be/which/is/one/"
                           "hundred/and/eight/characters/with/its/end"),
                -ENAMETOOLONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_end),
                unit_test_in_dir(test_other_answers),
                cmocka_unit_test(test_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
