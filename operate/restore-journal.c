/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a restore was about, for the run that goes on with it. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/parse.h"
#include "operate/restore-internal.h"

#define JOURNAL "secrets/etcd-restore"
#define JOURNAL_SIZE_MAX (64 * 1024)
#define TOKEN_SIZE 16

void journal_done(RestoreJournal *j) {
        free(j->snapshot);
        free(j->digest);
        free(j->token);
        *j = (RestoreJournal) {};
}

static int write_in(const char *directory, const char *name, const char *text, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
        int r;

        r = fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * journal_read() - was a restore begun and not finished?
 * @directory:  the cluster directory
 * @ret:        what it was about; to be released with journal_done()
 * @reterr:     the journal cannot be read
 *
 * Return: 1 if so, 0 if not, or a negative errno.
 */
int journal_read(const char *directory, RestoreJournal *ret, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" JOURNAL, directory);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_t *tree = NULL;
        const char *snapshot, *digest, *token;
        char bytes[TOKEN_SIZE];
        int r;

        r = fs_read_optional(AT_FDCWD, path, JOURNAL_SIZE_MAX, &text, reterr);
        if (r <= 0)
                return r;
        r = json_parse(path, text.data, text.size, &tree, reterr);
        if (r < 0)
                return r;
        snapshot = json_text(tree, "snapshot");
        digest = json_text(tree, "sha256");
        token = json_text(tree, "token");
        if (!snapshot || !digest || !token || parse_hex(token, bytes, sizeof(bytes)) < 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is damaged; remove it to begin anew",
                                 path);
        *ret = (RestoreJournal) {
                .snapshot = xstrdup(snapshot),
                .digest = xstrdup(digest),
                .token = xstrdup(token),
        };
        return 1;
}

static int journal_begin(const char *directory, const char *snapshot, const char *digest,
                         RestoreJournal *ret, Error **reterr) {
        unsigned char bytes[TOKEN_SIZE];
        char token[2 * TOKEN_SIZE + 1];
        _cleanup_json_ json_t *tree = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return error_set_errno(reterr, errno, "no random bytes");
        format_hex(bytes, sizeof(bytes), token);
        tree = json_pack("{s:s, s:s, s:s}", "snapshot", snapshot, "sha256", digest, "token", token);
        json_write(tree, &text);
        r = write_in(directory, JOURNAL, buffer_str(&text), reterr);
        if (r < 0)
                return r;
        *ret = (RestoreJournal) {
                .snapshot = xstrdup(snapshot),
                .digest = xstrdup(digest),
                .token = xstrdup(token),
                .fresh = true,
        };
        return 0;
}

/**
 * journal_open() - begin a restore, or go on with it
 * @directory:  the cluster directory
 * @snapshot:   the file
 * @digest:     its SHA-256
 * @ret:        the journal; its token is a new one unless the same snapshot was being restored
 * @reterr:     it cannot be written
 *
 * Return: 0 or a negative errno.
 */
int journal_open(const char *directory, const char *snapshot, const char *digest, RestoreJournal *ret,
                 Error **reterr) {
        RestoreJournal old = {};
        int r;

        r = journal_read(directory, &old, reterr);
        if (r < 0)
                return r;
        if (r > 0 && streq(old.digest, digest)) {
                *ret = old;
                return 0;
        }
        journal_done(&old);
        return journal_begin(directory, snapshot, digest, ret, reterr);
}

/**
 * journal_commit() - make the restore's token that of the cluster
 * @directory:  the cluster directory
 * @j:          the journal
 * @reterr:     it cannot be written
 *
 * From then on plans are made with it, and data with another one is refused.
 *
 * Return: 0 or a negative errno.
 */
int journal_commit(const char *directory, const RestoreJournal *j, Error **reterr) {
        _cleanup_free_ char *line = xasprintf("%s\n", j->token);

        return write_in(directory, ETCD_TOKEN, line, reterr);
}

int journal_end(const char *directory, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" JOURNAL, directory);

        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(reterr, errno, "%s: cannot be removed", path);
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}
