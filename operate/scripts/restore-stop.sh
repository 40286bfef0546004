# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing of $units runs, and nothing starts by itself. Several at once, since some bind to others. Disabled first: a power cut
# must not start one of them with what it finds half way. Those that are there: one that is not would keep systemctl from disabling
# the rest.

: "${units:?}"
there=
for unit in $units; do
        if systemctl cat "$unit" >/dev/null 2>&1; then there="$there $unit"; fi
done
# shellcheck disable=SC2086 # a list
systemctl disable --quiet $there 2>/dev/null || :
# shellcheck disable=SC2086 # a list
systemctl stop $there 2>/dev/null || :
for unit in $units; do
        if systemctl is-active --quiet "$unit"; then fail unavailable "$unit does not stop"; fi
done
