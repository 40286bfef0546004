/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/snapshot-facts.h"

#include <errno.h>
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

/*
 * etcdutl for this machine. The cache may be one that others can write to, or be an older one: what is run is the very file
 * that was hashed now. Return: its descriptor, which the caller closes; -ENOENT if there is none; another negative errno.
 */
static int open_etcdutl(const Cluster *c, const Lock *lock, Error **reterr) {
        char version[VERSION_TEXT_SIZE];
        _cleanup_error_ Error *error = NULL;
        const LockEntry *entry;
        struct utsname machine;
        Architecture a;
        int r;

        if (!lock || uname(&machine) < 0)
                return -ENOENT;
        a = architecture_from_string(machine.machine);
        if (a < 0)
                return -ENOENT;
        version_format(&c->etcd, version);
        entry = lock_find(lock, "etcdutl", version, architecture_to_string(a));
        if (!entry)
                return -ENOENT;
        r = fetch_open_cached(NULL, entry, &error);
        if (r >= 0 || r == -ENOENT)
                return r;
        error_detail(&error, "hardway fetch --deep fetches it again\n");
        return error_propagate(reterr, TAKE_PTR(error));
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
 * snapshot_facts_fit() - refuse a snapshot of a later etcd than the cluster's
 * @what:       its path
 * @facts:      what etcdutl says of it
 * @etcd:       the version that would have to read it
 * @reterr:     says of which it is
 *
 * etcd 3.6 and later write the version of their storage down (its "Downgrading etcd clusters"), and end at their start
 * where it is a later one than they know.
 *
 * Return: 0, also where it is not known; or -EPROTO.
 */
int snapshot_facts_fit(const char *what, const SnapshotFacts *facts, const Version *etcd, Error **reterr) {
        char ours[VERSION_TEXT_SIZE];
        Version of;
        int r;

        if (!facts->known || version_parse(facts->version, &of) < 0 ||
            version_step(&of, etcd) != VERSION_STEP_BACK)
                return 0;
        r = error_set(reterr, ERROR_CONFIG, EPROTO,
                      "%s: it is a snapshot of etcd v%u.%u, which %s cannot read", what, of.major, of.minor,
                      version_format(etcd, ours));
        error_detail(
                reterr,
                "Put the version of Kubernetes that goes with it into the cluster file, or take a snapshot of "
                "before.\n");
        return r;
}

/**
 * snapshot_facts() - have etcdutl look at a snapshot
 * @c:          the cluster: its etcd version
 * @lock:       what was fetched, or NULL
 * @path:       the snapshot
 * @ret:        what it says; known is false where there is none that runs here
 * @reterr:     it says that the snapshot is damaged; or is no longer what was fetched
 *
 * It walks through the whole database, so what it accepts can be restored.
 *
 * Return: 0 or a negative errno.
 */
int snapshot_facts(const Cluster *c, const Lock *lock, const char *path, SnapshotFacts *ret,
                   Error **reterr) {
        _cleanup_close_ int fd = open_etcdutl(c, lock, reterr);
        _cleanup_free_ char *etcdutl = xasprintf("/proc/%d/fd/%d", (int) getpid(), fd);
        char *const argv[] = { etcdutl,           (char*) "snapshot",
                               (char*) "status", (char*) "--write-out=json",
                               (char*) path,     NULL };
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        int r;

        *ret = (SnapshotFacts) {};
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (access(etcdutl, X_OK) < 0) /* no program any more, or on a file system that runs none */
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
