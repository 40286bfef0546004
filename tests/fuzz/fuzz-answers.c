/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "check/check.h"
#include "common/alloc.h"

/* What a node answers when it is asked further questions; and the rules that go by it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Component *const none[] = { NULL };
        _cleanup_free_ char *text = xstrndup((const char*) data, size);
        _cleanup_(check_list_done) CheckList found = {};
        char name[] = "h0";
        Node node = { .name = name, .roles = ROLE_CONTROLLER | ROLE_ETCD | ROLE_LOADBALANCER };
        Cluster cluster = { .nodes = &node, .n_nodes = 1 };
        Facts facts;
        Answers answers;
        CheckNode checked = { .node = &node, .facts = &facts, .answers = &answers, .judged = true };
        CheckWorld world = { .cluster = &cluster, .components = none, .nodes = &checked };

        facts_default(&cluster, &node, &facts);
        answers_parse(text, &answers);
        check_node(&world, &checked, &found);
        check_all(&world, &found);
        answers_done(&answers);
        facts_done(&facts);
        return 0;
}
