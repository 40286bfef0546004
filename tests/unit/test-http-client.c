/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The HTTPS client against a server that misbehaves: each way in which a request can fail is told apart by
 * errno and kind, and said in words that name the address.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/json.h"
#include "http/http.h"
#include "tests/fetch/server.h"

static TestServer server;

static HttpClient* client_new(const char *ca, const char *certificate) {
        _cleanup_buffer_ Buffer ca_pem = BUFFER_NULL, crt_pem = BUFFER_NULL, key_pem = BUFFER_NULL;
        HttpTrust trust = { .ca = &ca_pem };
        HttpClient *c = NULL;

        server_pki(&server, ca, &ca_pem);
        if (certificate) {
                _cleanup_free_ char *crt = xasprintf("%s.crt", certificate),
                                    *key = xasprintf("%s.key", certificate);

                server_pki(&server, crt, &crt_pem);
                server_pki(&server, key, &key_pem);
                trust.certificate = &crt_pem;
                trust.key = &key_pem;
        }
        assert_int_equal(http_client_new(&trust, &c, NULL), 0);
        return c;
}

/* The request fails with this errno and kind, and the message has this in it, and the address. */
static void assert_fails(HttpClient *c, const HttpRequest *request, int errnum, ErrorKind kind,
                         const char *words) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_error_ Error *error = NULL;
        int r;

        r = http_request(c, request, &response, &error);
        if (r >= 0)
                fail_msg("%s: status %ld instead of %s", request->url, response.status, words);
        if (r != -errnum || error->errnum != errnum || error->kind != kind ||
            !strstr(error->message, words) || !strstr(error->message, "https://"))
                fail_msg("%s: %d %d: %s", request->url, r, error->kind, error->message);
}

static void assert_url_fails(HttpClient *c, const char *port, const char *path, int errnum, ErrorKind kind,
                             const char *words) {
        _cleanup_free_ char *url = server_url(&server, port, path);

        assert_fails(c, &(HttpRequest) { .url = url, .timeout_usec = USEC_PER_SEC }, errnum, kind, words);
}

static void test_answer(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *url = server_url(&server, "good", "/file"),
                            *absent = server_url(&server, "good", "/no");
        _cleanup_buffer_ Buffer leaf = BUFFER_NULL;

        server_put(&server, "file", "hello", 5);
        server_pki(&server, "good.crt", &leaf);
        /* The second one goes over the same connection, and still knows what certificate was shown on it. */
        for (int i = 0; i < 2; i++) {
                _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;

                assert_int_equal(http_request(c, &(HttpRequest) { .url = url }, &response, NULL), 0);
                assert_int_equal(response.status, 200);
                assert_string_equal(buffer_str(&response.body), "hello");
                assert_string_equal(buffer_str(&response.served), buffer_str(&leaf));
                assert_true(response.duration_usec > 0);
        }

        {
                _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;

                assert_int_equal(http_request(c, &(HttpRequest) { .url = absent }, &response, NULL), 0);
                assert_int_equal(response.status, 404);
        }
}

