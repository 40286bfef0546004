/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/no-sync.h"
#include "tests/unit/pki-fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <ftw.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "common/parse.h"
#include "operate/backup-internal.h"

/*
 * Backups: what goes in comes out, on an empty directory and nowhere else; damage is told from a wrong passphrase; and
 * an archive that somebody else put together gets nothing past us.
 */

#define PASSPHRASE "correct horse"

typedef struct Fixture {
        UnitDir *dir;
        char *from, *to, *file; /* cluster directory, where it is restored, the backup */
} Fixture;

static void put(const char *directory, const char *name, const char *text, mode_t mode) {
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, name), *parent = fs_path_dirname(path);

        assert_true(fs_mkdir_parents(AT_FDCWD, parent, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, text, strlen(text), mode, FS_NO_SYNC, NULL) >= 0);
}

static void take(const char *directory, const char *name) {
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, name);

        assert_int_equal(unlink(path), 0);
}

/* Small stand-ins: what the files mean is of no interest to a backup. */
static void fill(const char *directory) {
        put(directory, "hardway.yaml", "cluster: pi\n", 0644);
        put(directory, "hardway.lock", "{}\n", 0644);
        put(directory, ".gitignore", "/secrets\n", 0644);
        put(directory, "admin.conf", "admin\n", 0600);
        put(directory, "super-admin.conf", "super\n", 0600);
        put(directory, "pki/ca.key", "the key\n", 0600);
        put(directory, "pki/ca.crt", "the certificate\n", 0644);
        put(directory, "pki/sa.pub", "", 0644);
        put(directory, "pki/etcd/ca.key", "etcd's key\n", 0600);
        put(directory,
            "pki/nodes/a23456789b23456789c23456789d23456789e23456789f23456789g23456789/pki/apiserver-kubelet-client.key",
            "a long name\n", 0600);
        put(directory, "pki/nodes/c0/scheduler.conf", "scheduler\n", 0600);
        put(directory, "secrets/identity", "0123\n", 0600);
}

/* And what stays behind. */
static void fill_others(const char *directory) {
        put(directory, "pki/.lock", "process 1\n", 0644);
        put(directory, "pki/.#ca.key.12345678", "half a key", 0600);
        put(directory, "snapshots/1.db", "etcd's data\n", 0600);
        put(directory, "notes.txt", "mine\n", 0644);
        put(directory, "other.yaml", "a: b\n", 0644);
}

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        if (unit_dir_setup((void**) &f->dir) < 0)
                return -1;
        f->from = xasprintf("%s/from", f->dir->path);
        f->to = xasprintf("%s/to", f->dir->path);
        f->file = xasprintf("%s/pi.backup", f->dir->path);
        fill(f->from);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        (void) unit_dir_teardown((void**) &f->dir);
        free(f->from);
        free(f->to);
        free(f->file);
        free(f);
        return 0;
}

static int backup(Fixture *f, const char *passphrase, BackupFlags flags, Error **reterr) {
        _cleanup_(backup_result_done) BackupResult result = BACKUP_RESULT_NULL;
        int r = backup_write(f->from, "hardway.yaml", f->file, passphrase, pki_now(), flags, &result,
                             reterr);

        if (r >= 0)
                assert_int_equal(strv_length(result.names), 12);
        return r;
}

static int restore(Fixture *f, const char *passphrase, BackupFlags flags, Error **reterr) {
        _cleanup_(backup_result_done) BackupResult result = BACKUP_RESULT_NULL;
        int r = backup_restore(f->file, passphrase, f->to, pki_now(), flags, &result, reterr);

        if (r >= 0) {
                assert_int_equal(strv_length(result.names), 12);
                assert_string_equal(result.names[11], "hardway.yaml");
        }
        return r;
}

static Strv listed;
static size_t listed_prefix;

static int list(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        _cleanup_buffer_ Buffer data = BUFFER_NULL;

        if (ftw->level == 0 || endswith(path, "/backup"))
                return 0;
        if (type == FTW_F)
                assert_int_equal(fs_read(AT_FDCWD, path, 1 << 20, &data, NULL), 0);
        strv_addf(&listed, "%s %o %s", path + listed_prefix, st->st_mode & 07777, buffer_str(&data));
        return 0;
}

static char* tree(const char *directory) {
        char *text;

        listed_prefix = strlen(directory);
        assert_int_equal(nftw(directory, list, 16, FTW_PHYS), 0);
        strv_sort(listed);
        text = strv_join(listed, "\n");
        listed = strv_free(listed);
        return text;
}

