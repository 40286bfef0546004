# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Are directories in use by others than the user who is to have them? $directories: PATH USER PATH USER ... Prints, of each that is,
# "PATH USER NAME OWNER": something in it that belongs to OWNER; NAME is "." if it is the directory itself, of neither root nor USER.

: "${directories:?}"
# taken PATH USER
taken() {
        owner=$(stat -c %U "$1")
        if ! [ -d "$1" ] || { [ "$owner" != root ] && [ "$owner" != "$2" ]; }; then
                printf '%s %s . %s\n' "$1" "$2" "$owner"
                return
        fi
        for path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
                [ -e "$path" ] || [ -L "$path" ] || continue
                owner=$(stat -c %U "$path")
                name=${path##*/}
                if [ "$owner" = "$2" ] || [ "$name" = lost+found ]; then continue; fi
                printf '%s %s %s %s\n' "$1" "$2" "$(printf %s "$name" | tr -c '[:alnum:]._@+,:=-' _)" "$owner"
                return
        done
}
# shellcheck disable=SC2086 # a list
set -- $directories
while [ $# -gt 1 ]; do
        if [ -e "$1" ]; then taken "$1" "$2"; fi
        shift 2
done
