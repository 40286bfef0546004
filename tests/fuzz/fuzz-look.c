/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "common/alloc.h"
#include "host/look-parse.h"

/* What a node answers when it is looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char nonce[] = "0123456789abcdef";
        _cleanup_strv_ Strv units = strv_new("etcd.service", "foo.service", NULL);
        _cleanup_strv_ Strv sysctls = strv_new("net.ipv4.ip_forward", NULL);
        _cleanup_(look_done) Look look = LOOK_NULL;
        _cleanup_(facts_done) Facts facts = {};
        _cleanup_error_ Error *error = NULL;
        char name[] = "h0";
        Node node = { .name = name };
        InetAddress address;
        LookRequest request = { .nonce = nonce, .address = &address, .units = units, .sysctls = sysctls };

        (void) inet_address_parse("10.77.0.20", &address);
        facts_default(NULL, &node, &facts);
        if (look_parse(&request, (const char*) data, size, &facts, &look, &error) < 0)
                return 0;
        (void) look_parse_digests(nonce, (const char*) data, size, look.observation, NULL);
        return 0;
}
