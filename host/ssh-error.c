/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What ssh and sudo say when they do not let us through
 *
 * Their exit status does not tell (a remote "exit 255" looks like a failure of ssh), so the text does. The
 * messages are those of OpenSSH's sshconnect.c, clientloop.c and packet.c and of sudo 1.9; ssh does not
 * translate them, sudo is run with LC_ALL=C.
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "host/host-internal.h"

#define AGAIN "Run it again: it goes on where it was.\n"
#define BOOTING "It is booting, going down, or has too many connections: try again in a moment.\n"
#define SILENT "It is off, the address is wrong, or a firewall swallows packets.\n"
#define STUCK \
        "It hangs, or its memory is used up: look at its console, and restart it if nothing else helps.\n"
#define NO_SUDO "Install it there, or log in as root (cluster file: ssh: { user: root }).\n"
#define ADD_TO_SUDO "As root there: adduser {user} sudo\n"

/* The first that matches holds: a changed key, for one, also says that the verification failed. */
static const SshFailure ssh_failures[] = {
        { "REMOTE HOST IDENTIFICATION HAS CHANGED!", ERROR_PERMISSION, EKEYREJECTED,
          "ssh: {} shows another host key than the one that is known",
          "Somebody reinstalled this machine, or another one answers at its address. If it was\n"
          "reinstalled, forget the old key: ssh-keygen -R {} (and host_key in the cluster file, if it\n"
          "stands there).\n" },
        { "no matching host key type found", ERROR_PERMISSION, EKEYREJECTED,
          "ssh: {} has no host key of the type that is known for it",
          "ssh-keyscan {} shows those that it has.\n" },
        { "Host key verification failed.", ERROR_PERMISSION, ENOKEY, "ssh: the host key of {} is not known",
          "Compare it with what the node says itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub),\n"
          "then log in once by hand (ssh {user}@{}), or put it into the cluster file, for each node:\n"
          "ssh: { host_key: \"ssh-ed25519 ...\" }. When a cluster file is made, hardway init --trust-hosts\n"
          "writes them all.\n" },
        { "Connection refused", ERROR_UNAVAILABLE, ECONNREFUSED,
          "ssh: {} refuses the connection: no sshd is running there",
          "Is it started, and the port right?\n" },
        { "No route to host", ERROR_UNAVAILABLE, EHOSTUNREACH, "ssh: {} is not there",
          "It is off, or the address is wrong.\n" },
        { "Network is unreachable", ERROR_UNAVAILABLE, ENETUNREACH,
          "ssh: no network of this machine leads to {}", NULL },
        { "timed out during banner exchange", ERROR_UNAVAILABLE, ETIMEDOUT,
          "ssh: {} takes the connection, and says nothing", STUCK },
        { "timed out", ERROR_UNAVAILABLE, EHOSTDOWN, "ssh: {} does not answer", SILENT },
        { "Could not resolve hostname", ERROR_UNAVAILABLE, EHOSTUNREACH,
          "ssh: a name on the way to {} cannot be resolved",
          "See HostName and ProxyJump in ~/.ssh/config.\n" },
        { "sudo: a password is required", ERROR_PERMISSION, EACCES, "sudo on {} wants a password of {user}",
          "Run with --ask-sudo-password, or do without one; as root there:\n"
          "echo '{user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/hardway\n" },
        { "no password was provided", ERROR_PERMISSION, EACCES,
          "sudo on {} does not take this password of {user}", NULL },
        { "incorrect password attempt", ERROR_PERMISSION, EACCES,
          "sudo on {} does not take this password of {user}", NULL },
        { "is not in the sudoers file", ERROR_PERMISSION, EACCES, "{user} may not use sudo on {}",
          ADD_TO_SUDO },
        { "may not run sudo", ERROR_PERMISSION, EACCES, "{user} may not use sudo on {}", ADD_TO_SUDO },
        { "is not allowed to execute", ERROR_PERMISSION, EACCES, "{user} may not run a shell by sudo on {}",
          "sudo -l there shows what is allowed.\n" },
        { "you must have a tty to run sudo", ERROR_PERMISSION, EACCES, "sudo on {} insists on a terminal",
          "Take 'requiretty' out of its /etc/sudoers.\n" },
        { "sudo: command not found", ERROR_UNAVAILABLE, ENOENT, "{} has no sudo", NO_SUDO },
        { "sudo: not found", ERROR_UNAVAILABLE, ENOENT, "{} has no sudo", NO_SUDO },
        { "'sudo': No such file", ERROR_UNAVAILABLE, ENOENT, "{} has no sudo", NO_SUDO },
        { "Too many authentication failures", ERROR_PERMISSION, EACCES, "ssh: {} does not let {user} in",
          "The agent offers too many keys: name the right one (IdentityFile and IdentitiesOnly in\n"
          "~/.ssh/config).\n" },
        { "Permission denied (", ERROR_PERMISSION, EACCES, "ssh: {} does not let {user} in",
          "Is the user right, and one of this machine's keys in ~/.ssh/authorized_keys there?\n" },
        { "UNPROTECTED PRIVATE KEY FILE", ERROR_PERMISSION, EACCES,
          "ssh: a private key here is readable for others", NULL },
        { "Bad owner or permissions on", ERROR_PERMISSION, EACCES,
          "ssh: does not accept its own configuration file",
          "It has to belong to you, and nobody else may write to it.\n" },
        { "bad configuration option", ERROR_CONFIG, EINVAL, "ssh: does not understand its configuration",
          NULL },
        { "no matching ", ERROR_UNAVAILABLE, EPROTO, "ssh: {} and this machine have no algorithm in common",
          NULL },
        { "administratively prohibited", ERROR_PERMISSION, EACCES, "ssh: {} passes no connections on",
          "See AllowTcpForwarding and PermitOpen in its /etc/ssh/sshd_config.\n" },
        { "kex_exchange_identification", ERROR_TEMPORARY, EAGAIN, "ssh: {} takes no logins now", BOOTING },
        { "not responding", ERROR_UNAVAILABLE, ECONNRESET, "ssh: the connection to {} was lost", AGAIN },
        { "closed by remote host", ERROR_UNAVAILABLE, ECONNRESET, "ssh: the connection to {} was lost",
          AGAIN },
        { "Broken pipe", ERROR_UNAVAILABLE, ECONNRESET, "ssh: the connection to {} was lost", AGAIN },
        { "Connection closed by ", ERROR_TEMPORARY, EAGAIN, "ssh: {} takes no logins now", BOOTING },
        { "Connection reset by ", ERROR_TEMPORARY, EAGAIN, "ssh: {} takes no logins now", BOOTING },
        { "account is currently not available", ERROR_PERMISSION, EACCES, "{user} has no login shell on {}",
          NULL },
};

