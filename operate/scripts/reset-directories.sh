# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Directories in which others may have something ($directories: "sweep|leave PATH OWNER MODE BEFORE" of each). sweep: what the user
# of OWNER has in it goes. One that hardway has made goes if nothing else is in it; one that was there before (with MODE, as
# BEFORE's; "-": nobody knows) is as it was, unless somebody else has got it since.

: "${directories?}"
# shellcheck disable=SC2086 # a list
set -- $directories
while [ $# -ge 5 ]; do
        user=${3%%:*}
        if [ -d "$2" ] && ! [ -h "$2" ]; then
                if [ "$1" = sweep ] && [ "$user" != root ] && getent passwd "$user" >/dev/null; then
                        find "$2" -xdev -depth -mindepth 1 -user "$user" \( ! -type d -o -empty \) -delete
                fi
                if [ "$4" = - ] && rmdir -- "$2" 2>/dev/null; then
                        :
                elif [ "$(stat -c %U:%G "$2")" = "$3" ]; then
                        [ "$4" = - ] || chmod -- "$4" "$2"
                        chown -- "$5" "$2" 2>/dev/null || chown root:root "$2"
                fi
        fi
        shift 5
done
