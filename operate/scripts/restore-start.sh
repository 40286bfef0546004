# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# As it was before a restore that failed: starts what restore-note.sh has noted, and prints "started" if it was anything. Not
# waited for: without a quorum etcd is never ready. Unit by unit: a note of long ago may name one that the node has lost since,
# and that must not keep etcd stopped. What fails is tried again by the next run.

: "${data:?}" "${snapshot:?}" "${note:?}"
is_there() {
        systemctl cat "$1" >/dev/null 2>&1
}

rm -rf -- "$data"/restored-* "$snapshot"
if [ -f "$note" ]; then
        enable=$(sed -n 's/^enable //p' "$note" | sort -u)
        start=$(sed -n 's/^start //p' "$note" | sort -u)
        status=0 started=
        for unit in $enable; do
                if is_there "$unit"; then systemctl enable --quiet "$unit" || status=$?; fi
        done
        for unit in $start; do
                is_there "$unit" || continue
                if systemctl start --no-block "$unit"; then started=yes; else status=$?; fi
        done
        if [ -n "$started" ]; then echo started; fi
        if [ "$status" != 0 ]; then exit "$status"; fi
        rm -f "$note"
fi
