/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/strv.h"
#include "pki/store-internal.h"

/* Files of the store, on their way into a batch. */

/**
 * store_stage() - stage a file of the store, in a directory that may be missing
 * @batch:      where to
 * @path:       absolute, or as seen from here; see store_path()
 * @data:       what it will hold
 * @mode:       its mode
 * @flags:      FS_EXCLUSIVE: it must not be there
 * @reterr:     names the file
 *
 * Return: 0 or a negative errno.
 */
int store_stage(FsBatch *batch, const char *path, const Buffer *data, mode_t mode, FsFlags flags,
                Error **reterr) {
        _cleanup_free_ char *directory = fs_path_dirname(path);
        int r;

        r = fs_batch_mkdir(batch, directory, STORE_DIRECTORY_MODE, reterr);
        if (r >= 0)
                r = fs_batch_add(batch, path, data->data, data->size, mode, flags, reterr);
        return r < 0 ? r : 0;
}

/**
 * store_stage_pending() - name the pairs that are about to be replaced
 * @s:          the store
 * @batch:      where the pairs will be staged, after this
 * @names:      of the entries; nothing is staged if there are none
 * @reterr:     names the file
 *
 * A kill between the renames of key and certificate leaves a pair that does not fit.
 *
 * Return: 0 or a negative errno.
 */
int store_stage_pending(const Store *s, FsBatch *batch, char *const *names, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, STORE_PENDING);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        STRV_FOREACH(name, names)
                buffer_addf(&text, "%s\n", *name);
        if (text.size == 0)
                return 0;
        r = fs_batch_add(batch, path, text.data, text.size, STORE_PUBLIC_MODE, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * store_publish() - give staged files their names, pairs among them
 * @s:          the store
 * @batch:      with what store_stage_pending() named; may be empty
 * @reterr:     names the file
 *
 * All pairs fit afterwards, so the list of them goes; that it does need not survive a power cut.
 *
 * Return: 0 or a negative errno.
 */
int store_publish(const Store *s, FsBatch *batch, Error **reterr) {
        _cleanup_free_ char *pending = store_path_in_directory(s, STORE_PENDING);
        int r = fs_batch_commit(batch, reterr);

        if (r >= 0)
                (void) unlink(pending);
        return r;
}
