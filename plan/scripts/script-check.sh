# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# check PATH COMMAND: COMMAND finds the file as $1
check() {
        sh -c "$2" sh "$1" || die "$1 is not accepted by: $2"
}
