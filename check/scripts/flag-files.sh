# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# H_FILES        "SERVICE PATH", a line each: is the file there, and may the service read it? Before the first installation there is no
#                user of that name yet, and only what all may read will be read.

: "${H_FILES?}"

# closed USER PATH
closed() {
        if id -u "$1" >/dev/null 2>&1 && command -v setpriv >/dev/null; then
                ! setpriv --reuid "$1" --regid "$1" --init-groups test -r "$2"
        else
                case $(stat -L -c %A "$2") in ???????r*) return 1 ;; esac
        fi
}

# look SERVICE PATH
look() {
        if [ ! -e "$2" ]; then
                printf 'missing %s %s\n' "$1" "$2"
        elif closed "$1" "$2"; then
                printf 'closed %s %s\n' "$1" "$2"
        fi
}

printf '%s\n' "$H_FILES" | while read -r service path; do look "$service" "$path"; done
