# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Notes which of $units run and which are enabled, before anything of it is stopped; restore-start.sh reads it. A member that
# finds no quorum is not "active", and is to go on looking for it all the same.

: "${units:?}" "${note:?}"
mkdir -p "${note%/*}"
for unit in $units; do
        if systemctl is-enabled --quiet "$unit" 2>/dev/null; then echo "enable $unit"; fi
        case $(systemctl is-active "$unit" 2>/dev/null) in
        active | activating | reloading) echo "start $unit" ;;
        esac
done >>"$note"
sync "$note"
