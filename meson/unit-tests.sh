#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lists the unit tests in the directory $1, one a line: "test-common-fs.c fsync renameat2", the file and the
# functions it replaces. A test names those in a comment line of its own: " * Wraps: fsync renameat2".

cd "$1" || exit 1
for file in test-*.c; do
        [ -e "$file" ] || continue
        echo "$file" $(sed -n 's/^ \* Wraps: *//p' "$file")
done
