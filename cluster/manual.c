/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/manual.h"

#include <stdlib.h>

#include "cluster/fields.h"
#include "cluster/input.h"
#include "common/alloc.h"

/* From a field back to its text: the other direction of cluster/fields.c. */

static char* show_text(const void *field) {
        return xstrdup_null(*(char *const *) field);
}

static char* show_texts(const void *field) {
        const Strv *v = field;

        return strv_length(*v) > 0 ? strv_join(*v, ", ") : NULL;
}

static char* show_address(const void *field) {
        const InetAddress *a = field;

        return a->family == AF_UNSPEC ? NULL : inet_address_to_string(a);
}

static char* show_networks(const void *field) {
        const NetworkList *list = field;
        _cleanup_strv_ Strv texts = NULL;

        for (size_t i = 0; i < list->n; i++) {
                _cleanup_free_ char *text = inet_network_to_string(list->networks + i);

                strv_add(&texts, text);
        }
        return texts ? strv_join(texts, ", ") : NULL;
}

static char* show_number(const void *field) {
        unsigned n = *(const unsigned*) field;

        return n > 0 ? xasprintf("%u", n) : NULL;
}

static char* show_boolean(const void *field) {
        return xstrdup(*(const bool*) field ? "true" : "false");
}

static char* show_version(const void *field) {
        return version_to_string(field);
}

static char* show_architecture(const void *field) {
        return xstrdup_null(architecture_to_string(*(const Architecture*) field));
}

static char* show_network_profile(const void *field) {
        return xstrdup(*(const NetworkProfile*) field == NETWORK_WIFI ? "wifi" : "wired");
}

static char* show_disk_profile(const void *field) {
        return xstrdup(*(const DiskProfile*) field == DISK_SDCARD ? "sdcard" : "ssd");
}

static char* show_key_type(const void *field) {
        return xstrdup_null(key_type_to_string(*(const KeyType*) field));
}

static char* show_roles(const void *field) {
        _cleanup_strv_ Strv texts = NULL;

        for (unsigned role = 1; role & ROLE_ALL; role <<= 1)
                if (*(const unsigned*) field & role)
                        strv_add(&texts, node_role_to_string(role));
        return strv_join(texts, ", ");
}

static const struct {
        TextParser parse;
        char *(*show)(const void *field);
} rows[] = {
        { field_label, show_text },
        { field_dns_name, show_text },
        { field_dns_names, show_texts },
        { field_sans, show_texts },
        { field_address, show_address },
        { field_networks, show_networks },
        { field_port, show_number },
        { field_prefix, show_number },
        { field_vrrp_id, show_number },
        { field_days, show_number },
        { field_boolean, show_boolean },
        { field_version, show_version },
        { field_architecture, show_architecture },
        { field_network_profile, show_network_profile },
        { field_disk_profile, show_disk_profile },
        { field_key_type, show_key_type },
        { field_roles, show_roles },
        { field_user, show_text },
        { field_host_key, show_text },
        { field_interface, show_text },
        { field_directory, show_text },
        { field_mirrors, show_texts },
};

static char* show(const Key *key, const void *target) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (key->parse && rows[i].parse == key->parse)
                        return rows[i].show((const char*) target + key->field);
        return NULL;
}

/* What the reader of the file takes apart, put together again; nothing of it is owned. */
static Input input_of(const Cluster *c) {
        Input in = {
                .cluster = *c,
                .default_architecture = _ARCH_INVALID, /* it has gone into the nodes */
                .pods_list.n = c->n_pods,
                .services_list.n = c->n_services,
        };

        for (size_t i = 0; i < c->n_pods; i++)
                in.pods_list.networks[i] = c->pods[i];
        for (size_t i = 0; i < c->n_services; i++)
                in.services_list.networks[i] = c->services[i];
        return in;
}

static void fill_value(ClusterKey *k, const Key *key, const Cluster *c, const Input *in) {
        if (!c)
                return;
        if (!k->of_node) {
                k->value = show(key, in);
                return;
        }
        for (size_t i = 0; i < c->n_nodes; i++) {
                NodeInput node = { .node = c->nodes[i] };
                _cleanup_free_ char *text = show(key, &node);

                strv_add(&k->node_values, text ? text : "");
        }
}

typedef struct List {
        const Cluster *cluster;
        const Input *input;
        ClusterKey *keys;
        size_t n_keys;
} List;

static void add_keys(List *l, const Key *keys, const char *prefix, bool of_node) {
        for (const Key *key = keys; key->name; key++) {
                _cleanup_free_ char *inner = xasprintf("%s%s.", prefix, key->name);
                ClusterKey *k;

                l->keys = xrealloc(l->keys, l->n_keys + 1, sizeof(ClusterKey));
                k = l->keys + l->n_keys++;
                *k = (ClusterKey) {
                        .name = xasprintf("%s%s", prefix, key->name),
                        .of_node = of_node,
                        .required = key->required,
                        .why = key->why,
                        .without = key->without,
                };
                fill_value(k, key, l->cluster, l->input);
                if (key->keys)
                        add_keys(l, key->keys, inner, of_node || key->form == KEY_FUNCTION);
        }
}

/**
 * cluster_keys_list() - all keys of the cluster file
 * @c:          whose values are wanted, or NULL
 * @ret:        the keys, in the order of hardway.yaml(5)
 * @ret_n:      how many
 */
void cluster_keys_list(const Cluster *c, ClusterKey **ret, size_t *ret_n) {
        const Input in = c ? input_of(c) : (Input) {};
        List l = { .cluster = c, .input = &in };

        add_keys(&l, cluster_keys, "", false);
        *ret = l.keys;
        *ret_n = l.n_keys;
}

void cluster_keys_free(ClusterKey *keys, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(keys[i].name);
                free(keys[i].value);
                strv_free(keys[i].node_values);
        }
        free(keys);
}
