/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Remote nodes, with an ssh that is a script: it either runs the command here, after whatever noise a login
 * shell makes, or fails as the real one does. The texts are those that OpenSSH 9.2 and sudo 1.9 were seen to
 * print.
 */

#include "host-fixture.h"

static char *old_path;

static int ssh_setup(void **state) {
        _cleanup_free_ char *path = NULL;
        HostFixture *f;
        int r;

        r = host_fixture_setup(state);
        if (r < 0)
                return r;
        f = *state;
        f->nodes[0].local = false;
        f->nodes[0].ssh.user = (char*) "pi";
        f->options.control_directory = xasprintf("%s/ssh", f->dir->path);
        fixture_program(
                f, "sudo",
                "while [ \"$1\" != sh ]; do case $1 in -S) read -r p; echo \"$p\" >>\"$0.passwords\";; "
                "esac; shift; done; exec \"$@\"");
        fixture_program(f, "ssh-keyscan",
                        "echo \"$*\" >\"$0.asked\"\n"
                        "echo '10.77.0.20 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKEY'");
        fixture_program(f, "ssh-keygen",
                        "grep -q ssh-ed25519 && echo '256 SHA256:abc 10.77.0.20 (ED25519)'");
        old_path = xstrdup(getenv("PATH"));
        path = xasprintf("%s/bin:%s", f->dir->path, old_path);
        return setenv("PATH", path, 1);
}

static int ssh_teardown(void **state) {
        HostFixture *f = *state;
        char *control = (char*) f->options.control_directory;
        int r;

        fixture_close(f);
        setenv("PATH", old_path, 1);
        freep(&old_path);
        r = host_fixture_teardown(state);
        free(control);
        return r;
}

#define ssh_test(f) cmocka_unit_test_setup_teardown(f, ssh_setup, ssh_teardown)

/* The fake: writes its arguments down, then does what action says; $command is what the real one would
 * run there. */
static void fake_ssh(const HostFixture *f, const char *action) {
        _cleanup_free_ char *script =
                xasprintf("echo \"$*\" >>%s/ssh.log\n"
                          "case \" $* \" in *' -Oexit '*) exit 0;; esac\n"
                          "for word; do case $word in -oControlPath=/*) >\"${word#*=}\";; esac; done\n"
                          "for command; do :; done\n%s",
                          f->dir->path, action);

        fixture_program(f, "ssh", script);
}

static int exec_text(HostFixture *f, const char *script, char **ret, Error **reterr) {
        Buffer out = BUFFER_NULL;
        int r;

        if (!f->host) {
                r = host_open_at(f->nodes, &f->options, f->dir->path, &f->host, reterr);
                if (r < 0)
                        return r;
        }
        r = host_exec(f->host, script, &out, reterr);
        if (r >= 0)
                *ret = buffer_take(&out);
        return r;
}

#define RUN_HERE "exec sh -c \"$command\""

static void test_exec(void **state) {
        static const char *const actions[] = {
                RUN_HERE,
                "echo 'Welcome to the machine'; echo noise >&2; " RUN_HERE,
                "printf 'no newline'; " RUN_HERE,
                "yes | head -n 500; " RUN_HERE,
        };
        HostFixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                _cleanup_error_ Error *error = NULL;
                _cleanup_free_ char *text = NULL;

                fake_ssh(f, actions[i]);
                assert_success(exec_text(f, "echo hello; printf 'two\\nlines'", &text, &error), error, 0);
                assert_string_equal(text, "hello\ntwo\nlines");
        }
}

/* It is a script's status, and only that, which makes a failure of it; ssh's says nothing. */
static void test_exec_status(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *text = NULL;

        fake_ssh(f, RUN_HERE "; exit 0");
        assert_int_equal(exec_text(f, "echo why >&2; exit 255", &text, &error), -EREMOTEIO);
        assert_contains(error->message, "status 255");
        assert_string_equal(error->detail, "why\n");
        error = error_free(error);
        fake_ssh(f, "sh -c \"$command\"; exit 3");
        assert_success(exec_text(f, "echo ok", &text, &error), error, 0);
        freep(&text);
        /* the shell reports the line of its own, not of ours */
        fake_ssh(f, RUN_HERE);
        assert_int_equal(exec_text(f, "fail verify 'that is wrong'", &text, &error), -EBADMSG);
        assert_string_equal(error->message, "that is wrong");
        assert_int_equal(error->kind, ERROR_VERIFY);
}

