/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "check/check.h"
#include "cli/components.h"
#include "cli/explain-entries.h"
#include "cli/verbs.h"
#include "cluster/input.h"
#include "explain/explain.h"
#include "install/stage.h"
#include "operate/drill.h"
#include "plan/service.h"

/*
 * Everything has an entry that says all there is to say: whoever adds a flag, a setting, a certificate, an
 * item, a line or a key has to say why it is there, what breaks without it, and where it is documented.
 */

typedef struct Fixture {
        Cluster *cluster;
        const Node **nodes;
        Catalogue *catalogue;
} Fixture;

static void set_up(Fixture *f, const char *golden) {
        _cleanup_free_ char *path =
                xasprintf("%s/tests/golden/%s/hardway.yaml", getenv("TEST_SOURCE_ROOT"), golden);
        ErrorList errors = ERROR_LIST_NULL;
        Error *error = NULL;

        *f = (Fixture) {};
        assert_int_equal(cluster_load(path, 0, &f->cluster, &errors), 0);
        error_list_done(&errors);
        f->nodes = xnew(const Node*, f->cluster->n_nodes);
        for (size_t i = 0; i < f->cluster->n_nodes; i++)
                f->nodes[i] = f->cluster->nodes + i;
        assert_success(catalogue_new(&(ExplainRequest) { .components = components,
                                                        .cluster = f->cluster,
                                                        .nodes = f->nodes,
                                                        .n_nodes = f->cluster->n_nodes },
                                     &f->catalogue, &error),
                       error, 0);
}

static void tear_down(Fixture *f) {
        catalogue_free(f->catalogue);
        free(f->nodes);
        cluster_free(f->cluster);
}

static void must_have(const Explanation *e, const char *what, const char *text) {
        if (!text || !*text)
                fail_msg("%s (%s) does not say %s", e->name, e->kind, what);
}

static void must_be_whole(const Explanation *e) {
        must_have(e, "why it is there", e->why);
        must_have(e, "what breaks without it", e->without);
        must_have(e, "where it is documented", e->manual);
        must_have(e, "how it is done by hand", e->by_hand);
}

static void must_know(const Catalogue *c, const char *word, const char *kind) {
        Found found;
        bool known = false;

        catalogue_find(c, word, &found);
        for (size_t i = 0; i < found.n_matches + found.n_others; i++) {
                const Explanation *e =
                        i < found.n_matches ? found.matches[i] : found.others[i - found.n_matches];

                known = known || !kind || strstr(e->kind, kind);
        }
        if (!known)
                fail_msg("nothing is known of %s%s%s", word, kind ? " as " : "", kind ? kind : "");
        found_done(&found);
}

static const char *const clusters[] = { "default",         "amd64-wifi-sdcard",  "extra-args",
                                        "kubernetes-1.34", "kubernetes-1.35",    "kubernetes-1.37",
                                        "external-etcd",   "vip-on-controllers", "ipv6",
                                        "dual-stack",      "foreign-endpoint",   "one-controller" };

static void test_whole(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(clusters); i++) {
                Fixture f;

                set_up(&f, clusters[i]);
                for (size_t k = 0; k < catalogue_size(f.catalogue); k++)
                        must_be_whole(catalogue_get(f.catalogue, k));
                tear_down(&f);
        }
}

/* "Key=value" lines with the lines behind backslashes */
static void check_unit(const Catalogue *c, const PlanItem *item) {
        _cleanup_strv_ Strv lines = strv_split(buffer_str(&item->content), "\n");

        STRV_FOREACH(line, lines) {
                _cleanup_free_ char *key = NULL, *name = NULL;

                if (strchr("[# ", **line))
                        continue;
                key = xstrndup(*line, strcspn(*line, "="));
                name = xasprintf("%s %s", item->unit.name, key);
                must_know(c, name, "unit setting");
                must_know(c, *line, "unit setting");
        }
}

