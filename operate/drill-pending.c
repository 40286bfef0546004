/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is broken now, for those who come after us
 *
 * Our children and the nodes' timers put back what a killed drill has broken; but if the machine that we run
 * on dies, or all of a session's processes are killed, nobody knows any more that a host was cut off. So a
 * file among the secrets says so from before the hit until it was put back, and the next `verify` or
 * `install` does what is left to do. Putting back twice does no harm.
 *
 * It also says by what command of --power a host comes back. A directory that is kept in git, or was unpacked,
 * may bring such a file with it: that command is run only if somebody is there who agrees, and one of this
 * run's --power goes before it.
 *
 * A guard that outlives us holds the file's lock until it is done. So nobody puts back beside it, and whoever
 * waited for it finds in the file what else there is to do.
 *
 * Before the first hit, and between two, the file says no more than since when: then what is left is the
 * ConfigMap that is written to.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/json.h"
#include "host/pool.h"
#include "operate/drill-internal.h"

#define PENDING_LIMIT (16u * 1024)
#define TICK (100 * USEC_PER_MSEC)

static int write_tree(const char *path, const json_t *tree, Error **reterr) {
        _cleanup_free_ char *text = tree ? json_dumps(tree, JSON_INDENT(2)) : NULL;
        int r;

        if (!text)
                return error_set(reterr, ERROR_USAGE, EILSEQ,
                                 "--power and the working directory have to be UTF-8");
        r = fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * drill_pending_rest() - remember that nothing is broken, but drills are under way
 * @q:          the drills
 * @reterr:     why that cannot be written: then they are not begun
 *
 * Return: 0 or a negative errno.
 */
int drill_pending_rest(const DrillRequest *q, Error **reterr) {
        _cleanup_free_ char *since = clock_format_iso(clock_realtime());
        _cleanup_json_ json_t *tree = json_pack("{s:s}", "since", since);

        return q->pending ? write_tree(q->pending, tree, reterr) : 0;
}

/**
 * drill_pending_write() - remember what is about to be broken
 * @h:          the hit
 * @reterr:     why that cannot be written: then nothing may be broken
 *
 * Return: 0 or a negative errno.
 */
int drill_pending_write(const DrillHit *h, Error **reterr) {
        const DrillRequest *q = h->request;
        _cleanup_free_ char *since = clock_format_iso(clock_realtime()), *directory = NULL;
        _cleanup_json_ json_t *tree = NULL;

        if (!q->pending)
                return 0;
        if (drill_is_of_host(h->drill))
                directory = getcwd(NULL, 0); /* the command's words may be relative to it */
        tree = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "drill", h->drill->name, "node", h->node->name,
                         "since", since, "power", directory ? q->power : NULL, "directory", directory);
        return write_tree(q->pending, tree, reterr);
}

static int read_pending(const char *path, json_t **ret, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_read_own(AT_FDCWD, path, PENDING_LIMIT, &text, reterr);
        if (r <= 0)
                return r;
        r = json_parse(path, text.data, text.size, ret, reterr);
        return r < 0 ? r : 1;
}

static bool nothing_broken(const json_t *tree) {
        return json_text(tree, "since") && !json_object_get(tree, "drill");
}

static int remove_pending(const DrillRequest *q, Error **reterr) {
        if (unlink(q->pending) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "cannot remove %s", q->pending);
        return fs_sync_dir_of(AT_FDCWD, q->pending, reterr);
}

/**
 * drill_pending_end() - there is nothing to be done any more
 * @q:          the drills
 * @back:       all was put back, whatever the file says: a full disk may have kept that out of it; else it stays as long as it
 *              says that something is broken
 * @reterr:     why it could not be removed
 *
 * Return: 0 or a negative errno.
 */
int drill_pending_end(const DrillRequest *q, bool back, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;

        if (!q->pending)
                return 0;
        if (!back && (read_pending(q->pending, &tree, NULL) <= 0 || !nothing_broken(tree)))
                return 0;
        return remove_pending(q, reterr);
}

/* Until the guard has done it, if there is one. It ends by itself; one that does not hangs, and would be waited for in vain. */
static int wait_for_guard(const DrillRequest *q, Error **reterr) {
        _cleanup_close_ int fd = open(q->pending, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        uint64_t begun = clock_usec();
        bool told = false;

        while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
                if (q->cancelled && *q->cancelled)
                        return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "interrupted");
                if (clock_usec() - begun > DRILL_GUARD_SEC * USEC_PER_SEC)
                        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                                         "the command of --power of an interrupted drill hangs: it holds %s",
                                         q->pending);
                if (!told && q->step)
                        q->step(q->userdata, STAGE_DRILL_GUARD);
                told = true;
                clock_sleep(TICK);
        }
        return 0;
}

