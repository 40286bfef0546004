/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes made visible: as diffs, and as JSON
 */

#include <string.h>

#include "common/alloc.h"
#include "plan/diff.h"
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

/**
 * change_render_diff() - show how a file's text changes
 * @change:     the change
 * @found:      the bytes on the node, or NULL if there are none
 * @out:        gets a unified diff; nothing for changes that have no text
 *
 * Of secrets and binaries only is said that they differ. The diff has the node's bytes as they are: who prints it sees
 * to text_harmless().
 */
void change_render_diff(const Change *change, const Buffer *found, Buffer *out) {
        const PlanItem *item = change->item;
        Buffer none = BUFFER_NULL;

        if (change->type != CHANGE_CREATE && change->type != CHANGE_UPDATE)
                return;
        if (item->secret)
                buffer_addf(out, "%s: %s (a secret, not shown)\n", item->path, change->reason);
        else if (item->type == PLAN_BINARY)
                buffer_addf(out, "%s: %s\n", item->path, change->reason);
        else if (holds_secret(found))
                buffer_addf(out, "%s: %s (it holds a secret, not shown)\n", item->path, change->reason);
        else if (item->type == PLAN_FILE || item->type == PLAN_UNIT)
                diff_unified(found ? item->path : "/dev/null", found ? found : &none, item->path,
                             &item->content, out);
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