static void test_json(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *url = server_url(&server, "good", "/echo");
        static const struct {
                const char *method, *body, *type;
        } rows[] = {
                { "POST", "{\"a\":1}", "application/json" },
                { "PUT", "{\"a\":1}", "application/json" },
                { "PATCH", "{\"a\":1}", "application/apply-patch+yaml" },
                { "DELETE", NULL, NULL },
                { "GET", NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_json_ json_t *body = rows[i].body ? json_pack("{s:i}", "a", 1) : NULL,
                                      *answer = NULL;

                assert_int_equal(http_json(c, rows[i].method, url, body, &answer, NULL), 0);
                assert_string_equal(json_text(answer, "method"), rows[i].method);
                assert_string_equal(json_text(answer, "body"), rows[i].body ?: "");
                assert_true(streq_null(json_text(json_object_get(answer, "headers"), "Content-Type"),
                                       rows[i].type));
        }

        {
                /* etcd's gateway wants POST with an empty object; one without any body is legal too. */
                _cleanup_json_ json_t *answer = NULL;

                assert_int_equal(http_json(c, "POST", url, NULL, &answer, NULL), 0);
                assert_string_equal(json_text(json_object_get(answer, "headers"), "Content-Length"), "0");
        }
}

static void test_json_errors(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        static const struct {
                const char *path, *words;
                int errnum;
                ErrorKind kind;
        } rows[] = {
                { "/json:404/%7B%22kind%22:%22Status%22,%22message%22:%22pods%20not%20here%22%7D",
                  "404 (not found): pods not here", ENOENT, ERROR_UNAVAILABLE },
                { "/json:409/%7B%22message%22:%22taken%22%7D", "409 (conflict): taken", EEXIST,
                  ERROR_UNAVAILABLE },
                { "/json:403/%7B%22message%22:%22no%22%7D", ": no", EACCES, ERROR_PERMISSION },
                { "/json:401/%7B%22message%22:%22Unauthorized%22%7D", "Unauthorized", EACCES,
                  ERROR_PERMISSION },
                { "/json:429/%7B%7D", "429", EAGAIN, ERROR_UNAVAILABLE },
                { "/json:503/%7B%22error%22:%22connection%20closed%22,%22code%22:14%7D", "connection closed",
                  EAGAIN, ERROR_UNAVAILABLE },
                { "/json:400/%7B%22code%22:9,%22message%22:%22etcdserver:%20x%22%7D", "etcdserver: x",
                  EINVAL, ERROR_UNAVAILABLE },
                { "/json:500/plain%20words%0Amore", ": plain words", EIO, ERROR_UNAVAILABLE },
                { "/json:500/%3Chtml%3E", "500 (error in the server)", EIO, ERROR_UNAVAILABLE },
                { "/to-http/x", "302 (a redirect)", EIO, ERROR_UNAVAILABLE },
                { "/json:200/%7B%22a%22:1,%22a%22:2%7D", "duplicate", EBADMSG, ERROR_VERIFY },
                { "/json:200/%7B", "line 1", EBADMSG, ERROR_VERIFY },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *url = server_url(&server, "good", rows[i].path);
                _cleanup_json_ json_t *answer = NULL;
                _cleanup_error_ Error *error = NULL;

                assert_int_equal(http_json(c, "GET", url, NULL, &answer, &error), -rows[i].errnum);
                assert_null(answer);
                assert_int_equal(error->kind, rows[i].kind);
                if (!strstr(error->message, rows[i].words) || !strstr(error->message, "https://127.0.0.1:"))
                        fail_msg("%s", error->message);
        }
}

static void test_certificates(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL),
                                                *other = client_new("other-ca.crt", NULL);

        assert_url_fails(c, "unknown-ca", "/", EKEYREJECTED, ERROR_VERIFY,
                         "not of a CA that is trusted here");
        assert_url_fails(other, "good", "/", EKEYREJECTED, ERROR_VERIFY, "not of a CA that is trusted here");
        assert_url_fails(c, "expired", "/", EKEYEXPIRED, ERROR_VERIFY, "has expired");
        assert_url_fails(c, "future", "/", EKEYEXPIRED, ERROR_VERIFY, "is not valid yet");
        assert_url_fails(c, "wrong-name", "/", EKEYREJECTED, ERROR_VERIFY, "not for this name '127.0.0.1'");
}

static void test_client_certificate(void **state) {
        static const char *const ports[] = { "mutual", "mutual12" };

        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
                _cleanup_(http_client_freep) HttpClient *none = client_new("ca.crt", NULL),
                                                        *wrong = client_new("ca.crt", "other-client"),
                                                        *right = client_new("ca.crt", "client");
                _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
                _cleanup_free_ char *url = server_url(&server, ports[i], "/echo");

                assert_url_fails(wrong, ports[i], "/echo", EACCES, ERROR_PERMISSION,
                                 "does not accept our client certificate");
                if (i == 0) /* TLS 1.2 servers say no more than "handshake failure" when there is none */
                        assert_url_fails(none, ports[i], "/echo", EACCES, ERROR_PERMISSION,
                                         "does not accept our client certificate: none was given");
                assert_int_equal(http_request(right, &(HttpRequest) { .url = url }, &response, NULL), 0);
                assert_int_equal(response.status, 200);
        }
}

/* What would not be accepted is shown all the same, and the end of a chain that is none is an error. */
static void test_show(void **state) {
        static const struct {
                const char *port, *file;
        } rows[] = { { "good", "good.crt" },
                     { "expired", "expired.crt" },
                     { "future", "future.crt" },
                     { "wrong-name", "wrong-name.crt" },
                     { "unknown-ca", "unknown-ca.crt" },
                     { "mutual", "good.crt" } };
        _cleanup_buffer_ Buffer crt = BUFFER_NULL, key = BUFFER_NULL;
        HttpTrust client = { .certificate = &crt, .key = &key }, none = {};

        server_pki(&server, "client.crt", &crt);
        server_pki(&server, "client.key", &key);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *address = xasprintf("127.0.0.1:%u", server_port(&server, rows[i].port));
                _cleanup_buffer_ Buffer shown = BUFFER_NULL, file = BUFFER_NULL;
                const HttpTrust *trust = streq(rows[i].port, "mutual") ? &client : &none;

                server_pki(&server, rows[i].file, &file);
                assert_int_equal(http_show(address, trust, 5 * USEC_PER_SEC, &shown, NULL), 0);
                /* OpenSSL may add the CA, where it knows it. */
                assert_non_null(startswith(buffer_str(&shown), buffer_str(&file)));
        }
}

