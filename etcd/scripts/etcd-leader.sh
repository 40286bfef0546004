# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Is there a member that serves? Prints "of IDENTITY", by the mark of its data, and what it tells of its leader, without a certificate, if
# it runs. By bash, which every Debian has. A member that has lost its leader knows that after an election timeout, without asking
# anybody (etcd server/etcdserver/metrics.go).

: "${mark:?}" "${port:?}"
printf 'of %s\n' "$(head -n 1 "$mark" 2>/dev/null || :)"
# shellcheck disable=SC2016 # for that bash
timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3' bash "$port" 2>/dev/null |
        grep '^etcd_server_has_leader ' || :
