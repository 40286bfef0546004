/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <string.h>

#include "cluster/flag-rules.h"
#include "cluster/input.h"
#include "cluster/profile.h"
#include "cluster/yaml-check.h"
#include "common/alloc.h"
#include "common/parse.h"

#define ELECTION_MSEC_MAX 50000

/*
 * extra-args: the user's own flags, per component
 *
 * The names of flags are free, so this is no table of keys. What is read here is checked again in
 * check_extra_flags(), when the versions are known.
 */

static bool flag_name_good(Loader *l, Mark mark, const char *name) {
        _cleanup_free_ char *quoted = quote(name);

        if (name[0] == '-')
                loader_problem(l, mark, NULL, "%s: flags are written here without their dashes", quoted);
        else if (!name[0] || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
                loader_problem(l, mark, NULL, "%s is not the name of a flag", quoted);
        else
                return true;
        return false;
}

/*
 * A line break would end up in a unit file and in the output of ps; the unit's quoting copes, people do not.
 */
static bool flag_value_good(Loader *l, const char *name, yaml_node_t *node) {
        const Key key = { .name = name };
        const unsigned char *s;

        if (!loader_is(l, &key, node, YAML_SCALAR_NODE))
                return false;

        s = node->data.scalar.value;
        for (size_t i = 0; i < node->data.scalar.length; i++)
                if (s[i] < ' ' || s[i] == 0x7f) {
                        loader_problem(l, mark_of(&node->start_mark), name, "holds a control character");
                        return false;
                }
        return true;
}

static void add_flag(ExtraFlags *e, const char *name, Mark mark, yaml_node_t *value) {
        /* "flag:" is a bare flag, "flag: ''" is one with an empty value. */
        bool bare = value->data.scalar.length == 0 && value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

        e->flags = xrealloc(e->flags, e->n_flags + 1, sizeof(ExtraFlag));
        e->flags[e->n_flags++] = (ExtraFlag) {
                .name = xstrdup(name),
                .value = bare ? NULL : xstrdup((const char*) value->data.scalar.value),
                .line = mark.line,
                .column = mark.column,
        };
}

/* A list: the flag several times, each time with one of the values. */
static void add_repeated(Loader *l, ExtraFlags *e, const char *name, Mark mark, yaml_node_t *list) {
        yaml_node_item_t *first = list->data.sequence.items.start;
        size_t n = (size_t) (list->data.sequence.items.top - first);

        if (n == 0)
                loader_problem(l, mark_of(&list->start_mark), name, "the list is empty");
        else if (n > 1 && !repeated_flag(flag_component(e->component), name))
                loader_problem(l, mark_of(&list->start_mark), name,
                               "takes one value: of several, %s would use the last one alone", e->component);
        else if (n > EXTRA_FLAGS_MAX)
                loader_problem(l, mark_of(&list->start_mark), name, "more than %d values", EXTRA_FLAGS_MAX);
        else
                for (size_t i = 0; i < n; i++) {
                        yaml_node_t *value = loader_node(l, first[i]);

                        if (flag_value_good(l, name, value))
                                add_flag(e, name, n > 1 ? mark_of(&value->start_mark) : mark, value);
                }
}

static void load_flag(Loader *l, ExtraFlags *e, yaml_node_t *key, yaml_node_t *value) {
        Mark mark = mark_of(&key->start_mark);
        const char *name = (const char*) key->data.scalar.value;

        if (key->type != YAML_SCALAR_NODE || strlen(name) != key->data.scalar.length) {
                loader_problem(l, mark, NULL, "a flag's name must be a plain word");
                return;
        }
        if (!flag_name_good(l, mark, name))
                return;

        for (size_t i = 0; i < e->n_flags; i++)
                if (streq(e->flags[i].name, name)) {
                        loader_problem(l, mark, name, "given twice, first in line %d", e->flags[i].line);
                        return;
                }

        if (value->type == YAML_SEQUENCE_NODE)
                add_repeated(l, e, name, mark, value);
        else if (flag_value_good(l, name, value))
                add_flag(e, name, mark, value);
}

static void load_component(Loader *l, ExtraFlags *e, const char *component, yaml_node_t *node) {
        const Key key = { .name = component };
        Loader inner = *l;
        _cleanup_free_ char *section = xasprintf("%s.%s", l->section, component);
        yaml_node_pair_t *first = node->data.mapping.pairs.start;
        size_t n;

        *e = (ExtraFlags) { .component = xstrdup(component) };
        if (!loader_is(l, &key, node, YAML_MAPPING_NODE))
                return;

        n = (size_t) (node->data.mapping.pairs.top - first);
        if (n > EXTRA_FLAGS_MAX) {
                loader_problem(l, mark_of(&node->start_mark), component, "more than %d flags",
                               EXTRA_FLAGS_MAX);
                return;
        }

        inner.section = section;
        for (size_t i = 0; i < n; i++)
                load_flag(&inner, e, loader_node(l, first[i].key), loader_node(l, first[i].value));
}

static bool component_known(Loader *l, Mark mark, const char *name) {
        _cleanup_free_ char *quoted = quote(name);
        _cleanup_free_ char *all = strv_join((char *const *) flag_component_names, ", ");
        const char *nearest = string_nearest(name, flag_component_names);

        if (flag_component(name))
                return true;
        if (nearest)
                loader_problem(l, mark, NULL, "unknown component %s; did you mean '%s'?", quoted, nearest);
        else
                loader_problem(l, mark, NULL, "unknown component %s (%s)", quoted, all);
        return false;
}

/* Whether this component is not in the list yet. */
static bool component_new(Loader *l, const Cluster *c, Mark mark, const char *name) {
        if (!cluster_extra_flags(c, name))
                return true;
        loader_problem(l, mark, name, "given twice");
        return false;
}

/**
 * load_extra_flags() - read "extra-args"
 * @l:          the loader
 * @key:        the key's row
 * @node:       its value
 * @target:     the Input
 */
void load_extra_flags(Loader *l, const Key *key, yaml_node_t *node, void *target) {
        Cluster *c = &((Input*) target)->cluster;
        Loader inner = *l;
        yaml_node_pair_t *pair;

        if (!loader_is(l, key, node, YAML_MAPPING_NODE))
                return;

        inner.section = key->name;
        c->extra_flags = xnew(ExtraFlags, FLAG_N_COMPONENTS);
        for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
                yaml_node_t *name_node = loader_node(l, pair->key);
                Mark mark = mark_of(&name_node->start_mark);
                const char *name = (const char*) name_node->data.scalar.value;

                if (l->problems->n_errors > PROBLEMS_MAX)
                        return;
                if (name_node->type != YAML_SCALAR_NODE)
                        loader_problem(&inner, mark, NULL, "a key must be a plain word");
                else if (component_known(&inner, mark, name) && component_new(&inner, c, mark, name))
                        load_component(&inner, &c->extra_flags[c->n_extra_flags++], name,
                                       loader_node(l, pair->value));
        }
}

