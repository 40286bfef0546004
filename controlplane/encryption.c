/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How secrets are encrypted in etcd: the apiserver's configuration for it
 *
 * secretbox (XSalsa20 and Poly1305); identity lets what was there before still be read
 * (https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/). The first key writes, all are read with. What is
 * written carries the name of its key (staging/src/k8s.io/apiserver/pkg/server/options/encryptionconfig/config.go), so that a
 * key has to keep its name for good: it follows from its number in the store (pki/secret.h).
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "controlplane/internal.h"
#include "plan/names.h"

static json_t* key_to_json(unsigned number, const char *text) {
        _cleanup_free_ char *name = xasprintf(NAME_ENCRYPTION_KEY "%u", number);

        return json_pack("{s:s, s:s}", "name", name, "secret", text);
}

static json_t* encryption_config(json_t *keys) {
        return json_pack("{s:s,s:s,s:[{s:[s],s:[{s:{s:o}},{s:{}}]}]}", "apiVersion",
                         "apiserver.config.k8s.io/v1", "kind", "EncryptionConfiguration", "resources",
                         "resources", "secrets", "providers", "secretbox", "keys", keys, "identity");
}

/* The keys of the store; -ENOENT: there are none yet. */
static int keys_of(const PlanContext *c, json_t *keys, const char **ret_fingerprint, Error **reterr) {
        _cleanup_(secret_done) Secret secret = {};
        _cleanup_error_ Error *error = NULL;
        const Buffer *content;
        int r;

        r = c->store ? store_file(c->store, NAME_ENCRYPTION_KEY_FILE, &content, &error) : -ENOENT;
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return error_propagate(reterr, TAKE_PTR(error));
        r = secret_parse(NAME_ENCRYPTION_KEY_FILE, content->data, content->size, &secret, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < secret.n_lines; i++)
                json_array_append_new(keys, key_to_json(secret.lines[i].number, secret.lines[i].text));
        return store_fingerprint(c->store, NAME_ENCRYPTION_KEY_FILE, ret_fingerprint, reterr);
}

static int fill(const PlanContext *c, Plan *plan, PlanItem *item, Error **reterr) {
        json_t *keys = json_array();
        _cleanup_json_ json_t *tree = encryption_config(keys); /* has them now */
        const char *fingerprint = "(" NAME_ENCRYPTION_KEY_FILE ")";
        int r;

        r = keys_of(c, keys, &fingerprint, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == -ENOENT) {
                plan_missing(plan, NAME_ENCRYPTION_KEY_FILE " (run: hardway pki gen)");
                json_array_append_new(keys, key_to_json(1, "not-made-yet"));
        }
        json_write_yaml(
                tree,
                "How secrets are encrypted in etcd. Whoever has this file and etcd's data has the secrets.",
                &item->content);
        item->fingerprint = xstrdup(fingerprint);
        return 0;
}

/**
 * encryption_add() - add the configuration to the plan of a node
 * @c:          the context
 * @plan:       the plan
 * @reterr:     the key cannot be read
 *
 * Return: 0 or a negative errno.
 */
int encryption_add(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *item = plan_add_file(plan, "kube-apiserver", "encryption-config", ENCRYPTION_CONFIG, 0600,
                                       "", "Encrypts secrets before they reach etcd.");

        item->secret = true;
        plan_item_explain(item, "The apiserver does not start: its flag names a file that is not there.",
                          "Encrypting Confidential Data at Rest, "
                          "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/");
        item->store_path = xstrdup(NAME_ENCRYPTION_KEY_FILE);
        plan_item_input_of(item, "kube-apiserver.service");
        return fill(c, plan, item, reterr);
}
