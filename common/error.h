/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "common/macro.h"

/*
 * Errors
 *
 * Every call that can fail returns an int: 0 (or a documented positive value) on success, a negative errno
 * on failure. Calls whose failure a person has to understand take a last parameter "Error **reterr" as well
 * and fill it exactly when they return a negative value. A caller that does not care passes NULL.
 *
 * Nothing below cli/ prints. The message travels up in the Error, each layer may put its own context in
 * front with error_prefix(), and the verb prints it once. Long explanations (the last journal lines of a
 * unit, what to do) go into the detail, which is printed indented below the message.
 */

/* Who has to act, and the exit status of sysexits.h that says so. */
typedef enum ErrorKind {
        ERROR_INTERNAL,    /* a bug in hardway: 70 */
        ERROR_USAGE,       /* wrong command line: 64 */
        ERROR_CONFIG,      /* the cluster file or the cluster directory: 65 */
        ERROR_UNAVAILABLE, /* a node, service or download cannot be reached or is not ready: 69 */
        ERROR_CREATE,      /* a file cannot be made, here or on a node: 73 */
        ERROR_IO,          /* reading or writing failed, disk full: 74 */
        ERROR_TEMPORARY,   /* somebody else holds it; try again: 75 */
        ERROR_VERIFY,      /* a digest, signature, certificate or check did not hold: 76 */
        ERROR_PERMISSION,  /* not allowed, here or on a node: 77 */
        _ERROR_KIND_MAX,
        _ERROR_KIND_INVALID = -EINVAL,
} ErrorKind;

typedef struct Error {
        ErrorKind kind;
        int errnum;    /* positive errno, what the call returned negated */
        char *message; /* one line, no newline, no full stop */
        char *detail;  /* further lines, each ended by a newline, or NULL */
} Error;

int error_set(Error **reterr, ErrorKind kind, int errnum, const char *format, ...) _printf_(4, 5);
int error_set_errno(Error **reterr, int errnum, const char *format, ...) _printf_(3, 4);
int error_prefix(Error **reterr, int r, const char *format, ...) _printf_(3, 4);
int error_prefix_once(Error **reterr, int r, const char *name);
const char* error_message_behind(const Error *error, const char *name);
void error_detail(Error **reterr, const char *format, ...) _printf_(2, 3);
int error_propagate(Error **reterr, Error *error);
int error_if_cancelled(const volatile int *cancelled, Error **reterr, const char *format, ...)
        _printf_(3, 4);
int error_exit_code(const Error *error);
ErrorKind error_kind_from_errno(int errnum);

Error* error_free(Error *error);
DEFINE_CLEANUP(Error*, error_free)
#define _cleanup_error_ _cleanup_(error_freep)

/*
 * Several errors at once
 *
 * Reading the cluster file or working on five nodes finds more than one problem. An ErrorList keeps them in
 * the order they were added; adding takes the Error over. The exit status of a list is that of its first
 * error.
 */
typedef struct ErrorList {
        Error **errors;
        size_t n_errors;
} ErrorList;

#define ERROR_LIST_NULL ((ErrorList) {})

void error_list_take(ErrorList *list, Error *error);
void error_list_add(ErrorList *list, ErrorKind kind, int errnum, const char *format, ...) _printf_(4, 5);
void error_list_done(ErrorList *list);
