/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/snapshot-facts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "fetch/fetch.h"

#define TIMEOUT (600 * USEC_PER_SEC) /* it reads all of it, and walks through every page */

/* etcdutl for this machine, verified when it was fetched; NULL: none. */
static char* find_etcdutl(const Cluster *c, const Lock *lock) {
        char version[VERSION_TEXT_SIZE];
        _cleanup_free_ char *cache = fetch_cache_default(), *path = NULL;
        const LockEntry *entry;
        struct utsname machine;
        Architecture a;

        if (!lock || !cache || uname(&machine) < 0)
                return NULL;
        a = architecture_from_string(machine.machine);
        if (a < 0)
                return NULL;
        version_format(&c->etcd, version);
        entry = lock_find(lock, "etcdutl", version, architecture_to_string(a));
        if (!entry)
                return NULL;
        path = fetch_cache_path(cache, entry);
        return access(path, X_OK) == 0 ? TAKE_PTR(path) : NULL;
}

int snapshot_facts_parse(const char *what, const void *data, size_t size, SnapshotFacts *ret,
                         Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        const char *version;
        int r;

        r = json_parse(what, data, size, &tree, reterr);
        if (r < 0)
                return r;
        if (!json_is_integer(json_object_get(tree, "revision")))
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: etcdutl says nothing of its revision",
                                 what);
        *ret = (SnapshotFacts) {
                .known = true,
                .revision = json_uint64(tree, "revision"),
                .keys = json_uint64(tree, "totalKey"),
                .size = json_uint64(tree, "totalSize"),
        };
        (void) snprintf(ret->hash, sizeof(ret->hash), "%08x", (unsigned) json_uint64(tree, "hash"));
        version = json_text(tree, "version");
        (void) snprintf(ret->version, sizeof(ret->version), "%.15s", version ?: "");
        return 0;
}

/**
 * snapshot_facts() - have etcdutl look at a snapshot
 * @c:          the cluster: its etcd version
 * @lock:       what was fetched, or NULL
 * @path:       the snapshot
 * @ret:        what it says; known is false where there is none that runs here
 * @reterr:     it says that the snapshot is damaged
 *
 * It walks through the whole database, so what it accepts can be restored.
 *
 * Return: 0 or a negative errno.
 */
int snapshot_facts(const Cluster *c, const Lock *lock, const char *path, SnapshotFacts *ret,
                   Error **reterr) {
        _cleanup_free_ char *etcdutl = find_etcdutl(c, lock);
        char *const argv[] = { etcdutl,           (char*) "snapshot",
                               (char*) "status", (char*) "--write-out=json",
                               (char*) path,     NULL };
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        int r;

        *ret = (SnapshotFacts) {};
        if (!etcdutl)
                return 0;
        r = process_run(argv, NULL, TIMEOUT, &result, reterr);
        if (r < 0)
                return r;
        if (result.status == 0 && !result.timed_out)
                return snapshot_facts_parse(path, result.out.data, result.out.size, ret, reterr);
        r = error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: etcdutl finds it damaged", path);
        error_detail(reterr, "%s\n", result.timed_out ? "it took too long" : buffer_str(&result.err));
        return r;
}