/* A connection that breaks off is no success, however far the script came. */
static void test_exec_cut(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *text = NULL;

        fake_ssh(f, "sh -c \"$command\" | sed '/^hardway-end/d'; exit 0");
        assert_failure(exec_text(f, "echo hello", &text, &error), error, ERROR_UNAVAILABLE, ECONNRESET);
        fake_ssh(
                f,
                "sh -c \"$command\" | head -n 1; echo 'Timeout, server 10.77.0.20 not responding.' >&2; exit 255");
        assert_int_equal(exec_text(f, "echo hello", &text, &error), -ECONNRESET);
        assert_contains(error->message, "connection to 10.77.0.20 was lost");
        error = error_free(error);
        /* half a script does nothing */
        fake_ssh(f, "dd bs=1 count=900 2>/dev/null | sh -c \"$command\"");
        assert_true(exec_text(f, "echo done >etc/done; : ...............................................",
                              &text, &error) < 0);
        assert_int_equal(faccessat(f->dir->fd, "etc/done", F_OK, 0), -1);
}

static void test_errors(void **state) {
        static const struct {
                int status;
                const char *text;
                ErrorKind kind;
                int errnum;
                const char *message;
        } cases[] = {
                { 255, "ssh: connect to host 10.77.0.20 port 22: Connection refused", ERROR_UNAVAILABLE,
                  ECONNREFUSED, "no sshd" },
                { 255, "ssh: connect to host 10.77.0.20 port 22: Connection timed out", ERROR_UNAVAILABLE,
                  EHOSTDOWN, "does not answer" },
                { 255,
                  "Connection timed out during banner exchange\nConnection to 10.77.0.20 port 22 timed out",
                  ERROR_UNAVAILABLE, ETIMEDOUT, "takes the connection, and says nothing" },
                { 255, "ssh: connect to host 10.77.0.20 port 22: No route to host", ERROR_UNAVAILABLE,
                  EHOSTUNREACH, "is not there" },
                { 255, "ssh: connect to host 10.77.0.20 port 22: Network is unreachable", ERROR_UNAVAILABLE,
                  ENETUNREACH, "no network" },
                { 255, "ssh: Could not resolve hostname jump: Name or service not known", ERROR_UNAVAILABLE,
                  EHOSTUNREACH, "cannot be resolved" },
                { 255,
                  "No ED25519 host key is known for 10.77.0.20 and you have requested strict checking.\n"
                  "Host key verification failed.",
                  ERROR_PERMISSION, ENOKEY, "is not known" },
                { 255,
                  "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
                  ERROR_PERMISSION, EKEYREJECTED, "another host key" },
                { 255, "pi@10.77.0.20: Permission denied (publickey,password).", ERROR_PERMISSION, EACCES,
                  "does not let pi in" },
                { 255,
                  "Received disconnect from 10.77.0.20 port 22:2: Too many authentication failures\n"
                  "Disconnected from 10.77.0.20 port 22",
                  ERROR_PERMISSION, EACCES, "does not let pi in" },
                { 255,
                  "\"System is booting up. Unprivileged users are not permitted to log in yet.\"\n"
                  "Connection closed by 10.77.0.20 port 22",
                  ERROR_TEMPORARY, EAGAIN, "no logins now" },
                { 255, "kex_exchange_identification: read: Connection reset by peer", ERROR_TEMPORARY,
                  EAGAIN, "no logins now" },
                { 255,
                  "kex_exchange_identification: Connection closed by remote host\n"
                  "Connection closed by 10.77.0.20 port 22",
                  ERROR_TEMPORARY, EAGAIN, "no logins now" },
                { 255, "Timeout, server 10.77.0.20 not responding.", ERROR_UNAVAILABLE, ECONNRESET,
                  "was lost" },
                { 255, "Connection to 10.77.0.20 closed by remote host.", ERROR_UNAVAILABLE, ECONNRESET,
                  "was lost" },
                { 255,
                  "/root/.ssh/config: line 1: Bad configuration option: foo\n"
                  "/root/.ssh/config: terminating, 1 bad configuration options",
                  ERROR_CONFIG, EINVAL, "configuration" },
                { 1, "sudo: a password is required", ERROR_PERMISSION, EACCES, "wants a password of pi" },
                { 1, "sudo: 3 incorrect password attempts", ERROR_PERMISSION, EACCES,
                  "does not take this password" },
                { 1, "pi is not in the sudoers file.", ERROR_PERMISSION, EACCES, "may not use sudo" },
                { 1, "Sorry, user pi may not run sudo on h0.", ERROR_PERMISSION, EACCES,
                  "may not use sudo" },
                { 1, "Sorry, user pi is not allowed to execute '/usr/bin/sh' as root on h0.",
                  ERROR_PERMISSION, EACCES, "may not run a shell" },
                { 127, "env: 'sudo': No such file or directory", ERROR_UNAVAILABLE, ENOENT, "has no sudo" },
                { 127, "env: \xe2\x80\x9esudo\xe2\x80\x9c: Datei oder Verzeichnis nicht gefunden",
                  ERROR_UNAVAILABLE, ENOENT, "has no sudo" },
                { 127, "sh: 1: sudo: not found", ERROR_UNAVAILABLE, ENOENT, "has no sudo" },
                { 255, "", ERROR_UNAVAILABLE, EPROTO, "status 255" },
                { 0, "This account is currently not available.", ERROR_PERMISSION, EACCES,
                  "no login shell" },
        };
        HostFixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *action = xasprintf("cat >/dev/null; cat >&2 <<'EOT'\n%s\nEOT\nexit %d",
                                                        cases[i].text, cases[i].status);
                _cleanup_free_ char *text = NULL;
                _cleanup_error_ Error *error = NULL;

                fake_ssh(f, action);
                assert_int_equal(exec_text(f, "echo hello", &text, &error), -cases[i].errnum);
                assert_contains(error->message, cases[i].message);
                assert_int_equal(error->kind, cases[i].kind);
                assert_null(strstr(error->message, "{"));
                /* advice, or what ssh said itself; the fingerprint where the key is the question */
                assert_non_null(error->detail);
                assert_null(strstr(error->detail, "{}"));
                if (cases[i].errnum == ENOKEY)
                        assert_contains(error->detail, "SHA256:abc");
        }
}

