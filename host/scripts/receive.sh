# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prints the size of the file $H_PATH, and so many bytes of it: one that grows meanwhile is read as it was.

: "${H_PATH:?}"
size=$(stat -c %s -- "$H_PATH")
printf '%s\n' "$size"
head -c "$size" -- "$H_PATH"
