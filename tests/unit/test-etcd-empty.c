/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A member without data: when it may begin, and when it would take part in a quorum that lacks what was acknowledged.
 *
 * Wraps: etcd_members_of store_file
 */

#include "tests/unit/unit.h"

#include "etcd/etcd.h"
#include "etcd/internal.h"
#include "plan/served.h"
#include "tests/unit/plan-fixture.h"

#define IDENTITY "0125ab"
#define TOKEN "00112233445566778899aabbccddeeff"
#define N_NODES 5

/* What another member's node says over ssh, and its member. */
typedef struct Other {
        const char *data;    /* of etcd-data.sh; NULL: it cannot be reached */
        const char *started; /* of etcd-started.sh; NULL: its data cannot be read */
        const char *list;    /* names that it knows as started; NULL: it does not answer */
} Other;

#define OFF \
        { NULL, NULL, NULL }
#define EMPTY \
        { "end\n", "", NULL }
#define DATA(names) \
        { "member\nmark " IDENTITY "\nend\n", names, NULL }
#define RUNS(names) \
        { "member\nmark " IDENTITY "\nend\n", "started c9\n", names }
#define FOREIGN \
        { "member\nmark other\nend\n", "started c0\n", NULL }
#define OLD \
        { "member\nmark " IDENTITY "\nmark 99\nend\n", "started c0\n", NULL }

static const Other *others;
static bool quorum, served, restored, another, began;

int __wrap_etcd_members_of(const ProbeContext *c, const Node *node, uint64_t timeout_usec, bool linearizable,
                           EtcdMembers *ret);
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);

int __wrap_etcd_members_of(const ProbeContext *c, const Node *node, uint64_t timeout_usec, bool linearizable,
                           EtcdMembers *ret) {
        const Other *other = others + node->index - 1;

        assert_int_not_equal(node->index, 0);
        if (!other->list || (linearizable && !quorum))
                return -ECONNREFUSED;
        *ret = (EtcdMembers) { .members = xnew(EtcdMember, 1), .n_members = 1 };
        ret->members[0].name = xstrdup("c0");
        if (strstr(other->list, "c0"))
                strv_add(&ret->members[0].client_urls, "https://c0:2379");
        return 0;
}

int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer identity = { .data = (char*) IDENTITY "\n", .size = sizeof(IDENTITY) },
                      token = { .data = (char*) TOKEN "\n", .size = sizeof(TOKEN) },
                      stranger = { .data = (char*) "another\n", .size = sizeof("another") };

        *ret = streq(path, PLAN_SERVED) ? (another ? &stranger : &identity) :
               streq(path, ETCD_TOKEN)  ? &token :
                                          &identity;
        if (streq(path, "secrets/identity") || (streq(path, PLAN_SERVED) && served) ||
            (streq(path, ETCD_TOKEN) && restored))
                return 0;
        return error_set(reterr, ERROR_CONFIG, ENOENT, "%s: no such file", path);
}

static int run_on(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const Other itself = { began ? "began\nend\n" : "end\n", "", NULL };
        const Other *other = node->index > 0 ? others + node->index - 1 : &itself;
        const char *answer =
                strstr(script, "which members does its data know") ? other->started : other->data;

        if (!answer)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s: no answer", node->name);
        buffer_add_str(ret, answer);
        return 0;
}

static EtcdBeginning judge(size_t n_members, const Other *list, const Node **ret_other) {
        static Node nodes[N_NODES];
        static char names[N_NODES][24];
        static Cluster c;
        ProbeContext context = { .cluster = &c, .exec = run_on, .store = (Store*) names };

        c = (Cluster) { .nodes = nodes, .n_nodes = n_members };
        for (size_t i = 0; i < n_members; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "c%zu", i);
                nodes[i] = (Node) { .name = names[i], .index = i, .roles = ROLE_ETCD };
        }
        others = list;
        return etcd_judge_empty(&context, nodes, ret_other);
}

typedef struct Row {
        const char *what;
        size_t n_members;
        Other others[N_NODES - 1];
        bool served, restored, quorum;
        EtcdBeginning expected;
        const char *other; /* who is missed */
} Row;

