# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How much is free, in KiB, where the database lies?

: "${data:?}"
df -Pk "$data/member" | {
        read -r _
        read -r _ _ _ free _
        printf %s "$free"
}