/* Its flags, as they stand in the file: whoever has written them into the command. */
static void check_command(const Catalogue *c, const PlanItem *item) {
        _cleanup_strv_ Strv lines = strv_split(buffer_str(&item->content), "\n");
        bool command = false;

        STRV_FOREACH(line, lines) {
                _cleanup_strv_ Strv words = strv_split(*line, " ");

                command = command || startswith(*line, "ExecStart=");
                if (command && startswith(*line, " "))
                        must_know(c, *line, "flag of ");
                STRV_FOREACH(word, words) {
                        _cleanup_free_ char *name =
                                xasprintf("%s %.*s", item->component, (int) strcspn(*word, "="), *word);

                        if (command && startswith(*word, "--"))
                                must_know(c, name, "flag of ");
                }
                command = command && endswith(*line, "\\");
        }
}

/* The section's, a server's, an acl's, a user's: what the file itself says that it is called. */
static bool declares(const char *line, const char *keyword) {
        static const char *const naming[] = { "server",      "acl",       "user",     "group",
                                              "script_user", "router_id", "interface" };

        for (size_t i = 0; i < ARRAY_SIZE(naming); i++)
                if (streq(keyword, naming[i]))
                        return true;
        return *line != ' ';
}

static Strv names_in(Strv lines) {
        Strv names = NULL;

        STRV_FOREACH(line, lines) {
                _cleanup_strv_ Strv words = strv_split(*line, " ");

                if (strv_length(words) > 1 && declares(*line, words[0]))
                        strv_add(&names, words[1]);
        }
        return names;
}

/* Each word of it that is not a name of its own. */
static void check_words(const Catalogue *c, const PlanItem *item) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
        _cleanup_strv_ Strv lines = strv_split(buffer_str(&item->content), "\n"), names = names_in(lines);
        _cleanup_free_ char *kind = xasprintf(" of %s", strrchr(item->path, '/') + 1);

        STRV_FOREACH(line, lines) {
                _cleanup_strv_ Strv words = strv_split(*line, " ");

                if (strchr(*line, '#'))
                        continue;
                STRV_FOREACH(one, words) {
                        size_t n = strspn(*one, letters);
                        _cleanup_free_ char *word = xstrndup(*one, n);

                        if (n > 1 && word[0] >= 'a' && strchr("(", (*one)[n]) && !strv_contains(names, word))
                                must_know(c, word, kind);
                }
        }
}

/* Each line that says something, as whoever reads the file copies it; but for one that is only a name of its own */
static void check_lines(const Catalogue *c, const PlanItem *item) {
        _cleanup_strv_ Strv lines = strv_split(buffer_str(&item->content), "\n"), names = names_in(lines);

        STRV_FOREACH(line, lines) {
                const char *text = *line + strspn(*line, " ");

                if (!strchr("#!}", *text) && !strv_contains(names, text))
                        must_know(c, *line, " of ");
        }
}

/* Lines of haproxy.cfg and keepalived.conf that are neither comments nor braces nor members of a block */
static void check_config(const Catalogue *c, const Plan *plan, const ConfigText *t) {
        const PlanItem *item = plan_find_path(plan, t->path);

        for (const ConfigLine *l = t->lines; item && l < t->lines + t->n_lines; l++)
                if (l->why && *l->keyword)
                        must_know(c, l->keyword, "of ");
        if (item) {
                check_lines(c, item);
                check_words(c, item);
        }
}

/* Every port that a unit listens on is among the ports, with who connects to it. */
static void check_ports(const Catalogue *c, const PlanItem *item) {
        const Explanation *ports;
        Found found;

        catalogue_find(c, "ports", &found);
        assert_int_equal(found.n_matches, 1);
        ports = found.matches[0];
        found_done(&found);
        for (size_t i = 0; i < item->unit.n_ports; i++) {
                _cleanup_free_ char *name = xasprintf("%u/tcp, %s", item->unit.ports[i], item->component),
                                    *number = xasprintf("%u", item->unit.ports[i]);
                bool known = false;

                must_know(c, number, EXPLAIN_WORD);
                for (size_t k = 0; k < ports->n_parts; k++)
                        known = known || (streq(ports->parts[k].name, name) && *ports->parts[k].text);
                if (!known)
                        fail_msg("ports does not say who connects to %s", name);
        }
}

