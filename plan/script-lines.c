/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lines of a script for one item of a plan each; see plan/scripts for the functions that they call
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "fetch/layout.h"
#include "pki/pem.h"
#include "plan/script.h"

#define COMMENT_WIDTH 100
#define BASE64_WIDTH 76
#define END "END_OF_FILE"

/**
 * script_add_comment() - add text as a comment, in lines of readable length
 * @out:        the script
 * @text:       the text; a control character in it becomes a blank
 */
void script_add_comment(Buffer *out, const char *text) {
        size_t column = 0;

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, " \n\t");

                if (column == 0 || column + 1 + n > COMMENT_WIDTH) {
                        buffer_add_str(out, column == 0 ? "#" : "\n#");
                        column = 1;
                }
                buffer_add_char(out, ' ');
                for (size_t i = 0; i < n; i++)
                        buffer_add_char(out, (unsigned char) p[i] < ' ' ? ' ' : p[i]);
                column += 1 + n;
                p += n;
                p += strspn(p, " \n\t");
        }
        buffer_add_char(out, '\n');
}

/* Can it stand between the lines of a script as it is? */
static bool is_plain_text(const Buffer *content) {
        return content->size > 0 && content->data[content->size - 1] == '\n' &&
               memchr(content->data, '\0', content->size) == NULL && !strchr(content->data, '\r') &&
               !strstr(content->data, END);
}

static void add_base64(Buffer *out, const Buffer *content) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        base64_encode(buffer_str(content), content->size, &text);
        for (size_t i = 0; i < text.size; i += BASE64_WIDTH)
                buffer_addf(out, "%.*s\n", BASE64_WIDTH, text.data + i);
}

/**
 * script_add_file() - add a file with its content, or without it if that is secret
 * @out:        the script
 * @item:       a file or unit
 */
void script_add_file(Buffer *out, const PlanItem *item) {
        _cleanup_free_ char *what = xasprintf("%04o %s %s \\\n        %s", (unsigned) item->mode,
                                              item->owner, item->path, item->sha256);

        script_add_comment(out, item->why);
        if (item->secret)
                buffer_addf(out, "secret %s\n", what);
        else if (is_plain_text(&item->content))
                buffer_addf(out, "file %s <<'" END "'\n%s" END "\n", what, item->content.data);
        else {
                buffer_addf(out, "base64 -d <<'" END "' | file %s\n", what);
                add_base64(out, &item->content);
                buffer_add_str(out, END "\n");
        }
        buffer_add_char(out, '\n');
}

/**
 * script_add_binary() - add a program, with where it comes from and its digest
 * @out:        the script
 * @item:       the binary
 * @lock:       has its digest
 * @reterr:     it was not fetched yet
 *
 * Return: 0 or a negative errno.
 */
int script_add_binary(Buffer *out, const PlanItem *item, const Lock *lock, Error **reterr) {
        const LockEntry *entry = lock ? lock_find(lock, item->binary.artifact, item->binary.version,
                                                  item->binary.architecture) :
                                        NULL;
        FetchRequest request = {
                .name = item->binary.artifact,
                .version = item->binary.version,
                .architecture = item->binary.architecture,
        };
        Version version;
        Layout layout;

        if (!entry || plan_binary_path_parse(item->path, &request.origin, &version) < 0)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s %s for %s was not fetched yet: hardway fetch", item->binary.artifact,
                                 item->binary.version, item->binary.architecture);
        layout_init(&request, /* mirror= */ false, &layout);
        script_add_comment(out, item->why);
        buffer_addf(out, "binary %04o %s %s \\\n        %s \\\n        \"$%s_URL/%s\"",
                    (unsigned) item->mode, item->owner, item->path, entry->sha256,
                    request.origin == ORIGIN_ETCD ? "ETCD" : "KUBERNETES", layout.file);
        if (layout.folder)
                buffer_addf(out, " \\\n        %s \\\n        %s/%s", entry->archive ? entry->archive : "''",
                            layout.folder, item->binary.artifact);
        buffer_add_str(out, "\n\n");
        layout_done(&layout);
        return 0;
}

/**
 * script_add_data() - add that data which is there already has to be this cluster's
 * @out:        the script
 * @item:       its directory
 * @mark:       the file that says whose it is; NULL: nothing is added
 */
void script_add_data(Buffer *out, const PlanItem *item, const PlanItem *mark) {
        if (mark)
                buffer_addf(out, "data %s %s <<'" END "'\n%s" END "\n", item->path, mark->path,
                            buffer_str(&mark->content));
}

void script_add_user(Buffer *out, const PlanItem *item) {
        script_add_comment(out, item->why);
        buffer_addf(out, "user %s %s ", item->user.name, item->user.home ? item->user.home : "-");
        shell_add_quoted(out, item->user.comment ? item->user.comment : item->user.name);
        STRV_FOREACH(group, item->user.groups)
                buffer_addf(out, " %s", *group);
        buffer_add_str(out, "\n\n");
}

void script_add_package(Buffer *out, const PlanItem *item) {
        script_add_comment(out, item->why);
        buffer_addf(out, "package %s", item->package.name);
        STRV_FOREACH(unit, item->package.units)
                buffer_addf(out, " %s", *unit);
        buffer_add_str(out, "\n\n");
}

/* The item that speaks for a unit that several files make up. */
static bool speaks_for_unit(const Plan *p, const PlanItem *item) {
        PLAN_FOREACH(other, p, PLAN_UNIT)
                if (streq(other->unit.name, item->unit.name) && (other->unit.enabled || other->unit.running))
                        return other == item;
        return false;
}

/**
 * script_add_unit() - add that a unit is started now and at boot
 * @out:        the script
 * @p:          the plan
 * @item:       the unit; nothing is added if another item speaks for it
 */
void script_add_unit(Buffer *out, const Plan *p, const PlanItem *item) {
        if (!speaks_for_unit(p, item))
                return;
        if (!item->unit.running) {
                buffer_addf(out, "systemctl enable --quiet %s\n", item->unit.name);
                return;
        }
        if (!item->unit.enabled)
                buffer_addf(out, "systemctl start --no-block %s\n", item->unit.name);
        else {
                buffer_addf(out, "unit %s %s", item->unit.name, item->unit.inputs);
                PLAN_FOREACH(file, p, PLAN_FILE)
                        if (file->reload && plan_item_is_input_of(file, item->unit.name))
                                buffer_addf(out, " %s", file->path);
                buffer_add_char(out, '\n');
        }
}
