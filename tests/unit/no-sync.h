/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Nothing is synced: that files are is tested with FsBatch, and elsewhere it would only wait for whatever else this
 * machine writes.
 *
 * Wraps: fsync syncfs
 */

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        return 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd) {
        return 0;
}
