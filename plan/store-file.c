/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files of the store as items of a plan
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/component.h"
#include "plan/store-name.h"

static bool is_secret(const char *store_path) {
        return endswith(store_path, ".key") || endswith(store_path, ".conf") ||
               startswith(store_path, "secrets/");
}

static void fill_placeholder(Plan *plan, PlanItem *item, const char *store_path) {
        buffer_addf(&item->content, "(%s of the store: run hardway pki gen)\n", store_path);
        if (item->secret)
                item->fingerprint = xasprintf("(%s)", store_path);
        plan_missing(plan, "%s (run: hardway pki gen)", store_path);
}

static int fill_from_store(const PlanContext *c, Plan *plan, PlanItem *item, const char *store_path,
                           Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        const Buffer *content;
        const char *fingerprint;
        int r;

        r = c->store ? store_file(c->store, store_path, &content, &error) : -ENOENT;
        if (r == -ENOENT) {
                fill_placeholder(plan, item, store_path);
                return 0;
        }
        if (r < 0)
                return error_propagate(reterr, TAKE_PTR(error));
        if (item->secret) {
                r = store_fingerprint(c->store, store_path, &fingerprint, reterr);
                if (r < 0)
                        return r;
                item->fingerprint = xstrdup(fingerprint);
        }
        buffer_add(&item->content, content->data, content->size);
        return 0;
}

/* A file that an earlier call put there already; it may have become the input of another unit. */
static PlanItem* find_file(Plan *plan, const char *path) {
        PLAN_FOREACH(item, plan, PLAN_FILE)
                if (streq(item->path, path))
                        return item;
        return NULL;
}

static bool is_file_of(const Credential *credential, const Node *node, const char *store_path) {
        _cleanup_free_ char *name = credential_store_name(credential, node);
        const char *rest = startswith(store_path, name);

        if (!rest || (*rest != '\0' && *rest != '.'))
                return false;
        return (credential->type == STORE_KUBECONFIG) == (endswith(store_path, ".conf"));
}

/* Of which credential a file of the store is, whichever component declares it. */
static const Credential* find_owner(const Plan *plan, const char *store_path) {
        for (const Component *const *c = plan->components; c && *c; c++)
                for (size_t i = 0; i < (*c)->n_credentials; i++)
                        if (is_file_of((*c)->credentials + i, plan->node, store_path))
                                return (*c)->credentials + i;
        return NULL;
}

/**
 * plan_add_store_file() - add one file of the store to a plan
 * @c:          the context of the plan
 * @plan:       the plan
 * @component:  the component that asks
 * @noun:       what makes the item's id unique
 * @store_path: its path in the store: "ca.crt", "sa.pub"
 * @path:       its path on the node
 * @unit:       whose input it is, or NULL
 * @why:        one sentence for people
 * @reterr:     the store cannot be read
 *
 * Keys and kubeconfigs are secret and 0600, others 0644. Asked for again, also by another component, the
 * file that is there becomes an input of unit, too. What the store does not have yet makes the plan
 * incomplete.
 *
 * Return: 0 or a negative errno.
 */
int plan_add_store_file(const PlanContext *c, Plan *plan, const char *component, const char *noun,
                        const char *store_path, const char *path, const char *unit, const char *why,
                        Error **reterr) {
        PlanItem *item = find_file(plan, path);
        int r;

        if (!item) {
                item = plan_add_file(plan, component, noun, path, is_secret(store_path) ? 0600 : 0644, "",
                                     why);
                item->secret = is_secret(store_path);
                item->credential = find_owner(plan, store_path);
                if (item->credential)
                        plan_item_explain(item, item->credential->without, MANUAL_PKI);
                item->store_path = xstrdup(store_path);
                r = fill_from_store(c, plan, item, store_path, reterr);
                if (r < 0)
                        return r;
        }
        if (unit)
                plan_item_input_of(item, unit);
        return 0;
}

bool plan_ca_key_stays(const PlanContext *c, const char *ca) {
        return c->store && store_ca_key_stays(c->store, ca);
}

bool plan_ca_has_chain(const PlanContext *c, const char *ca) {
        return c->store && store_ca_has_chain(c->store, ca);
}

static const Credential* find_credential(const Component *component, const char *name) {
        for (size_t i = 0; i < component->n_credentials; i++)
                if (streq(component->credentials[i].name, name))
                        return component->credentials + i;
        return NULL;
}

static int add_file(const PlanContext *c, Plan *plan, const Component *component,
                    const Credential *credential, const char *ending, const char *unit, Error **reterr) {
        _cleanup_free_ char *name = credential_store_name(credential, c->node);
        _cleanup_free_ char *store_path = xasprintf("%s.%s", name, ending);
        _cleanup_free_ char *noun = xasprintf("%s.%s", credential->name, ending);
        _cleanup_free_ char *path =
                xasprintf("/etc/kubernetes/%s%s", credential->type == STORE_KUBECONFIG ? "" : "pki/", noun);

        return plan_add_store_file(c, plan, component->name, noun, store_path, path, unit, credential->why,
                                   reterr);
}

/**
 * plan_add_credential() - add the files of a credential to a node's plan
 * @c:          the context of the plan
 * @plan:       the plan
 * @component:  which declares the credential
 * @name:       the credential's name
 * @with_key:   the private key, too; a kubeconfig always has its key inside
 * @unit:       whose input they are, or NULL
 * @reterr:     the component declares no such credential, or the store cannot be read
 *
 * Return: 0 or a negative errno.
 */
int plan_add_credential(const PlanContext *c, Plan *plan, const Component *component, const char *name,
                        bool with_key, const char *unit, Error **reterr) {
        const Credential *credential = find_credential(component, name);
        int r;

        if (!credential || credential->type == STORE_SECRET)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "declares no credential %s with files",
                                 name);
        if (credential->type == STORE_KUBECONFIG)
                return add_file(c, plan, component, credential, "conf", unit, reterr);

        r = add_file(c, plan, component, credential, credential->type == STORE_KEY_PAIR ? "pub" : "crt",
                     unit, reterr);
        if (r < 0 || !with_key)
                return r;
        return add_file(c, plan, component, credential, "key", unit, reterr);
}
