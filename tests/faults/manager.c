/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * manager: stands in for systemd where nothing boots
 *
 *     manager              serves systemd's private socket, as far as hardway asks it for anything
 *     manager show ...     what systemctl show would print; installed under that name, as is what scripts use besides.
 *                          Who starts units is the manager, which is asked to
 *
 * A service that is started is a process that sleeps, with the Environment= of the unit file as it was read
 * last. What is enabled is started when the manager is: so it was when the power came back. Nothing is
 * simulated of what units do, but that they record what they have loaded, that etcd has data, and that keepalived
 * holds the VIP, which is $VIP.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "common/fs.h"
#include "common/strv.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define PATH "/org/freedesktop/systemd1"
#define UNITS "/etc/systemd/system/"
#define PACKAGED "/usr/lib/systemd/system/" /* of packages */
#define MASKED "/run/systemd/system/"
#define STATE "/run/manager/"

/* --- files --- */

static char* read_all(const char *path) {
        Buffer content = BUFFER_NULL;

        if (fs_read_optional(AT_FDCWD, path, 1024 * 1024, &content, NULL) <= 0)
                return xstrdup("");
        return buffer_take(&content);
}

static void write_state(const char *name, const char *text) {
        _cleanup_free_ char *path = xasprintf(STATE "%s", name);

        if (fs_write(AT_FDCWD, path, text, strlen(text), 0644, FS_NO_SYNC, NULL) < 0)
                abort();
}

static bool exists(const char *path) {
        return access(path, F_OK) == 0;
}

static char* unit_file(const char *unit) {
        _cleanup_free_ char *path = xasprintf(PACKAGED "%s", unit);

        return exists(path) ? TAKE_PTR(path) : xasprintf(UNITS "%s", unit);
}

/* The file and its drop-ins. */
static char* unit_text(const char *unit) {
        _cleanup_free_ char *path = unit_file(unit), *text = read_all(path),
                            *pattern = xasprintf(UNITS "%s.d/*.conf", unit);
        glob_t found = {};

        if (glob(pattern, 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        _cleanup_free_ char *more = read_all(found.gl_pathv[i]), *whole = NULL;

                        whole = xasprintf("%s\n%s", text, more);
                        free(text);
                        text = TAKE_PTR(whole);
                }
        globfree(&found);
        return TAKE_PTR(text);
}

/* The value of the first "KEY=..." line. */
static char* setting(const char *text, const char *key) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");

        STRV_FOREACH(line, lines)
                if (strncmp(*line, key, strlen(key)) == 0)
                        return xstrdup(*line + strlen(key));
        return NULL;
}

/* --- what is loaded --- */

/* As of the last Reload: systemd does not look at unit files again by itself. */
static void load(const char *unit) {
        _cleanup_free_ char *text = unit_text(unit), *name = xasprintf("%s.loaded", unit);

        write_state(name, text);
}

static char* loaded(const char *unit) {
        _cleanup_free_ char *path = xasprintf(STATE "%s.loaded", unit);

        if (!exists(path))
                load(unit);
        return read_all(path);
}

