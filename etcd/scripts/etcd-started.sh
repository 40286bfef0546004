# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which members does the data here know as started? Prints "started NAME" for each entry of its list of members that there is or was
# (pages that are free again keep theirs) and that has client URLs, which a quorum has agreed on. What cannot be read, or not in a while,
# is not none: then it fails. Changes nothing; a member that runs is not disturbed.

: "${data:?}"
db=$data/member/snap/db
if [ -e "$db" ]; then
        status=0
        found=$(LC_ALL=C timeout 60 grep -a -o '"name":"[A-Za-z0-9.-]*","clientURLs":\["' "$db") || status=$?
        if [ "$status" -gt 1 ]; then fail io "$db cannot be read"; fi
        printf '%s\n' "$found" | sed -n 's/^"name":"\([^"]*\)".*/started \1/p' | sort -u
fi
