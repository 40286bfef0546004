# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# H_FILES        "SERVICE PATH", a line each: is the file there, and may the service read it? It runs as a user and in a group of its
#                name; before the first installation there are none yet, and only what all may read will be read.

: "${H_FILES?}"

# open PATH: to all
open() {
        case $(stat -L -c %A "$1") in ???????r*) ;; *) return 1 ;; esac
}

# may USER PATH
may() {
        if command -v setpriv >/dev/null; then
                setpriv --reuid "$1" --regid "$1" --init-groups test -r "$2"
        else
                open "$2"
        fi
}

# look SERVICE PATH
look() {
        if [ ! -e "$2" ]; then
                printf 'missing %s %s\n' "$1" "$2"
        elif ! id -u "$1" >/dev/null 2>&1 || ! getent group "$1" >/dev/null; then
                open "$2" || printf 'early %s %s\n' "$1" "$2"
        else
                may "$1" "$2" || printf 'closed %s %s\n' "$1" "$2"
        fi
}

printf '%s\n' "$H_FILES" | while read -r service path; do look "$service" "$path"; done
