# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which members does the data here know as started? Prints "started NAME" for each entry of its list of members that there is or was
# (pages that are free again keep theirs) and that has client URLs, which a quorum has agreed on; "known NAME" for one with a name and
# none, which is that of a member of the first installation. What cannot be read, or not in a while, is not none: then it fails. Changes
# nothing; a member that runs is not disturbed.

: "${data:?}"
db=$data/member/snap/db
if [ -e "$db" ]; then
        # the lines of a database may be as long as itself: so what is between two zero bytes; and of names, that Kubernetes has, too
        found=$({ LC_ALL=C timeout 60 grep -a -z -o -e '"name":"[A-Za-z0-9.-]*","clientURLs":\["' \
                -e '"peerURLs":\[[^{}]*\],\("isLearner":true,\)\{0,1\}"name":"[A-Za-z0-9.-]*"\(,"clientURLs":\["\)\{0,1\}' "$db" ||
                [ $? = 1 ] || echo '!'; } | tr '\000' '\n')
        case $found in
                *'!') fail io "$db cannot be read" ;;
        esac
        printf '%s\n' "$found" |
                sed -n -e 's/.*"name":"\([^"]*\)","clientURLs".*/started \1/p;t' -e 's/^"peerURLs".*"name":"\([^"]*\)"$/known \1/p' | sort -u
fi
