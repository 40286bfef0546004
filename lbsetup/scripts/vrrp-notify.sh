#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardway-notify KIND NAME STATE [PRIORITY] - keeps what keepalived says of itself where hardway finds it
#
# keepalived starts this at each change and does not wait for its end. Of two changes within milliseconds (it gives way to a load balancer
# that says goodbye in the same moment) the first may come to write last, and would stand there for good. So whoever was
# started later has the last word: the second line tells when that was, in ticks since boot, and with which process id.
state=$3
file=/run/hardway/keepalived.state

# proc(5), stat: what comes after the name in brackets; the 20th of that is starttime
read -r stat </proc/self/stat
# shellcheck disable=SC2086
set -- ${stat##*) }
shift 19
began=$1

exec 9<>"$file" || exit 1
flock 9
{
        read -r _
        read -r ticks process
} <"$file"
if [ "${ticks:-0}" -gt "$began" ] || { [ "${ticks:-0}" -eq "$began" ] && [ "${process:-0}" -gt "$$" ]; }; then
        exit 0
fi
printf '%s %s\n%s %s\n' "$state" "$(date +%s)" "$began" "$$" >"$file"