/* The key that is shown for comparison is that of the machine to which ssh goes, or none is. */
static void test_whose_key(void **state) {
        static const struct {
                const char *configured, *asked; /* NULL: nobody is */
        } cases[] = {
                { "hostname 10.77.0.99\nport 2222", "-T 5 -t ed25519 -p2222 -- 10.77.0.99\n" },
                { "port 22\nproxyjump lb-0", NULL },
                { "port 22\nproxycommand nc host port", NULL },
        };
        HostFixture *f = *state;
        _cleanup_free_ char *asked = xasprintf("%s/bin/ssh-keyscan.asked", f->dir->path);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *action =
                        xasprintf("case \" $* \" in *' -G '*) printf 'user pi\n%s\nend x\n'; exit 0;; esac\n"
                                  "cat >/dev/null; echo 'Host key verification failed.' >&2; exit 255",
                                  cases[i].configured);
                _cleanup_buffer_ Buffer seen = BUFFER_NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_error_ Error *error = NULL;

                (void) unlink(asked);
                fake_ssh(f, action);
                assert_int_equal(exec_text(f, "echo hello", &text, &error), -ENOKEY);
                assert_int_equal(strstr(error->detail, "SHA256:abc") != NULL, cases[i].asked != NULL);
                if (cases[i].asked) {
                        assert_true(fs_read(AT_FDCWD, asked, 1000, &seen, NULL) >= 0);
                        assert_string_equal(buffer_str(&seen), cases[i].asked);
                } else
                        assert_int_equal(access(asked, F_OK), -1);
        }
}

#define NOTHING_SAID                                                      \
        "kex_exchange_identification: Connection closed by remote host\n" \
        "Connection closed by UNKNOWN port 65535\n"

