# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# gone PATH
gone() {
        [ ! -e "$1" ] && [ ! -h "$1" ] || {
                rm -f "$1" || die "cannot remove $1"
                echo "removed $1"
        }
}