static void check_node_of(const Fixture *f, const Node *node) {
        Facts facts;
        PlanContext context = { .cluster = f->cluster, .node = node, .facts = &facts };
        Error *error = NULL;
        Plan *plan;

        facts_default(f->cluster, node, &facts);
        assert_success(plan_node(components, &context, &plan, &error), error, 0);
        for (size_t i = 0; i < plan->n_items; i++) {
                const PlanItem *item = plan->items[i];

                must_know(f->catalogue, item->id, NULL);
                if (item->path)
                        must_know(f->catalogue, item->path, NULL);
                if (item->type == PLAN_UNIT) {
                        check_unit(f->catalogue, item);
                        check_command(f->catalogue, item);
                        check_ports(f->catalogue, item);
                }
        }
        for (const Component *const *p = components; *p; p++)
                if ((*p)->config)
                        check_config(f->catalogue, plan, (*p)->config);
        plan_free(plan);
        facts_done(&facts);
}

static void test_plans(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(clusters); i++) {
                Fixture f;

                set_up(&f, clusters[i]);
                for (size_t k = 0; k < f.cluster->n_nodes; k++)
                        check_node_of(&f, f.nodes[k]);
                tear_down(&f);
        }
}

/* Every line of a configuration but braces, comments and bare members has a reason. */
static void test_config_lines(void **state) {
        for (const Component *const *p = components; *p; p++) {
                const ConfigText *t = (*p)->config;

                for (const ConfigLine *l = t ? t->lines : NULL; t && l < t->lines + t->n_lines; l++)
                        if (l->keyword && *l->keyword && !streq(l->keyword, "}") && l->depth < 2)
                                assert_non_null(l->why);
        }
}

static void check_flags(const Catalogue *c, const Component *component) {
        for (size_t i = 0; i < component->n_flags; i++) {
                _cleanup_free_ char *name = xasprintf("%s --%s", component->name, component->flags[i].name);

                must_know(c, name, "flag of ");
        }
        for (size_t i = 0; i < component->n_credentials; i++)
                must_know(c, component->credentials[i].name, NULL);
}

static void check_keys(const Catalogue *c, const Key *keys, const char *prefix) {
        for (const Key *key = keys; key->name; key++) {
                _cleanup_free_ char *name = xasprintf("%s%s", prefix, key->name);
                _cleanup_free_ char *inner = xasprintf("%s.", name);

                must_know(c, name, "key of the cluster file");
                if (key->keys)
                        check_keys(c, key->keys, inner);
        }
}

static void test_declarations(void **state) {
        Error *error = NULL;
        Catalogue *c;

        assert_success(catalogue_new(&(ExplainRequest) { .components = components }, &c, &error), error, 0);
        for (const Component *const *p = components; *p; p++)
                check_flags(c, *p);
        for (size_t i = 0; i < service_n_sandbox; i++)
                must_know(c, service_sandbox[i].key, "unit setting");
        check_keys(c, cluster_keys, "");
        for (size_t i = 0; i < catalogue_size(c); i++) {
                must_be_whole(catalogue_get(c, i));
                assert_int_equal(catalogue_get(c, i)->n_values, 0);
        }
        catalogue_free(c);
}

static const Explanation* only(const Catalogue *c, const char *word) {
        const Explanation *e;
        Found found;

        catalogue_find(c, word, &found);
        assert_true(found_is_one_thing(&found));
        e = found.matches[0];
        found_done(&found);
        return e;
}