/* What a jump host's ssh says is heard by an ssh whose connection is not shared alone. */
static void test_jump_host(void **state) {
        static const struct {
                const char *configured, *shared, *said;
                ErrorKind kind;
                int errnum;
                const char *message, *advice, *never;
        } cases[] = {
                { "proxyjump lb-0", NOTHING_SAID,
                  "ssh: connect to host 10.77.0.11 port 22: Connection refused\n" NOTHING_SAID,
                  ERROR_UNAVAILABLE, ECONNREFUSED, "ssh: the jump host lb-0 refuses the connection",
                  "port right", "10.77.0.20" },
                { "proxyjump lb-0", NOTHING_SAID, "Host key verification failed.\n" NOTHING_SAID,
                  ERROR_PERMISSION, ENOKEY, "ssh: the host key of the jump host lb-0 is not known",
                  "by hand: ssh lb-0\n", "SHA256" },
                { "proxyjump lb-0", NOTHING_SAID,
                  "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
                  "Offending ED25519 key in /root/.ssh/known_hosts:3\nHost key verification failed.\n" NOTHING_SAID,
                  ERROR_PERMISSION, EKEYREJECTED, "ssh: the jump host lb-0 shows another host key",
                  "known_hosts:3", "-R 10.77.0.20" },
                { "proxyjump lb-0", NOTHING_SAID, "pi@lb-0: Permission denied (publickey).\n" NOTHING_SAID,
                  ERROR_PERMISSION, EACCES, "the jump host lb-0 does not let the user in", "authorized_keys",
                  "pi in" },
                { "proxyjump lb-0", NOTHING_SAID,
                  "channel 0: open failed: administratively prohibited: open failed\n"
                  "stdio forwarding failed\n" NOTHING_SAID,
                  ERROR_PERMISSION, EACCES, "the jump host lb-0 passes no connections on",
                  "AllowTcpForwarding", "10.77.0.20" },
                { "proxyjump lb-0", NOTHING_SAID,
                  "channel 0: open failed: connect failed: Connection refused\n"
                  "stdio forwarding failed\n" NOTHING_SAID,
                  ERROR_UNAVAILABLE, ECONNREFUSED, "ssh: 10.77.0.20 refuses the connection",
                  "stdio forwarding", "jump host" },
                { "proxyjump lb-0", NOTHING_SAID, "something new\n" NOTHING_SAID, ERROR_UNAVAILABLE, EPROTO,
                  "ssh: the jump host lb-0 lets nothing through", "something new\n", "kex_exchange" },
                { "proxyjump lb-0",
                  "Connection timed out during banner exchange\nConnection to UNKNOWN port 65535 timed out\n",
                  "", ERROR_UNAVAILABLE, EHOSTDOWN, "nothing comes through the jump host lb-0", "ssh lb-0",
                  "hangs" },
                { "proxycommand nc host port", NOTHING_SAID, "nc: not found\n" NOTHING_SAID,
                  ERROR_UNAVAILABLE, EPROTO, "the ProxyCommand on the way to 10.77.0.20 ended",
                  "nc: not found", "kex_exchange" },
                /* open again by now, or not on the way at all */
                { "proxyjump lb-0", NOTHING_SAID, "", ERROR_TEMPORARY, EAGAIN,
                  "10.77.0.20 takes no logins now", "try again", "jump host" },
                { "proxyjump none", NOTHING_SAID, "not asked\n" NOTHING_SAID, ERROR_TEMPORARY, EAGAIN,
                  "10.77.0.20 takes no logins now", "try again", "not asked" },
        };
        HostFixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *action = xasprintf(
                        "case \" $* \" in *' -G '*) printf 'port 22\\n%s\\nend x\\n'; exit 0;; "
                        "*ControlPath=none*) printf '%%s' '%s' >&2; exit %d;; esac\n"
                        "cat >/dev/null; printf '%%s' '%s' >&2; exit 255",
                        cases[i].configured, cases[i].said, *cases[i].said ? 255 : 0, cases[i].shared);
                _cleanup_free_ char *text = NULL;
                _cleanup_error_ Error *error = NULL;

                fake_ssh(f, action);
                assert_int_equal(exec_text(f, "echo hello", &text, &error), -cases[i].errnum);
                assert_contains(error->message, cases[i].message);
                assert_int_equal(error->kind, cases[i].kind);
                assert_contains(error->detail, cases[i].advice);
                assert_null(strstr(error->message, cases[i].never));
                assert_null(strstr(error->detail, cases[i].never));
                assert_null(strstr(error->detail, "was lost"));
        }
}

