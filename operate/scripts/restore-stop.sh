# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing of $units runs, and nothing starts by itself. Several at once, since some bind to others. Disabled first: a power cut
# must not start one of them with what it finds half way.

: "${units:?}"
# shellcheck disable=SC2086 # a list
systemctl disable --quiet $units 2>/dev/null || :
# shellcheck disable=SC2086 # a list
systemctl stop $units 2>/dev/null || :
for unit in $units; do
        if systemctl is-active --quiet "$unit"; then fail unavailable "$unit does not stop"; fi
done
