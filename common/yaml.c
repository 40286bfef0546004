/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/alloc.h"
#include "common/json.h"

/*
 * YAML out
 *
 * JSON would do for Kubernetes, YAML is for the reader. Strings are always quoted, so that no version, no
 * "no" and no address is ever read as another type; keys are plain where no reader could take them for
 * something else.
 */

/* The emitter fails only for want of memory, or if the events make no document, which is a bug. */
static void yaml_check(int ok) {
        static const char text[] = "hardway: libyaml cannot write\n";

        if (ok == 1)
                return;
        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
                abort();
        abort();
}

static int yaml_write_piece(void *userdata, unsigned char *text, size_t size) {
        buffer_add(userdata, text, size);
        return 1;
}

static void yaml_emit(yaml_emitter_t *emitter, yaml_event_t *event, int ok) {
        yaml_check(ok);
        yaml_check(yaml_emitter_emit(emitter, event)); /* takes the event */
}

static void yaml_emit_scalar(yaml_emitter_t *emitter, const char *s, size_t n, bool plain) {
        yaml_event_t event;

        if (n > INT_MAX)
                abort();
        yaml_emit(emitter, &event,
                  yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t*) s, (int) n, 1, 1,
                                               plain ? YAML_PLAIN_SCALAR_STYLE :
                                                       YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

/* Whether every reader, of YAML 1.1 or 1.2, takes this for a string. */
static bool key_is_plain(const char *s) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "y", "n", "null" };

        if (!*s || !strchr(letters, *s) ||
            s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-")])
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strcasecmp(s, words[i]) == 0)
                        return false;
        return true;
}

static void yaml_emit_tree(yaml_emitter_t *emitter, const json_t *tree);

static void yaml_emit_object(yaml_emitter_t *emitter, const json_t *object) {
        yaml_event_t event;
        const char *key;
        json_t *value;

        yaml_emit(emitter, &event,
                  yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
        json_object_foreach((json_t*) object, key, value) {
                yaml_emit_scalar(emitter, key, strlen(key), key_is_plain(key));
                yaml_emit_tree(emitter, value);
        }
        yaml_emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static void yaml_emit_array(yaml_emitter_t *emitter, const json_t *array) {
        yaml_event_t event;
        size_t i;
        json_t *value;

        yaml_emit(emitter, &event,
                  yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
        json_array_foreach((json_t*) array, i, value)
                yaml_emit_tree(emitter, value);
        yaml_emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static void yaml_emit_tree(yaml_emitter_t *emitter, const json_t *tree) {
        _cleanup_free_ char *text = NULL;

        if (json_is_object(tree))
                yaml_emit_object(emitter, tree);
        else if (json_is_array(tree))
                yaml_emit_array(emitter, tree);
        else if (json_is_string(tree))
                yaml_emit_scalar(emitter, json_string_value(tree), json_string_length(tree),
                                 /* plain= */ false);
        else {
                /* Numbers, true, false and null are written alike in both. */
                text = json_dumps(tree, JSON_ENCODE_ANY);
                yaml_check(text ? 1 : 0);
                yaml_emit_scalar(emitter, text, strlen(text), /* plain= */ true);
        }
}

static void yaml_add_comment(const char *comment, Buffer *out) {
        while (*comment) {
                size_t n = strcspn(comment, "\n");

                buffer_addf(out, n > 0 ? "# %.*s\n" : "#%.*s\n", (int) n, comment);
                comment += n;
                if (*comment)
                        comment++;
        }
}

/**
 * json_write_yaml() - write a tree as YAML
 * @tree:       the tree; members keep the order in which they were set
 * @comment:    lines for the top, each gets a "# " in front; or NULL
 * @out:        where to append the document, in block style, a newline at the end
 */
void json_write_yaml(const json_t *tree, const char *comment, Buffer *out) {
        yaml_emitter_t emitter;
        yaml_event_t event;

        if (comment)
                yaml_add_comment(comment, out);

        yaml_check(yaml_emitter_initialize(&emitter));
        yaml_emitter_set_output(&emitter, yaml_write_piece, out);
        yaml_emitter_set_unicode(&emitter, 1);
        yaml_emitter_set_indent(&emitter, 2);
        yaml_emitter_set_width(&emitter, -1);

        yaml_emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
        yaml_emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
        yaml_emit_tree(&emitter, tree);
        yaml_emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
        yaml_emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
        yaml_emitter_delete(&emitter);
}