/* A sudo that complains about the host's name works, slowly. */
static void test_slow_sudo(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        fixture_finish(f, p);
        fake_ssh(
                f,
                "echo 'sudo: unable to resolve host h0: Temporary failure in name resolution' >&2; " RUN_HERE);
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_false(f->facts.name_resolves);
        fake_ssh(f, RUN_HERE);
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_true(f->facts.name_resolves);
}

/* The password goes through the channel, never into an argument; and does no harm where nobody takes it. */
static void test_password(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *text = NULL, *passwords = NULL, *log = NULL;
        _cleanup_buffer_ Buffer told = BUFFER_NULL;

        f->options.trace = fixture_trace;
        f->options.userdata = &told;
        f->options.sudo_password = "geheim; touch etc/oops";
        fake_ssh(f, RUN_HERE);
        assert_success(exec_text(f, "echo hello", &text, &error), error, 0);
        assert_string_equal(text, "hello\n");
        passwords = fixture_read(f, "bin/sudo.passwords");
        assert_string_equal(passwords, "geheim; touch etc/oops\n");
        freep(&text);
        fixture_program(f, "sudo", "while [ \"$1\" != sh ]; do shift; done; exec \"$@\"");
        assert_success(exec_text(f, "echo hello", &text, &error), error, 0);
        assert_string_equal(text, "hello\n");
        assert_int_equal(faccessat(f->dir->fd, "etc/oops", F_OK, 0), -1);
        log = fixture_read(f, "ssh.log");
        assert_null(strstr(log, "geheim"));
        assert_contains(buffer_str(&told), "$ ssh\n");
        assert_contains(buffer_str(&told), "\n< password\n");
        assert_null(strstr(buffer_str(&told), "geheim"));
        fixture_close(f); /* before what it tells */
}

/* Root needs no sudo; who logs in by ssh's configuration may be root. */
static void test_root(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_buffer_ Buffer told = BUFFER_NULL;

        fake_ssh(f, RUN_HERE);
        fixture_program(f, "sudo", "echo 'sudo: command not found' >&2; exit 127");
        f->nodes[0].ssh.user = (char*) "root";
        f->options.trace = fixture_trace;
        f->options.userdata = &told;
        f->options.sudo_password = "geheim"; /* is not told to whom it is of no use */
        assert_success(exec_text(f, "echo hello", &text, &error), error, 0);
        assert_contains(buffer_str(&told), "$ ssh\n");
        assert_null(strstr(buffer_str(&told), "< password"));
        f->options.trace = NULL;
        f->options.sudo_password = NULL;
        freep(&text);
        f->nodes[0].ssh.user = NULL;
        fixture_program(f, "id", "echo 0");
        assert_success(exec_text(f, "echo hello", &text, &error), error, 0);
        freep(&text);
        fixture_program(f, "id", "echo 1000");
        assert_int_equal(exec_text(f, "echo hello", &text, &error), -ENOENT);
}

static void test_argv(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *text = NULL, *log = NULL, *long_name = NULL;
        _cleanup_error_ Error *error = NULL;

        f->nodes[0].ssh.port = 2222;
        f->nodes[0].ssh.host_key = (char*) "ssh-ed25519 AAAA";
        fake_ssh(f, RUN_HERE);
        assert_success(exec_text(f, "cat ssh/known_hosts-*", &text, &error), error, 0);
        assert_string_equal(text, "* ssh-ed25519 AAAA\n");
        fixture_close(f);
        log = fixture_read(f, "ssh.log");
        assert_contains(log, "-oBatchMode=yes");
        assert_contains(log, "-oControlMaster=auto");
        assert_contains(log, "-lpi -p2222 -- 10.77.0.20 ");
        assert_contains(log, "-oUserKnownHostsFile=\"");
        assert_contains(log, " -oStrictHostKeyChecking=yes ");
        assert_contains(log, " -oKnownHostsCommand=none ");
        assert_contains(log, " -Oexit ");
        assert_null(strstr(log, "StrictHostKeyChecking=no"));

        free((char*) f->options.control_directory);
        long_name = xmalloc(100);
        memset(long_name, 'x', 99);
        long_name[99] = 0;
        f->options.control_directory = xasprintf("%s/%s", f->dir->path, long_name);
        assert_int_equal(host_open(f->nodes, &f->options, &f->host, &error), -ENAMETOOLONG);
}