static void test_values(void **state) {
        const Explanation *e;
        Fixture f;

        set_up(&f, "extra-args");
        e = only(f.catalogue, "--etcd-servers=https://elsewhere");
        assert_int_equal(e->n_values, 1);
        assert_string_equal(e->values[0].text, "https://127.0.0.1:2379");
        assert_int_equal(strv_length(e->values[0].where), 3);

        e = only(f.catalogue, "advertise-address");
        assert_int_equal(e->n_values, 3);
        assert_string_equal(e->values[2].text, "192.168.3.253");
        assert_string_equal(e->values[2].where[0], "controller-2");

        e = only(f.catalogue, "kube-apiserver --external-hostname");
        assert_string_equal(e->values[0].text, "100% $HOME \"quoted\"; x (yours)");
        assert_contains(e->why, "extra-args");
        e = only(f.catalogue, "--audit-log-maxage");
        assert_string_equal(e->values[0].text, "7 (yours, instead of hardway's)");

        e = only(f.catalogue, "apiserver.crt");
        assert_contains(e->values[1].text, "CN=kube-apiserver, signed by ca");
        assert_contains(e->by_hand, "subjectAltName=DNS:localhost");
        assert_string_equal(e->read_by, "kube-apiserver.service; restarted when it changes");
        /* in our drop-in, which wins over what somebody writes into the unit */
        assert_contains(only(f.catalogue, "keepalived --dont-fork")->by_hand,
                        "systemctl edit keepalived.service ");
        e = only(f.catalogue, "timeout connect");
        assert_string_equal(e->values[0].text, "100ms");
        e = only(f.catalogue, "nodes.name");
        assert_int_equal(e->n_values, 5);
        assert_false(e->absent);

        /* of other versions of Kubernetes, or of other clusters */
        assert_true(only(f.catalogue, "node-cidr-mask-size-ipv4")->absent);
        tear_down(&f);
}

/* What is written about, and is no thing of a plan; and what others set. */
static void test_words(void **state) {
        static const char *const words[] = {
                "VIP",
                "quorum",
                "member",
                "learner",
                "VRRP",
                "ports",
                "drain",
                "majority",
                "ip_forward",
                "net.ipv4.ip_forward",
                "bridge-nf-call-iptables",
                "applied.json",
                "/var/lib/hardway/applied.json",
                "/run/hardway/run.lock",
                "/var/lib/hardway",
                "run.lock",
        };
        Fixture f;

        set_up(&f, "default");
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                const Explanation *e = only(f.catalogue, words[i]);

                must_be_whole(e);
                assert_false(e->absent);
        }
        assert_string_equal(only(f.catalogue, "quorum")->values[0].text,
                            "2 of 3 members: 1 may be lost at a time");
        assert_string_equal(only(f.catalogue, "VIP")->values[0].text,
                            "https://192.168.3.240:6443, held by one of lb-0, lb-1");
        assert_string_equal(only(f.catalogue, "member")->values[0].text,
                            "controller-0, controller-1, controller-2");
        tear_down(&f);

        set_up(&f, "one-controller");
        assert_contains(only(f.catalogue, "VIP")->values[0].text, "there is none");
        assert_string_equal(only(f.catalogue, "quorum")->values[0].text,
                            "1 of 1 members: 0 may be lost at a time");
        assert_true(only(f.catalogue, "keepalived.state")->absent);
        tear_down(&f);
}

static void test_finding(void **state) {
        Error *error = NULL;
        char *nearest;
        Catalogue *c;
        Found found;

        assert_success(catalogue_new(&(ExplainRequest) { .components = components }, &c, &error), error, 0);
        assert_string_equal(only(c, "etcd")->kind, "component");
        assert_string_equal(only(c, "haproxy.cfg")->name, "/etc/haproxy/haproxy.cfg");
        assert_string_equal(only(c, "etcd/ca.crt")->name, "/etc/kubernetes/pki/etcd/ca.crt");

        catalogue_find(c, "--client-ca-file", &found);
        assert_int_equal(found.n_matches, 3);
        assert_false(found_is_one_thing(&found));
        found_done(&found);

        catalogue_find(c, "", &found);
        assert_int_equal(found.n_matches, 0);
        found_done(&found);

        nearest = catalogue_nearest(c, "--ectd-servers");
        assert_string_equal(nearest, "--etcd-servers");
        free(nearest);
        assert_null(catalogue_nearest(c, "something else entirely"));
        catalogue_free(c);
}

