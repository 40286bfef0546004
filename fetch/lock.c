/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/lock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/fs.h"
#include "common/json.h"

#define LOCK_FORMAT 1
#define LOCK_SIZE_MAX (1024U * 1024)
#define LOCK_ENTRIES_MAX 4096U
#define LOCK_TEXT_MAX 2048U

struct Lock {
        char *path;
        LockEntry *entries; /* sorted */
        size_t n_entries;
        bool changed;
};

typedef struct LockKey {
        const char *name;
        size_t offset; /* of a char* in LockEntry */
        bool (*valid)(const char *text);
        const char *form; /* what valid() wants, for the message */
        bool optional;
} LockKey;

/* These end up in paths and URLs. */
static bool text_is_word(const char *text) {
        return *text && *text != '.' && *text != '-' &&
               text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_")] ==
                       '\0';
}

static bool text_is_digest(const char *text) {
        return strspn(text, "0123456789abcdef") == SHA256_HEX_SIZE - 1 && !text[SHA256_HEX_SIZE - 1];
}

static bool text_is_sha512(const char *text) {
        return strspn(text, "0123456789abcdef") == 128 && !text[128];
}

static bool text_is_proof(const char *text) {
        static const char *const proofs[] = { "signature", "known",  "official", "mirror",
                                              "accepted",  "bundle", "hand" };

        for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
                if (streq(text, proofs[i]))
                        return true;
        return false;
}

static bool text_is_url(const char *text) {
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p <= ' ' || *p == 0x7f)
                        return false;
        return strstr(text, "://") != NULL;
}

#define KEY(member) #member, offsetof(LockEntry, member)

static const LockKey lock_keys[] = {
        { KEY(name), text_is_word, "a name", false },
        { KEY(version), text_is_word, "a version", false },
        { KEY(architecture), text_is_word, "an architecture", false },
        { KEY(url), text_is_url, "an URL", false },
        { KEY(archive), text_is_digest, "64 small hex digits", true },
        { KEY(sha256), text_is_digest, "64 small hex digits", false },
        { KEY(sha512), text_is_sha512, "128 small hex digits", true },
        { KEY(proof), text_is_proof, "a proof that is known", true },
};

static char** entry_member(LockEntry *e, const LockKey *key) {
        return (char**) ((char*) e + key->offset);
}

static void entry_done(LockEntry *e) {
        for (size_t i = 0; i < ARRAY_SIZE(lock_keys); i++)
                free(*entry_member(e, lock_keys + i));
        *e = (LockEntry) {};
}

static int entry_compare(const LockEntry *e, const char *name, const char *version,
                         const char *architecture) {
        return strcmp(e->name, name) ?: strcmp(e->version, version) ?: strcmp(e->architecture, architecture);
}

/* Where the entry is, or where it belongs; entries are few. */
static size_t lock_position(const Lock *l, const char *name, const char *version, const char *architecture,
                            bool *ret_found) {
        size_t i = 0;

        while (i < l->n_entries && entry_compare(l->entries + i, name, version, architecture) < 0)
                i++;
        *ret_found = i < l->n_entries && entry_compare(l->entries + i, name, version, architecture) == 0;
        return i;
}

/**
 * lock_find() - what is known of a binary
 * @l:          the lock
 * @name:       of the binary
 * @version:    as in "v1.36.3"
 * @architecture: as in "arm64"
 *
 * Return: the entry, lent until the lock changes; NULL if there is none.
 */
const LockEntry* lock_find(const Lock *l, const char *name, const char *version, const char *architecture) {
        bool found;
        size_t i = lock_position(l, name, version, architecture, &found);

        return found ? l->entries + i : NULL;
}

static bool entry_equal(const LockEntry *a, const LockEntry *b) {
        for (size_t i = 0; i < ARRAY_SIZE(lock_keys); i++)
                if (!streq_null(*entry_member((LockEntry*) a, lock_keys + i),
                                *entry_member((LockEntry*) b, lock_keys + i)))
                        return false;
        return a->size == b->size;
}

/**
 * lock_put() - pin a binary
 * @l:          the lock
 * @entry:      the pin, copied; replaces one of the same name, version and architecture
 */
