/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/process.h"
#include "common/shell.h"
#include "host/host.h"

/*
 * What the files of host/ share
 *
 * Every script travels over a channel: a process (ssh, or sh on this machine) whose input is the sudo
 * password if there is one, a line that says how long the script is, the script, and what the script itself
 * reads. The script's output stands between a line that proves that ssh, login shell and sudo did their
 * work, and one with its exit status, both marked by a nonce: what a login shell prints is not taken for an
 * answer, and a cut connection not for an end.
 */

#define NONCE_SIZE 17 /* with the NUL */

typedef struct HostLock HostLock;

struct Host {
        const Node *node;
        HostOptions options;
        const volatile int *cancelled;
        char *password;    /* or NULL */
        char *control;     /* directory of the ssh masters' sockets */
        char *socket;      /* of ours, as ssh -o ControlPath= has it */
        char *known_hosts; /* file with the pinned host key, or NULL */
        char *root;        /* "" but in tests: where the node's root directory is; local nodes only */
        bool connected;    /* some channel was opened, so a master may be running */

        /* from the last look, kept up to date by puts */
        bool looked;
        bool has_aes;
        uint64_t generation;
        AppliedFile *applied; /* what is recorded on the node */
        size_t n_applied;
        Strv traces;        /* the same, besides files */
        Strv taken;         /* what was there before, see plan/taken.h */
        AppliedFile *known; /* what is known to lie there: digest and the stamp that belongs to it */
        size_t n_known;
        char *record; /* the text of applied.json, or NULL */

        HostLock *lock;
        char *holder; /* who we are, from host_lock() on: what is written from then on needs the lock */
        Process *bus_process;
        UnitBus *bus;
};

int host_open_at(const Node *node, const HostOptions *options, const char *root, Host **ret, Error **reterr);

/* --- transport.c: how a node is reached --- */

typedef enum TransportFlags {
        /* a connection of its own, with the cipher that is fastest where both ends have AES instructions */
        TRANSPORT_FAST_CIPHER = 1 << 0,
} TransportFlags;

int transport_prepare(Host *h, Error **reterr);
void transport_close(Host *h);
Strv transport_argv(Host *h, TransportFlags flags);
Strv transport_argv_alone(const Host *h);
char* transport_setting(const Host *h, const char *name);
bool transport_has_aes(void); /* this machine's processor */

/* --- master.c: ending a connection that ssh keeps open --- */

int master_end(const char *path);

/* --- channel.c --- */

typedef struct Script {
        const char *name;      /* for --verbose: "look (31 paths, 4 units)" */
        const char *text;      /* prelude.sh stands before it */
        ProcessInput stream;   /* what it reads from standard input */
        uint64_t timeout_usec; /* 0: five minutes */
        TransportFlags flags;
        const char *follows; /* for --verbose: what it reads, in lines for people; or NULL */
} Script;

typedef struct Answer {
        char nonce[NONCE_SIZE];
        Buffer out; /* of the script alone */
        Buffer err; /* of ssh, sudo and the script */
} Answer;

void answer_done(Answer *a);

/* Runs a script to its end. A status other than 0 is an Error, see failure.c. */
int channel_run(Host *h, const Script *script, Answer *ret, Error **reterr);
/* Starts one that stays: its input and output are the process' socket, the line that it has begun has
 * been read. */
int channel_start(Host *h, const Script *script, Process **ret, Error **reterr);
int channel_read_line(Process *p, uint64_t timeout_usec, Buffer *ret); /* 1, 0 at the end, -ETIMEDOUT */

/* --- trace.c --- */

void trace_script(const Host *h, const Script *script, char *const *argv, const char *begin,
                  const char *end);
void trace_bus(void *host, const char *text);

/* --- failure.c, ssh-error.c: what standard error means --- */

/* One row of what ssh and sudo are known to say. */
typedef struct SshFailure {
        const char *pattern; /* in ssh's or sudo's standard error */
        ErrorKind kind;
        int errnum;
        const char *text, *advice; /* in both, {} is who says it, {user} who logs in; advice may be NULL */
} SshFailure;

const SshFailure* ssh_failure_find(const char *text);
char* ssh_failure_fill(const char *text, const char *who, const char *user);
bool ssh_way_is_direct(const Host *h);
/* What went wrong on the way to the node, through a jump host or what a ProxyCommand starts; 0: nothing that is known of. */
int ssh_way_error(const Host *h, const char *stderr_text, Error **reterr);
/* The channel never came as far as the script. */
int ssh_error(const Host *h, int status, const char *stderr_text, Error **reterr);
/* The script ended with another status than 0. */
int script_error(const char *name, int status, const char *stderr_text, Error **reterr);
/* Standard error without what ssh and sudo say although all is well. */
char* failure_detail(const char *stderr_text);

/* --- known.c: digests and stamps --- */

void known_set(Host *h, const char *path, const char *sha256, const char *stamp);
void known_forget(Host *h, const char *path);
const AppliedFile* known_find(const Host *h, const char *path);
AppliedFile* applied_copy(const AppliedFile *files, size_t n_files);
AppliedFile* applied_free(AppliedFile *files, size_t n_files);

/* --- put.c --- */

typedef struct PutFile {
        const char *path; /* absolute */
        mode_t mode;
        const char *owner; /* "root:root" */
        const void *data;  /* or, if NULL, */
        char *source;      /* a file here */
        uint64_t size;
        const char *sha256; /* of the content; NULL: put_run() computes it */
} PutFile;

/* What put.sh is told to do, in its own words, and the files that travel. */
typedef struct PutOrders {
        PutFile *files;
        size_t n_files;
        Buffer users, directories, notes, owners, checks, late_checks, links, attributes, removals, sysctls,
                leftovers;
        Strv packages, masked;
        Buffer keeps;             /* what is not ours, and about to be replaced */
        Buffer backs, units_back; /* what comes back, as ours is gone */
        Strv taken;               /* all lines of plan/taken.h, */
        bool takes, gives; /* with more of them, which stand there before anything is replaced; with fewer */
        Strv stamps;       /* paths whose stamps are wanted afterwards, beside those of the files */
        Strv sync_directories;
} PutOrders;

void put_orders_done(PutOrders *o);
int put_run(Host *h, const char *name, const PutOrders *o, const HostPut *progress, Error **reterr);

/* --- put-taken.c: what was there before hardway came --- */

void put_take(PutOrders *o, const Host *h, const Changes *changes);
void put_give_back(PutOrders *o, const Host *h, const Plan *plan);

/* --- put-stream.c --- */

typedef struct PutStream PutStream;

PutStream* put_stream_new(const PutOrders *o, const HostPut *progress, const volatile int *cancelled);
ssize_t put_stream_feed(void *stream, void *buffer, size_t size); /* a ProcessFeed */
PutStream* put_stream_free(PutStream *s);
DEFINE_CLEANUP(PutStream*, put_stream_free)

/* --- lock.c --- */

int host_lock_keep(Host *h, Error **reterr);
