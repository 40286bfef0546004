# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# kernel KEY VALUE: a setting of the running kernel
kernel() {
        path=/proc/sys/$(printf %s "$1" | tr ./ /.)
        [ "$(cat "$path")" = "$2" ] || {
                printf '%s\n' "$2" >"$path" || die "cannot set $1"
                echo "set $1"
        }
}
