# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# the list so far. One that is begun before there is anything else of the cluster names all that will have been made
made() {
        if [ -e "$STATE/directories" ]; then
                cat "$STATE/directories"
                return
        fi
        for record in "$STATE"/applied.* "$STATE/taken" "$STATE"/*-identity; do
                [ ! -e "$record" ] || return 0
        done
        echo complete
}

# note KIND OWNER PATH: how a directory was before it is made or changed, once, as what hardway has made goes with a reset
note() {
        if grep -q -s -F -e " $3 " "$STATE/directories"; then return; fi
        if [ -e "$3" ] && [ ! -d "$3" ]; then return; fi
        was=nothing
        [ ! -d "$3" ] || was=$(stat -c '%a %U:%G' "$3")
        mkdir -p "$STATE"
        made >"$STATE/directories.hw-new"
        echo "$1 $3 $2 $was" >>"$STATE/directories.hw-new"
        sync "$STATE/directories.hw-new"
        mv -f "$STATE/directories.hw-new" "$STATE/directories"
        sync "$STATE"
}

# directory MODE OWNER PATH [KIND]: KIND is "chosen" where a flag names it
directory() {
        [ ! -h "$3" ] || die "$3 is a symbolic link, which nothing is made through: mount there what it leads to"
        if [ "$3" != "$STATE" ] && [ "$(stat -c '%a %U:%G' "$3" 2>/dev/null)" != "${1#0} $2" ]; then note "${4-directory}" "$2" "$3"; fi
        [ -d "$3" ] || {
                (umask 022 && mkdir -p "$3")
                echo "made $3"
        }
        attributes "$1" "$2" "$3"
}
