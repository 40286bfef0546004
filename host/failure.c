/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What standard error of a script means
 *
 * A script that knows what is wrong says so in a line of its own, "hardway-error KIND TEXT". What it does
 * not foresee comes from the programs it runs; of those failures, the ones that are the world's (a full
 * disk) are known here by the words of strerror(3) in the C locale.
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "host/host-internal.h"

#define MARK "hardway-error "

static const struct {
        const char *name;
        ErrorKind kind;
        int errnum;
} kinds[] = {
        { "busy", ERROR_TEMPORARY, EBUSY },
        { "cut", ERROR_UNAVAILABLE, ECONNRESET },
        { "io", ERROR_IO, EIO },
        { "missing", ERROR_UNAVAILABLE, ENOENT },
        { "refused", ERROR_CONFIG, EEXIST },
        { "stale", ERROR_TEMPORARY, ESTALE },
        { "temporary", ERROR_TEMPORARY, EAGAIN },
        { "unavailable", ERROR_UNAVAILABLE, EUNATCH },
        { "verify", ERROR_VERIFY, EBADMSG },
};

static const struct {
        const char *pattern, *text;
        ErrorKind kind;
        int errnum;
} troubles[] = {
        { "No space left on device", "no space (or no inodes) left on the disk", ERROR_IO, ENOSPC },
        { "Disk quota exceeded", "the disk quota is used up", ERROR_IO, EDQUOT },
        { "Read-only file system", "the file system is read-only", ERROR_IO, EROFS },
        { "Input/output error", "input/output error: the disk may be failing", ERROR_IO, EIO },
        { "Structure needs cleaning", "the file system is damaged", ERROR_IO, EUCLEAN },
        { "Operation not permitted", "the file may not be changed", ERROR_CREATE, EPERM },
        { "Permission denied", "permission denied", ERROR_CREATE, EACCES },
        { "Is a directory", "there is a directory where a file has to be", ERROR_CREATE, EISDIR },
        { "cannot overwrite directory", "there is a directory where a file has to be", ERROR_CREATE,
          EISDIR },
        { "Not a directory", "there is a file where a directory has to be", ERROR_CREATE, ENOTDIR },
        { "File exists", "there is a file where a directory has to be", ERROR_CREATE, ENOTDIR },
        { "Text file busy", "the file is being run", ERROR_CREATE, ETXTBSY },
};

static const char* next_line(const char *line) {
        line += strcspn(line, "\n");
        return *line ? line + 1 : line;
}

/* What is said although all is well, and ssh's alarm about a changed key, which we raise in our own
 * words. */
static bool is_noise(const char *line) {
        static const char *const alarm[] = {
                "@@@@",
                "@    WARNING",
                "IT IS POSSIBLE THAT",
                "Someone could be eavesdropping",
                "It is also possible that",
                "Please contact your system",
                "Add correct host key",
                "  remove with:",
                "  ssh-keygen -f",
        };

        for (size_t i = 0; i < ARRAY_SIZE(alarm); i++)
                if (startswith(line, alarm[i]))
                        return true;
        return startswith(line, "Warning: Permanently added") ||
               startswith(line, "sudo: unable to resolve host") ||
               startswith(line, "Shared connection to ") || startswith(line, MARK);
}

/* A program that complains about each of many files ("tar: FILE: Cannot open: ...") is heard this often. */
#define COMPLAINTS_MAX 3

static bool is_of_same_program(const char *line, const char *previous) {
        size_t n = strcspn(line, ": \n");

        return previous && line[n] == ':' && strncmp(line, previous, n + 1) == 0;
}

/**
 * failure_detail() - what is worth showing of a standard error
 * @text:       what was printed there
 *
 * Return: its lines, each ended, 40 at most, the last ones; "" if there is nothing. The caller frees it.
 */
char* failure_detail(const char *text) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        const char *begin, *previous = NULL;
        size_t n = 0, same = 0;

        for (const char *line = text; *line; previous = line, line = next_line(line)) {
                same = is_of_same_program(line, previous) ? same + 1 : 0;
                if (*line != '\n' && same < COMPLAINTS_MAX && !is_noise(line)) {
                        buffer_add(&out, line, strcspn(line, "\r\n"));
                        buffer_add_char(&out, '\n');
                        n++;
                }
        }
        begin = buffer_str(&out);
        for (; n > 40; n--)
                begin = next_line(begin);
        return xstrdup(begin);
}

