/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/lock.h"
#include "plan/observation.h"
#include "units/bus.h"

/*
 * One node: ask it, change it
 *
 * Two transports that differ only in an argv prefix: this machine ("sh") and a remote one ("ssh TARGET sudo
 * -n sh"); what runs on the node are small scripts of POSIX sh, embedded; beyond a few lines they are files in
 * the folders' scripts/. A Host belongs to one thread at a time. All channels to a remote host share one ssh connection:
 * the first one makes it, host_free() ends it.
 *
 * Calling sequence of an installation:
 *
 *     host_open()      nothing is run yet
 *     host_look()      facts and observation in one round trip
 *     host_lock()      held by a session of its own until host_unlock(); its owner must be heard from
 *     host_put()       packages, users, directories, files, binaries, removals: only what the changes name
 *     host_bus()       systemd's manager there
 *     host_record()    applied.json
 *
 * Errors begin with what failed ("ssh: ..."); the caller puts "node NAME" in front. What ssh, sudo or a
 * script wrote to standard error is interpreted (unknown host key, refused key, no sudo rights, disk full)
 * and becomes message and advice; the rest is the Error's detail.
 */

/* Something that is sent to a node, for --verbose: no password, and of files what they are called. */
typedef struct HostCommand {
        const char *name;    /* what it is for: "look (31 paths, 4 units)" */
        char *const *argv;   /* what is started here; NULL: nothing, it is a call to systemd there */
        bool has_password;   /* the first thing that it reads is the password for sudo */
        char *const *parts;  /* of the script that it reads, one behind the other */
        const char *follows; /* what it reads behind the script, for people: lines; or NULL */
} HostCommand;

typedef struct HostOptions {
        /* for ssh's control sockets and our known_hosts; NULL: $XDG_RUNTIME_DIR/hardway or a private one */
        const char *control_directory;
        const char *sudo_password; /* sent as the first line of each channel's input, or NULL: sudo -n */
        bool keep_master;          /* leave the ssh master open, for ten minutes; use one that was left */
        /* told every command that is sent, by any thread; or NULL */
        void (*trace)(void *userdata, const Node *node, const HostCommand *command);
        /* told once, by host_lock(), for whom it waits; or NULL */
        void (*waiting)(void *userdata, const Node *node, const char *holder);
        void *userdata;
        const volatile int *cancelled; /* or NULL */
        bool looks_only;               /* nothing is changed there: cancelled ends whatever is under way */
} HostOptions;

typedef struct Host Host;

int host_open(const Node *node, const HostOptions *options, Host **ret, Error **reterr);

/* plan: which paths, units, users, packages and sysctls to look at (its content does not matter); deep:
 * hash everything. */
int host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret, Error **reterr);

/* -EBUSY, ERROR_TEMPORARY: who holds it */
int host_lock(Host *h, const char *holder, bool wait, Error **reterr);
void host_unlock(Host *h);
bool host_lock_is_lost(const Host *h); /* it was held, and the node let go of it */

typedef struct HostPut {
        const Plan *plan;
        const Changes *changes;
        const char *cache; /* fetch's cache, where binaries lie */
        const Lock *lock;  /* fetch's lock, to find them there */
        void (*progress)(void *userdata, uint64_t done, uint64_t total);
        void *userdata;
} HostPut;

int host_put(Host *h, const HostPut *put, Error **reterr);
/* Writes applied.json for plan, if it would say something new: may be called at the end of every run. */
int host_record(Host *h, const Plan *plan, const char *identity, const char *edition, Error **reterr);

/* A script of POSIX sh as root, under "set -eu"; its standard output. A status other than 0 is an Error
 * with standard error as detail. */
int host_exec(Host *h, const char *script, Buffer *ret, Error **reterr);
int host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr);
int host_read(Host *h, const char *path, size_t limit, Buffer *ret, Error **reterr);
/* Files of any size, never in memory as a whole; host_send() after host_look(), as host_put(). */
int host_send(Host *h, const char *source, const char *path, const char *sha256,
              void (*progress)(void *userdata, uint64_t done, uint64_t total), void *userdata,
              Error **reterr);
int host_receive(Host *h, const char *path, uint64_t limit, int fd, Error **reterr);
int host_bus(Host *h, UnitBus **ret, Error **reterr); /* lent; opened on first use */
/* Why a unit failed: result, exit status and its last journal lines, for an Error's detail. */
int host_explain_unit(Host *h, const char *unit, char **ret, Error **reterr);

void host_insist(Host *h); /* from now on nothing is cancelled any more */
Host* host_free(Host *h);
DEFINE_CLEANUP(Host*, host_free)