/* Of these alone there is nothing to be typed: a question, and a judgement. */
static bool is_thought(const VerbStep *s) {
        return streq(s->name, "ask") || streq(s->name, "judge");
}

static void check_step(const ExplainRequest *request, const Verb *verb, const VerbStep *s) {
        Error *error = NULL;
        char *text;

        assert_true(*s->what);
        if (!s->by_hand) {
                if (!is_thought(s))
                        fail_msg("%s: step %s does not say how it is done by hand", verb->name, s->name);
                return;
        }
        /* the health of an apiserver is that of a server in another backend, which it tracks */
        assert_null(strstr(s->by_hand, "health apiservers/"));
        text = explain_fill(request, s->by_hand, &error);
        if (!text)
                fail_msg("%s: step %s: %s", verb->name, s->name, error->message);
        free(text);
}

/* Not by hardway: what is looked at can be seen by other means. */
static void check_checks(const ExplainRequest *request) {
        _cleanup_free_ CheckName *checks = NULL;
        size_t n;

        check_names_list(components, &checks, &n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = NULL;
                Error *error = NULL;

                if (!checks[i].why || !checks[i].without || !checks[i].by_hand ||
                    strstr(checks[i].by_hand, "hardway check"))
                        fail_msg("check %s does not say how it is done by hand", checks[i].name);
                text = explain_fill(request, checks[i].by_hand, &error);
                if (!text || (!request->cluster && !*text))
                        fail_msg("check %s: %s", checks[i].name, text ? "nothing to type" : error->message);
        }
}

static void check_verbs(const ExplainRequest *request) {
        for (const Verb *const *verb = verbs; *verb; verb++) {
                if (!(*verb)->steps || !(*verb)->steps->name)
                        fail_msg("%s has no steps", (*verb)->name);
                for (const VerbStep *s = (*verb)->steps; s->name; s++)
                        check_step(request, *verb, s);
        }
}

static bool has_step(const Verb *verb, const char *name) {
        for (const VerbStep *s = verb->steps; s->name; s++)
                if (streq(s->name, name))
                        return true;
        return false;
}

/* What the line of a node may say that it is at, the verb's steps explain, by the same name. */
static void test_stages(void **state) {
        for (int i = 0; i < _STAGE_MAX; i++) {
                const Verb *const *verb = verbs;

                assert_non_null(stage_name((Stage) i));
                while (*verb && !streq((*verb)->name, stage_verb((Stage) i)))
                        verb++;
                if (!*verb || !has_step(*verb, stage_name((Stage) i)))
                        fail_msg("explain %s has no step '%s'", stage_verb((Stage) i),
                                 stage_name((Stage) i));
        }
}

/* Each drill can be done by hand, in every shape of cluster in which it can be done at all; and each is in the list. */
static void check_drills(const ExplainRequest *request, Catalogue *c) {
        Error *error = NULL;
        size_t n = 0;

        assert_success(explain_add_drills(c, request, &error), error, 0);
        for (const Drill *d = drills; d->name; d++, n++) {
                _cleanup_free_ char *name = xasprintf("drill %s", d->name);
                Found found;

                catalogue_find(c, name, &found);
                assert_true(found_is_one_thing(&found));
                must_be_whole(found.matches[0]);
                assert_contains(found.matches[0]->by_hand, "ON=\"");
                assert_true(!request->cluster == (found.matches[0]->n_values == 0));
                found_done(&found);
        }
        assert_int_equal(catalogue_get(c, catalogue_size(c) - 1)->n_parts, n);
}

static void test_drills(void **state) {
        static const char *const shapes[] = { "default", "external-etcd", "foreign-endpoint",
                                              "one-controller" };
        ExplainRequest request = { .components = components };
        Error *error = NULL;
        Catalogue *c;

        assert_success(catalogue_new(&request, &c, &error), error, 0);
        check_drills(&request, c);
        catalogue_free(c);
        for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
                Fixture f;

                set_up(&f, shapes[i]);
                request.cluster = f.cluster;
                check_drills(&request, f.catalogue);
                tear_down(&f);
        }
}