/* The longest word with a slash in it, of so many characters. */
static const char* longest_path(const char *line, size_t size, size_t *ret_size) {
        static const char alphabet[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._@:+-";
        const char *best = NULL;

        *ret_size = 0;
        for (size_t i = 0, n; i < size; i += n + 1) {
                n = strspn(line + i, alphabet);
                if (n > size - i)
                        n = size - i;
                while (n > 0 && line[i + n - 1] == ':')
                        n--;
                if (n > *ret_size && memchr(line + i, '/', n)) {
                        best = line + i;
                        *ret_size = n;
                }
        }
        return best;
}

/* What stands in the last quotes: "sync: error syncing 'opt'" */
static const char* last_quoted(const char *line, size_t size, size_t *ret_size) {
        const char *end = memrchr(line, '\'', size),
                   *begin = end ? memrchr(line, '\'', (size_t) (end - line)) : NULL;

        if (!begin || end == begin + 1)
                return NULL;
        *ret_size = (size_t) (end - begin - 1);
        return begin + 1;
}

/* The path in a complaint, without what marks a file as staged. */
static char* path_of_complaint(const char *line, size_t size) {
        size_t n;
        const char *found = longest_path(line, size, &n);
        char *path;

        if (!found)
                found = last_quoted(line, size, &n);
        if (!found)
                return NULL;
        path = xasprintf("%s%.*s", *found == '/' ? "" : "/", (int) n, found);
        if (endswith(path, ".hw-new"))
                path[strlen(path) - strlen(".hw-new")] = 0;
        if (path[1] && endswith(path, "/"))
                path[strlen(path) - 1] = 0;
        return path;
}

static int said_error(const char *said, Error **reterr) {
        size_t size = strcspn(said, " \n");
        const char *text = said + size + (said[size] == ' ' ? 1 : 0);

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (strlen(kinds[i].name) == size && strncmp(kinds[i].name, said, size) == 0)
                        return error_set(reterr, kinds[i].kind, kinds[i].errnum, "%.*s",
                                         (int) strcspn(text, "\n"), text);
        return error_set(reterr, ERROR_INTERNAL, EPROTO, "%.*s", (int) strcspn(said, "\n"), said);
}

/* What the script said of it, behind the mark and the kind; NULL if it said nothing. */
static char* said_text(const char *said) {
        const char *text = said ? said + strlen(MARK) + strcspn(said + strlen(MARK), " \n") : "";

        return *text == ' ' ? xstrndup(text + 1, strcspn(text + 1, "\n")) : NULL;
}

/* A program that does not name its file ("sed: couldn't flush stdout") is helped by what the script said. */
static int trouble_error(const char *text, const char *said, Error **reterr) {
        for (const char *line = text; *line; line = next_line(line))
                for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
                        const char *found = strstr(line, troubles[i].pattern);
                        _cleanup_free_ char *path = NULL;

                        if (!found || found >= line + strcspn(line, "\n"))
                                continue;
                        path = path_of_complaint(line, (size_t) (found - line));
                        found += strlen(troubles[i].pattern);
                        if (!path) /* mv: cannot overwrite directory 'a' with non-directory */
                                path = path_of_complaint(found, strcspn(found, "\n"));
                        if (!path)
                                path = said_text(said);
                        return error_set(reterr, troubles[i].kind, troubles[i].errnum, "%s: %s",
                                         path ? path : "cannot write", troubles[i].text);
                }
        return 0;
}

/**
 * script_error() - why a script failed
 * @name:       what it was to do, for failures without a better explanation
 * @status:     its exit status
 * @text:       its standard error
 * @reterr:     what it means; the rest of the text is its detail
 *
 * The world's troubles come first, as they are why the script gave up with words of its own; but what it
 * says about others (a lock's holder) may well contain such words.
 *
 * Return: a negative errno.
 */
int script_error(const char *name, int status, const char *text, Error **reterr) {
        _cleanup_free_ char *detail = failure_detail(text);
        const char *said = strstr(text, MARK);
        int r = 0;

        if (said && startswith(said, MARK "busy "))
                return said_error(said + strlen(MARK), reterr);
        if (!said || startswith(said, MARK "io "))
                r = trouble_error(text, said, reterr);
        if (r == 0 && said)
                r = said_error(said + strlen(MARK), reterr);
        if (r == 0)
                r = error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO,
                              "%s: a script on the node ended with status %d", name, status);
        if (*detail)
                error_detail(reterr, "%s", detail);
        return r;
}
