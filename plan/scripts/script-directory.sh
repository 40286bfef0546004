# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# directory MODE OWNER PATH
directory() {
        [ ! -h "$3" ] || die "$3 is a symbolic link, which nothing is made through: mount there what it leads to"
        [ -d "$3" ] || {
                (umask 022 && mkdir -p "$3")
                echo "made $3"
        }
        attributes "$1" "$2" "$3"
}
