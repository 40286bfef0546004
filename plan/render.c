/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plan as a tree of files and a list of everything else
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "plan/render.h"

static int write_item(const PlanItem *item, int dir_fd, const char *path, bool secrets, Error **reterr) {
        _cleanup_buffer_ Buffer placeholder = BUFFER_NULL;
        const Buffer *content = &item->content;

        if (item->secret && !secrets) {
                buffer_addf(&placeholder, "(secret: %s)\n", item->fingerprint);
                content = &placeholder;
        }
        return fs_write(dir_fd, path, buffer_str(content), content->size, item->mode, FS_NO_SYNC, reterr);
}

static int write_symlink(const PlanItem *item, int dir_fd, const char *path, Error **reterr) {
        if (symlinkat(item->symlink.target, dir_fd, path) < 0)
                return error_set_errno(reterr, errno, "cannot make the link %s", path);
        return 0;
}

/* path: below the node's tree, so without the leading slash */
static int render_item(const PlanItem *item, int dir_fd, bool secrets, Error **reterr) {
        const char *path = item->path ? item->path + 1 : NULL;
        _cleanup_free_ char *parent = NULL;
        int r;

        if (item->type == PLAN_DIRECTORY)
                return fs_mkdir_parents(dir_fd, path, 0755, reterr);
        if (item->type != PLAN_FILE && item->type != PLAN_UNIT && item->type != PLAN_SYMLINK)
                return 0;

        parent = fs_path_dirname(path);
        r = fs_mkdir_parents(dir_fd, parent, 0755, reterr);
        if (r < 0)
                return r;
        if (item->type == PLAN_SYMLINK)
                return write_symlink(item, dir_fd, path, reterr);
        return write_item(item, dir_fd, path, secrets, reterr);
}

/* Only what an earlier plan wrote is replaced, and its list says that it did. */
static int check_tree(const char *tree, const char *list, Error **reterr) {
        if (faccessat(AT_FDCWD, tree, F_OK, AT_SYMLINK_NOFOLLOW) >= 0 &&
            faccessat(AT_FDCWD, list, F_OK, 0) < 0)
                return error_set(reterr, ERROR_CREATE, EEXIST,
                                 "%s is there already, and was not written by hardway plan", tree);
        return 0;
}

/* Before the first key is: a run may be stopped at any moment, and the directory be committed. */
static int guard_tree(int dir_fd, Error **reterr) {
        return fs_write(dir_fd, ".gitignore", "*\n", 2, 0644, FS_NO_SYNC, reterr);
}

/* part: where to, until it is complete */
static int fill_tree(const Plan *p, const char *tree, const char *part, RenderSecrets secrets,
                     Error **reterr) {
        _cleanup_close_ int dir_fd = -EBADF;
        int r;

        r = fs_remove_tree(AT_FDCWD, part, reterr); /* what a killed run has left */
        if (r >= 0)
                r = fs_mkdir_parents(AT_FDCWD, part, 0755, reterr);
        if (r < 0)
                return r;
        dir_fd = fs_open_dir(AT_FDCWD, part, reterr);
        if (dir_fd < 0)
                return dir_fd;
        r = secrets == RENDER_SECRETS_GUARDED ? guard_tree(dir_fd, reterr) : 0;
        if (r < 0)
                return error_prefix(reterr, r, "%s", tree);
        for (size_t i = 0; i < p->n_items; i++) {
                r = render_item(p->items[i], dir_fd, secrets != RENDER_FINGERPRINTS, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", tree);
        }
        return 0;
}

/* The list first: killed in between, it says that a tree which is there may be replaced. */
static int publish_tree(const Plan *p, const char *tree, const char *list, const char *part,
                        Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        plan_render_list(p, &text);
        r = fs_write(AT_FDCWD, list, buffer_str(&text), text.size, 0644, FS_NO_SYNC, reterr);
        return r < 0 ? r : fs_replace_tree(AT_FDCWD, part, tree, reterr);
}

/**
 * plan_render_tree() - write a plan as the node's file system will have it
 * @p:          the plan
 * @directory:  DIR: gets DIR/NODE/... and DIR/NODE.items; made if it is not there
 * @secrets:    how secrets are written
 * @reterr:     what could not be written
 *
 * Byte for byte the same for the same plan. A tree of an earlier plan is replaced once this one is complete: until
 * then it is DIR/.NODE.part.
 *
 * Return: 0 or a negative errno.
 */
int plan_render_tree(const Plan *p, const char *directory, RenderSecrets secrets, Error **reterr) {
        _cleanup_free_ char *tree = xasprintf("%s/%s", directory, p->node->name);
        _cleanup_free_ char *list = xasprintf("%s.items", tree),
                            *part = xasprintf("%s/.%s.part", directory, p->node->name);
        int r;

        r = check_tree(tree, list, reterr);
        if (r < 0)
                return r;
        r = fill_tree(p, tree, part, secrets, reterr);
        if (r >= 0)
                r = publish_tree(p, tree, list, part, reterr);
        if (r < 0)
                (void) fs_remove_tree(AT_FDCWD, part, NULL);
        return r;
}