/**
 * ssh_failure_fill() - a text of a row for people
 * @text:       the text
 * @who:        stands for {}
 * @user:       stands for {user}, or NULL
 *
 * Return: the text. The caller frees it.
 */
char* ssh_failure_fill(const char *text, const char *who, const char *user) {
        Buffer out = BUFFER_NULL;

        for (const char *p = text; *p;) {
                const char *rest;

                if ((rest = startswith(p, "{user}")))
                        buffer_add_str(&out, user ? user : "the user");
                else if ((rest = startswith(p, "{}")))
                        buffer_add_str(&out, who);
                else {
                        buffer_add_char(&out, *p);
                        rest = p + 1;
                }
                p = rest;
        }
        return buffer_take(&out);
}

static char* fill_in(const Host *h, const char *text) {
        char address[INET_TEXT_SIZE];

        return ssh_failure_fill(text, inet_address_format(&h->node->address, address), h->node->ssh.user);
}

static bool run_for_text(char *const *argv, const Buffer *input, Buffer *ret) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        ProcessInput feed = {};

        if (input)
                feed = (ProcessInput) { .data = input->data, .size = input->size };
        if (process_run(argv, &feed, 8 * USEC_PER_SEC, &result, NULL) < 0 || result.status != 0)
                return false;
        *ret = result.out;
        result.out = BUFFER_NULL;
        return ret->size > 0;
}

