/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "common/text.h"

static const int exit_codes[_ERROR_KIND_MAX] = {
        [ERROR_INTERNAL] = EX_SOFTWARE,       [ERROR_USAGE] = EX_USAGE,      [ERROR_CONFIG] = EX_DATAERR,
        [ERROR_UNAVAILABLE] = EX_UNAVAILABLE, [ERROR_CREATE] = EX_CANTCREAT, [ERROR_IO] = EX_IOERR,
        [ERROR_TEMPORARY] = EX_TEMPFAIL,      [ERROR_VERIFY] = EX_PROTOCOL,  [ERROR_PERMISSION] = EX_NOPERM,
};

static int errno_of(int errnum) {
        if (errnum == 0)
                return EINVAL; /* a failure must not look like success */
        return errnum < 0 ? -errnum : errnum;
}

/* Takes the message. */
static int error_new(Error **reterr, ErrorKind kind, int errnum, char *message) {
        _cleanup_free_ char *m = message;

        if (!reterr)
                return -errnum;

        if (*reterr) {
                /* A bug, but no reason to lose either of the two. The first is more likely the cause. */
                error_detail(reterr, "and then: %s", m);
                return -errnum;
        }

        *reterr = xnew(Error, 1);
        **reterr = (Error) {
                .kind = kind,
                .errnum = errnum,
                .message = text_harmless(TAKE_PTR(m), /* keep= */ 0),
        };
        return -errnum;
}

/**
 * error_set() - record why a call fails
 * @reterr:     where to store the error, or NULL to discard it
 * @kind:       who has to act on it
 * @errnum:     errno value to return, positive or negative
 * @format:     printf-style message, one line
 *
 * Meant to be used as the value of a return statement, so that no caller can set an error and then forget to
 * fail. It is a bug to call it when *@reterr already holds an error.
 *
 * Return: -@errnum, never 0.
 */
int error_set(Error **reterr, ErrorKind kind, int errnum, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = error_new(reterr, kind, errno_of(errnum), xvasprintf(format, ap));
        va_end(ap);
        return r;
}

/**
 * error_set_errno() - record why a system call failed
 * @reterr:     where to store the error, or NULL to discard it
 * @errnum:     its errno, positive or negative; says the kind as well
 * @format:     printf-style message, to which a colon and the text of @errnum are added
 *
 * Return: -@errnum, never 0.
 */
int error_set_errno(Error **reterr, int errnum, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        char buffer[128];
        va_list ap;

        errnum = errno_of(errnum);
        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return error_new(reterr, error_kind_from_errno(errnum), errnum,
                         xasprintf("%s: %s", text, strerror_r(errnum, buffer, sizeof(buffer))));
}

/**
 * error_if_cancelled() - has the run been asked to end?
 * @cancelled:  non-zero if so; may be NULL
 * @reterr:     where to store the error, or NULL to discard it
 * @format:     printf-style message: what was done, or was not
 *
 * Return: 0, or -ECANCELED and an ERROR_TEMPORARY.
 */
int error_if_cancelled(const volatile int *cancelled, Error **reterr, const char *format, ...) {
        va_list ap;

        if (!cancelled || !*cancelled)
                return 0;
        va_start(ap, format);
        (void) error_new(reterr, ERROR_TEMPORARY, ECANCELED, xvasprintf(format, ap));
        va_end(ap);
        return -ECANCELED;
}

/**
 * error_prefix() - put context in front of an error
 * @reterr:     the error that a callee has set, or NULL
 * @r:          what the callee returned, negative
 * @format:     printf-style context, to which a colon is added
 *
 * If the callee takes no Error, its negative errno becomes one here.
 *
 * Return: @r.
 */
int error_prefix(Error **reterr, int r, const char *format, ...) {
        _cleanup_free_ char *context = NULL, *old = NULL;
        va_list ap;

        if (!reterr)
                return r;

        va_start(ap, format);
        context = xvasprintf(format, ap);
        va_end(ap);

        if (!*reterr)
                return error_set_errno(reterr, r, "%s", context);

        old = (*reterr)->message;
        (*reterr)->message = xasprintf("%s: %s", text_harmless(context, /* keep= */ 0), old);
        return r;
}

/**
 * error_message_behind() - what an error says, where the name of what it is about stands elsewhere
 * @name:       for instance a node's, which whoever goes to the node (host_pool_exec()) puts in front
 *
 * Return: its message without the name in front, if that is there; lent.
 */
const char* error_message_behind(const Error *error, const char *name) {
        const char *rest = startswith(error->message, name);

        return (rest ? startswith(rest, ": ") : NULL) ?: error->message;
}

