# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where does the data on this node have the member of $name, and how far has it got? Prints "member JSON" for each entry of its
# list of members that there is or was (pages that are free again keep theirs), and "revision NUMBER". Changes nothing.

: "${data:?}" "${name:?}" "${etcdutl:?}"
db=$data/member/snap/db
if [ -f "$db" ]; then
        LC_ALL=C grep -a -o "\"peerURLs\":\[[^]]*\],\(\"isLearner\":true,\)\{0,1\}\"name\":\"$name\"" "$db" |
                sort -u | sed 's/^/member /' || :
        # one that runs has it locked: it is not waited for
        timeout 20 "$etcdutl" snapshot status "$db" --write-out=json 2>/dev/null |
                sed -n 's/.*"revision": *\([0-9]*\).*/revision \1/p' || :
fi
