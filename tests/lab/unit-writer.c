/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: unit-writer PROGRAM SEED COUNT UNIT EXPECTED
 *
 * Writes a unit file whose COUNT command lines have PROGRAM print random arguments, and what it should print
 * then: a line for each argument, in hex. For test_units.py, which has the real systemd read it.
 */

#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "units/unit-file.h"

static const char favourites[] = "%$\\\"'; #\n\r\t{}@:+-!x\xc3\xa4\xff";

static void add_random_word(Strv *argv, unsigned short seed[3]) {
        char word[24] = "";
        long length = nrand48(seed) % 20;

        for (long i = 0; i < length; i++)
                word[i] = nrand48(seed) % 2 ? favourites[nrand48(seed) % (long) (sizeof(favourites) - 1)] :
                                              (char) (1 + nrand48(seed) % 255);
        strv_add(argv, word);
}

static void expect(char *const *argv, Buffer *out) {
        STRV_FOREACH(argument, argv) {
                for (const char *p = *argument; *p; p++)
                        buffer_addf(out, "%02x", (unsigned char) *p);
                buffer_add_char(out, '\n');
        }
        buffer_add_str(out, "--\n");
}

static int write_all(const char *path, const Buffer *b) {
        return fs_write(AT_FDCWD, path, b->data, b->size, 0644, FS_NO_SYNC, NULL);
}

int main(int argc, char **argv) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new("Any bytes");
        _cleanup_buffer_ Buffer text = BUFFER_NULL, expected = BUFFER_NULL;
        unsigned short seed[3] = { 1, 2, 0 };

        if (argc != 6)
                return 64;
        seed[2] = (unsigned short) strtoul(argv[2], NULL, 10);
        unit_file_section(u, "Service");
        if (unit_file_set(u, "Type", "oneshot", NULL) < 0 ||
            unit_file_set(u, "TimeoutStartSec", "300", NULL) < 0 ||
            unit_file_set_environment(u, "HOME", "must not be seen", NULL) < 0)
                return 1;
        for (unsigned long n = strtoul(argv[3], NULL, 10); n > 0; n--) {
                _cleanup_strv_ Strv command = strv_new(argv[1], NULL);

                for (long i = nrand48(seed) % 6; i > 0; i--)
                        add_random_word(&command, seed);
                if (unit_file_set_command(u, "ExecStart", "", command, n % 2, NULL) < 0)
                        return 1;
                expect(command + 1, &expected);
        }
        unit_file_render(u, &text);
        return write_all(argv[4], &text) < 0 || write_all(argv[5], &expected) < 0;
}