/**
 * error_prefix_once() - put the name of something in front of an error that may begin with it already
 * @name:       as above
 *
 * Return: @r.
 */
int error_prefix_once(Error **reterr, int r, const char *name) {
        bool begins = reterr && *reterr && error_message_behind(*reterr, name) != (*reterr)->message;

        return begins ? r : error_prefix(reterr, r, "%s", name);
}

/**
 * error_detail() - add lines below the message
 * @reterr:     an error that is set; nothing happens if it is NULL or not set
 * @format:     printf-style, one or more lines; a newline is added if the last has none
 */
void error_detail(Error **reterr, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *old = NULL;
        va_list ap;

        if (!reterr || !*reterr)
                return;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        if (!*text)
                return;

        old = (*reterr)->detail;
        (*reterr)->detail = xasprintf("%s%s%s", old ?: "", text_harmless(text, TEXT_LINES),
                                      endswith(text, "\n") ? "" : "\n");
}

/**
 * error_propagate() - fail with an error that was kept for a while
 * @reterr:     where to store it, or NULL to discard it
 * @error:      the error, which is taken
 *
 * Return: its negative errno.
 */
int error_propagate(Error **reterr, Error *error) {
        int r;

        if (!error)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "failure without a reason");

        r = -error->errnum;
        if (reterr && !*reterr)
                *reterr = error;
        else {
                if (reterr)
                        error_detail(reterr, "and then: %s", error->message);
                error_free(error);
        }
        return r;
}

/**
 * error_exit_code() - the exit status an error stands for
 * @error:      the error, or NULL for success
 *
 * Return: a status as in sysexits.h.
 */
int error_exit_code(const Error *error) {
        if (!error)
                return EX_OK;
        if (error->kind < 0 || error->kind >= _ERROR_KIND_MAX)
                return EX_SOFTWARE;
        return exit_codes[error->kind];
}

/**
 * error_kind_from_errno() - who has to act on a failed system call
 * @errnum:     its errno, positive or negative
 *
 * Return: the kind; ERROR_IO for what is not known better.
 */
ErrorKind error_kind_from_errno(int errnum) {
        switch (errno_of(errnum)) {
        case EACCES:
        case EPERM:
                return ERROR_PERMISSION;
        case EEXIST:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
        case ENOTDIR:
        case ENOTEMPTY:
        case EROFS:
        case EXDEV:
                return ERROR_CREATE;
        case EAGAIN:
        case EBUSY:
        case EDEADLK:
        case EINTR:
        case ENOLCK:
                return ERROR_TEMPORARY;
        case EADDRNOTAVAIL:
        case ECONNABORTED:
        case ECONNREFUSED:
        case ECONNRESET:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETDOWN:
        case ENETUNREACH:
        case ENOTCONN:
        case EPIPE:
        case ETIMEDOUT:
                return ERROR_UNAVAILABLE;
        case EBADMSG:
        case EKEYEXPIRED:
        case EKEYREJECTED:
                return ERROR_VERIFY;
        case EBADF:
        case EFAULT:
        case EINVAL:
                return ERROR_INTERNAL;
        default:
                return ERROR_IO;
        }
}

/**
 * error_free() - free an error
 * @error:      the error, may be NULL
 *
 * Return: NULL.
 */
Error* error_free(Error *error) {
        if (!error)
                return NULL;

        free(error->message);
        free(error->detail);
        free(error);
        return NULL;
}

/**
 * error_list_take() - append an error
 * @list:       the list
 * @error:      the error, which is taken; nothing happens if it is NULL
 */
void error_list_take(ErrorList *list, Error *error) {
        if (!error)
                return;

        list->errors = xrealloc(list->errors, list->n_errors + 1, sizeof(Error*));
        list->errors[list->n_errors++] = error;
}

/**
 * error_list_add() - append a new error
 * @list:       the list
 * @kind:       who has to act on it
 * @errnum:     an errno value, positive or negative
 * @format:     printf-style message, one line
 */
void error_list_add(ErrorList *list, ErrorKind kind, int errnum, const char *format, ...) {
        Error *error = NULL;
        va_list ap;

        va_start(ap, format);
        (void) error_new(&error, kind, errno_of(errnum), xvasprintf(format, ap));
        va_end(ap);
        error_list_take(list, error);
}

/**
 * error_list_done() - free the errors of a list
 * @list:       the list, empty and ready for use afterwards
 */
void error_list_done(ErrorList *list) {
        for (size_t i = 0; i < list->n_errors; i++)
                error_free(list->errors[i]);
        free(list->errors);
        *list = ERROR_LIST_NULL;
}