void lock_put(Lock *l, const LockEntry *entry) {
        LockEntry copy = { .size = entry->size };
        bool found;
        size_t i = lock_position(l, entry->name, entry->version, entry->architecture, &found);

        if (found && entry_equal(l->entries + i, entry))
                return;
        for (size_t k = 0; k < ARRAY_SIZE(lock_keys); k++)
                *entry_member(&copy, lock_keys + k) =
                        xstrdup_null(*entry_member((LockEntry*) entry, lock_keys + k));

        if (found)
                entry_done(l->entries + i);
        else {
                l->entries = xrealloc(l->entries, l->n_entries + 1, sizeof(LockEntry));
                memmove(l->entries + i + 1, l->entries + i, (l->n_entries - i) * sizeof(LockEntry));
                l->n_entries++;
        }
        l->entries[i] = copy;
        l->changed = true;
}

/**
 * lock_changed() - whether there is something to save
 * @l:          the lock
 *
 * Return: true if an entry was added or replaced since it was loaded or saved.
 */
bool lock_changed(const Lock *l) {
        return l->changed;
}

/**
 * lock_count() - how many entries there are
 * @l:          the lock
 *
 * Return: the number.
 */
size_t lock_count(const Lock *l) {
        return l->n_entries;
}

/**
 * lock_nth() - an entry by its place in the sorted list
 * @l:          the lock
 * @index:      less than lock_count()
 *
 * Return: the entry, lent until the lock changes.
 */
const LockEntry* lock_nth(const Lock *l, size_t index) {
        return l->entries + index;
}

static int lock_bad(const Lock *l, size_t index, const char *what, const char *key, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: artifact %zu: %s '%s'", l->path, index + 1,
                         what, key);
}

static bool key_known(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(lock_keys); i++)
                if (streq(lock_keys[i].name, name))
                        return true;
        return streq(name, "size");
}

static int entry_read(const Lock *l, size_t index, const json_t *object, LockEntry *ret, Error **reterr) {
        const json_t *size = json_object_get(object, "size");
        const char *key;
        json_t *value;

        json_object_foreach((json_t*) object, key, value)
                if (!key_known(key))
                        return lock_bad(l, index, "unknown key", key, reterr);

        for (size_t i = 0; i < ARRAY_SIZE(lock_keys); i++) {
                const char *text = json_text(object, lock_keys[i].name);

                if (!text && lock_keys[i].optional && !json_object_get(object, lock_keys[i].name))
                        continue;
                if (!text || strlen(text) > LOCK_TEXT_MAX || !lock_keys[i].valid(text)) {
                        _cleanup_free_ char *what = xasprintf("not %s for", lock_keys[i].form);

                        return lock_bad(l, index, what, lock_keys[i].name, reterr);
                }
                *entry_member(ret, lock_keys + i) = xstrdup(text);
        }

        if (!json_is_integer(size) || json_integer_value(size) <= 0)
                return lock_bad(l, index, "not a number of bytes for", "size", reterr);
        ret->size = (uint64_t) json_integer_value(size);
        return 0;
}

static int lock_add(Lock *l, size_t index, const json_t *object, Error **reterr) {
        _cleanup_(entry_done) LockEntry entry = {};
        int r;

        if (!json_is_object(object))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: artifact %zu is no object", l->path,
                                 index + 1);
        r = entry_read(l, index, object, &entry, reterr);
        if (r < 0)
                return r;
        if (lock_find(l, entry.name, entry.version, entry.architecture))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: artifact %zu: %s %s %s is there twice",
                                 l->path, index + 1, entry.name, entry.version, entry.architecture);
        lock_put(l, &entry);
        return 0;
}

