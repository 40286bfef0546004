/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static _noreturn_ void library_failed(const char *name) {
        static const char text[] = "hardway: cannot be loaded, or is not what it should be: ";

        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
            write(STDERR_FILENO, name, strlen(name)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
                abort();
        abort();
}

/**
 * library_load() - load a library, if it is not loaded yet
 * @l:          the library; may be used by several threads at once
 * @reterr:     why it cannot be loaded
 *
 * Return: 0, or -ENOENT (ERROR_UNAVAILABLE).
 */
int library_load(Library *l, Error **reterr) {
        const char *why = NULL;
        int r = 0;

        (void) pthread_mutex_lock(&l->mutex);
        if (!l->handle)
                l->handle = dlopen(l->name, RTLD_NOW | RTLD_LOCAL);
        if (!l->handle) {
                why = dlerror();
                r = error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "cannot load a library: %s",
                              why ?: l->name);
        }
        (void) pthread_mutex_unlock(&l->mutex);
        return r;
}

/**
 * library_function() - look a function up
 * @l:          the library; loaded if need be
 * @name:       the function
 *
 * Return: its address. What is not there ends the program: see the header.
 */
void* library_function(Library *l, const char *name) {
        void *function = library_load(l, NULL) < 0 ? NULL : dlsym(l->handle, name);

        if (!function)
                library_failed(l->name);
        return function;
}
