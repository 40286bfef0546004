# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How far has the data on this node got? Prints "revision NUMBER"; nothing, if a member that runs has it locked: it is not waited for.
# All of it is read. Changes nothing.

: "${data:?}" "${etcdutl:?}"
db=$data/member/snap/db
if [ -f "$db" ]; then
        timeout 20 "$etcdutl" snapshot status "$db" --write-out=json 2>/dev/null |
                sed -n 's/.*"revision": *\([0-9]*\).*/revision \1/p' || :
fi