/* "the host of etcd's leader loses its network (controller-0, since ...)" */
static char* describe(const json_t *tree) {
        const char *name = json_text(tree, "drill"), *node = json_text(tree, "node"),
                   *since = json_text(tree, "since");
        const Drill *d = name ? drill_find(name) : NULL;

        if (nothing_broken(tree))
                return xasprintf("the ConfigMap kube-system/" DRILL_CONFIG_MAP " is there (since %s)",
                                 since);
        return d && node && since ? xasprintf("%s (%s, since %s)", d->what, node, since) : NULL;
}

char* drill_pending_text(const char *path) {
        _cleanup_json_ json_t *tree = NULL;
        char *text;

        if (read_pending(path, &tree, NULL) == 0)
                return NULL;
        text = describe(tree);
        return text ?: xasprintf("%s cannot be read", path);
}

/* This run's own words are run here, those of the file where they were, and not unasked. */
static int allow_power(const DrillHit *h, Error **reterr) {
        const DrillRequest *q = h->request;
        _cleanup_free_ char *line = NULL;

        if (!q->power)
                return error_set(reterr, ERROR_CONFIG, EINVAL, "%s does not say how", q->pending);
        if (!h->power_directory)
                return 0;
        line = drill_power_line(h);
        return q->allow ? q->allow(q->userdata, line, reterr) :
                          error_set(reterr, ERROR_USAGE, EPERM, "%s would have it done by '%s'", q->pending,
                                    line);
}

static int put_back_hit(const DrillRequest *q, const json_t *tree, Error **reterr) {
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(q->cluster, q->host);
        const ProbeContext probes = host_pool_probes(hosts, q->cluster, q->store, q->cancelled);
        DrillRequest request = *q;
        DrillHit h = { .request = &request,
                       .probes = &probes,
                       .drill = drill_find(json_text(tree, "drill")),
                       .node = cluster_find_node(q->cluster, json_text(tree, "node")) };

        int r;

        if (!h.node) /* it is the cluster's no more */
                return 0;
        h.component = component_find(q->components, h.drill->component);
        if (!h.component)
                return error_set(reterr, ERROR_CONFIG, EINVAL, "%s does not say how", q->pending);
        if (!drill_is_of_host(h.drill))
                return drill_put_back(&h, reterr);
        if (!q->power) {
                request.power = json_text(tree, "power");
                h.power_directory = json_text(tree, "directory") ?: ".";
        }
        r = allow_power(&h, reterr);
        return r < 0 ? r : drill_put_back(&h, reterr);
}

static int remove_map(const DrillRequest *q, Error **reterr) {
        const ProbeContext probes = probe_context(q->cluster, q->store, q->cancelled);

        return drill_remove_config_map(&probes, reterr);
}

/* Just after it was put back the API may not answer yet: then the next one that looks removes the ConfigMap. Removing the file
 * needs no room on the disk, as writing it does. */
static int recover_hit(const DrillRequest *q, const json_t *tree, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r = put_back_hit(q, tree, reterr);

        if (r < 0)
                return error_prefix(reterr, r, "it could not be put back");
        r = drill_pending_rest(q, &error);
        if (remove_map(q, NULL) >= 0) {
                error = error_free(error);
                r = remove_pending(q, &error);
        }
        return r < 0 ? error_prefix(reterr, error_propagate(reterr, TAKE_PTR(error)),
                                    "all is put back, but that could not be noted") :
                       0;
}

static int recover_map(const DrillRequest *q, Error **reterr) {
        int r = remove_map(q, reterr);

        return r < 0 ? error_prefix(reterr, r, "it could not be removed") : remove_pending(q, reterr);
}

/**
 * drill_recover() - put back what an interrupted drill has left
 * @q:          its cluster, components, store, host, power, pending, allow and cancelled; nobody else is at a drill
 * @ret_what:   what it was, also if it could not be put back, or NULL; the caller frees
 * @reterr:     why it could not be put back, or could not be noted that it is
 *
 * Return: 0, or a negative errno.
 */
int drill_recover(const DrillRequest *q, char **ret_what, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        int r;

        r = wait_for_guard(q, reterr);
        if (r >= 0)
                r = read_pending(q->pending, &tree, reterr); /* not before: the guard may have removed it */
        if (r <= 0)
                return r;
        *ret_what = describe(tree);
        if (!*ret_what)
                return error_set(reterr, ERROR_CONFIG, EINVAL, "%s does not say what was broken",
                                 q->pending);
        return nothing_broken(tree) ? recover_map(q, reterr) : recover_hit(q, tree, reterr);
}
