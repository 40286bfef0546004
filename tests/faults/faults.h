/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/macro.h"

/*
 * faults: runs a command, and at one of the calls by which it or its children change something, kills it, has
 * it lose power, or has the call fail
 *
 * Every such call of the whole tree of processes stops in the kernel (seccomp_unotify(2)) until it is told to
 * go on. calls.c knows which calls these are and what they are about; forget.c is a disk that has forgotten
 * what was not synced when the power goes; faults.c watches and strikes.
 */

typedef enum CallFlags {
        CALL_DATA = 1 << 0,     /* bytes of a file, a pipe or a socket */
        CALL_NAME = 1 << 1,     /* makes a name: takes an inode or room in a directory */
        CALL_CHANGE = 1 << 2,   /* changes what is there already */
        CALL_SYNC = 1 << 3,     /* on its file, or on all */
        CALL_IN_PLACE = 1 << 4, /* of a file that is open: no permission is asked for any more */
} CallFlags;

typedef enum CallKind {
        CALL_OTHER,
        CALL_OPEN,
        CALL_RENAME,
        CALL_UNLINK,
        CALL_CREATE,
        CALL_SYNC_ALL
} CallKind;

typedef struct CallType {
        const char *name;
        int number;
        CallKind kind;
        CallFlags flags;
        signed char fd;        /* argument with the file, or -1 */
        signed char dir, path; /* arguments with the name that changes; dir -1: AT_FDCWD; path -1: none */
        signed char from_dir, from; /* of a rename: the old name */
} CallType;

typedef struct Call {
        const CallType *type;
        pid_t pid; /* the thread */
        bool driver;
        bool writes;  /* of an open file: for writing */
        bool on_disk; /* about a file that is to last: not of /run, /tmp, /proc, /dev, no pipe */
        char path[4096], from[4096];
        char open_file[64]; /* /proc/PID/fd/N, or "" */
} Call;

extern const CallType call_types[];
extern const size_t n_call_types;

/* A filter that stops the calls of the table; returns the file descriptor to watch, or -1. */
int calls_listen(void);
/* What a call that has stopped is about. */
void call_read(const struct seccomp_notif *request, Call *ret);
/* Would a disk with this trouble refuse it? */
bool call_meets(const Call *call, int errnum);

/* Notes what is about to be done. */
void disk_note(const Call *call);
/* What was not synced is lost: which of it, chance decides. Returns how many things. */
unsigned disk_forget(unsigned seed, FILE *log);