/* The socket that a run with keep_master uses: behind -oControlPath= in what the fake has written down. */
static char* kept_path(HostFixture *f) {
        _cleanup_free_ char *text = NULL, *log = NULL;
        _cleanup_error_ Error *error = NULL;
        const char *path;

        (void) unlinkat(f->dir->fd, "ssh.log", 0);
        assert_success(exec_text(f, "echo hello", &text, &error), error, 0);
        fixture_close(f);
        log = fixture_read(f, "ssh.log");
        assert_null(strstr(log, "-Oexit"));
        assert_contains(log, "-oControlMaster=auto");
        assert_contains(log, "-oControlPersist=600");
        path = strstr(log, "-oControlPath=");
        assert_non_null(path);
        path += strlen("-oControlPath=");
        return xstrndup(path, strcspn(path, " \n"));
}

/* A connection that is left open is found again, unless another host key is wanted now. */
static void test_keep(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *by_ssh = NULL, *pinned = NULL, *again = NULL, *other = NULL;

        f->options.keep_master = true;
        fake_ssh(f, RUN_HERE);
        by_ssh = kept_path(f);
        assert_true(endswith(by_ssh, "/ssh/%C"));
        f->nodes[0].ssh.host_key = (char*) "ssh-ed25519 AAAA";
        pinned = kept_path(f);
        again = kept_path(f);
        f->nodes[0].ssh.host_key = (char*) "ssh-ed25519 BBBB";
        other = kept_path(f);
        assert_string_not_equal(pinned, by_ssh);
        assert_string_equal(pinned, again);
        assert_string_not_equal(pinned, other);
}

/* Somebody else's directory is not used. */
static void test_control_directory(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(f->dir->fd, "ssh", 0755, NULL) >= 0);
        assert_int_equal(fchmodat(f->dir->fd, "ssh", 0755, 0), 0);
        assert_failure(host_open(f->nodes, &f->options, &f->host, &error), error, ERROR_PERMISSION, EPERM);
}

static void test_lock(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        Host *other = NULL;

        fake_ssh(f, RUN_HERE);
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &f->host, &error), error, 0);
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &other, &error), error, 0);
        assert_success(host_lock(f->host, "pi@laptop: it's me", false, &error), error, 0);
        assert_int_equal(host_lock(other, "somebody", false, &error), -EBUSY);
        assert_string_equal(error->message, "in use by pi@laptop: it's me");
        error = error_free(error);
        host_unlock(f->host);
        assert_success(host_lock(other, "somebody", true, &error), error, 0);
        assert_false(host_lock_is_lost(other));
        host_free(other);
        /* who fails to reach the node does not wait for it */
        fake_ssh(f, "echo 'ssh: connect to host 10.77.0.20 port 22: Connection refused' >&2; exit 255");
        assert_failure(host_lock(f->host, "me", true, &error), error, ERROR_UNAVAILABLE, ECONNREFUSED);
}

