/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>

#include "common/library.h"

/*
 * libarchive's functions that we use, which load it: see common/library.h. Another one is added here, at its
 * end.
 */

static Library library = LIBRARY("libarchive.so.13");

#define CALL(function) LIBRARY_CALL(library, function)

int archive_errno(struct archive *a) {
        return CALL(archive_errno)(a);
}

const char* archive_error_string(struct archive *a) {
        return CALL(archive_error_string)(a);
}

la_int64_t archive_filter_bytes(struct archive *a, int n) {
        return CALL(archive_filter_bytes)(a, n);
}

struct archive* archive_read_new(void) {
        return CALL(archive_read_new)();
}

int archive_read_free(struct archive *a) {
        return CALL(archive_read_free)(a);
}

int archive_read_support_filter_gzip(struct archive *a) {
        return CALL(archive_read_support_filter_gzip)(a);
}

int archive_read_support_format_tar(struct archive *a) {
        return CALL(archive_read_support_format_tar)(a);
}

int archive_read_open_fd(struct archive *a, int fd, size_t block) {
        return CALL(archive_read_open_fd)(a, fd, block);
}

int archive_read_open_memory(struct archive *a, const void *data, size_t size) {
        return CALL(archive_read_open_memory)(a, data, size);
}

int archive_read_next_header(struct archive *a, struct archive_entry **ret) {
        return CALL(archive_read_next_header)(a, ret);
}

int archive_read_data_block(struct archive *a, const void **ret, size_t *ret_size, la_int64_t *ret_offset) {
        return CALL(archive_read_data_block)(a, ret, ret_size, ret_offset);
}

struct archive* archive_write_new(void) {
        return CALL(archive_write_new)();
}

int archive_write_free(struct archive *a) {
        return CALL(archive_write_free)(a);
}

int archive_write_close(struct archive *a) {
        return CALL(archive_write_close)(a);
}

int archive_write_fail(struct archive *a) {
        return CALL(archive_write_fail)(a);
}

int archive_write_set_format_pax(struct archive *a) {
        return CALL(archive_write_set_format_pax)(a);
}

int archive_write_set_format_pax_restricted(struct archive *a) {
        return CALL(archive_write_set_format_pax_restricted)(a);
}

int archive_write_set_format_ustar(struct archive *a) {
        return CALL(archive_write_set_format_ustar)(a);
}

int archive_write_add_filter_gzip(struct archive *a) {
        return CALL(archive_write_add_filter_gzip)(a);
}

int archive_write_set_bytes_per_block(struct archive *a, int n) {
        return CALL(archive_write_set_bytes_per_block)(a, n);
}

int archive_write_set_bytes_in_last_block(struct archive *a, int n) {
        return CALL(archive_write_set_bytes_in_last_block)(a, n);
}

int archive_write_open(struct archive *a, void *userdata, archive_open_callback *on_open,
                       archive_write_callback *on_write, archive_close_callback *on_close) {
        return CALL(archive_write_open)(a, userdata, on_open, on_write, on_close);
}

int archive_write_open2(struct archive *a, void *userdata, archive_open_callback *on_open,
                        archive_write_callback *on_write, archive_close_callback *on_close,
                        archive_free_callback *on_free) {
        return CALL(archive_write_open2)(a, userdata, on_open, on_write, on_close, on_free);
}

int archive_write_open_fd(struct archive *a, int fd) {
        return CALL(archive_write_open_fd)(a, fd);
}

int archive_write_header(struct archive *a, struct archive_entry *e) {
        return CALL(archive_write_header)(a, e);
}

la_ssize_t archive_write_data(struct archive *a, const void *data, size_t size) {
        return CALL(archive_write_data)(a, data, size);
}

struct archive_entry* archive_entry_new(void) {
        return CALL(archive_entry_new)();
}

void archive_entry_free(struct archive_entry *e) {
        CALL(archive_entry_free)(e);
}

const char* archive_entry_pathname(struct archive_entry *e) {
        return CALL(archive_entry_pathname)(e);
}

const char* archive_entry_hardlink(struct archive_entry *e) {
        return CALL(archive_entry_hardlink)(e);
}

const char* archive_entry_symlink(struct archive_entry *e) {
        return CALL(archive_entry_symlink)(e);
}

__LA_MODE_T archive_entry_filetype(struct archive_entry *e) {
        return CALL(archive_entry_filetype)(e);
}

la_int64_t archive_entry_size(struct archive_entry *e) {
        return CALL(archive_entry_size)(e);
}

int archive_entry_size_is_set(struct archive_entry *e) {
        return CALL(archive_entry_size_is_set)(e);
}

void archive_entry_set_pathname(struct archive_entry *e, const char *name) {
        CALL(archive_entry_set_pathname)(e, name);
}

void archive_entry_set_hardlink(struct archive_entry *e, const char *name) {
        CALL(archive_entry_set_hardlink)(e, name);
}

void archive_entry_set_symlink(struct archive_entry *e, const char *name) {
        CALL(archive_entry_set_symlink)(e, name);
}

void archive_entry_set_filetype(struct archive_entry *e, unsigned type) {
        CALL(archive_entry_set_filetype)(e, type);
}

void archive_entry_set_perm(struct archive_entry *e, __LA_MODE_T mode) {
        CALL(archive_entry_set_perm)(e, mode);
}

void archive_entry_set_size(struct archive_entry *e, la_int64_t size) {
        CALL(archive_entry_set_size)(e, size);
}

void archive_entry_set_mtime(struct archive_entry *e, time_t seconds, long nanoseconds) {
        CALL(archive_entry_set_mtime)(e, seconds, nanoseconds);
}

void archive_entry_set_uid(struct archive_entry *e, la_int64_t id) {
        CALL(archive_entry_set_uid)(e, id);
}

void archive_entry_set_gid(struct archive_entry *e, la_int64_t id) {
        CALL(archive_entry_set_gid)(e, id);
}
