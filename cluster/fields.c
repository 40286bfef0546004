/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/fields.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/input.h"
#include "common/alloc.h"
#include "common/parse.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define LABEL_MAX 63
#define DNS_NAME_MAX 253

/*
 * Certificates beyond this many days are as good as without an end, and dates past 2100 trip other programs.
 */
#define HOURS_MAX 744u /* 31 days */
#define DAYS_MAX 18262u

static char* is_not(const char *text, const char *what) {
        _cleanup_free_ char *quoted = quote(text);

        return xasprintf("%s is not %s", quoted, what);
}

/* With the nearest of the words that would do. */
static char* is_none_of(const char *text, const char *what, const char *const *words) {
        _cleanup_free_ char *all = strv_join((char *const *) words, ", ");
        _cleanup_free_ char *quoted = quote(text);
        const char *nearest = string_nearest(text, words);

        if (nearest)
                return xasprintf("%s is not %s; did you mean '%s'?", quoted, what, nearest);
        return xasprintf("%s is not %s (%s)", quoted, what, all);
}

static void put_text(void *field, const char *text) {
        char **p = field;

        free(*p);
        *p = xstrdup(text);
}

static bool is_label(const char *s, size_t n) {
        return n > 0 && n <= LABEL_MAX && strspn(s, LOWER DIGITS "-") >= n && s[0] != '-' && s[n - 1] != '-';
}

/**
 * is_dns_name() - whether a text can be a host's name
 * @s:          the text
 *
 * Lower case only, as Kubernetes has it, and not of digits and dots alone, which readers take for an
 * address.
 *
 * Return: true or false.
 */
