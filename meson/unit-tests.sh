#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lists the unit tests in the directory $1, one a line: "test-common-fs.c fsync renameat2", the file and the
# functions it replaces. A test names those in a comment line of its own: " * Wraps: fsync renameat2"; and so does a
# header here that replaces some, for all that include it.

cd "$1" || exit 1

# Wrapped functions of the file $1 and of the headers it includes
wraps() {
        sed -n 's/^ \* Wraps: *//p' "$1"
        for header in $(sed -n 's,^#include "\(tests/unit/\)\{0\,1\}\([a-z-]*\.h\)"$,\2,p' "$1"); do
                [ ! -e "$header" ] || wraps "$header"
        done
}

for file in test-*.c; do
        [ -e "$file" ] || continue
        echo "$file" $(wraps "$file" | tr -s ' ' '\n' | sort -u)
done