static void test_show_fails(void **state) {
        static const struct {
                const char *port;
                int errnum;
        } rows[] = { { "plain", EPROTO }, { "silent", ETIMEDOUT } };
        _cleanup_buffer_ Buffer shown = BUFFER_NULL;
        _cleanup_error_ Error *refused = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *address = xasprintf("127.0.0.1:%u", server_port(&server, rows[i].port));
                _cleanup_error_ Error *error = NULL;

                assert_int_equal(http_show(address, &(HttpTrust) {}, USEC_PER_SEC / 5, &shown, &error),
                                 -rows[i].errnum);
                if (!startswith(error->message, address))
                        fail_msg("%s", error->message);
        }
        assert_int_equal(http_show("127.0.0.1:1", &(HttpTrust) {}, USEC_PER_SEC, &shown, &refused),
                         -ECONNREFUSED);
        assert_int_equal(shown.size, 0);
}

static void test_bad_trust(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        _cleanup_buffer_ Buffer ca = BUFFER_NULL, crt = BUFFER_NULL, key = BUFFER_NULL, junk = BUFFER_NULL;
        _cleanup_free_ char *url = server_url(&server, "good", "/echo");
        const HttpRequest request = { .url = url };

        assert_int_equal(http_client_new(&(HttpTrust) {}, &c, NULL), -EINVAL);
        server_pki(&server, "ca.crt", &ca);
        server_pki(&server, "client.crt", &crt);
        server_pki(&server, "other-client.key", &key);
        buffer_add_str(&junk, "junk");
        assert_int_equal(http_client_new(&(HttpTrust) { .ca = &ca, .certificate = &crt }, &c, NULL), -EINVAL);

        assert_int_equal(http_client_new(&(HttpTrust) { .ca = &junk }, &c, NULL), 0);
        assert_fails(c, &request, EINVAL, ERROR_CONFIG, "the CA to verify the server with");
        c = http_client_free(c);
        assert_int_equal(
                http_client_new(&(HttpTrust) { .ca = &ca, .certificate = &crt, .key = &key }, &c, NULL), 0);
        assert_fails(c, &request, EINVAL, ERROR_CONFIG, "our client certificate or its key");
}

/*
 * A listener whose queue is full: further connection attempts stay without an answer, as behind a firewall.
 */
static int listen_full(unsigned *ret_port, int fillers[static 3]) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr*) &address, size), 0);
        assert_int_equal(listen(fd, 0), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr*) &address, &size), 0);
        for (int i = 0; i < 3; i++) {
                fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                (void) connect(fillers[i], (struct sockaddr*) &address, size);
        }
        *ret_port = ntohs(address.sin_port);
        return fd;
}

static void test_connecting(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *refused = NULL, *full = NULL;
        int fd, fillers[3];
        unsigned port;

        fd = listen_full(&port, fillers);
        full = xasprintf("https://127.0.0.1:%u/", port);
        assert_fails(c, &(HttpRequest) { .url = full, .connect_timeout_usec = 300 * USEC_PER_MSEC },
                     ETIMEDOUT, ERROR_UNAVAILABLE, "no answer to the connection attempt within");
        for (int i = 0; i < 3; i++)
                (void) close(fillers[i]);
        (void) close(fd);

        refused = xasprintf("https://127.0.0.1:%u/", port); /* nobody has it now */
        assert_fails(c, &(HttpRequest) { .url = refused }, ECONNREFUSED, ERROR_UNAVAILABLE,
                     "connection refused");
        assert_fails(c, &(HttpRequest) { .url = "https://a..b/" }, EADDRNOTAVAIL, ERROR_UNAVAILABLE,
                     "cannot be resolved");
        assert_fails(c, &(HttpRequest) { .url = "https://255.255.255.255:1/" }, EHOSTUNREACH,
                     ERROR_UNAVAILABLE, "no route to the host");
}

static Buffer told;

