/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes made visible: as diffs, and as JSON
 */

#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "plan/diff.h"
#include "plan/hide.h"
#include "plan/render.h"

static const char* change_path(const Change *change) {
        if (change->path)
                return change->path;
        return change->item ? change->item->path : NULL;
}

/* Somebody may have put a secret where the plan has none: a certificate with its key in the same file, say. */
static bool holds_secret(const Buffer *found) {
        static const char *const words[] = { "PRIVATE KEY-----", "client-key-data:", "EncryptionConfig" };

        for (size_t i = 0; found && i < ARRAY_SIZE(words); i++)
                if (found->size > 0 && memmem(found->data, found->size, words[i], strlen(words[i])))
                        return true;
        return false;
}

/* The text as hardway wrote it has none but what a plan says is secret; edited, it may have. */
static void add_diff(const PlanItem *item, const AppliedFile *applied, const Buffer *found, Buffer *out) {
        _cleanup_buffer_secret_ Buffer shown = BUFFER_NULL;
        char sha256[SHA256_HEX_SIZE];

        sha256_hex(buffer_str(found), found->size, sha256);
        if (!streq(applied->sha256, sha256))
                hide_secrets(found, &item->content, &shown);
        diff_unified(item->path, streq(applied->sha256, sha256) ? found : &shown, item->path, &item->content,
                     out);
}

/**
 * change_render_diff() - show how a file's text changes
 * @change:     the change
 * @applied:    hardway's record of the file, or NULL: what is there is somebody else's
 * @found:      the bytes on the node
 * @out:        gets a unified diff; nothing for changes that have no text
 *
 * Of secrets and binaries only is said that they differ; so it is of what hardway did not write, where any line may be
 * a secret: the password of a keepalived.conf, of a userlist, a token. In what was edited since, lines end at words
 * that secrets stand behind. The diff has the node's bytes as they are: who prints it sees to text_harmless().
 */
void change_render_diff(const Change *change, const AppliedFile *applied, const Buffer *found, Buffer *out) {
        const PlanItem *item = change->item;

        if (change->type != CHANGE_UPDATE)
                return;
        if (item->secret)
                buffer_addf(out, "%s: %s (a secret, not shown)\n", item->path, change->reason);
        else if (item->type == PLAN_BINARY)
                buffer_addf(out, "%s: %s\n", item->path, change->reason);
        else if (item->type != PLAN_FILE && item->type != PLAN_UNIT)
                return;
        else if (!applied)
                buffer_addf(out, "%s: not hardway's, and may hold a secret: not shown\n", item->path);
        else if (holds_secret(found))
                buffer_addf(out, "%s: %s (it holds a secret, not shown)\n", item->path, change->reason);
        else
                add_diff(item, applied, found, out);
}

/**
 * changes_to_json() - changes for scripts
 * @c:          the changes
 *
 * Return: an array of objects with change, item, type, path, unit and reason, where they apply.
 */
json_t* changes_to_json(const Changes *c) {
        json_t *array = json_array();

        for (size_t i = 0; i < c->n_changes; i++) {
                const Change *change = c->changes + i;
                const PlanItem *item = change->item;
                json_t *object = json_pack("{ss,ss}", "change", change_type_to_string(change->type),
                                           "reason", change->reason);

                if (item) {
                        json_object_set_new(object, "item", json_string(item->id));
                        json_object_set_new(object, "type",
                                            json_string(plan_item_type_to_string(item->type)));
                }
                if (item && item->type == PLAN_UNIT)
                        json_object_set_new(object, "unit", json_string(item->unit.name));
                if (change_path(change))
                        json_object_set_new(object, "path", json_string(change_path(change)));
                json_array_append_new(array, object);
        }
        return array;
}

/**
 * remarks_to_json() - what is left alone, for scripts
 * @c:          the changes
 *
 * Return: an array of objects with path and reason.
 */
json_t* remarks_to_json(const Changes *c) {
        json_t *array = json_array();

        for (size_t i = 0; i < c->n_remarks; i++)
                json_array_append_new(array, json_pack("{ss,ss}", "path", c->remarks[i].path, "reason",
                                                       c->remarks[i].text));
        return array;
}