static void test_round_trip(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *before = tree(f->from), *after = NULL;
        struct stat st;
        Error *e = NULL;

        fill_others(f->from);
        assert_success(backup(f, PASSPHRASE, 0, &e), e, 0);
        assert_int_equal(stat(f->file, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_success(restore(f, PASSPHRASE, BACKUP_DRY_RUN, &e), e, 0);
        assert_int_equal(access(f->to, F_OK), -1);
        assert_success(restore(f, PASSPHRASE, 0, &e), e, 0);
        after = tree(f->to);
        assert_string_equal(before, after);
        assert_success(restore(f, PASSPHRASE, 0, &e), e, 0); /* it is all there */
}

/* What a killed restore left is taken as it is; what differs is not touched, and neither is anything else. */
static void test_restore_on_something(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *whole = tree(f->from), *before = NULL, *after = NULL;
        Error *e = NULL;

        assert_success(backup(f, PASSPHRASE, 0, &e), e, 0);
        put(f->to, "pki/ca.key", "the key\n", 0600);
        put(f->to, "hardway.yaml", "cluster: other\n", 0644);
        before = tree(f->to);
        assert_int_equal(restore(f, PASSPHRASE, 0, &e), -EEXIST);
        assert_int_equal(e->kind, ERROR_CREATE);
        assert_contains(e->message, "hardway.yaml: exists and differs");
        e = error_free(e);
        after = tree(f->to);
        assert_string_equal(before, after);

        take(f->to, "hardway.yaml");
        assert_success(restore(f, PASSPHRASE, 0, &e), e, 0);
        freep(&after);
        after = tree(f->to);
        assert_string_equal(whole, after);
}

static void test_refused(void **state) {
        Fixture *f = *state;
        BackupResult result = BACKUP_RESULT_NULL;
        Error *e = NULL;

        assert_failure(backup(f, "short", 0, &e), e, ERROR_USAGE, EINVAL);
        assert_int_equal(access(f->file, F_OK), -1);
        put(f->dir->path, "pi.backup", "another file", 0644);
        assert_failure(backup(f, PASSPHRASE, 0, &e), e, ERROR_CREATE, EEXIST);
        assert_success(backup(f, PASSPHRASE, BACKUP_REPLACE, &e), e, 0);

        put(f->from, "pki/a b\n", "x", 0600);
        assert_failure(backup(f, PASSPHRASE, BACKUP_DRY_RUN, &e), e, ERROR_CONFIG, EINVAL);
        take(f->from, "pki/a b\n");
        assert_int_equal(mkfifoat(f->dir->fd, "from/pki/fifo", 0600), 0);
        assert_failure(backup(f, PASSPHRASE, BACKUP_DRY_RUN, &e), e, ERROR_CONFIG, EINVAL);
        take(f->from, "pki/fifo");
        assert_int_equal(symlinkat(".", f->dir->fd, "from/pki/loop"), 0);
        assert_failure(backup(f, PASSPHRASE, BACKUP_DRY_RUN, &e), e, ERROR_CONFIG, ELOOP);
        take(f->from, "pki/loop");
        assert_success(backup(f, NULL, BACKUP_DRY_RUN, &e), e, 0);

        take(f->from, "pki/ca.key");
        assert_failure(backup(f, PASSPHRASE, 0, &e), e, ERROR_CONFIG, ENOENT);
        fill(f->from);
        assert_failure(backup_write(f->from, "none.yaml", f->file, PASSPHRASE, pki_now(), 0, &result, &e), e,
                       ERROR_CONFIG, ENOENT);
        assert_failure(backup_restore("/nonexistent", PASSPHRASE, f->to, pki_now(), 0, &result, &e), e,
                       ERROR_IO, ENOENT);
}

static void test_mark(void **state) {
        Fixture *f = *state;
        bool current = true;
        Error *e = NULL;

        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_false(current);
        assert_success(backup(f, PASSPHRASE, BACKUP_DRY_RUN, &e), e, 0);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_false(current);
        assert_success(backup(f, PASSPHRASE, 0, &e), e, 0);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_true(current);

        /* A renewed certificate is no reason to make another backup, a new CA or secret is. */
        put(f->from, "pki/nodes/c0/scheduler.conf", "renewed\n", 0600);
        put(f->from, "admin.conf", "renewed\n", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_true(current);
        put(f->from, "pki/ca.key", "another\n", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_false(current);
        put(f->from, "pki/ca.key", "the key\n", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_true(current);
        /* what a drill has left broken is of today, and of this machine */
        put(f->from, "secrets/failover.pending", "{}", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_true(current);
        put(f->from, "secrets/more", "x", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_false(current);

        put(f->from, "secrets/backup", "{", 0600);
        assert_int_equal(backup_is_current(f->from, &current), 0);
        assert_false(current);
        assert_success(restore(f, PASSPHRASE, 0, &e), e, 0);
        assert_int_equal(backup_is_current(f->to, &current), 0);
        assert_true(current);
        assert_int_equal(backup_is_current(f->dir->path, &current), 0); /* nothing to lose there */
        assert_true(current);
}

static void expect_unseal(const Buffer *sealed, size_t size, int errnum, ErrorKind kind, const char *why) {
        Buffer archive = BUFFER_NULL;
        Error *e = NULL;

        assert_int_equal(backup_unseal("pi.backup", sealed->data, size, PASSPHRASE, &archive, &e), -errnum);
        assert_int_equal(e->kind, kind);
        assert_contains(e->message, why);
        assert_null(archive.data);
        error_free(e);
}

static void test_damaged(void **state) {
        static const char text[] = "not even an archive";
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL, sealed = BUFFER_NULL, opened = BUFFER_NULL;
        Error *e = NULL;

        buffer_add_str(&archive, text);
        assert_success(backup_seal(PASSPHRASE, &archive, &sealed, &e), e, 0);
        assert_int_equal(sealed.size, 96 + strlen(text) + 16);
        assert_null(memmem(sealed.data, sealed.size, "archive", 7));
        assert_success(backup_unseal("b", sealed.data, sealed.size, PASSPHRASE, &opened, &e), e, 0);
        assert_string_equal(opened.data, text);

        buffer_wipe(&opened);
        assert_failure(backup_unseal("b", sealed.data, sealed.size, "another one", &opened, &e), e,
                       ERROR_PERMISSION, EACCES);
        for (size_t n = 0; n < sealed.size; n++)
                expect_unseal(&sealed, n, EBADMSG, ERROR_CONFIG, n < 16 ? "is not a backup" : "is cut off");
        buffer_add_char(&sealed, 'x');
        expect_unseal(&sealed, sealed.size, EBADMSG, ERROR_CONFIG, "has 1 bytes too many");
        sealed.size--;

        /* Any flipped byte: in the header it is seen at once, in the archive and the tag by the tag. */
        for (size_t i = 0; i < sealed.size; i += i < 96 ? 1 : 17) {
                sealed.data[i] ^= 0x10;
                expect_unseal(&sealed, sealed.size, EBADMSG, ERROR_CONFIG,
                              i < 15  ? "is not a backup" :
                              i == 15 ? "has the format 17" :
                              i < 96  ? "is damaged at its beginning" :
                                        "is damaged");
                sealed.data[i] ^= 0x10;
        }
        assert_success(backup_unseal("b", sealed.data, sealed.size, PASSPHRASE, &opened, &e), e, 0);
}

/* A header whose checksum is right, as somebody may write it who wants to use up our memory or time. */
static void expect_limit(const Buffer *sealed, size_t offset, unsigned char value, const char *why) {
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;
        char hex[SHA256_HEX_SIZE];
        unsigned char digest[32];

        buffer_add(&copy, sealed->data, sealed->size);
        copy.data[offset] = (char) value;
        sha256_hex(copy.data, 80, hex);
        assert_int_equal(parse_hex(hex, digest, sizeof(digest)), 0);
        memcpy(copy.data + 80, digest, 16);
        expect_unseal(&copy, copy.size, EBADMSG, ERROR_CONFIG, why);
}

static void test_limits(void **state) {
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL, sealed = BUFFER_NULL;
        Error *e = NULL;

        buffer_add_str(&archive, "x");
        assert_success(backup_seal(PASSPHRASE, &archive, &sealed, &e), e, 0);
        expect_limit(&sealed, 16, 0, "asks for more than this hardway allows");
        expect_limit(&sealed, 16, 19, "asks for more than this hardway allows"); /* 512 MiB */
        expect_limit(&sealed, 16, 255, "asks for more than this hardway allows");
        expect_limit(&sealed, 17, 0, "asks for more than this hardway allows");
        expect_limit(&sealed, 17, 255, "asks for more than this hardway allows");
        expect_limit(&sealed, 18, 0, "asks for more than this hardway allows");
        expect_limit(&sealed, 18, 255, "asks for more than this hardway allows");
        expect_limit(&sealed, 20, 255, "asks for more than this hardway allows");
        expect_limit(&sealed, 22, 1, "is cut off");
}

typedef struct Member {
        const char *name;
        mode_t type;
        const char *link;
        size_t size;
        bool hard;
        const char *why; /* NULL: taken */
} Member;

static la_ssize_t add_piece(struct archive *a, void *userdata, const void *data, size_t size) {
        buffer_add(userdata, data, size);
        return (la_ssize_t) size;
}

static void add_member(struct archive *a, const Member *m) {
        struct archive_entry *entry = archive_entry_new();
        _cleanup_free_ char *zeros = xnew(char, m->size + 1);

        archive_entry_set_pathname(entry, m->name);
        archive_entry_set_filetype(entry, m->type);
        archive_entry_set_perm(entry, 04777);
        if (m->link && m->hard)
                archive_entry_set_hardlink(entry, m->link);
        else if (m->link)
                archive_entry_set_symlink(entry, m->link);
        archive_entry_set_size(entry, (la_int64_t) m->size);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        if (m->size > 0)
                assert_int_equal(archive_write_data(a, zeros, m->size), m->size);
        archive_entry_free(entry);
}

static void expect_unpack(const Member *members, size_t n, const char *why) {
        struct archive *a = archive_write_new();
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        Error *e = NULL;
        int r;

        archive_write_set_format_pax(a);
        archive_write_open2(a, &data, NULL, add_piece, NULL, NULL);
        for (size_t i = 0; i < n; i++)
                add_member(a, members + i);
        archive_write_free(a);

        r = backup_unpack("pi.backup", data.data, data.size, &set, &e);
        if (!why) {
                assert_success(r, e, 0);
                assert_int_equal(set.n_files, n);
                return;
        }
        assert_true(r < 0);
        assert_int_equal(e->kind, ERROR_CONFIG);
        assert_contains(e->message, why);
        assert_int_equal(set.n_files, 0);
        error_free(e);
}

static void test_hostile_archives(void **state) {
        static const Member members[] = {
                { "pki/ca.key", AE_IFREG, NULL, 3, false, NULL },
                { "cluster-2.yaml", AE_IFREG, NULL, 3, false, NULL },
                { "pki/nodes/c0/pki/etcd/peer.key", AE_IFREG, NULL, 0, false, NULL },
                { "../evil.yaml", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "/etc/evil.yaml", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki/../../evil", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki/./evil", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki//evil", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki/.lock", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pkix/a", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { ".bashrc", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { ".yaml", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "Makefile", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "a\nb.yaml", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki\\a.yaml", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "secrets/backup", AE_IFREG, NULL, 3, false, "none of hardway's" },
                { "pki/a", AE_IFLNK, "/etc/passwd", 0, false, "not a file" },
                { "pki/a", AE_IFREG, "pki/ca.key", 0, true, "not a file" },
                { "pki/a", AE_IFDIR, NULL, 0, false, "not a file" },
                { "pki/a", AE_IFIFO, NULL, 0, false, "not a file" },
                { "pki/a", AE_IFREG, NULL, BACKUP_FILE_SIZE_MAX + 1, false, "too large" },
        };
        static const Member twice[] = { { "pki/a", AE_IFREG, NULL, 1, false, NULL },
                                        { "pki/a", AE_IFREG, NULL, 2, false, NULL } };
        Member many[17];

        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                expect_unpack(members + i, 1, members[i].why);
        expect_unpack(members, 3, NULL);
        expect_unpack(twice, 2, "pki/a is there twice");

        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = (Member) { .name = xasprintf("pki/%zu", i),
                                    .type = AE_IFREG,
                                    .size = BACKUP_FILE_SIZE_MAX };
        expect_unpack(many, 16, NULL);
        expect_unpack(many, 17, "too many or too large files");
        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                free((char*) many[i].name);
}

static void test_cut_archive(void **state) {
        Fixture *f = *state;
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL;
        Error *e = NULL;

        assert_success(backup_collect(f->from, "hardway.yaml", &set, &e), e, 0);
        assert_success(backup_pack(&set, &archive, &e), e, 0);
        for (size_t n = 0; n < archive.size; n += 100) {
                _cleanup_(backup_set_done) BackupSet part = BACKUP_SET_NULL;

                (void) backup_unpack("b", archive.data, n, &part, NULL);
                assert_true(part.n_files <= set.n_files);
        }
}

/* A cluster file of another name keeps it; one that could not be restored gets the usual one. */
static void test_cluster_file_name(void **state) {
        static const char *const names[][2] = {
                { "prod.yaml", "prod.yaml" },
                { "prod.yml", "prod.yml" },
                { "prod", "hardway.yaml" },
                { ".yaml", "hardway.yaml" },
                { "k\303\266ln.yaml", "hardway.yaml" },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;

                put(f->from, names[i][0], "cluster: x\n", 0644);
                assert_int_equal(backup_collect(f->from, names[i][0], &set, NULL), 0);
                assert_string_equal(set.files[set.n_files - 1].name, names[i][1]);
                assert_string_equal(set.files[set.n_files - 1].data.data, "cluster: x\n");
        }
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                test(test_round_trip),        test(test_restore_on_something),
                test(test_refused),           test(test_mark),
                test(test_damaged),           test(test_limits),
                test(test_hostile_archives),  test(test_cut_archive),
                test(test_cluster_file_name),
        };

        return cmocka_run_group_tests_name("operate-backup", tests, NULL, NULL);
}
