/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * faults LOG AT WHOSE WHAT COMMAND...
 *
 *   LOG     gets a line for each call, and what was done
 *   AT      number of the call at which it happens, from 0; -1: never
 *   WHOSE   which calls are counted: "all"; "disk": those about files that last; "driver", "node": those of
 *           COMMAND itself, or of its children, that WHAT can meet: for "kill" those about files that last
 *   WHAT    "kill": COMMAND alone is killed; "cut:SEED": everything is, and the disk forgets; an errno by name:
 *           the call fails with it, and all after it that can ("once:ERRNO": it alone)
 *
 * Ends with COMMAND's status, or 137. What COMMAND leaves running runs on.
 */

#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"

typedef struct Faults {
        FILE *log;
        long at, n;
        const char *whose;
        bool kill, cut, once, struck;
        unsigned seed;
        int errnum;
        pid_t command;
        int listener;
} Faults;

_noreturn_ static void die(const char *what) {
        (void) fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
        _exit(70);
}

/* --- starting --- */

/* sendmsg(2) is none of the calls that stop. */
static void send_fd(int socket, int fd) {
        char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
        struct iovec io = { &byte, 1 };
        struct msghdr m = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                               .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
        if (sendmsg(socket, &m, 0) < 0)
                _exit(70);
}

static int receive_fd(int socket) {
        char control[CMSG_SPACE(sizeof(int))] = {}, byte;
        struct iovec io = { &byte, 1 };
        struct msghdr m = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        int fd;

        if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
                die("seccomp");
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
        return fd;
}

static void start(Faults *f, char **argv) {
        int sockets[2], listener;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
                die("socketpair");
        f->command = fork();
        if (f->command < 0)
                die("fork");
        if (f->command == 0) {
                listener = calls_listen();
                if (listener < 0)
                        _exit(71);
                send_fd(sockets[1], listener);
                (void) close(listener);
                (void) execvp(argv[0], argv);
                _exit(127);
        }
        (void) close(sockets[1]);
        f->listener = receive_fd(sockets[0]);
        (void) close(sockets[0]);
}

/* --- striking --- */

/* How many filters a process is under; all those of the command are under one more than we. */
static long n_filters(const char *pid) {
        char path[300], line[256];
        long n = -1;
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%s/status", pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (strncmp(line, "Seccomp_filters:", 16) == 0)
                        n = strtol(line + 16, NULL, 10);
        if (file)
                (void) fclose(file);
        return n;
}

static bool is_zombie(const char *pid) {
        char path[300], line[512] = "";
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%s/stat", pid);
        file = fopen(path, "re");
        if (file) {
                (void) !fgets(line, sizeof(line), file);
                (void) fclose(file);
        }
        return !strstr(line, ") ") || strstr(line, ") Z") || strstr(line, ") X");
}

/* Until nobody is left who could start others. */
static void kill_tree(void) {
        long ours = n_filters("self");
        bool found;

        do {
                DIR *d = opendir("/proc");

                found = false;
                for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                        long pid = strtol(e->d_name, NULL, 10);

                        if (pid <= 1 || n_filters(e->d_name) <= ours || is_zombie(e->d_name))
                                continue;
                        (void) kill((pid_t) pid, SIGKILL);
                        found = true;
                }
                if (d)
                        (void) closedir(d);
        } while (found);
}

/* With the errors that it can meet. */
static void note(const Faults *f, const Call *c) {
        static const int errnums[] = { ENOSPC, EDQUOT, EROFS, EACCES, EIO };

        (void) fprintf(f->log, "%ld %s %s ", f->n, c->driver ? "driver" : "node", c->type->name);
        for (size_t i = 0; i < ARRAY_SIZE(errnums); i++)
                if (call_meets(c, errnums[i]))
                        (void) fprintf(f->log, "%s,", strerrorname_np(errnums[i]));
        (void) fprintf(f->log, " %s\n", c->path);
        (void) fflush(f->log);
}

static bool counts(const Faults *f, const Call *c) {
        if (streq(f->whose, "all"))
                return true;
        if (streq(f->whose, "disk"))
                return c->on_disk;
        return c->driver == streq(f->whose, "driver") && (f->kill ? c->on_disk : call_meets(c, f->errnum));
}

/* Return: the errno with which the call is to fail, or 0. */
static int strike(Faults *f, const Call *c) {
        if (f->n != f->at && !(f->struck && f->errnum && !f->once))
                return 0;
        f->struck = true;
        if (f->kill)
                (void) kill(f->command, SIGKILL);
        if (f->cut) {
                kill_tree();
                (void) fprintf(f->log, "the power is gone; lost: %u\n", disk_forget(f->seed, f->log));
                (void) fclose(f->log);
                _exit(137);
        }
        return f->errnum;
}

/* --- watching --- */

static void answer(Faults *f) {
        struct seccomp_notif request = {};
        struct seccomp_notif_resp response = {};
        char task[64];
        Call c;

        if (ioctl(f->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
                return; /* it was killed meanwhile */
        call_read(&request, &c);
        (void) snprintf(task, sizeof(task), "/proc/%d/task/%d", f->command, c.pid);
        c.driver = access(task, F_OK) == 0;
        response.id = request.id;
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        if (counts(f, &c)) {
                int errnum;

                note(f, &c);
                errnum = strike(f, &c);
                f->n++;
                if (errnum > 0) {
                        response.error = -errnum;
                        response.flags = 0;
                }
        }
        if (f->cut && response.error == 0)
                disk_note(&c);
        (void) ioctl(f->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static int exit_status(Faults *f) {
        int status;

        if (waitpid(f->command, &status, 0) < 0)
                die("waitpid");
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the command left running is served by one that nobody waits for. */
static void leave(int status) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fork() > 0)
                _exit(status);
        for (int fd = 0; fd < 3; fd++)
                (void) dup2(null, fd);
}

static void watch(Faults *f) {
        int command = (int) syscall(SYS_pidfd_open, f->command, 0);

        for (;;) {
                struct pollfd fds[] = { { .fd = f->listener, .events = POLLIN },
                                        { .fd = command, .events = POLLIN } };

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        die("poll");
                if (fds[0].revents & POLLIN)
                        answer(f);
                else if (fds[0].revents & POLLHUP) /* nobody is left */
                        _exit(command >= 0 ? exit_status(f) : 0);
                else if (fds[1].revents) {
                        leave(exit_status(f));
                        command = safe_close(command);
                }
        }
}

static int errno_by_name(const char *name) {
        for (int e = 1; e < 134; e++)
                if (strerrorname_np(e) && streq(strerrorname_np(e), name))
                        return e;
        (void) fprintf(stderr, "faults: there is no %s\n", name);
        _exit(64);
}

int main(int argc, char **argv) {
        Faults f = {};
        const char *what;

        if (argc < 6)
                return 64;
        f.log = fopen(argv[1], "we");
        f.at = strtol(argv[2], NULL, 10);
        f.whose = argv[3];
        what = argv[4];
        if (!f.log)
                die(argv[1]);
        f.kill = streq(what, "kill");
        f.cut = strncmp(what, "cut:", 4) == 0;
        f.once = strncmp(what, "once:", 5) == 0;
        if (f.cut)
                f.seed = (unsigned) strtoul(what + 4, NULL, 10);
        else if (!f.kill)
                f.errnum = errno_by_name(f.once ? what + 5 : what);
        start(&f, argv + 5);
        watch(&f);
}