static void load_all(void) {
        glob_t found = {};

        if (glob(UNITS "*.*", 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        struct stat st;

                        if (stat(found.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
                                load(strrchr(found.gl_pathv[i], '/') + 1);
                }
        globfree(&found);
        if (glob(UNITS "*.d", 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        _cleanup_free_ char *unit = xstrdup(strrchr(found.gl_pathv[i], '/') + 1);

                        *strrchr(unit, '.') = '\0';
                        load(unit);
                }
        globfree(&found);
}

static bool needs_reload(const char *unit) {
        _cleanup_free_ char *now = unit_text(unit), *then = loaded(unit);

        return !streq(now, then);
}

/* --- processes --- */

static pid_t main_pid(const char *unit) {
        _cleanup_free_ char *path = xasprintf(STATE "%s.pid", unit), *text = read_all(path);
        pid_t pid = (pid_t) strtol(text, NULL, 10);

        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        return pid > 0 && kill(pid, 0) == 0 ? pid : 0;
}

static void stop(const char *unit) {
        _cleanup_free_ char *path = xasprintf(STATE "%s.pid", unit);
        pid_t pid = main_pid(unit);

        if (pid > 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
        }
        if (streq(unit, "keepalived.service"))
                (void) !system("ip address delete $VIP/24 dev lo 2>/dev/null");
        (void) unlink(path);
}

/* Each "LoadCredential=NAME:FILE", to where the process would find it. */
static void hand_over(const char *unit, const char *text) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");

        STRV_FOREACH(line, lines) {
                const char *name = startswith(*line, "LoadCredential="),
                           *file = name ? strchr(name, ':') : NULL;
                _cleanup_free_ char *content = file ? read_all(file + 1) : NULL,
                                    *path = file ? xasprintf("/run/credentials/%s/%.*s", unit,
                                                             (int) (file - name), name) :
                                                   NULL,
                                    *folder = path ? fs_path_dirname(path) : NULL;

                if (path && (fs_mkdir_all(AT_FDCWD, folder, 0700, /* sync= */ false, NULL) < 0 ||
                             fs_write(AT_FDCWD, path, content, strlen(content), 0400, FS_NO_SYNC, NULL) < 0))
                        abort();
        }
}

/* Which files it has loaded; the key is "ExecStartPost", or "ExecReload". */
static void record(const char *text, const char *key) {
        _cleanup_free_ char *begin = xasprintf("%s=+/bin/sh -c 'sha256sum ", key),
                            *rest = setting(text, begin),
                            *command = rest ? xasprintf("/bin/sh -c 'sha256sum %s", rest) : NULL;

        if (command && ((mkdir("/run/hardway", 0755) < 0 && errno != EEXIST) || system(command) != 0))
                abort();
}

/* As keepalived does, and its notify script. */
static void hold_vip(void) {
        static const char state[] = "MASTER 1\n";

        if (system("ip address replace $VIP/24 dev lo") != 0 ||
            fs_write(AT_FDCWD, "/run/hardway/keepalived.state", state, strlen(state), 0644, FS_NO_SYNC,
                     NULL) < 0)
                abort();
}

/* Return: the result of the job. Timers and the like have no process, but something to be seen by. */
static const char* start(const char *unit) {
        _cleanup_free_ char *text = loaded(unit), *inputs = setting(text, "Environment=\"HARDWAY_INPUTS="),
                            *plain = setting(text, "Environment=HARDWAY_INPUTS="), *name = NULL,
                            *number = NULL;
        pid_t pid;

        if (!*text)
                return "failed";
        if (main_pid(unit) > 0)
                return "done";
        hand_over(unit, text);
        record(text, "ExecStartPost");
        if (streq(unit, "etcd.service"))
                (void) mkdir("/var/lib/etcd/member", 0700);
        if (streq(unit, "keepalived.service"))
                hold_vip();
        pid = fork();
        if (pid < 0)
                return "failed";
        if (pid == 0) {
                _cleanup_free_ char *value = xasprintf("HARDWAY_INPUTS=%s", inputs ?: plain ?: "");
                char *argv[] = { (char*) unit, (char*) "infinity", NULL }, *envp[] = { value, NULL };

                value[strcspn(value, "\"\n")] = '\0';
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) execve("/bin/sleep", argv, envp);
                _exit(127);
        }
        name = xasprintf("%s.pid", unit);
        number = xasprintf("%d\n", pid);
        write_state(name, number);
        return "done";
}

static const char* reload(const char *unit) {
        _cleanup_free_ char *text = loaded(unit);

        if (main_pid(unit) == 0)
                return start(unit);
        record(text, "ExecReload");
        return "done";
}

/* --- links --- */

static char* want(const char *unit) {
        _cleanup_free_ char *file = unit_file(unit), *text = read_all(file),
                            *target = setting(text, "WantedBy=");

        return target ? xasprintf(UNITS "%s.wants/%s", target, unit) : NULL;
}

/* Return: whether that changed anything. */
static bool enable(const char *unit, bool on) {
        _cleanup_free_ char *link = want(unit), *file = unit_file(unit);
        char *slash;

        if (!link)
                return false;
        if (!on)
                return unlink(link) == 0;
        slash = strrchr(link, '/');
        *slash = '\0';
        (void) mkdir(link, 0755);
        *slash = '/';
        return symlink(file, link) == 0;
}

static const char* file_state(const char *unit) {
        _cleanup_free_ char *link = want(unit);
        struct stat st;

        return !link ? "static" : lstat(link, &st) == 0 ? "enabled" : "disabled";
}

static void boot(void) {
        glob_t found = {};

        load_all();
        if (glob(UNITS "*.wants/*", 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++)
                        if (exists(found.gl_pathv[i]))
                                (void) start(strrchr(found.gl_pathv[i], '/') + 1);
        globfree(&found);
}

/* --- the bus --- */

static int job(sd_bus_message *call) {
        const char *method = sd_bus_message_get_member(call), *unit, *mode, *result = "done";
        _cleanup_free_ char *path = NULL, *file = NULL;
        static unsigned n;
        int r;

        r = sd_bus_message_read(call, "ss", &unit, &mode);
        if (r < 0)
                return r;
        file = unit_file(unit);
        if (!exists(file))
                return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchUnit",
                                                  "Unit %s not found.", unit);
        path = xasprintf(PATH "/job/%u", ++n);
        if (streq(method, "StopUnit") || streq(method, "RestartUnit"))
                stop(unit);
        if (streq(method, "StartUnit") || streq(method, "RestartUnit"))
                result = start(unit);
        if (streq(method, "ReloadOrRestartUnit"))
                result = reload(unit);
        r = sd_bus_reply_method_return(call, "o", path);
        return r < 0 ? r :
                       sd_bus_emit_signal(sd_bus_message_get_bus(call), PATH, MANAGER, "JobRemoved", "uoss",
                                          n, path, unit, result);
}

static int links(sd_bus_message *call, bool on) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char **units = NULL;
        int r;

        r = sd_bus_message_read_strv(call, &units);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0 && on)
                r = sd_bus_message_append(reply, "b", 1);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        STRV_FOREACH(unit, units)
                if (r >= 0 && enable(*unit, on))
                        r = sd_bus_message_append(reply, "(sss)", on ? "symlink" : "unlink", *unit, *unit);
        strv_free(units);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int unit_path(sd_bus_message *call) {
        _cleanup_free_ char *path = NULL;
        const char *unit;
        int r;

        r = sd_bus_message_read(call, "s", &unit);
        if (r >= 0)
                r = sd_bus_path_encode(PATH "/unit", unit, &path);
        return r < 0 ? r : sd_bus_reply_method_return(call, "o", path);
}

static int properties(sd_bus_message *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *unit = NULL, *file = NULL, *text = NULL;
        const char *interface;
        pid_t pid;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(call), PATH "/unit", &unit);
        if (r >= 0)
                r = sd_bus_message_read(call, "s", &interface);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r < 0)
                return r;
        file = unit_file(unit);
        text = loaded(unit);
        pid = main_pid(unit);
        if (endswith(interface, ".Service"))
                r = sd_bus_message_append(reply, "a{sv}", 3, "Result", "s", "success", "MainPID", "u",
                                          (uint32_t) pid, "NRestarts", "u", (uint32_t) 0);
        else
                r = sd_bus_message_append(
                        reply, "a{sv}", 5, "LoadState", "s", exists(file) ? "loaded" : "not-found",
                        "ActiveState", "s", pid > 0 ? "active" : "inactive", "SubState", "s",
                        pid > 0 ? "running" : "dead", "UnitFileState", "s", file_state(unit),
                        "NeedDaemonReload", "b", (int) needs_reload(unit));
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_message(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        const char *method = sd_bus_message_get_member(call);

        if (sd_bus_message_is_method_call(call, NULL, "GetAll"))
                return properties(call);
        if (!sd_bus_message_is_method_call(call, MANAGER, NULL))
                return 0;
        if (endswith(method, "Unit") && !streq(method, "LoadUnit") && !streq(method, "ResetFailedUnit"))
                return job(call);
        if (streq(method, "LoadUnit"))
                return unit_path(call);
        if (streq(method, "EnableUnitFiles") || streq(method, "DisableUnitFiles"))
                return links(call, streq(method, "EnableUnitFiles"));
        if (streq(method, "Reload"))
                load_all();
        return sd_bus_reply_method_return(call, NULL);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        sd_bus *bus = NULL;

        /* kept for as long as we live */
        if (connection < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, connection, connection) < 0 ||
            sd_bus_set_server(bus, 1, id) < 0 || sd_bus_start(bus) < 0 ||
            sd_bus_add_filter(bus, NULL, on_message, NULL) < 0 || sd_bus_attach_event(bus, userdata, 0) < 0)
                return 0;
        return 0;
}

