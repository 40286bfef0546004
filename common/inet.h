/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <netinet/in.h>

#include "common/macro.h"

/*
 * IP addresses and networks as values; IPv4 and IPv6.
 *
 * Text is accepted only in the form inet_pton(3) takes and always given back in the canonical form of
 * inet_ntop(3) (RFC 5952 for IPv6), so that one address has one spelling in every file we write.
 */
typedef struct InetAddress {
        int family; /* AF_INET, AF_INET6, or AF_UNSPEC for "none" */
        union {
                struct in_addr in;
                struct in6_addr in6;
                uint8_t bytes[16];
        };
} InetAddress;

typedef struct InetNetwork {
        InetAddress address; /* host bits are zero */
        unsigned prefix_length;
} InetNetwork;

#define INET_TEXT_SIZE INET6_ADDRSTRLEN

int inet_address_parse(const char *s, InetAddress *ret);
int inet_network_parse(const char *s, InetNetwork *ret); /* -EINVAL form, -ERANGE host bits set */
const char* inet_address_format(const InetAddress *a, char buffer[static INET_TEXT_SIZE]);
char* inet_address_to_string(const InetAddress *a);
char* inet_network_to_string(const InetNetwork *n);
char* inet_endpoint_to_string(const InetAddress *a, unsigned port); /* [v6]:port */
bool inet_is_loopback(const InetAddress *a);                        /* 127.0.0.1 or ::1 */
bool inet_address_equal(const InetAddress *a, const InetAddress *b);
size_t inet_address_size(const InetAddress *a);
bool inet_network_contains(const InetNetwork *n, const InetAddress *a);
bool inet_network_overlaps(const InetNetwork *a, const InetNetwork *b);
int inet_connect_begin(const InetAddress *a, unsigned port);
int inet_connect_end(int fd);
int inet_network_nth(const InetNetwork *n, unsigned index, InetAddress *ret); /* -ERANGE if outside */
