/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "common/library.h"
#include "http/transfer.h"

/*
 * libcurl's functions that we use, which load it: see common/library.h. Another one is added here, at its end.
 */

static Library library = LIBRARY("libcurl.so.4");

#define CALL(function) LIBRARY_CALL(library, function)

int transfer_load(Error **reterr) {
        return library_load(&library, reterr);
}

/* Macros that check the types of what callers give; they stand in front of these functions. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/*
 * All that these take is as long as a pointer and goes the same way (System V ABI for x86-64 and AArch64): a
 * long, a pointer, a curl_off_t.
 */
_Static_assert(sizeof(long) == sizeof(void*) && sizeof(curl_off_t) == sizeof(void*),
               "libcurl has to be linked to here");

CURLcode curl_easy_setopt(CURL *c, CURLoption what, ...) {
        va_list ap;
        void *value;

        va_start(ap, what);
        value = va_arg(ap, void*);
        va_end(ap);
        return CALL(curl_easy_setopt)(c, what, value);
}

CURLcode curl_easy_getinfo(CURL *c, CURLINFO what, ...) {
        va_list ap;
        void *value;

        va_start(ap, what);
        value = va_arg(ap, void*);
        va_end(ap);
        return CALL(curl_easy_getinfo)(c, what, value);
}

CURLcode curl_global_init(long flags) {
        return CALL(curl_global_init)(flags);
}

CURL* curl_easy_init(void) {
        return CALL(curl_easy_init)();
}

void curl_easy_cleanup(CURL *c) {
        CALL(curl_easy_cleanup)(c);
}

void curl_easy_reset(CURL *c) {
        CALL(curl_easy_reset)(c);
}

CURLcode curl_easy_perform(CURL *c) {
        return CALL(curl_easy_perform)(c);
}

const char* curl_easy_strerror(CURLcode code) {
        return CALL(curl_easy_strerror)(code);
}

char* curl_easy_unescape(CURL *c, const char *text, int size, int *ret_size) {
        return CALL(curl_easy_unescape)(c, text, size, ret_size);
}

void curl_free(void *p) {
        CALL(curl_free)(p);
}

struct curl_slist* curl_slist_append(struct curl_slist *list, const char *text) {
        return CALL(curl_slist_append)(list, text);
}

void curl_slist_free_all(struct curl_slist *list) {
        CALL(curl_slist_free_all)(list);
}

curl_version_info_data* curl_version_info(CURLversion version) {
        return CALL(curl_version_info)(version);
}

CURLM* curl_multi_init(void) {
        return CALL(curl_multi_init)();
}

CURLMcode curl_multi_cleanup(CURLM *m) {
        return CALL(curl_multi_cleanup)(m);
}

CURLMcode curl_multi_add_handle(CURLM *m, CURL *c) {
        return CALL(curl_multi_add_handle)(m, c);
}

CURLMcode curl_multi_remove_handle(CURLM *m, CURL *c) {
        return CALL(curl_multi_remove_handle)(m, c);
}

CURLMcode curl_multi_perform(CURLM *m, int *ret_running) {
        return CALL(curl_multi_perform)(m, ret_running);
}

CURLMcode curl_multi_poll(CURLM *m, struct curl_waitfd fds[], unsigned n, int timeout_msec, int *ret) {
        return CALL(curl_multi_poll)(m, fds, n, timeout_msec, ret);
}

CURLMsg* curl_multi_info_read(CURLM *m, int *ret_left) {
        return CALL(curl_multi_info_read)(m, ret_left);
}
