/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/fs.h"

/*
 * usage: fuzz-NOUN DIRECTORY...
 *
 * Runs a fuzz target over all files of the directories and over mutations of each, which depend on nothing but the
 * file. No input may take longer than TIME_LIMIT_USEC, twenty times as long where sanitizers and emulation are slow.
 */

#define INPUT_SIZE_MAX (4u * 1024u * 1024u)
#define TIME_LIMIT_USEC (20 * USEC_PER_SEC)

/* Large inputs are there for their size: mutating them a hundred times would show the same a hundred times. */
#define MUTATIONS 100u
#define MUTATED_SIZE_MAX (16u * 1024u)

static const char *current = NULL;
static unsigned current_mutation = 0;

/* xorshift64*: small, and the same everywhere. */
static uint64_t random_next(uint64_t *state) {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        return *state * UINT64_C(2685821657736338717);
}

static void run_one(const void *data, size_t size) {
        /* A block of exactly this size, so that a sanitizer sees a read behind its end. */
        _cleanup_free_ uint8_t *copy = xmemdup(data, size);
        uint64_t start = clock_usec();

        (void) LLVMFuzzerTestOneInput(copy, size);
        if (clock_usec() - start <= TIME_LIMIT_USEC)
                return;
        (void) fprintf(stderr, "%s, mutation %u: took %" PRIu64 " ms\n", current, current_mutation,
                       (clock_usec() - start) / USEC_PER_MSEC);
        exit(EXIT_FAILURE);
}

/* One to four small changes: another byte, a byte more, some bytes less, a piece twice. */
static void mutate(const Buffer *input, uint64_t *state, Buffer *out) {
        buffer_clear(out);
        buffer_add(out, input->data, input->size);

        for (uint64_t n = random_next(state) % 4 + 1; n > 0 && out->size > 0; n--) {
                size_t at = random_next(state) % out->size, length = random_next(state) % 8 + 1;
                char c = (char) random_next(state);

                if (length > out->size - at)
                        length = out->size - at;
                switch (random_next(state) % 4) {
                case 0:
                        out->data[at] = c;
                        break;
                case 1:
                        buffer_add_char(out, c);
                        memmove(out->data + at + 1, out->data + at, out->size - at - 1);
                        out->data[at] = c;
                        break;
                case 2:
                        memmove(out->data + at, out->data + at + length, out->size - at - length);
                        out->size -= length;
                        break;
                default: {
                        _cleanup_free_ char *piece = xmemdup(out->data + at, length);

                        buffer_add(out, piece, length);
                        break;
                }
                }
        }
}

static void run_file(int dir, const char *name) {
        _cleanup_buffer_ Buffer input = BUFFER_NULL, mutation = BUFFER_NULL;
        uint64_t state = UINT64_C(88172645463325252);
        Error *error = NULL;

        current = name;
        current_mutation = 0;
        if (fs_read(dir, name, INPUT_SIZE_MAX, &input, &error) < 0) {
                (void) fprintf(stderr, "%s\n", error->message);
                exit(EXIT_FAILURE);
        }

        run_one(input.data ?: "", input.size);
        for (size_t i = 0; i < MUTATIONS && input.size > 0 && input.size <= MUTATED_SIZE_MAX; i++) {
                current_mutation++;
                mutate(&input, &state, &mutation);
                run_one(mutation.data ?: "", mutation.size);
        }
}

static unsigned run_directory(const char *path) {
        DIR *d = opendir(path);
        unsigned n = 0;

        if (!d) {
                perror(path);
                exit(EXIT_FAILURE);
        }
        for (struct dirent *entry; (entry = readdir(d));) {
                if (entry->d_name[0] == '.')
                        continue;
                run_file(dirfd(d), entry->d_name);
                n++;
        }
        closedir(d);
        return n;
}

int main(int argc, char **argv) {
        unsigned n = 0;

        for (int i = 1; i < argc; i++)
                n += run_directory(argv[i]);
        (void) printf("%u inputs, %u mutations of each\n", n, MUTATIONS);
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
