# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# At which of $H_ADDRESSES does something answer on $H_PORT? Prints those.

for address in $H_ADDRESSES; do
        # shellcheck disable=SC2016 # for that bash
        if timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$address" "$H_PORT" 2>/dev/null; then echo "$address"; fi
done
