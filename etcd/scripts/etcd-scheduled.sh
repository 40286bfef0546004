# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What became of scheduled snapshots here? Prints the time, since when the timer is there, how the last run ended, whether the
# file of the last good one is there still, and what is told of it (etcd/schedule.c).

: "${directory:?}" "${service:?}" "${timer:?}"
date +%s
stat -c %Y "/etc/systemd/system/$timer" 2>/dev/null || echo 0
result=$(systemctl show -p Result --value "$service" 2>/dev/null || :)
echo "${result:-unknown}"
# who runs as etcd may have left a FIFO there, which nobody ever writes to, or a link to a file of root's
last=$(dd if="$directory/last" iflag=nonblock,nofollow bs=4096 count=1 2>/dev/null || :)
file=$(printf '%s\n' "$last" | sed -n 's/^{"file":"\([^"/]*\)".*/\1/p')
if [ -n "$file" ] && ! [ -f "$directory/$file" ]; then echo missing; else echo there; fi
printf '%s\n' "$last"
