# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# data DIRECTORY MARK: asked before anything is made, as the mark is about to say that what lies there is this cluster's. Its text comes on
# standard input
data() {
        mine=$(cat)
        for path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
                if [ ! -e "$path" ] && [ ! -h "$path" ]; then continue; fi
                if [ "${path##*/}" = lost+found ]; then continue; fi
                [ "$(cat "$2" 2>/dev/null)" = "$mine" ] ||
                        die "$1 is not empty, and $2 does not say that what is there is this cluster's. Look at it before anything else (${path##*/} is there), then move or remove it; nothing was changed"
        done
}