bool is_dns_name(const char *s) {
        if (strlen(s) > DNS_NAME_MAX || strspn(s, DIGITS ".") == strlen(s))
                return false;

        for (;;) {
                size_t n = strcspn(s, ".");

                if (!is_label(s, n))
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

char* field_label(const char *text, void *field) {
        if (!is_label(text, strlen(text)))
                return is_not(text, "a name of small letters, digits and inner hyphens, 63 at most");
        put_text(field, text);
        return NULL;
}

char* field_dns_name(const char *text, void *field) {
        if (!is_dns_name(text))
                return is_not(text, "a DNS name in small letters");
        put_text(field, text);
        return NULL;
}

static char* add_once(const char *text, Strv *v) {
        if (strv_contains(*v, text)) {
                _cleanup_free_ char *quoted = quote(text);

                return xasprintf("%s is listed twice", quoted);
        }
        strv_add(v, text);
        return NULL;
}

char* field_dns_names(const char *text, void *field) {
        return is_dns_name(text) ? add_once(text, field) : is_not(text, "a DNS name in small letters");
}

char* field_sans(const char *text, void *field) {
        InetAddress address;

        /* One address has one spelling in the certificate and in comparisons. */
        if (inet_address_parse(text, &address) == 0) {
                char buffer[INET_TEXT_SIZE];

                return add_once(inet_address_format(&address, buffer), field);
        }
        if (!is_dns_name(startswith(text, "*.") ?: text))
                return is_not(text, "a DNS name in small letters or an IP address");
        return add_once(text, field);
}

char* field_address(const char *text, void *field) {
        if (inet_address_parse(text, field) < 0)
                return is_not(text, "an IP address");
        return NULL;
}

char* field_networks(const char *text, void *field) {
        NetworkList *list = field;
        InetNetwork network;
        int r;

        r = inet_network_parse(text, &network);
        if (r == -ERANGE)
                return is_not(text, "a network: bits behind the prefix length are set");
        if (r < 0)
                return is_not(text, "a network (ADDRESS/PREFIX-LENGTH)");
        if (list->n == ARRAY_SIZE(list->networks))
                return xstrdup("more than two networks (one per address family)");

        list->networks[list->n++] = network;
        return NULL;
}

static char* put_number(const char *text, unsigned minimum, unsigned maximum, const char *what,
                        unsigned *field) {
        _cleanup_free_ char *range = xasprintf("%s (%u to %u)", what, minimum, maximum);

        return parse_unsigned(text, minimum, maximum, field) < 0 ? is_not(text, range) : NULL;
}

char* field_port(const char *text, void *field) {
        return put_number(text, 1, 65535, "a port number", field);
}

char* field_prefix(const char *text, void *field) {
        return put_number(text, 1, 128, "a prefix length", field);
}

char* field_vrrp_id(const char *text, void *field) {
        return put_number(text, 1, 255, "a VRRP router id", field);
}

char* field_days(const char *text, void *field) {
        return put_number(text, 1, DAYS_MAX, "a number of days", field);
}

/* A span of whole hours or days, up to a month. */
char* field_hours(const char *text, void *field) {
        _cleanup_free_ char *number = xstrdup(text);
        size_t n = strlen(number);
        unsigned unit, value;

        if (streq(text, "never")) {
                *(unsigned*) field = 0;
                return NULL;
        }
        unit = n > 0 && number[n - 1] == 'h' ? 1 : n > 0 && number[n - 1] == 'd' ? 24 : 0;
        if (n > 0)
                number[n - 1] = '\0';
        if (unit == 0 || parse_unsigned(number, 1, HOURS_MAX / unit, &value) < 0)
                return is_not(text, "a time like 6h or 1d, 31d at most, or never");
        *(unsigned*) field = value * unit;
        return NULL;
}

char* field_keep(const char *text, void *field) {
        return put_number(text, 1, 1000, "a number of snapshots", field);
}

/* YAML has three spellings of each (10.3.2 of its specification). */
char* field_boolean(const char *text, void *field) {
        const char *plain = streq(text, "True") || streq(text, "TRUE")   ? "true" :
                            streq(text, "False") || streq(text, "FALSE") ? "false" :
                                                                           text;

        return parse_boolean(plain, field) < 0 ? is_not(text, "true or false") : NULL;
}

char* field_version(const char *text, void *field) {
        return version_parse(text, field) < 0 ? is_not(text, "a release (like v1.36.3)") : NULL;
}

char* field_architecture(const char *text, void *field) {
        static const char *const words[] = { "arm64", "amd64", NULL };
        Architecture a = architecture_from_string(text);

        if (a < 0)
                return is_none_of(text, "an architecture", words);
        *(Architecture*) field = a;
        return NULL;
}

static char* put_word(const char *text, const char *what, const char *const *words, size_t *ret) {
        for (size_t i = 0; words[i]; i++)
                if (streq(words[i], text)) {
                        *ret = i;
                        return NULL;
                }
        return is_none_of(text, what, words);
}

char* field_network_profile(const char *text, void *field) {
        static const char *const words[] = { [NETWORK_WIRED] = "wired", [NETWORK_WIFI] = "wifi", NULL };
        size_t i = *(NetworkProfile*) field;
        char *wrong = put_word(text, "a kind of network", words, &i);

        *(NetworkProfile*) field = (NetworkProfile) i;
        return wrong;
}

char* field_disk_profile(const char *text, void *field) {
        static const char *const words[] = { [DISK_SSD] = "ssd", [DISK_SDCARD] = "sdcard", NULL };
        size_t i = *(DiskProfile*) field;
        char *wrong = put_word(text, "a kind of disk", words, &i);

        *(DiskProfile*) field = (DiskProfile) i;
        return wrong;
}

char* field_key_type(const char *text, void *field) {
        static const char *const words[] = {
                "ec:p256", "ec:p384", "rsa:2048", "rsa:3072", "rsa:4096", NULL
        };
        KeyType t = key_type_from_string(text);

        if (t < 0)
                return is_none_of(text, "a type of key", words);
        *(KeyType*) field = t;
        return NULL;
}

char* field_roles(const char *text, void *field) {
        static const char *const words[] = { "controller", "etcd", "loadbalancer", NULL };
        unsigned *roles = field;
        size_t i = 0;
        char *wrong = put_word(text, "a role", words, &i);

        if (wrong)
                return wrong;
        if (*roles & (1u << i))
                return xasprintf("'%s' is listed twice", text);
        *roles |= 1u << i;
        return NULL;
}

/* What useradd(8) accepts; and nothing that ssh could take for an option or a host. */
char* field_user(const char *text, void *field) {
        size_t n = strlen(text);

        if (n > 32 || strspn(text, LOWER UPPER DIGITS "_.-") != n || strchr("-." DIGITS, text[0]))
                return is_not(text, "a user's name");
        put_text(field, text);
        return NULL;
}

char* field_host_key(const char *text, void *field) {
        static const char *const types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                             "ecdsa-sha2-nistp521", "ssh-rsa" };
        const char *blank = strchr(text, ' ');
        size_t n = blank ? strspn(blank + 1, LOWER UPPER DIGITS "+/") : 0;

        for (size_t i = 0; n > 40 && i < ARRAY_SIZE(types); i++) {
                const char *rest = startswith(text, types[i]);

                if (rest != blank || strcspn(blank + 1 + n, "=") > 0 || strspn(blank + 1 + n, "=") > 2 ||
                    blank[1 + n + strspn(blank + 1 + n, "=")])
                        continue;
                put_text(field, text);
                return NULL;
        }
        return is_not(text,
                      "a host key (like \"ssh-ed25519 AAAA...\", as ssh-keyscan prints it behind the host)");
}

/* What the kernel accepts as a name, less what would need quoting in keepalived's configuration. */
char* field_interface(const char *text, void *field) {
        size_t n = strlen(text);

        if (n >= IFNAMSIZ || strspn(text, LOWER UPPER DIGITS "_.-@") != n || streq(text, ".") ||
            streq(text, ".."))
                return is_not(text, "the name of a network interface");
        put_text(field, text);
        return NULL;
}

/* What a unit file and a shell take as one word. */
char* field_directory(const char *text, void *field) {
        size_t n = strlen(text);

        if (*text != '/' || n < 2 || text[n - 1] == '/' || strspn(text, LOWER UPPER DIGITS "/_.-") != n ||
            strstr(text, "//") || strstr(text, "/."))
                return is_not(text, "the absolute path of a directory");
        put_text(field, text);
        return NULL;
}

static size_t count_slashes(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += *text == '/';
        return n;
}

/*
 * A directory that is given to one user, so it must be nobody else's: none of the system's, and none that the
 * fences of services close or that is emptied.
 */
char* field_own_directory(const char *text, void *field) {
        static const char *const closed[] = {
                "/bin/",         "/boot/", "/dev/",          "/etc/",     "/home/",    "/lib/",
                "/lib64/",       "/proc/", "/root/",         "/run/",     "/sbin/",    "/sys/",
                "/tmp/",         "/usr/",  "/var/lib/etcd/", "/var/run/", "/var/tmp/", "/var/lib/hardway/",
                "/opt/hardway/",
        };
        _cleanup_free_ char *path = NULL, *inside = xasprintf("%s/", text);
        char *problem = field_directory(text, &path);
        size_t n = count_slashes(text);

        if (problem)
                return problem;
        /* "/srv", "/var/lib" */
        if (n < 2 || (startswith(inside, "/var/") && n < 3))
                return is_not(text, "a directory for this alone, such as /srv/etcd-snapshots");
        for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
                if (startswith(inside, closed[i]))
                        return is_not(text, "a place for this: try /srv/etcd-snapshots");
        put_text(field, text);
        return NULL;
}

char* field_mirrors(const char *text, void *field) {
        const char *host = startswith(text, "https://");
        const char *rest = host ?: startswith(text, "file:///");

        if (!rest)
                return is_not(text, "an https:// or file:// URL");
        if (strspn(text, LOWER UPPER DIGITS "-._~:/@!$&'()*+,;=%[]") != strlen(text) ||
            (host && strcspn(host, "/:") == 0))
                return is_not(text, "a URL that can be used (host and path, without query)");
        return add_once(text, field);
}
