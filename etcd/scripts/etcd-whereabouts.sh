# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where does the data on this node have the member of $name? Prints "member JSON" for each entry of its list of members that there
# is or was (pages that are free again keep theirs). Changes nothing.

: "${data:?}" "${name:?}"
db=$data/member/snap/db
if [ -f "$db" ]; then
        LC_ALL=C grep -a -o "\"peerURLs\":\[[^]]*\],\(\"isLearner\":true,\)\{0,1\}\"name\":\"$name\"" "$db" |
                sort -u | sed 's/^/member /' || :
fi
