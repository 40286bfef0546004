# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# As it was before a restore that failed: starts what restore-note.sh has noted, and prints "started" if it was anything. Not
# waited for: without a quorum etcd is never ready.

: "${data:?}" "${snapshot:?}" "${note:?}"
rm -rf -- "$data"/restored-* "$snapshot"
if [ -f "$note" ]; then
        enable=$(sed -n 's/^enable //p' "$note" | sort -u)
        start=$(sed -n 's/^start //p' "$note" | sort -u)
        # shellcheck disable=SC2086 # a list
        if [ -n "$enable" ]; then systemctl enable --quiet $enable; fi
        if [ -n "$start" ]; then
                # shellcheck disable=SC2086 # a list
                systemctl start --no-block $start
                echo started
        fi
        rm -f "$note"
fi
