# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# file MODE OWNER PATH SHA256: the content comes on standard input
file() {
        if [ "$(sha256 "$3")" = "$4" ]; then
                cat >/dev/null
                attributes "$1" "$2" "$3"
                return
        fi
        rm -f "$3.hw-new"
        cat >"$3.hw-new"
        [ "$(sha256 "$3.hw-new")" = "$4" ] || die "$3: this script was changed, or the disk is full"
        publish "$1" "$2" "$3"
}