static int serve(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/private" };
        sd_event *event = NULL;
        int fd;

        (void) mkdir("/run/systemd", 0755);
        (void) mkdir(STATE, 0755);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        boot();
        if (fd < 0 || bind(fd, (struct sockaddr*) &address, sizeof(address)) < 0 || listen(fd, 10) < 0 ||
            sd_event_new(&event) < 0 || sd_event_add_io(event, NULL, fd, EPOLLIN, on_connection, event) < 0)
                return 1;
        (void) puts("ready");
        (void) fflush(stdout);
        return sd_event_loop(event);
}

/* --- systemctl show --- */

static void show(const char *unit) {
        _cleanup_free_ char *file = unit_file(unit);
        pid_t pid = main_pid(unit);

        (void) printf("Id=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\nUnitFileState=%s\nResult=success\n",
                      unit, exists(file) ? "loaded" : "not-found", pid > 0 ? "active" : "inactive",
                      pid > 0 ? "running" : "dead", exists(file) ? file_state(unit) : "");
        (void) printf("MainPID=%d\nNRestarts=0\nNeedDaemonReload=%s\nDropInPaths=\nJob=\n\n", pid,
                      exists(file) && needs_reload(unit) ? "yes" : "no");
}

/* show -p PROPERTY --value UNIT */
static int show_value(char **argv) {
        const char *property = argv[3], *unit = argv[5];
        _cleanup_free_ char *file = unit_file(unit);
        pid_t pid = main_pid(unit);

        if (streq(property, "MainPID"))
                return printf("%d\n", pid) < 0;
        if (streq(property, "LoadState"))
                return puts(exists(file) ? "loaded" : "not-found") < 0;
        if (streq(property, "ActiveState"))
                return puts(pid > 0 ? "active" : "inactive") < 0;
        return puts(streq(property, "UnitFileState") && exists(file) ? file_state(unit) : "") < 0;
}

