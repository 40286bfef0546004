/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/parse.h"

/**
 * inet_address_parse() - read an address
 * @s:          an IPv4 or IPv6 address, without brackets, zone or prefix length
 * @ret:        the address
 *
 * Return: 0, or -EINVAL.
 */
int inet_address_parse(const char *s, InetAddress *ret) {
        InetAddress a = {};

        if (inet_pton(AF_INET, s, &a.in) == 1)
                a.family = AF_INET;
        else if (inet_pton(AF_INET6, s, &a.in6) == 1)
                a.family = AF_INET6;
        else
                return -EINVAL;

        *ret = a;
        return 0;
}

/* Clears the bits behind the prefix; says whether there were any. */
static bool inet_address_mask(InetAddress *a, unsigned prefix_length) {
        bool changed = false;

        for (unsigned i = 0; i < inet_address_size(a); i++) {
                unsigned bits = prefix_length > i * 8 ? prefix_length - i * 8 : 0;
                uint8_t mask = bits >= 8 ? 0xff : (uint8_t) (0xff00u >> bits);

                changed = changed || (a->bytes[i] & ~mask);
                a->bytes[i] &= mask;
        }
        return changed;
}

/**
 * inet_network_parse() - read a network
 * @s:          an address, a slash and a prefix length in digits
 * @ret:        the network
 *
 * Return: 0; -EINVAL if it is not of this form; -ERANGE if bits behind the prefix are set, that is, if it is
 * the address of a host in a network.
 */
int inet_network_parse(const char *s, InetNetwork *ret) {
        _cleanup_free_ char *address = NULL;
        const char *slash = strchr(s, '/');
        InetNetwork n = {};

        if (!slash || (slash[1] == '0' && slash[2]))
                return -EINVAL;

        address = xstrndup(s, (size_t) (slash - s));
        if (inet_address_parse(address, &n.address) < 0 ||
            parse_unsigned(slash + 1, 0, (unsigned) inet_address_size(&n.address) * 8, &n.prefix_length) < 0)
                return -EINVAL;
        if (inet_address_mask(&n.address, n.prefix_length))
                return -ERANGE;

        *ret = n;
        return 0;
}

/**
 * inet_address_format() - write an address into a buffer
 * @a:          the address
 * @buffer:     where to
 *
 * Return: @buffer, which holds "" for no address.
 */
const char* inet_address_format(const InetAddress *a, char buffer[static INET_TEXT_SIZE]) {
        buffer[0] = '\0';
        if (a->family == AF_INET || a->family == AF_INET6)
                (void) inet_ntop(a->family, a->bytes, buffer, INET_TEXT_SIZE);
        return buffer;
}

/**
 * inet_address_to_string() - write an address
 * @a:          the address
 *
 * Return: its canonical form; the caller frees.
 */
char* inet_address_to_string(const InetAddress *a) {
        char buffer[INET_TEXT_SIZE];

        return xstrdup(inet_address_format(a, buffer));
}

/**
 * inet_network_to_string() - write a network
 * @n:          the network
 *
 * Return: address, slash, prefix length; the caller frees.
 */
char* inet_network_to_string(const InetNetwork *n) {
        char buffer[INET_TEXT_SIZE];

        return xasprintf("%s/%u", inet_address_format(&n->address, buffer), n->prefix_length);
}

/**
 * inet_endpoint_to_string() - write an address and a port
 * @a:          the address
 * @port:       the port
 *
 * Return: "192.0.2.1:6443" or "[2001:db8::1]:6443"; the caller frees.
 */
char* inet_endpoint_to_string(const InetAddress *a, unsigned port) {
        char buffer[INET_TEXT_SIZE];

        return xasprintf(a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", inet_address_format(a, buffer), port);
}

/**
 * inet_address_equal() - whether two addresses are the same
 * @a:          one
 * @b:          the other
 *
 * Return: true if so; an IPv4 address and the IPv6 address it is mapped to are not.
 */
bool inet_address_equal(const InetAddress *a, const InetAddress *b) {
        return a->family == b->family && memcmp(a->bytes, b->bytes, inet_address_size(a)) == 0;
}

/**
 * inet_is_loopback() - is it where a machine speaks to itself?
 * @a:          the address
 *
 * Return: true for 127.0.0.1 and ::1.
 */
bool inet_is_loopback(const InetAddress *a) {
        static const char *const loopback[] = { "127.0.0.1", "::1" };
        InetAddress other;

        for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
                if (inet_address_parse(loopback[i], &other) == 0 && inet_address_equal(a, &other))
                        return true;
        return false;
}

/**
 * inet_address_size() - bytes of an address
 * @a:          the address
 *
 * Return: 4, 16, or 0 for no address.
 */
size_t inet_address_size(const InetAddress *a) {
        switch (a->family) {
        case AF_INET:
                return sizeof(a->in);
        case AF_INET6:
                return sizeof(a->in6);
        default:
                return 0;
        }
}

/**
 * inet_network_contains() - whether an address is in a network
 * @n:          the network
 * @a:          the address
 *
 * Return: true if so.
 */
bool inet_network_contains(const InetNetwork *n, const InetAddress *a) {
        InetAddress masked = *a;

        if (inet_address_size(a) == 0)
                return false;

        (void) inet_address_mask(&masked, n->prefix_length);
        return inet_address_equal(&masked, &n->address);
}

/**
 * inet_network_overlaps() - whether two networks have an address in common
 * @a:          one
 * @b:          the other
 *
 * Return: true if so, which means that one contains the other.
 */
bool inet_network_overlaps(const InetNetwork *a, const InetNetwork *b) {
        return a->prefix_length <= b->prefix_length ? inet_network_contains(a, &b->address) :
                                                      inet_network_contains(b, &a->address);
}

/**
 * inet_network_nth() - count addresses from the start of a network
 * @n:          the network
 * @index:      0 is the network's own address
 * @ret:        the address
 *
 * Return: 0, or -ERANGE if it has not that many.
 */
int inet_network_nth(const InetNetwork *n, unsigned index, InetAddress *ret) {
        InetAddress a = n->address;
        uint64_t carry = index;

        for (size_t i = inet_address_size(&a); i > 0; i--) {
                carry += a.bytes[i - 1];
                a.bytes[i - 1] = (uint8_t) carry;
                carry >>= 8;
        }
        if (carry > 0 || !inet_network_contains(n, &a))
                return -ERANGE;

        *ret = a;
        return 0;
}

/**
 * inet_connect_begin() - begin to connect by TCP
 * @a:          to whom
 * @port:       to which port
 *
 * Return: a socket that does not block, which is ready for writing once inet_connect_end() knows; or a negative
 * errno, also of what is known at once.
 */
int inet_connect_begin(const InetAddress *a, unsigned port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port) };
        bool six = a->family == AF_INET6;
        _cleanup_close_ int fd = socket(a->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int r;

        if (fd < 0)
                return -errno;
        in.sin_addr = a->in;
        in6.sin6_addr = a->in6;
        r = six ? connect(fd, (struct sockaddr*) &in6, sizeof(in6)) :
                  connect(fd, (struct sockaddr*) &in, sizeof(in));
        if (r < 0 && errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

/**
 * inet_connect_end() - what became of it
 * @fd:         of inet_connect_begin(), ready for writing; stays open
 *
 * Return: 0 if there is a connection, or a positive errno.
 */
int inet_connect_end(int fd) {
        int error = 0;
        socklen_t size = sizeof(error);

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}
