/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's JSON as a real 3.6 member writes it, and streams that go wrong in every way.
 *
 * Wraps: http_request
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/fs.h"
#include "common/parse.h"
#include "etcd/client.h"
#include "pki/pem.h"

static const char *answer;
static size_t answer_size;
static long answer_status = 200;
static size_t answer_step;
static Buffer asked;

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        int r;

        buffer_clear(&asked);
        buffer_addf(&asked, "%s %s %.*s", request->method ?: "GET", request->url, (int) request->body_size,
                    (const char*) (request->body ?: ""));
        *ret = (HttpResponse) { .status = answer_status };
        if (request->sink && answer_status == 200) {
                for (size_t i = 0; i < answer_size; i += answer_step) {
                        size_t n = answer_size - i < answer_step ? answer_size - i : answer_step;

                        r = request->sink(request->userdata, answer + i, n, reterr);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        buffer_add(&ret->body, answer, answer_size);
        return 0;
}

static void set_answer(long status, const char *text) {
        answer = text;
        answer_size = strlen(text);
        answer_status = status;
}

static const EtcdEndpoint endpoint = { .url = "https://10.0.0.1:2379" };

static void test_members(void **state) {
        EtcdMembers m = {};

        set_answer(
                200,
                "{\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":\"1\"},\"members\":["
                "{\"ID\":\"10276657743932975437\",\"name\":\"c0\",\"peerURLs\":[\"https://10.0.0.1:2380\"],"
                "\"clientURLs\":[\"https://10.0.0.1:2379\"]},"
                "{\"ID\":\"7\",\"peerURLs\":[\"https://10.0.0.2:2380\"],\"isLearner\":true}]}");
        assert_int_equal(etcd_members(&endpoint, true, &m, NULL), 0);
        assert_string_equal(buffer_str(&asked),
                            "POST https://10.0.0.1:2379/v3/cluster/member/list {\"linearizable\":true}");
        assert_true(m.cluster_id == UINT64_C(14841639068965178418));
        assert_int_equal(m.n_members, 2);
        assert_true(m.members[0].id == UINT64_C(10276657743932975437));
        assert_string_equal(m.members[0].name, "c0");
        assert_false(m.members[0].learner);
        assert_null(m.members[1].name);
        assert_null(m.members[1].client_urls);
        assert_true(m.members[1].learner);
        assert_ptr_equal(etcd_members_find(&m, 7), m.members + 1);
        assert_ptr_equal(etcd_members_find_peer(&m, "https://10.0.0.1:2380"), m.members);
        assert_null(etcd_members_find(&m, 8));
        etcd_members_done(&m);
}

static void test_status(void **state) {
        EtcdStatus s = {};

        set_answer(
                200,
                "{\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"revision\":\"300\",\"raft_term\":\"4\"},"
                "\"version\":\"3.6.16\",\"dbSize\":\"20480\",\"leader\":\"2\",\"raftIndex\":\"9\",\"raftTerm\":\"4\","
                "\"raftAppliedIndex\":\"9\",\"dbSizeInUse\":\"16384\",\"storageVersion\":\"3.6.0\","
                "\"dbSizeQuota\":\"2147483648\",\"downgradeInfo\":{}}");
        assert_int_equal(etcd_status(&endpoint, &s, NULL), 0);
        assert_int_equal(s.leader, 2);
        assert_int_equal(s.revision, 300);
        assert_string_equal(s.version, "3.6.16");
        assert_null(s.errors);
        etcd_status_done(&s);

        set_answer(200, "{\"header\":{},\"errors\":[\"etcdserver: no leader\"]}");
        assert_int_equal(etcd_status(&endpoint, &s, NULL), 0);
        assert_int_equal(s.leader, 0);
        assert_string_equal(s.errors[0], "etcdserver: no leader");
        etcd_status_done(&s);
}

static void test_health(void **state) {
        _cleanup_free_ char *reason = NULL;

        set_answer(200, "{\"health\":\"true\",\"reason\":\"\"}");
        assert_int_equal(etcd_health(&endpoint, false, NULL, NULL), 1);
        assert_string_equal(buffer_str(&asked), "GET https://10.0.0.1:2379/health?exclude=NOSPACE ");
        set_answer(503, "{\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}");
        assert_int_equal(etcd_health(&endpoint, true, &reason, NULL), 0);
        assert_string_equal(reason, "RAFT NO LEADER");
        set_answer(200, "<html>");
        assert_true(etcd_health(&endpoint, false, NULL, NULL) < 0);
}

static void test_errors(void **state) {
        _cleanup_error_ Error *error = NULL;
        uint64_t revision = 0;

        set_answer(503, "{\"code\":14,\"message\":\"etcdserver: no leader\",\"details\":[]}");
        assert_true(etcd_transfer_leadership(&endpoint, UINT64_MAX, &error) < 0);
        assert_non_null(strstr(error->message, "etcdserver: no leader"));
        assert_non_null(strstr(buffer_str(&asked), "{\"targetID\":\"18446744073709551615\"}"));

        set_answer(200, "{\"header\":{\"revision\":\"42\"}}");
        assert_int_equal(etcd_revision(&endpoint, true, &revision, NULL), 0);
        assert_int_equal(revision, 42);
        assert_non_null(strstr(buffer_str(&asked), "\"serializable\":false"));
}

/* --- snapshots --- */

static char directory[] = "/tmp/test-etcd-XXXXXX";
static int dir_fd;

static int set_up(void **state) {
        assert_non_null(mkdtemp(directory));
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY);
        return 0;
}