/* --- systemctl, as far as scripts use it: on files, but for what starts --- */

static int ask(const char *method, const char *unit) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, "org.freedesktop.systemd1", PATH, MANAGER, method, NULL, NULL,
                                       "ss", unit, "replace");
        (void) sd_bus_flush_close_unref(bus);
        return r < 0 ? 1 : 0;
}

static void mask(const char *unit, bool on) {
        _cleanup_free_ char *path = xasprintf(MASKED "%s", unit);

        if (!on)
                (void) unlink(path);
        else if ((mkdir(MASKED, 0755) < 0 && errno != EEXIST) ||
                 (symlink("/dev/null", path) < 0 && errno != EEXIST))
                abort();
}

static int control_unit(const char *word, const char *unit) {
        if (streq(word, "stop"))
                stop(unit);
        else if (streq(word, "enable") || streq(word, "disable"))
                (void) enable(unit, streq(word, "enable"));
        else if (streq(word, "mask") || streq(word, "unmask"))
                mask(unit, streq(word, "mask"));
        else if (streq(word, "start") || streq(word, "restart"))
                return ask(streq(word, "start") ? "StartUnit" : "RestartUnit", unit);
        else if (streq(word, "is-enabled"))
                return streq(file_state(unit), "enabled") ? 0 : 1;
        else if (streq(word, "is-active"))
                return main_pid(unit) > 0 ? 0 : 3;
        return 0;
}

static int control(char **argv) {
        const char *command = NULL;
        int r = 0;

        for (char **word = argv + 1; *word; word++) {
                if (**word == '-')
                        continue;
                if (command)
                        r = control_unit(command, *word) ?: r;
                command = command ?: *word;
        }
        if (streq_null(command, "daemon-reload"))
                load_all();
        return r;
}

int main(int argc, char **argv) {
        if (argc < 2)
                return serve();
        if (!streq(argv[1], "show"))
                return control(argv);
        if (argc == 6 && streq(argv[2], "-p") && streq(argv[4], "--value"))
                return show_value(argv);
        for (int i = 2; i < argc; i++)
                if (streq(argv[i], "-p"))
                        i++;
                else if (*argv[i] != '-')
                        show(argv[i]);
        return 0;
}
