/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "etcd/data.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/parse.h"
#include "common/shell.h"
#include "common/strv.h"
#include "etcd/etcd-scripts.h"
#include "plan/component.h"
#include "plan/store-name.h"

char* etcd_server_certificate(const char *node) {
        _cleanup_free_ char *name = node_certificate_name(node, "etcd/server");

        return xasprintf("%s.crt", name);
}

void etcd_addresses(Store *store, const char *node, CertificateProfile *ret) {
        _cleanup_free_ char *path = etcd_server_certificate(node);
        _cleanup_(certificate_profile_done) CertificateProfile all = CERTIFICATE_PROFILE_NULL;

        if (store_addresses(store, path, &all, NULL) < 0)
                return;
        for (size_t i = 0; i < all.n_addresses; i++)
                if (!inet_is_loopback(all.addresses + i))
                        certificate_profile_add_address(ret, all.addresses + i);
}

char* etcd_identity(Store *store) {
        char *identity;

        return plan_identity(store, &identity, NULL) < 0 ? NULL : identity;
}

char* etcd_token(Store *store) {
        const Buffer *content;
        size_t n = 0;

        if (!store || store_file(store, ETCD_TOKEN, &content, NULL) < 0)
                return etcd_identity(store);
        while (n < content->size && isxdigit((unsigned char) content->data[n]))
                n++;
        return n > 0 ? xstrndup(content->data, n) : etcd_identity(store);
}

/* Sixteen digits. Return: 0 if they are not. */
static uint64_t id_of_hex(const char *hex) {
        unsigned char bytes[8];
        uint64_t id = 0;

        if (parse_hex(hex, bytes, sizeof(bytes)) < 0)
                return 0;
        for (size_t i = 0; i < sizeof(bytes); i++)
                id = id << 8 | bytes[i];
        return id;
}

uint64_t etcd_restored_id(Store *store) {
        _cleanup_strv_ Strv lines = NULL;
        const Buffer *content;

        if (!store || store_file(store, ETCD_TOKEN, &content, NULL) < 0)
                return 0;
        lines = strv_split(buffer_str(content), "\n");
        return strv_length(lines) < 2 ? 0 : id_of_hex(lines[1]);
}

/**
 * etcd_is_current() - may a member be believed that says it is of this cluster?
 * @store:      the store
 * @cluster_id: what its answers carry
 *
 * After a restore members may come back with the data of before, and be a quorum among themselves: what they say
 * of the cluster, of its leader and of its members is about another one.
 *
 * Return: false if a restore has made a cluster since then.
 */
bool etcd_is_current(Store *store, uint64_t cluster_id) {
        uint64_t id = etcd_restored_id(store);

        return id == 0 || id == cluster_id;
}

/* The first eight bytes of a SHA-1, big-endian. */
static uint64_t short_sha1(const void *data, size_t size) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA1");
        _cleanup_free_ char *hex = NULL;

        digest_add(d, data, size);
        hex = digest_hex(d);
        hex[16] = 0;
        return id_of_hex(hex);
}

static int compare_ids(const void *a, const void *b) {
        uint64_t x = *(const uint64_t*) a, y = *(const uint64_t*) b;

        return x < y ? -1 : x > y;
}

/**
 * etcd_id_of() - foretell the id of a cluster
 * @token:      --initial-cluster-token
 * @peer_urls:  one of each member it begins with, in any order
 *
 * etcd makes it of nothing else (server/etcdserver/api/membership: computeMemberID() in member.go, genID() in
 * cluster.go), and it stays as it is whoever joins or leaves later.
 *
 * Return: the id.
 */
uint64_t etcd_id_of(const char *token, char *const *peer_urls) {
        size_t n = strv_length(peer_urls);
        _cleanup_free_ uint64_t *ids = xnew(uint64_t, n + 1);
        _cleanup_free_ unsigned char *bytes = xnew(unsigned char, 8 * n + 1);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = xasprintf("%s%s", peer_urls[i], token);

                ids[i] = short_sha1(text, strlen(text));
        }
        qsort(ids, n, sizeof(*ids), compare_ids);
        for (size_t i = 0; i < 8 * n; i++)
                bytes[i] = (unsigned char) (ids[i / 8] >> (56 - 8 * (i % 8)));
        return short_sha1(bytes, 8 * n);
}

char* etcd_token_text(const char *token, uint64_t id) {
        return xasprintf("%s\n%016" PRIx64 "\n", token, id);
}

/* Before the first restore the token is the identity, and the mark one line. */
char* etcd_mark_text(const char *identity, const char *token) {
        return streq(identity, token) ? xasprintf("%s\n", identity) : xasprintf("%s\n%s\n", identity, token);
}

void etcd_data_done(EtcdData *d) {
        free(d->other);
        free(d->identity);
        free(d->token);
        strv_free(d->asides);
        *d = (EtcdData) {};
}

bool etcd_data_is_of(const EtcdData *d, const char *identity) {
        return d->identity && identity && streq(d->identity, identity);
}

/* The identity, and behind it the token; before the first restore they are the same, and the mark one line. */
static void take_mark(const char *line, EtcdData *d) {
        if (!*line)
                return;
        if (!d->identity) {
                d->identity = xstrdup(line);
                d->token = xstrdup(line);
        } else if (streq(d->token, d->identity)) {
                free(d->token);
                d->token = xstrdup(line);
        }
}

static void take_line(const char *line, EtcdData *d) {
        const char *value;

        if (streq(line, "member"))
                d->member = true;
        else if (streq(line, "began"))
                d->began = true;
        else if (streq(line, "replaced"))
                d->replaced = true;
        else if ((value = startswith(line, "mark ")))
                take_mark(value, d);
        else if ((value = startswith(line, "aside ")))
                strv_add(&d->asides, value);
        else if ((value = startswith(line, "other ")) && !d->other)
                d->other = xstrdup(value);
}

int etcd_data_parse(const char *text, EtcdData *ret) {
        _cleanup_strv_ Strv lines = strv_split(text, "\n");
        size_t n = strv_length(lines);

        /* an answer that was cut off would pass for "there is nothing" */
        if (n == 0 || !streq(lines[n - 1], "end"))
                return -EBADMSG;
        *ret = (EtcdData) {};
        STRV_FOREACH(line, lines)
                take_line(*line, ret);
        return 0;
}

/**
 * etcd_data_look() - whose etcd data lies on a node?
 * @c:          the context of the probe
 * @node:       the node
 * @ret:        what lies there, and whose it is by the mark; the caller calls etcd_data_done()
 * @reterr:     the node cannot be asked, or what is there cannot be looked into: that is not "none"
 *
 * Return: 0 or a negative errno.
 */
int etcd_data_look(const ProbeContext *c, const Node *node, EtcdData *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        shell_add_variable(&variables, "data", ETCD_DATA);
        shell_add_variable(&variables, "mark", ETCD_MARK_PATH);
        shell_add_variable(&variables, "began", ETCD_BEGAN_PATH);
        r = probe_exec(c, node, "whose etcd data is there?", &variables, EMBED_ETCD_DATA_SH, &out, reterr);
        if (r < 0)
                return r;
        r = etcd_data_parse(buffer_str(&out), ret);
        return r < 0 ? error_set(reterr, ERROR_UNAVAILABLE, -r,
                                 "%s: gives no answer that can be understood about its etcd data",
                                 node->name) :
                       0;
}