static int lock_read(Lock *l, const json_t *tree, Error **reterr) {
        const json_t *artifacts = json_object_get(tree, "artifacts"),
                     *format = json_object_get(tree, "format");
        int r;

        if (!json_is_integer(format))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: not a lock file of hardway", l->path);
        if (json_integer_value(format) != LOCK_FORMAT)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: format %" JSON_INTEGER_FORMAT " is not known, this hardway knows %d",
                                 l->path, json_integer_value(format), LOCK_FORMAT);
        if (!json_is_array(artifacts) || json_object_size(tree) != 2)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: it must hold 'format' and the list 'artifacts'", l->path);
        if (json_array_size(artifacts) > LOCK_ENTRIES_MAX)
                return error_set(reterr, ERROR_CONFIG, EFBIG, "%s: more than %u artifacts", l->path,
                                 LOCK_ENTRIES_MAX);

        for (size_t i = 0; i < json_array_size(artifacts); i++) {
                r = lock_add(l, i, json_array_get(artifacts, i), reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * lock_parse() - read a lock from memory
 * @path:       its name for messages, and where lock_save() will write
 * @data:       the JSON text
 * @size:       its size
 * @ret:        the lock; the caller frees
 * @reterr:     says the artifact and the key that is wrong
 *
 * Return: 0 or a negative errno.
 */
int lock_parse(const char *path, const void *data, size_t size, Lock **ret, Error **reterr) {
        _cleanup_(lock_freep) Lock *l = lock_new(path);
        _cleanup_json_ json_t *tree = NULL;
        int r;

        r = json_parse(path, data, size, &tree, reterr);
        if (r < 0) {
                if (reterr)
                        (*reterr)->kind = ERROR_CONFIG; /* it is a file of the user's */
                return r;
        }
        r = lock_read(l, tree, reterr);
        if (r < 0)
                return r;

        l->changed = false;
        *ret = TAKE_PTR(l);
        return 0;
}

/**
 * lock_new() - make an empty lock
 * @path:       its name for messages, and where lock_save() will write
 *
 * Return: the lock; the caller frees.
 */
Lock* lock_new(const char *path) {
        Lock *l = xnew(Lock, 1);

        l->path = xstrdup(path);
        return l;
}

/**
 * lock_load() - read a lock file
 * @path:       the file; an absent one is an empty lock
 * @ret:        the lock; the caller frees
 * @reterr:     says the artifact and the key that is wrong
 *
 * Return: 0 or a negative errno.
 */
int lock_load(const char *path, Lock **ret, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_read_optional(AT_FDCWD, path, LOCK_SIZE_MAX, &text, reterr);
        if (r < 0)
                return r;
        if (r > 0)
                return lock_parse(path, text.data, text.size, ret, reterr);

        *ret = lock_new(path);
        return 0;
}

/**
 * lock_write() - the lock as text
 * @l:          the lock
 * @ret:        where to append it; the same entries always give the same bytes
 */
void lock_write(const Lock *l, Buffer *ret) {
        _cleanup_json_ json_t *tree = json_object();
        json_t *artifacts = json_array();

        for (size_t i = 0; i < l->n_entries; i++) {
                LockEntry *e = l->entries + i;
                json_t *object = json_object();

                for (size_t k = 0; k < ARRAY_SIZE(lock_keys); k++)
                        if (*entry_member(e, lock_keys + k))
                                (void) json_object_set_new(object, lock_keys[k].name,
                                                           json_string(*entry_member(e, lock_keys + k)));
                (void) json_object_set_new(object, "size", json_integer((json_int_t) e->size));
                (void) json_array_append_new(artifacts, object);
        }
        (void) json_object_set_new(tree, "artifacts", artifacts);
        (void) json_object_set_new(tree, "format", json_integer(LOCK_FORMAT));
        json_write(tree, ret);
}

/**
 * lock_save() - write the lock to where it was loaded from, if it has changed
 * @l:          the lock
 * @reterr:     names the file
 *
 * Return: 1 if it was written, 0 if there was nothing to do, or a negative errno.
 */
int lock_save(Lock *l, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (!l->changed)
                return 0;
        lock_write(l, &text);
        r = fs_write(AT_FDCWD, l->path, text.data, text.size, 0644, 0, reterr);
        if (r < 0)
                return r;
        l->changed = false;
        return 1;
}

/**
 * lock_free() - free a lock
 * @l:          the lock, may be NULL
 *
 * Return: NULL.
 */
Lock* lock_free(Lock *l) {
        if (!l)
                return NULL;

        for (size_t i = 0; i < l->n_entries; i++)
                entry_done(l->entries + i);
        free(l->entries);
        free(l->path);
        free(l);
        return NULL;
}