static void check_flag(Input *in, const ExtraFlags *e, const ExtraFlag *f) {
        const char *name = e->component;
        FlagComponent component = flag_component(name);
        bool etcd = component == FLAG_ETCD;
        const Version *v = etcd ? &in->cluster.etcd : &in->cluster.kubernetes;
        const RemovedFlag *gone = removed_flag(component, f->name, f->value, v->minor);
        const OwnedFlag *ours = owned_flag(component, f->name, f->value);
        Mark mark = { f->line, f->column };
        _cleanup_free_ char *value = gone && gone->value ? xasprintf("=%s", gone->value) : xstrdup("");

        if (ours)
                problem_add(&in->problems, mark, "extra-args.%s.%s is hardway's to set: %s", name, f->name,
                            ours->why);
        else if (gone && gone->deprecated)
                problem_warn(&in->problems, mark, "extra-args.%s.%s: --%s%s is deprecated: %s", name,
                             f->name, f->name, value, gone->advice);
        else if (gone && gone->minor > 0)
                problem_add(&in->problems, mark, "extra-args.%s.%s: %s has no --%s%s since %u.%u: %s", name,
                            f->name, name, f->name, value, v->major, gone->minor, gone->advice);
        else if (gone)
                problem_add(&in->problems, mark, "extra-args.%s.%s: %s no longer has --%s%s: %s", name,
                            f->name, name, f->name, value, gone->advice);
        else {
                check_flag_paths(in, e, f);
                check_flag_files(in, e, f);
        }
}

/* The last one counts, as for etcd. 0: not given, or nothing that can be compared. */
static unsigned etcd_msec(const Cluster *c, const char *name, unsigned otherwise, Mark *mark) {
        const ExtraFlags *e = cluster_extra_flags(c, "etcd");

        for (size_t i = 0; e && i < e->n_flags; i++)
                if (streq(e->flags[i].name, name)) {
                        *mark = (Mark) { e->flags[i].line, e->flags[i].column };
                        if (!e->flags[i].value ||
                            parse_unsigned(e->flags[i].value, 1, UINT_MAX / 5, &otherwise) < 0)
                                otherwise = 0;
                }
        return otherwise;
}

/* With these etcd does not start (server/embed/config.go, Validate()). */
static void check_etcd_timings(Input *in) {
        Timings t;
        Mark mark = {};
        unsigned heartbeat, election;

        timings_for(in->cluster.network_profile, in->cluster.disk_profile, &t);
        heartbeat = etcd_msec(&in->cluster, "heartbeat-interval", t.etcd_heartbeat_msec, &mark);
        election = etcd_msec(&in->cluster, "election-timeout", t.etcd_election_msec, &mark);
        if (mark.line == 0)
                return;
        if (heartbeat == 0 || election == 0)
                problem_add(&in->problems, mark,
                            "extra-args.etcd: heartbeat-interval and election-timeout are milliseconds");
        else if (election < 5 * heartbeat)
                problem_add(&in->problems, mark,
                            "extra-args.etcd: etcd does not start with an election-timeout of %u ms and a "
                            "heartbeat-interval of %u ms: the first has to be five times the second or more",
                            election, heartbeat);
        else if (election > ELECTION_MSEC_MAX)
                problem_add(&in->problems, mark,
                            "extra-args.etcd: etcd does not start with an election-timeout above %d ms",
                            ELECTION_MSEC_MAX);
}

/**
 * check_extra_flags() - refuse flags that are gone, those that other parts are planned on, and values that cannot work
 * @in:         the input, with its versions
 */
void check_extra_flags(Input *in) {
        const Cluster *c = &in->cluster;

        for (size_t i = 0; i < c->n_extra_flags; i++) {
                const ExtraFlags *e = &c->extra_flags[i];

                for (size_t k = 0; k < e->n_flags; k++)
                        check_flag(in, e, &e->flags[k]);
                check_weak_flags(in, e);
        }
        check_flag_directories(in);
        check_etcd_timings(in);
}