static const Row rows[] = {
        /* the first installation */
        { "all begin", 3, { EMPTY, EMPTY }, .expected = ETCD_BEGINS },
        { "one controller", 1, {}, .expected = ETCD_BEGINS },
        { "a node at a time, the others not there yet", 3, { OFF, OFF }, .expected = ETCD_BEGINS },
        { "the second one, the first waits", 3, { DATA(""), OFF }, .expected = ETCD_BEGINS },
        { "killed, others have begun, and found no quorum",
          3,
          { DATA(""), EMPTY },
          .expected = ETCD_BEGINS },
        { "the third one, late: a quorum knows it as never started",
          3,
          { RUNS("c1 c2"), RUNS("c1 c2") },
          .served = true,
          .quorum = true,
          .expected = ETCD_BEGINS },
        { "the same after a power cut, etcd does not run yet",
          3,
          { DATA("started c1\nstarted c2\n"), DATA("known c0\nknown c1\nknown c2\n") },
          .served = true,
          .expected = ETCD_BEGINS },
        /* it lost its data */
        { "a quorum knows it",
          3,
          { RUNS("c0 c1"), RUNS("c0 c1") },
          .quorum = true,
          .expected = ETCD_WAS_STARTED },
        { "one that waits for a quorum knows it", 3, { RUNS("c0"), OFF }, .expected = ETCD_WAS_STARTED },
        { "it is in what lies there, and nothing runs",
          3,
          { DATA("started c0\n"), OFF },
          .expected = ETCD_WAS_STARTED },
        { "the same, by one of a majority",
          3,
          { DATA("started c1\n"), DATA("started c0\nstarted c1\n") },
          .served = true,
          .expected = ETCD_WAS_STARTED },
        { "others are off, and the cluster has served",
          3,
          { OFF, OFF },
          .served = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "... and one of them has lost its data as well",
          3,
          { EMPTY, OFF },
          .served = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c2" },
        { "one has data of when it served, and cannot know",
          3,
          { DATA("started c1\nstarted c2\n"), OFF },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "... and runs, and waits",
          3,
          { RUNS("c1 c2"), OFF },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "two of five are no majority",
          5,
          { DATA("started c1\n"), DATA(""), OFF, OFF },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "data that cannot be read",
          3,
          { { "member\nmark " IDENTITY "\nend\n", NULL, NULL }, DATA("") },
          .served = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "others' data counts as nothing that is known",
          3,
          { FOREIGN, DATA("started c1\n") },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        /* it grows, and the only member is off, or stopped */
        { "to a cluster of one",
          3,
          { DATA("started c1\n"), EMPTY },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "to five, and all three are off",
          5,
          { DATA("started c1\nstarted c2\n"), DATA("known c2\nstarted c1\n"), DATA("started c3\n"), EMPTY },
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        /* all is to begin anew */
        { "all were reset", 3, { EMPTY, EMPTY }, .served = true, .expected = ETCD_BEGINS },
        { "all were, and one has begun again since",
          3,
          { DATA(""), EMPTY },
          .served = true,
          .expected = ETCD_BEGINS },
        { "... and the third cannot be asked",
          3,
          { DATA(""), OFF },
          .served = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "all were, after a restore",
          3,
          { EMPTY, EMPTY },
          .served = true,
          .restored = true,
          .expected = ETCD_BEGINS },
        { "the only one, and that was no reset", 1, {}, .served = true, .expected = ETCD_WAS_STARTED },
        /* after a restore */
        { "restored, one away",
          3,
          { EMPTY, OFF },
          .restored = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c2" },
        { "restored data knows nobody as started",
          3,
          { DATA(""), DATA("") },
          .restored = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "data of before",
          3,
          { OLD, EMPTY },
          .restored = true,
          .expected = ETCD_NEEDS_OTHERS,
          .other = "c1" },
        { "restored, and it serves",
          3,
          { RUNS("c1"), RUNS("c1") },
          .restored = true,
          .quorum = true,
          .expected = ETCD_BEGINS },
};

static void test_table(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Row *row = rows + i;
                const Node *other = NULL;
                EtcdBeginning beginning;

                served = row->served;
                restored = row->restored;
                quorum = row->quorum;
                beginning = judge(row->n_members, row->others, &other);
                if (beginning != row->expected)
                        fail_msg("%s: %d, not %d", row->what, beginning, row->expected);
                if (row->other && !streq_null(other ? other->name : NULL, row->other))
                        fail_msg("%s: misses %s, not %s", row->what, other ? other->name : "nobody",
                                 row->other);
        }
        served = restored = quorum = false;
}

/* The directory was used for another cluster before: the mark is of that one. */
static void test_mark_of_another(void **state) {
        static const Other both_off[] = { OFF, OFF };
        const Node *other;

        served = another = true;
        assert_int_equal(judge(3, both_off, &other), ETCD_BEGINS);
        another = false;
        assert_int_equal(judge(3, both_off, &other), ETCD_NEEDS_OTHERS);
        served = false;
        assert_false(plan_has_served(NULL));
}

/* What a person reads, and does about it. */
static void test_refused(void **state) {
        static const Other both_off[] = { OFF, OFF }, lost[] = { DATA("started c0\n"), OFF };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        ProbeContext context = { .cluster = &c, .exec = run_on, .store = (Store*) nodes };
        _cleanup_(check_list_done) CheckList checks = {};

        served = true;
        others = both_off;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_string_equal(checks.checks[0].subject, "etcd-data");
        assert_contains(
                checks.checks[0].text,
                "has no etcd data, no member answers that it could join, and c1 has some or cannot be asked");
        assert_contains(checks.checks[0].advice, "hardway install --node NAME");
        assert_contains(checks.checks[0].advice, "hardway etcd replace c0");
        assert_contains(checks.checks[0].advice, "hardway etcd restore");

        others = lost;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text,
                        "was a member of this etcd cluster, but its data is gone from /var/lib/etcd");
        assert_contains(checks.checks[1].advice,
                        "hardway etcd replace c0, once enough of the others serve to be a quorum");
        assert_contains(checks.checks[1].advice, "hardway install --node NAME");
        assert_contains(checks.checks[1].advice, "hardway etcd restore");
        served = false;
}

/* The node has seen its member serve: it needs nobody to say so. Alone, nobody could. */
static void test_remembered(void **state) {
        static const Other all_empty[] = { EMPTY, EMPTY };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        ProbeContext context = { .cluster = &c, .exec = run_on, .store = (Store*) nodes };
        _cleanup_(check_list_done) CheckList checks = {};

        others = all_empty;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        began = true;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text,
                        "was a member of this etcd cluster, but its data is gone from /var/lib/etcd");

        c.n_nodes = 1;
        for (int by_directory = 0; by_directory < 2; by_directory++) {
                const Check *check;

                began = !by_directory;
                served = by_directory;
                assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
                check = checks.checks + checks.n_checks - 1;
                assert_int_equal(check->state, CHECK_FAILED);
                assert_string_equal(
                        check->text,
                        "the cluster has served, and the data of its only member is gone from /var/lib/etcd");
                assert_contains(check->advice, "mount it");
                assert_contains(check->advice, "hardway etcd restore FILE");
                assert_contains(check->advice, "hardway reset");
        }
        began = served = false;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_mark_of_another),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_remembered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
