# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# where it is written down what came with the cluster, and what was here before
STATE=/var/lib/hardway

# record LINE FILE: once, and on the disk before what it is about
record() {
        grep -q -x -s -F -e "$1" "$2" || { printf '%s\n' "$1" >>"$2" && sync "$2" "${2%/*}"; }
}