static void tell(void *userdata, const HttpTold *t) {
        assert_ptr_equal(userdata, &told);
        assert_in_range(t->duration_usec, 1, 60 * USEC_PER_SEC);
        buffer_addf(&told, "%s %s%s%s %ld %s\n", t->method ?: "-", t->where, t->connect_to ? " at " : "",
                    t->connect_to ?: "", t->status, t->reason ?: "-");
}

static void ask(HttpClient *c, const HttpRequest *request) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;

        (void) http_request(c, request, &response, NULL);
}

/* Each request once, at its end; of what was said nothing, and of many of a kind only what is not well. */
static void test_told(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *good = server_url(&server, "good", "/status:200/x?y=1"),
                            *bad = server_url(&server, "good", "/status:503/x"),
                            *other = xasprintf("127.0.0.1:%u", server_port(&server, "good")), *wanted = NULL;
        _cleanup_buffer_ Buffer shown = BUFFER_NULL;

        http_set_trace(tell, &told);
        ask(c, &(HttpRequest) { .url = good });
        ask(c, &(HttpRequest) { .url = good, .often = true });
        ask(c,
            &(HttpRequest) { .method = "POST", .url = bad, .body = "secret", .body_size = 6, .often = true });
        ask(c, &(HttpRequest) { .url = "https://127.0.0.1:1/x", .often = true });
        ask(c, &(HttpRequest) { .url = "https://127.0.0.1:2/x", .connect_to = "127.0.0.1:1" });
        assert_int_equal(http_show(other, &(HttpTrust) {}, USEC_PER_SEC, &shown, NULL), 0);
        assert_int_equal(http_show("127.0.0.1:1", &(HttpTrust) {}, USEC_PER_SEC, &shown, NULL),
                         -ECONNREFUSED);
        http_set_trace(NULL, NULL);
        ask(c, &(HttpRequest) { .url = good });

        wanted = xasprintf(
                "GET %s 200 -\n"
                "POST %s 503 -\n"
                "GET https://127.0.0.1:1/x 0 connection refused, nothing listens there\n"
                "GET https://127.0.0.1:2/x at 127.0.0.1:1 0 connection refused, nothing listens there\n"
                "- %s 0 -\n"
                "- 127.0.0.1:1 0 connection refused, nothing listens there\n",
                good, bad, other);
        assert_string_equal(buffer_str(&told), wanted);
        buffer_done(&told);
}

static void test_times(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *silent = server_url(&server, "silent", "/"),
                            *mute = server_url(&server, "good", "/stall:0/f"),
                            *stalled = server_url(&server, "good", "/stall:3/f");
        const volatile int yes = 1;

        server_put(&server, "f", "hello", 5);
        assert_fails(c, &(HttpRequest) { .url = silent, .connect_timeout_usec = 300 * USEC_PER_MSEC },
                     ETIMEDOUT, ERROR_UNAVAILABLE, "TLS handshake did not end");
        assert_fails(c, &(HttpRequest) { .url = mute, .timeout_usec = 2 * USEC_PER_SEC }, ETIMEDOUT,
                     ERROR_UNAVAILABLE, "connected, but no answer");
        assert_fails(c, &(HttpRequest) { .url = stalled, .timeout_usec = 2 * USEC_PER_SEC }, ETIMEDOUT,
                     ERROR_UNAVAILABLE, "the answer stalled, 3 bytes had come");
        assert_fails(c, &(HttpRequest) { .url = stalled, .stall_usec = USEC_PER_SEC }, ETIMEDOUT,
                     ERROR_UNAVAILABLE, "too slow, 3 bytes had come");
        http_client_set_cancelled(c, &yes);
        assert_fails(c, &(HttpRequest) { .url = stalled }, ECANCELED, ERROR_TEMPORARY, "stopped");
        http_client_set_cancelled(c, NULL);
        assert_fails(c, &(HttpRequest) { .url = stalled, .cancelled = &yes }, ECANCELED, ERROR_TEMPORARY,
                     "stopped");
}

