# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Removes what was kept until the new data was seen to work, and what an earlier restore that serves has kept. Data that another
# one has put aside, one that was never seen to serve, may be the only copy: that stays, and its token is printed.

: "${data:?}" "${snapshot:?}" "${note:?}" "${token:?}" "${earlier?}"
rm -rf -- "$data/before-$token" "$data"/restored-* "$snapshot"
if [ -n "$earlier" ]; then rm -rf -- "$data/before-$earlier"; fi
rm -f "$note"
for one in "$data"/before-*; do
        if [ -d "$one" ]; then echo "${one##*/before-}"; fi
done
