/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "pki/kubeconfig-internal.h"
#include "pki/pem.h"

#define KEY_MEMBER "client-key-data:"

/**
 * kubeconfig_done() - wipe and free
 * @k:          the kubeconfig, empty afterwards
 */
void kubeconfig_done(Kubeconfig *k) {
        free(k->cluster);
        free(k->server);
        free(k->user);
        buffer_done(&k->ca);
        buffer_done(&k->certificate);
        buffer_wipe(&k->key);
        *k = KUBECONFIG_NULL;
}

static void set_base64(json_t *object, const char *name, const Buffer *data) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        base64_encode(data->data, data->size, &text);
        json_object_set_new(object, name, json_string(buffer_str(&text)));
}

/**
 * kubeconfig_write() - write a kubeconfig
 * @k:          what it holds
 * @out:        where to append the text, which has a private key in it; the caller wipes
 *
 * The key is the last word of the document and put there by hand: neither jansson nor libyaml wipes what it
 * has written.
 */
void kubeconfig_write(const Kubeconfig *k, Buffer *out) {
        static const char end[] = KEY_MEMBER " \"\"\n";
        _cleanup_free_ char *context = xasprintf("%s@%s", k->user, k->cluster);
        _cleanup_json_ json_t *cluster = json_object(), *user = json_object(), *tree = NULL;

        json_object_set_new(cluster, "server", json_string(k->server));
        set_base64(cluster, "certificate-authority-data", &k->ca);
        set_base64(user, "client-certificate-data", &k->certificate);
        json_object_set_new(user, "client-key-data", json_string(""));

        tree = json_pack("{ss,ss,s[{ss,sO}],s[{ss,s{ss,ss}}],ss,s[{ss,sO}]}", "apiVersion", "v1", "kind",
                         "Config", "clusters", "name", k->cluster, "cluster", cluster, "contexts", "name",
                         context, "context", "cluster", k->cluster, "user", k->user, "current-context",
                         context, "users", "name", k->user, "user", user);
        json_write_yaml(tree, NULL, out);
        if (out->size < strlen(end) || !streq(out->data + out->size - strlen(end), end))
                abort(); /* a bug: names are UTF-8, and the key comes last */

        out->size -= 2; /* the closing quote and the newline */
        base64_encode(k->key.data, k->key.size, out);
        buffer_add_str(out, "\"\n");
}

/* The value on the rest of a line: without blanks around it and without quotes. */
static void trim_value(const char **begin, const char **end) {
        while (*begin < *end && (**begin == ' ' || **begin == '\t'))
                (*begin)++;
        while (*end > *begin && ((*end)[-1] == ' ' || (*end)[-1] == '\t' || (*end)[-1] == '\r'))
                (*end)--;
        if (*end - *begin >= 2 && **begin == '"' && (*end)[-1] == '"') {
                (*begin)++;
                (*end)--;
        }
}

/* The next line that begins with the member: in the middle of a line it is part of a name. */
static const char* find_member(const char *data, const char *end) {
        const char *line = data;

        while (line && line < end) {
                const char *p = line;

                while (p < end && *p == ' ')
                        p++;
                if ((size_t) (end - p) >= strlen(KEY_MEMBER) &&
                    memcmp(p, KEY_MEMBER, strlen(KEY_MEMBER)) == 0)
                        return p;
                line = memchr(p, '\n', (size_t) (end - p));
                if (line)
                        line++;
        }
        return NULL;
}

/*
 * Takes the key out of the text and leaves "" in its place, so that libyaml, which does not wipe, never sees
 * it. It stands on one line in what we write and in what kubectl writes.
 */
static int cut_key(const char *what, const char *data, size_t size, Buffer *ret_rest, Buffer *ret_key,
                   Error **reterr) {
        const char *end = data + size, *member = find_member(data, end);
        const char *value, *line_end;

        if (!member)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds no client-key-data", what);
        value = member + strlen(KEY_MEMBER);
        line_end = memchr(value, '\n', (size_t) (end - value)) ?: end;
        if (find_member(line_end, end))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds more than one client-key-data",
                                 what);

        buffer_add(ret_rest, data, (size_t) (value - data));
        buffer_add_str(ret_rest, " \"\"");
        buffer_add(ret_rest, line_end, (size_t) (end - line_end));

        trim_value(&value, &line_end);
        if (value == line_end || base64_decode(value, (size_t) (line_end - value), ret_key) < 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: client-key-data is not base64 on one line", what);
        return 0;
}

