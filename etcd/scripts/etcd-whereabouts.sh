# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where does the data on this node have the member of $name? Prints "member JSON" for each entry of its list of members that there
# is or was (pages that are free again keep theirs). What cannot be read, or not in a while, is not none: then it fails. Changes nothing.

: "${data:?}" "${name:?}"
db=$data/member/snap/db
if [ -e "$db" ]; then
        # the lines of a database may be as long as itself: so what is between two zero bytes
        found=$({ LC_ALL=C timeout 60 grep -a -z -o "\"peerURLs\":\[[^{}]*\],\(\"isLearner\":true,\)\{0,1\}\"name\":\"$name\"" "$db" ||
                [ $? = 1 ] || echo '!'; } | tr '\000' '\n')
        case $found in
                *'!') fail io "$db cannot be read" ;;
        esac
        printf '%s\n' "$found" | sort -u | sed -n 's/^"/member "/p'
fi
