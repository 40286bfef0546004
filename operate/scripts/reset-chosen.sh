# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a service wrote into directories that somebody chose for it ($chosen): what is its user's goes, and the directory, if nothing
# else is in it. One that stays goes back to root, as its user is about to go.

: "${chosen?}"
for d in $chosen; do
        [ -d "$d" ] || continue
        user=$(stat -c %u "$d")
        [ "$user" = 0 ] || find "$d" -xdev -depth -mindepth 1 -user "$user" \( ! -type d -o -empty \) -delete
        rmdir -- "$d" 2>/dev/null || chown root:root "$d"
done
