#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lists the fuzz targets in the directory $1, one a line: "fuzz-cluster.c tests/golden/errors", the file and further
# directories with inputs, which a target names in a comment line of its own: " * Corpus: tests/golden/errors".

cd "$1" || exit 1
for file in fuzz-*.c; do
        [ -e "$file" ] || continue
        # shellcheck disable=SC2046 # each directory is a word
        echo "$file" $(sed -n 's/^ \* Corpus: *//p' "$file")
done
