/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/left-out.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"

#define FILE_SIZE_MAX (64 * 1024)
#define BACK " back"

int left_out_write(const char *directory, char *const *lines, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" PLAN_LEFT_OUT, directory);
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        int r;

        STRV_FOREACH(line, lines)
                buffer_addf(&out, "%s\n", *line);
        if (out.size > 0) {
                r = fs_write(AT_FDCWD, path, buffer_str(&out), out.size, 0600, 0, reterr);
                return r < 0 ? r : 0;
        }
        return fs_remove_file(AT_FDCWD, path, reterr);
}

bool left_out_knows(Store *store, const Node *node) {
        _cleanup_free_ char *back = xasprintf("%s" BACK, node->name);
        _cleanup_strv_ Strv lines = NULL;
        const Buffer *content;

        if (!store || store_file(store, PLAN_LEFT_OUT, &content, NULL) < 0)
                return false;
        lines = strv_split(buffer_str(content), "\n");
        return strv_contains(lines, node->name) || strv_contains(lines, back);
}

/* Its line becomes this one, or goes. */
static int change_line(const char *directory, const Node *node, const char *becomes, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" PLAN_LEFT_OUT, directory),
                            *back = xasprintf("%s" BACK, node->name);
        _cleanup_strv_ Strv lines = NULL, left = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_read_optional(AT_FDCWD, path, FILE_SIZE_MAX, &text, reterr);
        if (r <= 0)
                return r;
        lines = strv_split(buffer_str(&text), "\n");
        STRV_FOREACH(line, lines)
                if (!streq(*line, node->name) && !streq(*line, back))
                        strv_add(&left, *line);
                else if (becomes)
                        strv_add(&left, becomes);
        return left_out_write(directory, left, reterr);
}

int left_out_forget(const char *directory, const Node *node, Error **reterr) {
        return change_line(directory, node, NULL, reterr);
}

/**
 * left_out_return() - count a node in again
 * @request:    an installation
 * @node:       the node, on which nothing of before is left
 * @ret:        what the installation has to be of: the store that says so, and the nodes; to be released with
 *              left_out_return_done()
 * @reterr:     it cannot be written down
 *
 * Return: 0 or a negative errno.
 */
int left_out_return(const InstallRequest *request, const Node *node, LeftOutReturn *ret, Error **reterr) {
        _cleanup_free_ char *directory = fs_path_dirname(request->cluster->path),
                            *back = xasprintf("%s" BACK, node->name);
        LeftOutReturn back_in = {};
        int r;

        r = change_line(directory, node, back, reterr);
        if (r >= 0)
                r = store_open(directory, &back_in.store, reterr);
        if (r < 0)
                return r;
        back_in.nodes = xnew(const Node*, request->n_nodes + 1);
        for (size_t i = 0; i < request->n_nodes; i++)
                if (!plan_left_out(back_in.store, request->nodes[i]))
                        back_in.nodes[back_in.n_nodes++] = request->nodes[i];
        *ret = back_in;
        return 0;
}

void left_out_return_done(LeftOutReturn *r) {
        store_free(r->store);
        free(r->nodes);
        *r = (LeftOutReturn) {};
}
