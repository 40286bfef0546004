# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# link TARGET PATH
link() {
        [ "$(readlink "$2")" = "$1" ] || {
                take "$2"
                ln -sfn "$1" "$2"
                echo "linked $2"
        }
}