static void test_broken(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *url = server_url(&server, "good", "/file"),
                            *big = server_url(&server, "good", "/unsized/file"),
                            *plain = server_url(&server, "plain", "/echo");
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_error_ Error *error = NULL;

        server_put(&server, "file", "hello", 5);
        assert_url_fails(c, "good", "/cut:3/file", ECONNRESET, ERROR_UNAVAILABLE,
                         "cut off after 3 of 5 bytes");
        assert_url_fails(c, "good", "/drop/file", ECONNRESET, ERROR_UNAVAILABLE, "closed without an answer");
        assert_url_fails(c, "closing", "/", ECONNRESET, ERROR_UNAVAILABLE,
                         "closed during the TLS handshake");
        assert_url_fails(c, "good", "/headers/file", EFBIG, ERROR_VERIFY, "larger than");
        assert_fails(c, &(HttpRequest) { .url = url, .limit = 4 }, EFBIG, ERROR_VERIFY, "larger than");
        assert_fails(c, &(HttpRequest) { .url = big, .limit = 4 }, EFBIG, ERROR_VERIFY, "larger than");

        assert_int_equal(http_request(c, &(HttpRequest) { .url = plain }, &response, &error),
                         -EPROTONOSUPPORT);
        assert_int_equal(error->kind, ERROR_VERIFY);
        free(plain);
        plain = xasprintf("https://127.0.0.1:%u/", server_port(&server, "plain"));
        assert_fails(c, &(HttpRequest) { .url = plain }, EPROTO, ERROR_UNAVAILABLE, "does not speak TLS");
}

static void test_connect_to(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *address = xasprintf("127.0.0.1:%u", server_port(&server, "good"));
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;

        /* The name is verified as the URL has it, wherever the connection goes. */
        assert_int_equal(
                http_request(c, &(HttpRequest) { .url = "https://localhost:1/echo", .connect_to = address },
                             &response, NULL),
                0);
        assert_int_equal(response.status, 200);
        assert_fails(c, &(HttpRequest) { .url = "https://k8s.test:1/echo", .connect_to = address },
                     EKEYREJECTED, ERROR_VERIFY, "(at 127.0.0.1:");
}

static int sink_add(void *userdata, const void *data, size_t size, Error **reterr) {
        Buffer *all = userdata;

        buffer_add(all, data, size);
        return all->size > 100000 ? error_set(reterr, ERROR_IO, ENOSPC, "it is full") : 0;
}

static void test_sink(void **state) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", NULL);
        _cleanup_free_ char *small = server_url(&server, "good", "/small"),
                            *large = server_url(&server, "good", "/large"),
                            *absent = server_url(&server, "good", "/absent"), *bytes = xcalloc(1, 300000);
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_buffer_ Buffer all = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        HttpRequest request = { .url = small, .sink = sink_add, .userdata = &all, .limit = 100 };

        server_put(&server, "small", bytes, 50000);
        server_put(&server, "large", bytes, 300000);
        assert_int_equal(http_request(c, &request, &response, NULL), 0);
        assert_int_equal(all.size, 50000);
        assert_int_equal(response.body.size, 0);
        http_response_done(&response);

        request.url = absent;
        assert_int_equal(http_request(c, &request, &response, NULL), 0);
        assert_int_equal(response.status, 404);
        assert_string_equal(buffer_str(&response.body), "no such file\n");
        assert_int_equal(all.size, 50000);

        request.url = large;
        assert_int_equal(http_request(c, &request, &response, &error), -ENOSPC);
        assert_string_equal(error->message, "it is full");
}

static void* thread_main(void *userdata) {
        _cleanup_(http_client_freep) HttpClient *c = client_new("ca.crt", "client");
        _cleanup_free_ char *url = server_url(&server, "mutual", "/echo");
        uintptr_t ok = 0;

        for (int i = 0; i < 20; i++) {
                _cleanup_json_ json_t *answer = NULL;

                ok += http_json(c, "GET", url, NULL, &answer, NULL) == 0;
        }
        return (void*) ok;
}

static void test_threads(void **state) {
        pthread_t threads[6];

        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                assert_int_equal(pthread_create(threads + i, NULL, thread_main, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
                void *ok;

                assert_int_equal(pthread_join(threads[i], &ok), 0);
                assert_int_equal((uintptr_t) ok, 20);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_threads), /* first, so that libcurl is initialised by several at once */
                cmocka_unit_test(test_answer),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_json_errors),
                cmocka_unit_test(test_certificates),
                cmocka_unit_test(test_client_certificate),
                cmocka_unit_test(test_show),
                cmocka_unit_test(test_show_fails),
                cmocka_unit_test(test_bad_trust),
                cmocka_unit_test(test_connecting),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_told),
                cmocka_unit_test(test_broken),
                cmocka_unit_test(test_connect_to),
                cmocka_unit_test(test_sink),
        };
        int r;

        server_start(&server);
        r = cmocka_run_group_tests_name("http-client", tests, NULL, NULL);
        server_stop(&server);
        return r;
}
