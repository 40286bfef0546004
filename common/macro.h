/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/*
 * Attributes and small macros used everywhere. Ownership is written in the prototype (see CONTRIBUTING.md);
 * the macros here make the common case, "freed when the scope ends, unless handed over", one word.
 */

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

/* The value of a macro, as text. */
#define STRINGIFY(x) STRINGIFY_(x)
#define STRINGIFY_(x) #x

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

/* The same, if it is an array: a pointer does not compile. */
#define ARRAY_ONLY(x)                                                                                  \
        ({                                                                                             \
                _Static_assert(!__builtin_types_compatible_p(typeof(x), typeof(&(x)[0])), "no array"); \
                (x);                                                                                   \
        })

/* Hands the value of an owning variable over and disarms its cleanup. */
#define TAKE_GENERIC(var, type, nullvalue) \
        ({                                 \
                type *_pvar_ = &(var);     \
                type _value_ = *_pvar_;    \
                *_pvar_ = (nullvalue);     \
                _value_;                   \
        })
#define TAKE_PTR(ptr) TAKE_GENERIC(ptr, typeof(ptr), NULL)
#define TAKE_FD(fd) TAKE_GENERIC(fd, int, -EBADF)

/* Defines func##p(), the cleanup for a pointer variable, from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, func)            \
        static inline void func##p(type *p) { \
                if (*p)                       \
                        *p = func(*p);        \
        }

/* The same for destructors of other libraries, which return nothing. */
#define DEFINE_CLEANUP_VOID(type, func)       \
        static inline void func##p(type *p) { \
                if (*p) {                     \
                        func(*p);             \
                        *p = NULL;            \
                }                             \
        }

void freep(void *pointer);
void closep(int *fd);
int safe_close(int fd);

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
