# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages that came with hardway go, with what they brought along, where nothing else needs it by now; what else apt-get thinks
# is needed by nobody is not hardway's. $leaves is what their removal would leave.

: "${leaves?}"
# a power cut may have left dpkg in the middle of something
end_dpkg() {
        DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a >/dev/null 8>&- || :
}

# purge NAME...
purge() {
        DEBIAN_FRONTEND=noninteractive apt-get purge -y -q -o DPkg::Lock::Timeout=120 "$@" >/dev/null 8>&-
}

if [ -s /var/lib/hardway/packages ] && command -v apt-get >/dev/null; then
        end_dpkg
        ours=$(cat /var/lib/hardway/packages /var/lib/hardway/packages.needed 2>/dev/null || :)
        # one that never came may be nowhere in apt's lists; what it brought along may be there all the same
        # shellcheck disable=SC2016,SC2046 # dpkg-query's own variables; a list
        there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(cat /var/lib/hardway/packages) 2>/dev/null | sed -n '/^not-installed /!s/^[^ ]* //p')
        # shellcheck disable=SC2086 # a list
        would=$(apt-get -s -q purge --autoremove $there)
        gone=$(printf '%s\n' "$would" | sed -n 's/^Purg \([^ ]*\).*/\1/p' | grep -x -F -e "$ours" || :)
        # shellcheck disable=SC2086 # a list
        [ -z "$gone" ] || purge $gone || {
                # somebody else's apt-get may have held the lock, and have ended
                end_dpkg
                purge $gone
        }
        for d in $leaves; do
                # sockets in it are nobody's any more, and so is what systemd mounted its log's on; anything else is somebody's
                [ ! -d "$d" ] || find "$d" -xdev -depth \( -type s -o -type d -empty -o -path "$d/dev/log" -empty \) -delete 2>/dev/null ||
                        printf 'trouble %s could not be cleared\n' "$d"
        done
fi
