/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target is tests/fuzz/fuzz-NOUN.c, found by name, which defines this function: it hands the bytes to
 * one parser, frees what comes out and returns 0. Its corpus is tests/fuzz/corpus/NOUN/, and further
 * directories that a comment line of it names (" * Corpus: tests/golden/errors", relative to the source
 * tree).
 *
 * As a normal test main.c runs it over its corpus and over mutations of it that are the same each time;
 * tests/fuzz/run gives it to libFuzzer. An input that broke something goes into the corpus, named after what
 * it broke.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
