# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What has the watch found last? Prints the node's clock, the timer's state, how the last look ended, and what it left.

: "${timer:?}" "${service:?}" "${state:?}"
date +%s
systemctl show -p ActiveState --value "$timer"
systemctl show -p Result --value "$service"
head -c 65536 "$state" 2>/dev/null || :
