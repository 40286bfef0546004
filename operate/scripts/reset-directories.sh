# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Directories in which others may have something ($directories: "data|sweep|leave PATH OWNER MODE BEFORE" of each). sweep: what the
# user of OWNER has in it goes; data: and what a restore of etcd's data has left there. One that hardway has made goes if nothing else is
# in it; one that was there before (with MODE, as BEFORE's; "-": nobody knows) is as it was, unless somebody else has got it since.

: "${directories?}"

# set_aside DIRECTORY: databases under names that we gave, which a restore that was killed leaves as root's (restore-unpack.sh)
set_aside() {
        for one in "$1"/restored-* "$1"/before-*; do
                case ${one##*/} in
                *-*[!0-9a-f]* | *-) ;;
                *) [ ! -d "$one" ] || [ -h "$one" ] || rm -rf -- "$one" ;;
                esac
        done
}

# others DIRECTORY: it stays with what is theirs; a file system of its own stays mounted, and may be empty
others() {
        [ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found)" ] || printf 'trouble %s: what others have in it stays\n' "$1"
}

# shellcheck disable=SC2086 # a list
set -- $directories
while [ $# -ge 5 ]; do
        user=${3%%:*}
        if [ -d "$2" ] && ! [ -h "$2" ]; then
                [ "$1" != data ] || set_aside "$2"
                if [ "$1" != leave ] && [ "$user" != root ] && getent passwd "$user" >/dev/null; then
                        find "$2" -xdev -depth -mindepth 1 -user "$user" \( ! -type d -o -empty \) -delete
                fi
                if [ "$4" = - ] && rmdir -- "$2" 2>/dev/null; then
                        :
                elif [ "$(stat -c %U:%G "$2")" = "$3" ]; then
                        [ "$4" = - ] || chmod -- "$4" "$2"
                        chown -- "$5" "$2" 2>/dev/null || chown root:root "$2"
                fi
                if [ "$4" = - ] && [ -d "$2" ]; then others "$2"; fi
        fi
        shift 5
done
