# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which members does the data here know as started? Prints "started NAME" for each entry of its list of members that there is or was
# (pages that are free again keep theirs) and that has client URLs, which a quorum has agreed on. What cannot be read, or not in a while,
# is not none: then it fails. Changes nothing; a member that runs is not disturbed.

: "${data:?}"
db=$data/member/snap/db
if [ -e "$db" ]; then
        # the lines of a database may be as long as itself: so what is between two zero bytes
        found=$({ LC_ALL=C timeout 60 grep -a -z -o '"name":"[A-Za-z0-9.-]*","clientURLs":\["' "$db" || [ $? = 1 ] || echo '!'; } | tr '\000' '\n')
        case $found in
                *'!'*) fail io "$db cannot be read" ;;
        esac
        printf '%s\n' "$found" | sed -n 's/^"name":"\([^"]*\)".*/started \1/p' | sort -u
fi
