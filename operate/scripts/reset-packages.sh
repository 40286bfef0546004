# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages that came with hardway go, with what they brought along, where nothing else needs it by now; what else apt-get thinks
# is needed by nobody is not hardway's. $leaves is what their removal would leave.

: "${leaves?}"
if [ -s /var/lib/hardway/packages ] && command -v apt-get >/dev/null; then
        ours=$(cat /var/lib/hardway/packages /var/lib/hardway/packages.needed 2>/dev/null || :)
        # shellcheck disable=SC2046 # a list
        would=$(apt-get -s -q purge --autoremove $(cat /var/lib/hardway/packages))
        gone=$(printf '%s\n' "$would" | sed -n 's/^Purg \([^ ]*\).*/\1/p' | grep -x -F -e "$ours" || :)
        # shellcheck disable=SC2086 # a list
        [ -z "$gone" ] || DEBIAN_FRONTEND=noninteractive apt-get purge -y -q -o DPkg::Lock::Timeout=120 $gone >/dev/null 8>&-
        # shellcheck disable=SC2086 # a list
        rm -rf $leaves
fi
