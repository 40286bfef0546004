/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

#include "common/error.h"

/*
 * Shared libraries that are loaded when they are first needed
 *
 * libcurl and libarchive bring forty others with them. Linking to all of those takes longer than most of what
 * hardway does without them (7 of 27 ms of `pki gen`, on a Raspberry Pi many times that), so they are not
 * linked to: the functions that we use are defined here under their own names, and pass on to the library.
 *
 *     static Library curl = LIBRARY("libcurl.so.4");
 *
 *     CURL* curl_easy_init(void) {
 *             return LIBRARY_CALL(curl, curl_easy_init)();
 *     }
 *
 * A library that is not there ends the program with one line, as running out of memory does: that is for the
 * package that lacks it to mend. library_load() is for those who would rather have an Error.
 */
typedef struct Library {
        const char *name; /* soname */
        pthread_mutex_t mutex;
        void *handle;
} Library;

#define LIBRARY(n) \
        { .name = (n), .mutex = PTHREAD_MUTEX_INITIALIZER }

int library_load(Library *l, Error **reterr);
void* library_function(Library *l, const char *name); /* never NULL */

#define LIBRARY_CALL(library, function)                                                    \
        ({                                                                                 \
                static typeof(&function) _function_;                                       \
                typeof(&function) _f_ = __atomic_load_n(&_function_, __ATOMIC_ACQUIRE);    \
                if (!_f_) {                                                                \
                        _f_ = (typeof(&function)) library_function(&(library), #function); \
                        __atomic_store_n(&_function_, _f_, __ATOMIC_RELEASE);              \
                }                                                                          \
                _f_;                                                                       \
        })
