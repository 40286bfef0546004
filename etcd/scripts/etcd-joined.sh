# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The first start is over once there is a log: etcd reads nothing of the drop-in any more.

: "${drop_in:?}" "${data:?}"
if [ -e "$drop_in" ] && [ -d "$data/member/wal" ]; then
        rm -f "$drop_in"
        systemctl daemon-reload
fi
