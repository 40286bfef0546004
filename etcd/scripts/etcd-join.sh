# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The first start of the member here is as one of a cluster that exists: $text becomes the drop-in of its unit.

: "${drop_in:?}" "${text:?}"
umask 022
mkdir -p "${drop_in%/*}"
printf %s "$text" >"$drop_in"
systemctl daemon-reload