static int take_text(const char *what, const json_t *tree, const char *path, char **ret, Error **reterr) {
        const char *text = json_path_text(tree, path);

        if (!text || !*text)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: has no %s", what, path);
        *ret = xstrdup(text);
        return 0;
}

static int take_base64(const char *what, const json_t *tree, const char *path, Buffer *ret, Error **reterr) {
        const char *text = json_path_text(tree, path);

        if (!text || !*text)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: has no %s", what, path);
        if (base64_decode(text, strlen(text), ret) < 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s is not base64", what, path);
        return 0;
}

static int check_alone(const char *what, const json_t *tree, const char *member, Error **reterr) {
        const json_t *array = json_object_get(tree, member);

        if (!json_is_array(array))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s is not a list", what, member);
        if (json_array_size(array) != 1)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds %zu %s, hardway writes one", what,
                                 json_array_size(array), member);
        return 0;
}

static int check_same(const char *what, const json_t *tree, const char *path, const char *expected,
                      Error **reterr) {
        const char *text = json_path_text(tree, path);

        if (!streq_null(text, expected))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s is \"%s\", not \"%s\"", what, path,
                                 text ?: "", expected);
        return 0;
}

static int check_shape(const char *what, const json_t *tree, Error **reterr) {
        static const char *const lists[] = { "clusters", "contexts", "users" };
        int r;

        r = check_same(what, tree, "apiVersion", "v1", reterr);
        if (r < 0)
                return r;
        r = check_same(what, tree, "kind", "Config", reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                r = check_alone(what, tree, lists[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* That the context ties the one cluster and the one user together, and is in force. */
static int check_context(const char *what, const json_t *tree, const Kubeconfig *k, Error **reterr) {
        _cleanup_free_ char *context = NULL;
        int r;

        r = take_text(what, tree, "contexts.0.name", &context, reterr);
        if (r < 0)
                return r;
        r = check_same(what, tree, "contexts.0.context.cluster", k->cluster, reterr);
        if (r < 0)
                return r;
        r = check_same(what, tree, "contexts.0.context.user", k->user, reterr);
        if (r < 0)
                return r;
        return check_same(what, tree, "current-context", context, reterr);
}

static int take_all(const char *what, const json_t *tree, Kubeconfig *k, Error **reterr) {
        const struct {
                const char *path;
                char **text;
                Buffer *data;
        } members[] = {
                { "clusters.0.name", &k->cluster, NULL },
                { "clusters.0.cluster.server", &k->server, NULL },
                { "clusters.0.cluster.certificate-authority-data", NULL, &k->ca },
                { "users.0.name", &k->user, NULL },
                { "users.0.user.client-certificate-data", NULL, &k->certificate },
        };

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                int r = members[i].text ? take_text(what, tree, members[i].path, members[i].text, reterr) :
                                          take_base64(what, tree, members[i].path, members[i].data, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * kubeconfig_parse() - read a kubeconfig
 * @what:       its name for the message, such as the path
 * @data:       the text
 * @size:       its size
 * @ret:        what it holds; kubeconfig_done()
 * @reterr:     says what is wrong with the text, with line and column where it is no YAML
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int kubeconfig_parse(const char *what, const void *data, size_t size, Kubeconfig *ret, Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        _cleanup_buffer_ Buffer rest = BUFFER_NULL;
        _cleanup_json_ json_t *tree = NULL;
        int r;

        if (size == 0 || size > KUBECONFIG_SIZE_MAX)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is %s", what,
                                 size == 0 ? "empty" : "too large");
        r = cut_key(what, data, size, &rest, &k.key, reterr);
        if (r < 0)
                return r;
        r = kubeconfig_read_yaml(what, rest.data, rest.size, &tree, reterr);
        if (r < 0)
                return r;

        r = check_shape(what, tree, reterr);
        if (r < 0)
                return r;
        /* The empty string that cut_key() left has to stand where the key belongs. */
        r = check_same(what, tree, "users.0.user.client-key-data", "", reterr);
        if (r < 0)
                return r;
        r = take_all(what, tree, &k, reterr);
        if (r < 0)
                return r;
        r = check_context(what, tree, &k, reterr);
        if (r < 0)
                return r;

        *ret = k;
        k = KUBECONFIG_NULL;
        return 0;
}