/* Shows the key that the node has, and its fingerprint, so that a person can compare it. */
static void add_host_key(const Host *h, Error **reterr) {
        _cleanup_buffer_ Buffer key = BUFFER_NULL, fingerprint = BUFFER_NULL;
        _cleanup_strv_ Strv keyscan = strv_new("ssh-keyscan", "-T", "5", "-t", "ed25519", NULL);
        _cleanup_strv_ Strv keygen = strv_new("ssh-keygen", "-l", "-f", "-", NULL);
        _cleanup_free_ char *host = NULL, *port = NULL;
        char address[INET_TEXT_SIZE];
        const char *type;

        /* what answers at that address without the jump host may be another machine */
        if (!ssh_way_is_direct(h))
                return;
        host = transport_setting(h, "hostname");
        port = transport_setting(h, "port");
        if (port)
                strv_addf(&keyscan, "-p%s", port);
        else if (h->node->ssh.port > 0)
                strv_addf(&keyscan, "-p%u", h->node->ssh.port);
        strv_add(&keyscan, "--");
        strv_add(&keyscan, host ?: inet_address_format(&h->node->address, address));
        if (!run_for_text(keyscan, NULL, &key) || !run_for_text(keygen, &key, &fingerprint))
                return;
        type = strstr(key.data, "ssh-ed25519 ");
        if (!type)
                return;
        error_detail(reterr, "It shows %.*s\n", (int) strcspn(fingerprint.data, "\n"), fingerprint.data);
        error_detail(reterr, "For the cluster file: host_key: \"%.*s\"\n", (int) strcspn(type, "\r\n"),
                     type);
}

/**
 * ssh_failure_find() - the row that is about a text of ssh's or sudo's
 * @text:       what it said
 *
 * Return: the row, or NULL.
 */
const SshFailure* ssh_failure_find(const char *text) {
        for (size_t i = 0; i < ARRAY_SIZE(ssh_failures); i++)
                if (strstr(text, ssh_failures[i].pattern))
                        return ssh_failures + i;
        return NULL;
}

static const SshFailure* find_failure(int status, const char *text) {
        /* a shell's or env's words for it depend on the language */
        static const SshFailure not_found = { "", ERROR_UNAVAILABLE, ENOENT, "{} has no sudo", NO_SUDO };
        const SshFailure *f = ssh_failure_find(text);

        return f ? f : status == 127 && strstr(text, "sudo") ? &not_found : NULL;
}

/**
 * ssh_error() - why a channel did not come as far as the script, or broke off
 * @h:          the host
 * @status:     ssh's exit status
 * @text:       its standard error
 * @reterr:     what it means and what can be done about it
 *
 * Return: a negative errno.
 */
int ssh_error(const Host *h, int status, const char *text, Error **reterr) {
        _cleanup_free_ char *detail = failure_detail(text), *message = NULL, *advice = NULL;
        const SshFailure *f = find_failure(status, text);
        int r;

        r = ssh_way_error(h, text, reterr);
        if (r < 0)
                return r;
        if (!f) {
                r = error_set(reterr, ERROR_UNAVAILABLE, EPROTO,
                              "%s ended with status %d before it had done anything",
                              h->node->local ? "the shell" : "ssh", status);
                if (!*detail && !h->node->local)
                        error_detail(
                                reterr,
                                "The user's login shell on the node may be at fault; try: ssh %s true\n",
                                h->node->name);
        } else {
                message = fill_in(h, f->text);
                r = error_set(reterr, f->kind, f->errnum, "%s", message);
                if (f->errnum == ENOKEY)
                        add_host_key(h, reterr);
                advice = fill_in(h, f->advice ? f->advice : "");
                if (*advice)
                        error_detail(reterr, "%s", advice);
        }
        if (*detail)
                error_detail(reterr, "%s", detail);
        return r;
}
