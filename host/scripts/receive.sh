# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prints the size of the file $H_PATH, and so many bytes of it: one that grows meanwhile is read as it was.

: "${H_PATH:?}"
# it may lie in a directory of a service's, which may have left anything under that name
if [ ! -f "$H_PATH" ] || [ -h "$H_PATH" ]; then
        fail io "/$H_PATH: is no file"
fi
size=$(stat -c %s -- "$H_PATH")
printf '%s\n' "$size"
head -c "$size" -- "$H_PATH"
