# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# $units, each with what systemd said of it before hardway came: "UNIT FILE_STATE active" or "inactive". One that does not start any more is
# told of, and is no reason to leave hardway's things there.

: "${units?}"
# shellcheck disable=SC2086 # a list
set -- $units
while [ $# -ge 3 ]; do
        case $2 in
        enabled) systemctl enable --quiet -- "$1" ;;
        masked) systemctl mask --quiet -- "$1" ;;
        esac || printf 'trouble %s is not %s any more\n' "$1" "$2"
        [ "$3" != active ] || systemctl start -- "$1" || printf 'trouble %s ran before, and does not start\n' "$1"
        shift 3
done
