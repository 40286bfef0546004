/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A disk that has forgotten what was not synced when the power goes
 *
 * The bytes of a file are safe once fsync() has been called on it, what happened to names once it was called on
 * their directory, and everything after syncfs(). All else may be on the disk or not (POSIX promises nothing,
 * and file systems differ): of the changes to the names of a directory the first so many stay, and a file's
 * bytes may be gone although its name is there.
 */

#include "faults.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#define SAVED "/.faults" /* on the same file system as everything */

typedef struct Change {
        CallKind kind;
        char *path, *from;
        char *saved; /* what was at path before, or NULL */
        bool judged, lost;
} Change;

typedef struct Bytes {
        dev_t device;
        ino_t inode;
        int fd;
        off_t safe; /* so many bytes were synced */
} Bytes;

static Change *changes;
static size_t n_changes;
static Bytes *bytes;
static size_t n_bytes;

/* --- names --- */

static char* directory_of(const char *path) {
        return xstrndup(path, (size_t) (strrchr(path, '/') - path));
}

static bool is_in(const char *path, const char *directory) {
        _cleanup_free_ char *own = directory_of(path);

        return streq(own, directory);
}

static void change_done(Change *c) {
        if (c->saved)
                (void) unlink(c->saved);
        free(c->path);
        free(c->from);
        free(c->saved);
}

static char* save(const char *path) {
        static unsigned n;
        struct stat st;
        char *saved;

        if (lstat(path, &st) < 0 || S_ISDIR(st.st_mode))
                return NULL;
        (void) mkdir(SAVED, 0700);
        saved = xasprintf(SAVED "/%u", n++);
        if (link(path, saved) < 0) {
                free(saved);
                return NULL;
        }
        return saved;
}

static void note_name(const Call *call) {
        bool replaces = call->type->kind == CALL_RENAME || call->type->kind == CALL_UNLINK;

        if (!replaces && access(call->path, F_OK) == 0)
                return;
        changes = xrealloc(changes, n_changes + 1, sizeof(Change));
        changes[n_changes++] = (Change) {
                .kind = call->type->kind,
                .path = xstrdup(call->path),
                .from = *call->from ? xstrdup(call->from) : NULL,
                .saved = replaces ? save(call->path) : NULL,
        };
}

static void names_are_safe(const char *directory) {
        size_t k = 0;

        for (size_t i = 0; i < n_changes; i++)
                if (!directory || is_in(changes[i].path, directory))
                        change_done(changes + i);
                else
                        changes[k++] = changes[i];
        n_changes = k;
}

/* --- bytes --- */

static Bytes* find_bytes(const char *file) {
        struct stat st;
        int fd;

        if (stat(file, &st) < 0 || !S_ISREG(st.st_mode))
                return NULL;
        for (size_t i = 0; i < n_bytes; i++)
                if (bytes[i].device == st.st_dev && bytes[i].inode == st.st_ino)
                        return bytes + i;
        fd = open(file, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return NULL;
        bytes = xrealloc(bytes, n_bytes + 1, sizeof(Bytes));
        bytes[n_bytes] = (Bytes) { st.st_dev, st.st_ino, fd, st.st_size };
        return bytes + n_bytes++;
}

/* What is written into the middle of bytes that are safe may be lost with them. */
static void note_bytes(const char *file, bool truncates) {
        Bytes *b = find_bytes(file);

        if (b && truncates)
                b->safe = 0;
}

static void bytes_are_safe(Bytes *b) {
        (void) close(b->fd);
        *b = bytes[--n_bytes];
}

static void note_sync(const Call *call) {
        struct stat st;
        Bytes *b;

        if (stat(call->open_file, &st) == 0 && S_ISDIR(st.st_mode)) {
                names_are_safe(streq(call->path, "/") ? "" : call->path);
                return;
        }
        b = find_bytes(call->open_file);
        if (b)
                bytes_are_safe(b);
}

void disk_note(const Call *call) {
        const CallType *t = call->type;

        if (t->kind == CALL_SYNC_ALL) {
                names_are_safe(NULL);
                while (n_bytes > 0)
                        bytes_are_safe(bytes);
        } else if (!call->on_disk)
                return;
        else if (t->flags & CALL_SYNC)
                note_sync(call);
        else if (t->kind == CALL_OPEN && access(call->path, F_OK) == 0)
                note_bytes(
                        call->path,
                        true); /* it would not have been stopped but for O_TRUNC, or for O_CREAT in vain */
        else if (t->kind != CALL_OTHER)
                note_name(call);
        else if (t->flags & (CALL_DATA | CALL_IN_PLACE))
                note_bytes(call->open_file, false);
}

/* --- the power is gone --- */

static void undo(const Change *c) {
        struct stat st;

        switch (c->kind) {
        case CALL_RENAME:
                if (lstat(c->from, &st) < 0)
                        (void) rename(c->path, c->from);
                break;
        case CALL_OPEN:
        case CALL_CREATE:
                if (unlink(c->path) < 0)
                        (void) rmdir(c->path);
                break;
        default:
                break;
        }
        if (c->saved && lstat(c->path, &st) < 0)
                (void) !link(c->saved, c->path);
}

static size_t count_in(const char *directory) {
        size_t n = 0;

        for (size_t i = 0; i < n_changes; i++)
                n += is_in(changes[i].path, directory);
        return n;
}

/* The first so many of a directory's changes stay. */
static void lose_names(unsigned *seed) {
        for (size_t i = 0; i < n_changes; i++) {
                _cleanup_free_ char *directory = directory_of(changes[i].path);
                size_t keep, k = 0;

                if (changes[i].judged)
                        continue;
                keep = (size_t) rand_r(seed) % (count_in(directory) + 1);
                for (size_t j = i; j < n_changes; j++)
                        if (is_in(changes[j].path, directory)) {
                                changes[j].judged = true;
                                changes[j].lost = k++ >= keep;
                        }
        }
}

unsigned disk_forget(unsigned seed, FILE *log) {
        unsigned n = 0;

        lose_names(&seed);
        for (size_t i = n_changes; i > 0; i--) {
                if (!changes[i - 1].lost)
                        continue;
                undo(changes + i - 1);
                (void) fprintf(log, "lost the change of %s\n", changes[i - 1].path);
                n++;
        }
        for (size_t i = 0; i < n_bytes; i++) {
                if (rand_r(&seed) % 4 == 0)
                        continue;
                n += ftruncate(bytes[i].fd, bytes[i].safe) == 0;
                (void) fprintf(log, "lost bytes of inode %lu beyond %lld\n", (unsigned long) bytes[i].inode,
                               (long long) bytes[i].safe);
        }
        names_are_safe(NULL);
        (void) rmdir(SAVED);
        return n;
}
