/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The snapshot that is taken before other binaries get to the data, when this machine's disk refuses one of the writes, or
 * the run is killed before it: it is whole or not there under its name, the reason and the path are told, and the next run
 * takes one and leaves nothing else behind, as all secrets of the cluster are in it.
 *
 * Wraps: fchmod mkdirat clock_realtime http_request http_client_set_cancelled
 */

#include "tests/unit/unit.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "common/parse.h"
#include "etcd/internal.h"
#include "etcd/snapshot.h"
#include "pki/pem.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"
#include "tests/unit/write-faults.h"

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode) {
        return strikes() ? -1 : __real_fchmod(fd, mode);
}

int __real_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode) {
        return strikes() ? -1 : __real_mkdirat(dir_fd, path, mode);
}

static int64_t now; /* each run has another time, and so has its snapshot another name */

int64_t __wrap_clock_realtime(void);
int64_t __wrap_clock_realtime(void) {
        return now;
}

void __wrap_http_client_set_cancelled(HttpClient *c, const volatile int *cancelled);
void __wrap_http_client_set_cancelled(HttpClient *c, const volatile int *cancelled) {}

#define PAGE 1024
#define N_PAGES 3

static void make_database(Buffer *ret) {
        static const unsigned char magic[] = { 0xed, 0xda, 0x0c, 0xed };
        char hex[SHA256_HEX_SIZE], digest[32];

        for (size_t i = 0; i < (size_t) PAGE * N_PAGES; i++)
                buffer_add_char(ret, (char) (i * 31));
        memcpy(ret->data + 16, magic, sizeof(magic));
        sha256_hex(ret->data, ret->size, hex);
        assert_int_equal(parse_hex(hex, digest, sizeof(digest)), 0);
        buffer_add(ret, digest, sizeof(digest));
}

/* As etcd's gateway sends it: piece by piece, the last one with the digest. */
static int stream(const HttpRequest *request, Error **reterr) {
        _cleanup_buffer_ Buffer database = BUFFER_NULL;
        int r = 0;

        make_database(&database);
        for (size_t i = 0; i < database.size && r >= 0; i += PAGE) {
                size_t n = database.size - i < PAGE ? database.size - i : PAGE;
                _cleanup_buffer_ Buffer line = BUFFER_NULL;

                buffer_add_str(&line, "{\"result\":{\"blob\":\"");
                base64_encode(database.data + i, n, &line);
                buffer_add_str(&line, "\"}}\n");
                r = request->sink(request->userdata, line.data, line.size, reterr);
        }
        return r;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "etcd/ca");
        assert_contains(credential, "/pki/etcd/healthcheck-client");
}

/* c0 is a member that is well and alone. */
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        if (!strstr(request->url, "10.77.0.20"))
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "connection refused");
        *ret = (HttpResponse) { .status = 200 };
        if (strstr(request->url, "/snapshot"))
                return stream(request, reterr);
        if (strstr(request->url, "/health"))
                buffer_add_str(&ret->body, "{\"health\":\"true\"}");
        else if (strstr(request->url, "/status"))
                buffer_add_str(&ret->body,
                               "{\"header\":{\"cluster_id\":\"1\",\"member_id\":\"10\",\"revision\":\"5\"},"
                               "\"version\":\"3.6.16\",\"leader\":\"10\",\"dbSize\":\"3072\"}");
        else
                buffer_add_str(
                        &ret->body,
                        "{\"header\":{\"cluster_id\":\"1\"},\"members\":[{\"ID\":\"10\",\"name\":\"c0\","
                        "\"peerURLs\":[\"https://10.77.0.20:2380\"],\"clientURLs\":"
                        "[\"https://10.77.0.20:2379\"]}]}");
        return 0;
}

static int save(const UnitDir *d, Error **reterr) {
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_free_ char *path = xasprintf("%s/hardway.yaml", d->path);
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        c.path = path;
        assert_int_equal(store_open(d->path, &store, NULL), 0);
        now++;
        return etcd_before_rollout(&(ProbeContext) { .cluster = &c, .store = store }, reterr);
}

/* Return: how many snapshots there are, each of which is whole, and for nobody else to read; *ret_others: what else is there. */
static unsigned count_snapshots(const UnitDir *d, unsigned *ret_others) {
        _cleanup_free_ char *folder = xasprintf("%s/snapshots", d->path);
        DIR *dir = opendir(folder);
        unsigned n = 0, others = 0;

        for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
                _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile file = {};
                _cleanup_free_ char *path = xasprintf("%s/%s", folder, e->d_name);
                struct stat st;

                if (e->d_name[0] == '.')
                        continue;
                assert_int_equal(lstat(path, &st), 0);
                assert_int_equal(st.st_mode & 0777, 0600);
                if (fnmatch("test-[0-9]*T[0-9]*Z.db", e->d_name, 0) != 0) {
                        others++;
                        continue;
                }
                assert_int_equal(etcd_snapshot_inspect(path, &file, NULL), 0);
                assert_true(file.digest);
                n++;
        }
        if (dir)
                (void) closedir(dir);
        *ret_others = others;
        return n;
}

static void assert_completes(const UnitDir *d) {
        _cleanup_error_ Error *error = NULL;
        unsigned others, before = count_snapshots(d, &others);

        assert_success(save(d, &error), error, 0);
        assert_int_equal(count_snapshots(d, &others), before + 1);
        assert_int_equal(others, 0);
}

/* first: of a cluster that has none yet, for which the directory is made. */
static void begin(const UnitDir *d, bool first) {
        countdown = 0;
        assert_int_equal(fs_remove_tree(d->fd, "snapshots", NULL), 0);
        if (!first)
                assert_int_equal(save(d, NULL), 0);
}

static unsigned count_calls(const UnitDir *d, bool first) {
        begin(d, first);
        count = 0;
        assert_int_equal(save(d, NULL), 0);
        assert_in_range(count, 8, 30);
        return count;
}

static void refuse_at(const UnitDir *d, bool first, unsigned at, int errnum) {
        _cleanup_error_ Error *error = NULL;
        unsigned others;
        int r;

        begin(d, first);
        trouble = errnum;
        countdown = at;
        r = save(d, &error);
        countdown = 0;
        if (r < 0) {
                assert_int_equal(r, -errnum);
                assert_contains(error->message, "no snapshot could be taken before the change");
                assert_contains(error->message, d->path);
                assert_contains(error->message, strerror(errnum));
        }
        (void) count_snapshots(d, &others);
        assert_int_equal(others, 0);
        assert_completes(d);
}

static void kill_at(const UnitDir *d, bool first, unsigned at) {
        unsigned others;
        pid_t pid;

        begin(d, first);
        pid = fork_to_die(at);
        if (pid == 0) {
                (void) save(d, NULL);
                _exit(0);
        }
        now++; /* it was there */
        await_killed(pid);
        (void) count_snapshots(d, &others);
        assert_completes(d);
}

static void test_refused(void **state) {
        for (unsigned first = 0; first < 2; first++) {
                unsigned n = count_calls(*state, first);

                for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
                        for (unsigned at = 1; at <= n; at++)
                                refuse_at(*state, first, at, troubles[i]);
        }
}

static void test_killed(void **state) {
        for (unsigned first = 0; first < 2; first++) {
                unsigned n = count_calls(*state, first);

                for (unsigned at = 1; at <= n; at++)
                        kill_at(*state, first, at);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_refused),
                unit_test_in_dir(test_killed),
        };

        return cmocka_run_group_tests_name("etcd-save-faults", tests, NULL, NULL);
}
