/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a restore was about, for the run that goes on with it. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/parse.h"
#include "operate/left-out.h"
#include "operate/restore-internal.h"

#define JOURNAL "secrets/etcd-restore"
#define JOURNAL_SIZE_MAX (64 * 1024)
#define TOKEN_SIZE 16

static const char *const keys[] = { "snapshot", "survivor", "sha256", "members", "token", "begun" };

void journal_done(RestoreJournal *j) {
        free(j->snapshot);
        free(j->survivor);
        free(j->digest);
        free(j->members);
        free(j->token);
        free(j->begun);
        *j = (RestoreJournal) {};
}

static int write_in(const char *directory, const char *name, const char *text, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
        int r;

        r = fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, reterr);
        return r < 0 ? r : 0;
}

static int refuse_damaged(const char *path, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is damaged; remove it to begin anew", path);
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
        const char *texts[6];
        char bytes[TOKEN_SIZE];
        int r;

        r = fs_read_optional(AT_FDCWD, path, JOURNAL_SIZE_MAX, &text, reterr);
        if (r <= 0)
                return r;
        r = json_parse(path, text.data, text.size, &tree, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                texts[i] = json_text(tree, keys[i]);
                if (!texts[i])
                        return refuse_damaged(path, reterr);
        }
        if (parse_hex(texts[4], bytes, sizeof(bytes)) < 0)
                return refuse_damaged(path, reterr);
        *ret = (RestoreJournal) {
                .snapshot = xstrdup(texts[0]),
                .survivor = xstrdup(texts[1]),
                .digest = xstrdup(texts[2]),
                .members = xstrdup(texts[3]),
                .token = xstrdup(texts[4]),
                .begun = xstrdup(texts[5]),
                .served = json_is_true(json_object_get(tree, "served")),
        };
        return 1;
}

/**
 * journal_new() - a restore that begins now
 * @survivor:   the node whose data it is of, or ""
 * @members:    names of those that the new cluster begins with
 * @ret:        the journal, with a new token; snapshot and digest are for the caller to set
 * @reterr:     there are no random bytes
 *
 * Return: 0 or a negative errno.
 */
int journal_new(const char *survivor, const char *members, RestoreJournal *ret, Error **reterr) {
        unsigned char bytes[TOKEN_SIZE];
        char token[2 * TOKEN_SIZE + 1];

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return error_set_errno(reterr, errno, "no random bytes");
        format_hex(bytes, sizeof(bytes), token);
        *ret = (RestoreJournal) {
                .survivor = xstrdup(survivor),
                .members = xstrdup(members),
                .token = xstrdup(token),
                .begun = clock_format_iso(clock_realtime()),
        };
        return 0;
}

int journal_write(const char *directory, const RestoreJournal *j, Error **reterr) {
        _cleanup_json_ json_t *tree = json_pack("{ss,ss,ss,ss,ss,ss,sb}", keys[0], j->snapshot, keys[1],
                                                j->survivor, keys[2], j->digest, keys[3], j->members,
                                                keys[4], j->token, keys[5], j->begun, "served", j->served);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        json_write(tree, &text);
        return write_in(directory, JOURNAL, buffer_str(&text), reterr);
}

/**
 * journal_commit() - make the restore's token that of the cluster
 * @directory:  the cluster directory
 * @j:          the journal
 * @id:         which the new cluster has
 * @left_out:   nodes whose members are none of it, and may come back with the data of before
 * @reterr:     it cannot be written
 *
 * From then on plans are made with it, data with another one is refused, and members of a cluster with another
 * id are not believed.
 *
 * Return: 0 or a negative errno.
 */
int journal_commit(const char *directory, const RestoreJournal *j, uint64_t id, char *const *left_out,
                   Error **reterr) {
        _cleanup_free_ char *line = etcd_token_text(j->token, id);
        int r;

        /* first: without it nothing may be committed, and by itself it only spares nodes that are gone */
        r = left_out_write(directory, left_out, reterr);
        return r < 0 ? r : write_in(directory, ETCD_TOKEN, line, reterr);
}

/**
 * journal_is_committed() - has the token of a restore become the cluster's?
 * @directory:  the cluster directory
 * @j:          the journal
 *
 * As it is on the disk now: a commit that says that it failed may have failed after the renaming.
 *
 * Return: whether so; false as well if that cannot be read.
 */
bool journal_is_committed(const char *directory, const RestoreJournal *j) {
        _cleanup_free_ char *path = xasprintf("%s/" ETCD_TOKEN, directory);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        const char *rest;

        if (fs_read_optional(AT_FDCWD, path, JOURNAL_SIZE_MAX, &text, NULL) <= 0)
                return false;
        rest = startswith(buffer_str(&text), j->token);
        return rest && *rest == '\n';
}

int journal_end(const char *directory, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" JOURNAL, directory);

        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(reterr, errno, "%s: cannot be removed", path);
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}
