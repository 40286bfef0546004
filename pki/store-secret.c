/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/parse.h"
#include "pki/certificate-internal.h"
#include "pki/pem.h"
#include "pki/secret.h"
#include "pki/store-rotation-internal.h"

/* Random bytes: made, replaced by others (store-rotation.c), and taken back to read what they were used for. */

/* As its type wants it written, without number or end of line. */
int store_secret_draw(const StoreRequest *request, Buffer *out, Error **reterr) {
        unsigned char bytes[STORE_SECRET_SIZE_MAX];
        char hex[2 * STORE_SECRET_SIZE_MAX + 1];

        if (RAND_priv_bytes(bytes, (int) request->size) != 1)
                return pki_error(reterr, ERROR_INTERNAL, "cannot draw random bytes");
        if (request->hex) {
                format_hex(bytes, request->size, hex);
                buffer_add(out, hex, 2 * request->size);
        } else
                base64_encode(bytes, request->size, out);
        OPENSSL_cleanse(bytes, sizeof(bytes));
        OPENSSL_cleanse(hex, sizeof(hex));
        return 0;
}

static int read_secret(Store *s, const char *name, Secret *ret, Error **reterr) {
        _cleanup_free_ char *file = store_rotation_path(s, name);
        const Buffer *content;
        int r;

        r = store_file(s, name, &content, reterr);
        return r < 0 ? r : secret_parse(file, content->data, content->size, ret, reterr);
}

/* The line of the one that takes the place of what is in the store. */
int store_secret_next(Store *s, const StoreRequest *request, Buffer *ret, Error **reterr) {
        _cleanup_(secret_done) Secret now = {};
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        unsigned last = 0;
        int r;

        r = read_secret(s, request->name, &now, reterr);
        if (r >= 0)
                r = store_secret_draw(request, &text, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < now.n_lines; i++)
                last = now.lines[i].number > last ? now.lines[i].number : last;
        if (last >= SECRET_NUMBER_MAX)
                return error_set(reterr, ERROR_CONFIG, ERANGE, "%s was replaced %u times: no number is left",
                                 request->name, last - 1);
        secret_write_line(last + 1, buffer_str(&text), ret);
        return 0;
}

/* Adds the line to ret if that file has it. Return: whether it does. */
static bool take_from(const char *path, size_t size, unsigned number, Buffer *ret) {
        _cleanup_(secret_done) Secret secret = {};
        _cleanup_buffer_secret_ Buffer content = BUFFER_NULL;
        const SecretLine *line;

        if (fs_read_optional(AT_FDCWD, path, KEY_SIZE_MAX, &content, NULL) <= 0 ||
            secret_parse(path, content.data, content.size, &secret, NULL) < 0 ||
            !secret_has_size(&secret, size))
                return false;
        line = secret_find(&secret, number);
        if (line)
                secret_write_line(number, line->text, ret);
        return line != NULL;
}

/* "encryption-key-2026-11-25T17.04.05Z.key" of "secrets/encryption-key" */
static bool find_retired(Store *s, const StoreRequest *request, unsigned number, Buffer *ret) {
        _cleanup_free_ char *directory = store_path_in_directory(s, STORE_RETIRED),
                            *stem = xasprintf("%s-", strrchr(request->name, '/') + 1);
        _cleanup_dir_ DIR *d = opendir(directory);
        const struct dirent *entry;
        bool found = false;

        while (d && !found && (entry = readdir(d))) {
                _cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);

                found = startswith(entry->d_name, stem) && take_from(path, request->size, number, ret);
        }
        return found;
}

/* What lies under the usual name follows from the state. */
static int write_usual(Store *s, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        int r;

        store_forget(s);
        r = store_stage_rotated(s, batch, reterr);
        return r < 0 ? r : fs_batch_commit(batch, reterr);
}

/* The old one of the rotation that is under way, with one more behind it if that is not among its lines; 0: nobody has it. */
static int add_to_old(Store *s, const StoreRequest *request, unsigned number, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, ROTATION "/old.key");
        _cleanup_buffer_secret_ Buffer unused = BUFFER_NULL;
        int r;

        r = store_rotation_add(s, ROTATION "/old.key", /* required= */ true, ret, reterr);
        if (r < 0)
                return r;
        return take_from(path, request->size, number, &unused) || find_retired(s, request, number, ret);
}

/* The last phase has let the old one go: then it is one phase back, where both are read with. The rotation goes on from there. */
static int readmit_amid(Store *s, const StoreRequest *request, unsigned number, bool dry_run,
                        Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_buffer_secret_ Buffer old = BUFFER_NULL;
        Rotation state = s->rotation;
        int r;

        r = add_to_old(s, request, number, &old, reterr);
        if (r <= 0)
                return r;
        if (dry_run)
                return 2;
        if (state.phase == ROTATION_FINISH)
                state.phase = ROTATION_REISSUE;
        r = store_stage_edition(s, batch, reterr);
        if (r >= 0)
                r = store_rotation_stage(s, batch, ROTATION "/old.key", &old, STORE_KEY_MODE, reterr);
        if (r >= 0)
                r = store_rotation_stage_state(s, batch, &state, reterr);
        if (r >= 0)
                r = fs_batch_commit(batch, reterr);
        if (r >= 0)
                r = write_usual(s, reterr);
        return r < 0 ? r : 2;
}

static int readmit(Store *s, const StoreRequest *request, unsigned number, bool dry_run, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_free_ char *path = store_path(s, request->name);
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        _cleanup_(secret_done) Secret now = {};
        const Buffer *content;
        int r;

        r = read_secret(s, request->name, &now, reterr);
        if (r < 0 || secret_find(&now, number))
                return r < 0 ? r : 1;
        if (store_is_rotated(s, request->name))
                return readmit_amid(s, request, number, dry_run, reterr);
        r = store_file(s, request->name, &content, reterr);
        if (r < 0)
                return r;
        buffer_add(&text, content->data, content->size);
        buffer_add_char(&text, '\n');
        if (!find_retired(s, request, number, &text))
                return 0;
        if (dry_run)
                return 2;
        r = store_stage_edition(s, batch, reterr);
        if (r >= 0)
                r = store_stage(batch, path, &text, STORE_KEY_MODE, 0, reterr);
        if (r >= 0)
                r = fs_batch_commit(batch, reterr);
        return r < 0 ? r : 2;
}

/**
 * store_secret_readmit() - take a secret back that was replaced, to read what was written with it
 * @s:          the store
 * @request:    the secret
 * @number:     of the one that is wanted
 * @dry_run:    only say whether it could be
 * @reterr:     names the file
 *
 * It goes behind what is in use, until that is replaced the next time; while it is, behind the old one, and a rotation that has let
 * that go already goes a phase back.
 *
 * Return: 2 if it was taken back; 1 if it is among those of the store anyway; 0 if nobody has kept it; a negative errno.
 */
int store_secret_readmit(Store *s, const StoreRequest *request, unsigned number, bool dry_run,
                         Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_close_ int lock = dry_run ? -EBADF : store_lock(s, reterr);
        int r;

        if (!dry_run && lock < 0)
                return lock;
        store_forget(s);
        r = readmit(s, request, number, dry_run, reterr);
        store_forget(s);
        return r;
}
