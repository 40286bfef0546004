/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/rotation.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define NAME_SIZE_MAX 64

static const char *const phases[_ROTATION_PHASE_MAX] = {
        [ROTATION_TRUST] = "trust",
        [ROTATION_REISSUE] = "reissue",
        [ROTATION_FINISH] = "finish",
};

const char* rotation_phase_to_string(RotationPhase p) {
        return p >= 0 && p < _ROTATION_PHASE_MAX ? phases[p] : NULL;
}

RotationPhase rotation_phase_from_string(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
                if (streq_null(name, phases[i]))
                        return (RotationPhase) i;
        return _ROTATION_PHASE_INVALID;
}

/* It becomes part of paths. */
static bool name_is_sane(const char *name) {
        if (!name || !*name || strlen(name) > NAME_SIZE_MAX || *name == '/' || endswith(name, "/") ||
            strstr(name, "//"))
                return false;
        return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-/")] == '\0';
}

/**
 * rotation_parse() - read the state of a rotation
 * @what:       its name for the message
 * @data:       the text
 * @size:       its size
 * @ret:        the state; rotation_done()
 * @reterr:     what is wrong with it
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int rotation_parse(const char *what, const void *data, size_t size, Rotation *ret, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        _cleanup_error_ Error *error = NULL;
        const json_t *since;
        RotationPhase phase;
        const char *name;

        if (size > ROTATION_SIZE_MAX || json_parse(what, data, size, &tree, &error) < 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is damaged: restore it from a backup",
                                 what);
        name = json_text(tree, "name");
        phase = rotation_phase_from_string(json_text(tree, "phase"));
        since = json_object_get(tree, "since");
        if (!name_is_sane(name) || phase < 0 || !json_is_integer(since) || json_integer_value(since) < 0 ||
            json_object_size(tree) != 3)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: is not the state of a rotation: restore it from a backup", what);
        *ret = (Rotation) {
                .name = xstrdup(name),
                .phase = phase,
                .since = (int64_t) json_integer_value(since),
        };
        return 0;
}

/**
 * rotation_write() - write the state of a rotation
 * @r:          the state
 * @out:        where to append it
 */
void rotation_write(const Rotation *r, Buffer *out) {
        _cleanup_json_ json_t *tree = json_pack("{s:s, s:s, s:I}", "name", r->name, "phase",
                                                phases[r->phase], "since", (json_int_t) r->since);

        json_write(tree, out);
}

void rotation_done(Rotation *r) {
        free(r->name);
        *r = (Rotation) {};
}

const char* rotation_command(const char *name) {
        if (streq(name, "sa"))
                return "rotate-sa";
        return startswith(name, "secrets/") ? "rotate-key" : "rotate-ca";
}
