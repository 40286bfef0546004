/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Having orders carried out on the node: put.sh, what it is told, and what it answers. Which orders: see
 * put-orders.c. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"
#include "host/look-parse.h"

/* A package manager on a small machine with a slow line */
#define PUT_TIMEOUT_USEC (3600 * USEC_PER_SEC)

/* From here on a connection of its own, with the better cipher, pays for its handshake. */
#define FAST_CIPHER_SIZE (128 * 1024 * 1024)

void put_orders_done(PutOrders *o) {
        for (size_t i = 0; i < o->n_files; i++)
                free(o->files[i].source);
        free(o->files);
        buffer_done(&o->users);
        buffer_done(&o->directories);
        buffer_done(&o->notes);
        buffer_done(&o->owners);
        buffer_done(&o->checks);
        buffer_done(&o->late_checks);
        buffer_done(&o->links);
        buffer_done(&o->attributes);
        buffer_done(&o->removals);
        buffer_done(&o->sysctls);
        buffer_done(&o->leftovers);
        buffer_done(&o->keeps);
        buffer_done(&o->backs);
        buffer_done(&o->units_back);
        strv_free(o->taken);
        strv_free(o->packages);
        strv_free(o->masked);
        strv_free(o->stamps);
        strv_free(o->sync_directories);
        *o = (PutOrders) {};
}

static void add_function(Buffer *text, const char *name, const Buffer *body) {
        buffer_addf(text, "%s() {\n:\n%s}\n", name, buffer_str(body));
}

static void write_script(const Host *h, const PutOrders *o, Buffer *text) {
        _cleanup_buffer_ Buffer files = BUFFER_NULL, taken = BUFFER_NULL;
        _cleanup_strv_ Strv stamps = strv_copy(o->stamps);

        STRV_FOREACH(line, o->takes || o->gives ? o->taken : NULL)
                buffer_addf(&taken, "%s\n", *line);
        for (size_t i = 0; i < o->n_files; i++) {
                buffer_addf(&files, "%s%s", i > 0 ? "\n" : "", o->files[i].path + 1);
                strv_add(&stamps, o->files[i].path + 1);
        }
        buffer_addf(text, "H_GENERATION=%llu\n", (unsigned long long) h->generation);
        shell_add_variable(text, "H_FILES", buffer_str(&files));
        shell_add_list(text, "H_STAMPS", stamps);
        shell_add_list(text, "H_SYNC", o->sync_directories);
        shell_add_list(text, "H_PACKAGES", o->packages);
        shell_add_list(text, "H_MASKED", o->masked);
        shell_add_variable(text, "H_KEEPS", o->takes ? "yes" : "");
        shell_add_variable(text, "H_GIVES", o->gives ? "yes" : "");
        shell_add_variable(text, "H_TAKEN", buffer_str(&taken));
        add_function(text, "put_users", &o->users);
        add_function(text, "put_notes", &o->notes);
        add_function(text, "put_directories", &o->directories);
        add_function(text, "put_owners", &o->owners);
        add_function(text, "put_checks", &o->checks);
        add_function(text, "put_late_checks", &o->late_checks);
        add_function(text, "put_links", &o->links);
        add_function(text, "put_attributes", &o->attributes);
        add_function(text, "put_removals", &o->removals);
        add_function(text, "put_sysctls", &o->sysctls);
        add_function(text, "put_leftovers", &o->leftovers);
        add_function(text, "put_keeps", &o->keeps);
        add_function(text, "put_backs", &o->backs);
        add_function(text, "put_units_back", &o->units_back);
        buffer_add(text, EMBED_PUT_SH, EMBED_PUT_SH_SIZE);
}

/* "STAMP PATH" lines behind the mark. What is there now is what was put: the digest is that of the order. */
static void take_stamps(Host *h, const PutOrders *o, const Answer *answer) {
        _cleanup_free_ char *mark = xasprintf("@%s stamps\n", answer->nonce);
        const char *section = strstr(buffer_str(&answer->out), mark);
        _cleanup_strv_ Strv lines = NULL;

        if (!section)
                return;
        lines = strv_split(section + strlen(mark), "\n");
        STRV_FOREACH(line, lines) {
                char *name = strchr(*line, ' ');
                _cleanup_free_ char *path = NULL;
                const char *sha256 = NULL;

                if (!name)
                        continue;
                *name++ = 0;
                path = xasprintf("/%s", name);
                for (size_t i = 0; i < o->n_files; i++)
                        if (streq(o->files[i].path, path))
                                sha256 = o->files[i].sha256;
                known_set(h, path, sha256, *line);
        }
}

/* The members of the stream; never what is in them. */
static void describe_stream(const PutOrders *o, Buffer *out) {
        buffer_addf(
                out,
                "a tar stream of %zu files: mode, owner, bytes and name, which ends in .hw-new on the way\n",
                o->n_files);
        for (size_t i = 0; i < o->n_files; i++)
                buffer_addf(out, "%04o %s %" PRIu64 " %s\n", (unsigned) o->files[i].mode, o->files[i].owner,
                            o->files[i].size, o->files[i].path);
}

static uint64_t stream_size(const PutOrders *o) {
        uint64_t size = 0;

        for (size_t i = 0; i < o->n_files; i++)
                size += o->files[i].size;
        return size;
}

/* What ends a stream on this side would otherwise read like a failure of ssh. */
static int put_failed(const PutOrders *o, int r, Error *error, Error **reterr) {
        if (r == -ECANCELED) {
                error_free(error);
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED,
                                 "stopped while sending; nothing was changed");
        }
        if (r == -ESTALE && error->kind != ERROR_TEMPORARY) {
                error_free(error);
                return error_set(reterr, ERROR_VERIFY, ESTALE,
                                 "a binary in the cache is not what was fetched: hardway fetch mends it");
        }
        return error_propagate(reterr, error);
}

/**
 * put_run() - have orders carried out on the node
 * @h:          the host, which was looked at before
 * @name:       for --verbose and errors
 * @o:          the orders
 * @progress:   whom to tell of the bytes sent, or NULL
 * @reterr:     what went wrong; files are old or new then, and the host has to be looked at again
 *
 * Return: 0, or a negative errno: -ESTALE if the node changed since it was looked at.
 */
int put_run(Host *h, const char *name, const PutOrders *o, const HostPut *progress, Error **reterr) {
        _cleanup_(put_stream_freep) PutStream *stream = NULL;
        _cleanup_(answer_done) Answer answer = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL, follows = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        uint64_t size = stream_size(o);
        Script script = { .name = name, .timeout_usec = PUT_TIMEOUT_USEC };
        int r;

        if (!h->looked)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: the node was not looked at before",
                                 name);
        r = host_lock_keep(h, reterr);
        if (r < 0)
                return r;
        write_script(h, o, &text);
        script.text = buffer_str(&text);
        if (o->n_files > 0) {
                stream = put_stream_new(o, progress, h->cancelled);
                describe_stream(o, &follows);
                script.follows = buffer_str(&follows);
                script.stream = (ProcessInput) { .feed = put_stream_feed, .userdata = stream };
        }
        if (size >= FAST_CIPHER_SIZE && h->has_aes && transport_has_aes())
                script.flags |= TRANSPORT_FAST_CIPHER;
        h->looked = false;
        r = channel_run(h, &script, &answer, &error);
        if (r < 0)
                return put_failed(o, r, TAKE_PTR(error), reterr);
        take_stamps(h, o, &answer);
        h->generation += 2; /* one at its beginning, one at its end */
        h->looked = true;
        return 0;
}
