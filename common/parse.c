/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/parse.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/alloc.h"

/**
 * parse_uint64() - read a decimal number
 * @s:          the text; digits only, leading zeros are allowed and decimal
 * @minimum:    smallest allowed value
 * @maximum:    largest allowed value
 * @ret:        the number
 *
 * Return: 0, -EINVAL if it is no number, -ERANGE if it is out of the limits.
 */
int parse_uint64(const char *s, uint64_t minimum, uint64_t maximum, uint64_t *ret) {
        uint64_t value = 0;
        bool overflow = false;

        if (!*s)
                return -EINVAL;

        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        overflow = true; /* but go on: "99999999999999999999x" is no number at all */
        }
        if (overflow || value < minimum || value > maximum)
                return -ERANGE;

        *ret = value;
        return 0;
}

/**
 * parse_unsigned() - read a decimal number that fits an unsigned
 * @s:          the text; digits only
 * @minimum:    smallest allowed value
 * @maximum:    largest allowed value
 * @ret:        the number
 *
 * Return: 0, -EINVAL if it is no number, -ERANGE if it is out of the limits.
 */
int parse_unsigned(const char *s, unsigned minimum, unsigned maximum, unsigned *ret) {
        uint64_t value;
        int r;

        r = parse_uint64(s, minimum, maximum, &value);
        if (r < 0)
                return r;

        *ret = (unsigned) value;
        return 0;
}

/**
 * parse_boolean() - read yes or no
 * @s:          the text: true, false, yes or no, in small letters
 * @ret:        the value
 *
 * Return: 0, or -EINVAL.
 */
int parse_boolean(const char *s, bool *ret) {
        if (streq(s, "true") || streq(s, "yes"))
                *ret = true;
        else if (streq(s, "false") || streq(s, "no"))
                *ret = false;
        else
                return -EINVAL;
        return 0;
}

/**
 * parse_span() - read a length of time
 * @s:          a number and its unit: d, h, m or s
 * @maximum:    largest allowed value, in seconds
 * @ret_sec:    the length in seconds
 *
 * A number without unit is refused: one person means days by it, the next one seconds.
 *
 * Return: 0, -EINVAL if it is no such text, -ERANGE if it is out of the limits.
 */
int parse_span(const char *s, int64_t maximum, int64_t *ret_sec) {
        static const struct {
                char unit;
                int64_t seconds;
        } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
        size_t n = strlen(s);
        uint64_t value;

        for (size_t i = 0; n > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
                _cleanup_free_ char *number = NULL;
                int r;

                if (s[n - 1] != units[i].unit)
                        continue;
                number = xstrndup(s, n - 1);
                r = parse_uint64(number, 0, (uint64_t) (maximum / units[i].seconds), &value);
                if (r >= 0)
                        *ret_sec = (int64_t) value * units[i].seconds;
                return r;
        }
        return -EINVAL;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

/**
 * parse_hex() - read bytes from hex digits
 * @s:          the text, exactly 2 * @size digits in capital or small letters
 * @ret:        the bytes
 * @size:       how many bytes
 *
 * Return: 0, or -EINVAL.
 */
int parse_hex(const char *s, void *ret, size_t size) {
        uint8_t *bytes = ret;

        if (strlen(s) / 2 != size || strlen(s) % 2 != 0 || s[strspn(s, "0123456789abcdefABCDEF")])
                return -EINVAL;

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t) (hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
        return 0;
}

/**
 * format_hex() - write bytes as hex digits
 * @data:       the bytes
 * @size:       how many
 * @ret:        where 2 * @size + 1 bytes are, for small letters and a NUL
 */
void format_hex(const void *data, size_t size, char *ret) {
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++) {
                ret[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
                ret[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
        }
        ret[2 * size] = '\0';
}
