#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardway-health PORT PATIENCE [PEER...] - may this load balancer hold the VIP?
#
# No, if haproxy's own monitor page does not answer twice within a second, or says for PATIENCE seconds that it has no
# apiserver, while that of another load balancer has one. Where nobody has any, the VIP stays where it is. Run by
# keepalived every second, as a user without rights; a Debian without extras has bash, but neither curl nor nc.
set -u

port=$1 patience=$2
shift 2

# ask ADDRESS: sets $status to that of the monitor page there, or to nothing
ask() {
        status=
        {
                printf 'GET /haproxy_ready HTTP/1.0\r\n\r\n' >&3
                read -r -t 0.45 _ status _ <&3
        } 3<>"/dev/tcp/$1/$port"
} 2>/dev/null

# what we see ourselves; that haproxy does not answer is the end of it
ask_own() {
        ask 127.0.0.1
        [ -n "$status" ] || ask 127.0.0.1
        case $status in
        200) exit 0 ;;
        503) ;;
        *) exit 1 ;;
        esac
}

# does any peer see an apiserver? One that is off does not even refuse the connection, hence the timeout.
ask_peers() {
        local peer pid pids=()
        for peer; do
                timeout 0.5 "$0" "$port" --peer "$peer" &
                pids+=($!)
        done
        for pid in ${pids[@]+"${pids[@]}"}; do
                ! wait "$pid" || return 0
        done
        return 1
}

if [ "$patience" = --peer ]; then
        ask "$1"
        [ "$status" = 200 ]
        exit
fi

ask_own
ask_peers "$@" || exit 0
sleep "$patience"
ask_own
! ask_peers "$@"
