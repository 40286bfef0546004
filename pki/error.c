/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>
#include <stdarg.h>

#include "common/alloc.h"
#include "pki/key.h"

/**
 * pki_error() - record why a call of OpenSSL failed
 * @reterr:     where to store the error, or NULL to discard it
 * @kind:       who has to act on it
 * @format:     printf-style message, to which OpenSSL's reason is added if it gave one
 *
 * The first entry of the queue is taken: it is the cause, later ones only say who passed it on.
 *
 * Return: -EBADMSG if what was read is to blame (ERROR_CONFIG, ERROR_VERIFY), else -EIO.
 */
int pki_error(Error **reterr, ErrorKind kind, const char *format, ...) {
        bool input = kind == ERROR_CONFIG || kind == ERROR_VERIFY;
        unsigned long code = ERR_get_error();
        const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
        _cleanup_free_ char *text = NULL;
        va_list ap;

        ERR_clear_error();

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return error_set(reterr, kind, input ? EBADMSG : EIO, reason ? "%s: %s" : "%s%s", text,
                         reason ?: "");
}