/* Every command has steps, and every step what to type; in every shape of cluster, and without one. */
static void test_steps(void **state) {
        static const char *const shapes[] = { "default",          "external-etcd",  "vip-on-controllers",
                                              "foreign-endpoint", "one-controller", "ipv6" };

        check_verbs(&(ExplainRequest) { .components = components });
        check_checks(&(ExplainRequest) { .components = components });
        for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
                ExplainRequest request;
                Fixture f;

                set_up(&f, shapes[i]);
                request = (ExplainRequest) { .components = components,
                                            .cluster = f.cluster,
                                            .nodes = f.nodes,
                                            .n_nodes = f.cluster->n_nodes };
                check_verbs(&request);
                check_checks(&request);
                tear_down(&f);
        }
}

static void assert_filled(const ExplainRequest *request, const char *text, const char *wanted) {
        Error *error = NULL;
        char *filled = explain_fill(request, text, &error);

        assert_success(filled ? 0 : -EINVAL, error, 0);
        assert_string_equal(filled, wanted);
        free(filled);
}

static void test_fill(void **state) {
        ExplainRequest request = { .components = components };
        Error *error = NULL;
        Fixture f;

        set_up(&f, "default");
        request.cluster = f.cluster;
        request.nodes = f.nodes;
        request.n_nodes = f.cluster->n_nodes;
        assert_filled(&request, "@balancer {root} true\ncurl {endpoint}/version",
                      "ssh pi@192.168.3.241 sudo true\nssh pi@192.168.3.242 sudo true\n"
                      "curl https://192.168.3.240:6443/version");
        assert_filled(&request, "@other {name}", "controller-0\ncontroller-1");
        assert_filled(&request, "{others} {this.peer}",
                      "https://192.168.3.251:2379,https://192.168.3.252:2379 https://192.168.3.253:2380");
        assert_filled(&request, "awk '{ print $1 }' {} '{}'", "awk '{ print $1 }' {} '{}'");
        /* what runs beside the components' own units, and what is theirs besides */
        assert_filled(&request, "{this.all-units}",
                      "etcd.service etcd-snapshot.timer kube-apiserver.service "
                      "kube-controller-manager.service kube-scheduler.service hardway-watch.timer");
        assert_filled(&request, "{this.users}",
                      "etcd kube-apiserver kube-controller-manager kube-scheduler");
        assert_filled(&request, "{this.directories}",
                      "/var/lib/etcd /var/lib/etcd-snapshots /var/lib/kube-controller-manager "
                      "/var/log/kubernetes");
        /* the one that was chosen */
        request.n_nodes = 1;
        assert_filled(&request, "{this.name}", "controller-0");
        f.cluster->nodes[0].local = true;
        assert_filled(&request, "{this.root} true", "sudo true");
        assert_null(explain_fill(&request, "{nonsense}", &error));
        assert_contains(error->message, "{nonsense}");
        error_free(error);
        tear_down(&f);
}

/* Where etcd has hosts of its own, an apiserver is not stopped on them, and no load balancer is told of them. */
static void test_fill_for_a_shape(void **state) {
        ExplainRequest request = { .components = components };
        Fixture f;

        set_up(&f, "external-etcd");
        request.cluster = f.cluster;
        assert_filled(&request, "x\n@spares {name}\n{this.units}\n{controller.name}",
                      "x\netcd.service hardway-watch.timer\ncontroller-2");
        tear_down(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),        cmocka_unit_test(test_plans),
                cmocka_unit_test(test_config_lines), cmocka_unit_test(test_declarations),
                cmocka_unit_test(test_words),        cmocka_unit_test(test_values),
                cmocka_unit_test(test_finding),      cmocka_unit_test(test_steps),
                cmocka_unit_test(test_stages),       cmocka_unit_test(test_drills),
                cmocka_unit_test(test_fill),         cmocka_unit_test(test_fill_for_a_shape),
        };

        return cmocka_run_group_tests_name("explain-catalogue", tests, NULL, NULL);
}
