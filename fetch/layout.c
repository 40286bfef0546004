/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/layout.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define WORD_SIZE_MAX 64U

typedef struct OriginRow {
        const char *official; /* base URL */
        const char *mirrored; /* what a mirror has in front of the same paths */
        void (*init)(const FetchRequest *request, const char *prefix, Layout *ret);
} OriginRow;

static void layout_init_kubernetes(const FetchRequest *request, const char *prefix, Layout *ret) {
        ret->label = xstrdup(request->name);
        ret->basename = xstrdup(request->name);
        ret->file = xasprintf("%srelease/%s/bin/linux/%s/%s", prefix, request->version,
                              request->architecture, request->name);
        ret->papers[PAPER_SHA256] = xasprintf("%s.sha256", ret->file);
        ret->papers[PAPER_SHA512] = xasprintf("%s.sha512", ret->file);
        ret->papers[PAPER_SIGNATURE] = xasprintf("%s.sig", ret->file);
        ret->papers[PAPER_CERTIFICATE] = xasprintf("%s.cert", ret->file);
}

static void layout_init_etcd(const FetchRequest *request, const char *prefix, Layout *ret) {
        ret->label = xstrdup("etcd");
        ret->folder = xasprintf("etcd-%s-linux-%s", request->version, request->architecture);
        ret->basename = xasprintf("%s.tar.gz", ret->folder);
        ret->file = xasprintf("%s%s/%s", prefix, request->version, ret->basename);
        ret->papers[PAPER_SHA256] = xasprintf("%s%s/SHA256SUMS", prefix, request->version);
}

/* https://kubernetes.io/releases/download/ and https://github.com/etcd-io/etcd/releases */
static const OriginRow origin_table[] = {
        [ORIGIN_KUBERNETES] = { "https://dl.k8s.io", "", layout_init_kubernetes },
        [ORIGIN_ETCD] = { "https://github.com/etcd-io/etcd/releases/download", "etcd/", layout_init_etcd },
};

static bool word_is_safe(const char *s) {
        return *s && *s != '.' && *s != '-' && strlen(s) <= WORD_SIZE_MAX &&
               s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_")] == '\0';
}

/**
 * layout_check() - whether a request can be turned into a path
 * @request:    the request
 * @reterr:     says what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int layout_check(const FetchRequest *request, Error **reterr) {
        if (!word_is_safe(request->name))
                return error_set(reterr, ERROR_USAGE, EINVAL, "'%s' is not the name of a binary",
                                 request->name);
        if (!word_is_safe(request->version) || request->version[0] != 'v')
                return error_set(reterr, ERROR_USAGE, EINVAL, "'%s' is not a version, as in v1.36.3",
                                 request->version);
        if (!streq(request->architecture, "arm64") && !streq(request->architecture, "amd64"))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "'%s' is not an architecture that is supported: arm64, amd64",
                                 request->architecture);
        return 0;
}

/**
 * layout_same() - whether two requests are for the same download
 * @a:          a request
 * @b:          another
 *
 * Return: true for two members of one archive, and for the same binary.
 */
bool layout_same(const FetchRequest *a, const FetchRequest *b) {
        return a->origin == b->origin && streq(a->version, b->version) &&
               streq(a->architecture, b->architecture) &&
               (a->origin == ORIGIN_ETCD || streq(a->name, b->name));
}

/**
 * layout_init() - the paths of a download
 * @request:    a request that layout_check() has accepted
 * @mirror:     below a mirror's base, or below layout_official()
 * @ret:        the paths; given back with layout_done()
 */
void layout_init(const FetchRequest *request, bool mirror, Layout *ret) {
        const OriginRow *row = origin_table + request->origin;

        *ret = LAYOUT_NULL;
        row->init(request, mirror ? row->mirrored : "", ret);
}

/**
 * layout_done() - free what a layout holds
 * @l:          the layout, empty and ready for use afterwards
 */
void layout_done(Layout *l) {
        free(l->label);
        free(l->file);
        for (size_t i = 0; i < _PAPER_MAX; i++)
                free(l->papers[i]);
        free(l->basename);
        free(l->folder);
        *l = LAYOUT_NULL;
}

/**
 * layout_official() - where something is published
 * @origin:     what
 *
 * Return: the base URL, without a slash at its end.
 */
const char* layout_official(ArtifactOrigin origin) {
        return origin_table[origin].official;
}

/**
 * layout_check_mirror() - whether an URL can be a mirror
 * @url:        what the user gave
 * @ret_base:   the URL without slashes at its end; the caller frees
 * @reterr:     says what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int layout_check_mirror(const char *url, char **ret_base, Error **reterr) {
        const char *host = startswith(url, "https://"), *path = startswith(url, "file://");
        _cleanup_json_ json_t *text =
                json_string(url); /* NULL unless it is UTF-8, which the lock file wants */
        size_t n = strlen(url);

        if (startswith(url, "http://"))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "mirror '%s': only https:// and file:// are taken", url);
        if ((!host || !*host || *host == '/') && (!path || *path != '/'))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "mirror '%s': not an address of the form https://HOST/PATH or file:///PATH",
                                 url);
        if (host && memchr(host, '@', strcspn(host, "/")))
                return error_set(
                        reterr, ERROR_USAGE, EINVAL,
                        "mirror: an address with a login in it cannot be used, as addresses end up in "
                        "hardway.lock");
        if (!text || strpbrk(url, "?# \t\r\n"))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "mirror '%s': blanks, '?' and '#' cannot be in it", url);

        while (url[n - 1] == '/')
                n--;
        *ret_base = xstrndup(url, n);
        return 0;
}
