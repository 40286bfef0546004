/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "common/alloc.h"
#include "lbsetup/internal.h"

/* What both load balancers answer: how they are, and who else they have heard. */

typedef struct Input {
        const uint8_t *data;
        size_t size;
} Input;

static int answer(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const Input *input = userdata;

        buffer_add(ret, input->data, input->size);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Input input = { data, size };
        char names[][4] = { "lb0", "lb1" };
        Node nodes[] = {
                { .name = names[0], .roles = ROLE_LOADBALANCER, .index = 0 },
                { .name = names[1], .roles = ROLE_LOADBALANCER, .index = 1 },
        };
        Cluster cluster = { .nodes = nodes, .n_nodes = ARRAY_SIZE(nodes), .endpoint = { .vrrp_id = 51 } };
        ProbeContext context = { .cluster = &cluster, .exec = answer, .userdata = &input };
        _cleanup_(check_list_done) CheckList checks = {};
        _cleanup_pair_ LbPair pair = {};

        (void) inet_address_parse("10.77.0.11", &nodes[0].address);
        (void) inet_address_parse("10.77.0.12", &nodes[1].address);
        (void) inet_address_parse("10.77.0.10", &cluster.endpoint.address);
        lb_pair_look(&context, &pair);
        lb_foreign_verify(&context, &pair, &checks);
        return 0;
}