/* There is room for so much, and no more is taken, whatever the node has by now. */
static void test_receive(void **state) {
        HostFixture *f = *state;
        _cleanup_buffer_ Buffer read = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int fd = openat(f->dir->fd, "here", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_true(fs_write(f->dir->fd, "there", "a\0b\nc", 5, 0600, 0, NULL) >= 0);
        fake_ssh(f, RUN_HERE);
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &f->host, &error), error, 0);
        assert_failure(host_receive(f->host, "/there", 4, fd, &error), error, ERROR_VERIFY, EFBIG);
        assert_success(host_receive(f->host, "/there", 5, fd, &error), error, 0);
        assert_int_equal(fs_read(f->dir->fd, "here", 100, &read, NULL), 0);
        assert_int_equal(read.size, 5);
        assert_memory_equal(read.data, "a\0b\nc", 5);

        /* whose directory it is there may have left something else in its place */
        assert_int_equal(mkfifoat(f->dir->fd, "fifo", 0600), 0);
        assert_int_equal(symlinkat("there", f->dir->fd, "link"), 0);
        assert_int_equal(host_receive(f->host, "/fifo", 5, fd, &error), -ENOENT);
        assert_contains(error->detail, "/fifo: is no file");
        error = error_free(error);
        assert_int_equal(host_receive(f->host, "/link", 5, fd, &error), -ENOENT);
        assert_contains(error->detail, "/link: is no file");
}

/* Of a file that could not be read to its end nothing else is taken for the rest. */
static void test_receive_cut(void **state) {
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int fd = openat(f->dir->fd, "here", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        fixture_write(f, "there", 0600, "a file, of which half is there");
        fixture_program(f, "head",
                        "printf 'a file'; echo 'head: error reading: Input/output error' >&2; exit 1");
        fake_ssh(f, RUN_HERE);
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &f->host, &error), error, 0);
        assert_failure(host_receive(f->host, "/there", 100, fd, &error), error, ERROR_UNAVAILABLE,
                       ECONNRESET);
}

/* Until a call has come in, whole: what makes the connection has less than 64 bytes, and a call has more than
 * the rest of them. */
#define BRIDGE                                                                              \
        "printf 'DATA\\r\\nOK 0123456789abcdef0123456789abcdef\\r\\nAGREE_UNIX_FD\\r\\n'\n" \
        "dd bs=1 count=64 >/dev/null 2>&1; dd bs=64k count=1 >/dev/null 2>&1\n"

/* The bridge on the node ends, as systemd there is executed anew or the node loses its power: between two
 * messages, or within one. */
static void test_bus_lost(void **state) {
        static const char *const ends[] = { "exit 0", "printf 'l\\2\\1\\1'; exit 1", "kill -KILL $$" };
        HostFixture *f = *state;
        _cleanup_error_ Error *error = NULL;
        UnitBus *bus;

        fake_ssh(f, RUN_HERE);
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &f->host, &error), error, 0);
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                _cleanup_free_ char *bridge = xasprintf(BRIDGE "%s", ends[i]);

                fixture_program(f, "systemd-stdio-bridge", bridge);
                assert_int_equal(host_bus(f->host, &bus, &error), -ECONNRESET);
                assert_int_equal(error->kind, ERROR_UNAVAILABLE);
                assert_string_equal(error->message,
                                    "the connection to systemd was lost: Connection reset by peer");
                error = error_free(error);
        }
}

/* Binary files arrive as they are. */
static void test_read(void **state) {
        HostFixture *f = *state;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        fake_ssh(f, RUN_HERE);
        fixture_write(f, "etc/text", 0600, "one\ntwo\n\n");
        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, &f->host, &error), error, 0);
        assert_success(host_read(f->host, "/etc/text", 100, &content, &error), error, 0);
        assert_string_equal(buffer_str(&content), "one\ntwo\n\n");
        assert_failure(host_read(f->host, "/etc/text", 8, &content, &error), error, ERROR_IO, EFBIG);
        assert_failure(host_read(f->host, "/etc/none", 8, &content, &error), error, ERROR_UNAVAILABLE,
                       ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                ssh_test(test_exec),      ssh_test(test_exec_status), ssh_test(test_exec_cut),
                ssh_test(test_errors),    ssh_test(test_whose_key),   ssh_test(test_jump_host),
                ssh_test(test_slow_sudo), ssh_test(test_password),    ssh_test(test_root),
                ssh_test(test_argv),      ssh_test(test_keep),        ssh_test(test_control_directory),
                ssh_test(test_lock),      ssh_test(test_receive),     ssh_test(test_receive_cut),
                ssh_test(test_bus_lost),  ssh_test(test_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