static int tear_down(void **state) {
        close(dir_fd);
        buffer_done(&asked);
        return fs_remove_tree(AT_FDCWD, directory, NULL);
}

/* A stream of size bytes and their digest, in pieces of the given size. */
static void make_stream(size_t size, size_t piece, Buffer *file, Buffer *out) {
        char hex[SHA256_HEX_SIZE], digest[32];
        size_t total;

        for (size_t i = 0; i < size; i++)
                buffer_add_char(file, (char) (i * 7 + i / 251));
        sha256_hex(file->data, file->size, hex);
        assert_int_equal(parse_hex(hex, digest, sizeof(digest)), 0);
        buffer_add(file, digest, sizeof(digest));
        total = file->size;
        for (size_t i = 0; i < total; i += piece) {
                size_t n = total - i < piece ? total - i : piece;
                _cleanup_buffer_ Buffer text = BUFFER_NULL;

                base64_encode(file->data + i, n, &text);
                buffer_addf(
                        out,
                        "{\"result\":{\"remaining_bytes\":\"%zu\",\"blob\":\"%s\",\"version\":\"3.6.0\"}}\n",
                        total - i - n, buffer_str(&text));
        }
}

static bool refused;
static int check(void *userdata, const char *part, Error **reterr) {
        assert_string_equal(part, "a.db.part");
        assert_int_equal(faccessat(dir_fd, part, F_OK, 0), 0);
        return refused ? error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: damaged", part) : 0;
}

static int take(const Buffer *stream, size_t step, Error **reterr) {
        uint64_t size = 0;
        int r;

        answer = stream->data;
        answer_size = stream->size;
        answer_status = 200;
        answer_step = step;
        r = etcd_snapshot(&endpoint, dir_fd, "a.db", check, NULL, NULL, &size, reterr);
        if (r < 0)
                assert_int_equal(faccessat(dir_fd, "a.db.part", F_OK, 0), -1);
        return r;
}

static void test_snapshot(void **state) {
        static const size_t pieces[] = { 1, 31, 32, 33, 500, 4096 }, steps[] = { 1, 7, 100000 };

        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
                for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
                        _cleanup_buffer_ Buffer file = BUFFER_NULL, stream = BUFFER_NULL, read = BUFFER_NULL;
                        struct stat st;

                        make_stream(1024, pieces[i], &file, &stream);
                        assert_int_equal(take(&stream, steps[j], NULL), 0);
                        assert_int_equal(fs_read(dir_fd, "a.db", 1 << 20, &read, NULL), 0);
                        assert_int_equal(read.size, file.size);
                        assert_memory_equal(read.data, file.data, file.size);
                        assert_int_equal(fstatat(dir_fd, "a.db", &st, 0), 0);
                        assert_int_equal(st.st_mode & 07777, 0600);
                }
}

static void test_snapshot_broken(void **state) {
        static const char failed[] = "{\"error\":{\"code\":14,\"message\":\"etcdserver: stopped\"}}\n";
        _cleanup_buffer_ Buffer file = BUFFER_NULL, stream = BUFFER_NULL;

        unlinkat(dir_fd, "a.db", 0);
        make_stream(1024, 100, &file, &stream);
        for (size_t size = 0; size < stream.size - 1; size += 13) {
                Buffer cut = { .data = stream.data, .size = size };

                assert_true(take(&cut, 64, NULL) < 0);
        }
        for (size_t i = 60; i < stream.size; i += 97) {
                char c = stream.data[i];

                if (c == '\n')
                        continue;
                stream.data[i] = c == 'A' ? 'B' : 'A';
                (void) take(&stream, 64, NULL); /* a changed number of remaining bytes does no harm */
                stream.data[i] = c;
        }
        {
                _cleanup_error_ Error *error = NULL;

                buffer_add_str(&stream, failed);
                assert_true(take(&stream, 64, &error) < 0);
                assert_non_null(strstr(error->message, "etcdserver: stopped"));
        }
}

/* What is found damaged does not take the place of what was good. */
static void test_snapshot_refused(void **state) {
        _cleanup_buffer_ Buffer file = BUFFER_NULL, stream = BUFFER_NULL, read = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_write(dir_fd, "a.db", "good", 4, 0600, 0, NULL) >= 0);
        make_stream(1024, 512, &file, &stream);
        refused = true;
        assert_int_equal(take(&stream, 4096, &error), -EBADMSG);
        refused = false;
        assert_int_equal(fs_read(dir_fd, "a.db", 1 << 20, &read, NULL), 0);
        assert_string_equal(buffer_str(&read), "good");
        assert_int_equal(take(&stream, 4096, NULL), 0);
        buffer_done(&read);
        assert_int_equal(fs_read(dir_fd, "a.db", 1 << 20, &read, NULL), 0);
        assert_int_equal(read.size, file.size);
}

static void test_snapshot_wrong_digest(void **state) {
        _cleanup_buffer_ Buffer file = BUFFER_NULL, stream = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        char *blob;

        unlinkat(dir_fd, "a.db", 0);
        make_stream(1024, 512, &file, &stream);
        blob = strstr(stream.data, "\"blob\":\"") + 20;
        *blob = *blob == 'A' ? 'B' : 'A';
        assert_true(take(&stream, 4096, &error) < 0);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_int_equal(faccessat(dir_fd, "a.db", F_OK, 0), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_members),         cmocka_unit_test(test_status),
                cmocka_unit_test(test_health),          cmocka_unit_test(test_errors),
                cmocka_unit_test(test_snapshot),        cmocka_unit_test(test_snapshot_refused),
                cmocka_unit_test(test_snapshot_broken), cmocka_unit_test(test_snapshot_wrong_digest),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
