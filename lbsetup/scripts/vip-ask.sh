# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who has the VIP? Prints "mac ADDRESS MAC" of each of $all, the VIP among them, that is answered for; nothing where the VIP is not on the
# node's own network. All nodes wait for this, so it is short: the VIP is asked for twice, 0.3 s apart, which is plenty on any network
# that VRRP works on.

: "${vip:?}" "${all:?}"
ask() {
        # shellcheck disable=SC2016 # for that bash
        timeout 1 bash -c 'echo >"/dev/udp/$1/9"' bash "$1" 2>/dev/null || :
}

case $(ip -o route get "$vip" 2>/dev/null) in
        '' | *' via '* | local*) exit 0 ;;
esac
for address in $all; do
        if [ "$address" != "$vip" ]; then ask "$address"; fi
done
n=0
while [ $n -lt 6 ]; do
        case $n in
                0 | 3)
                        ip neigh flush to "$vip" 2>/dev/null || :
                        ask "$vip"
                        ;;
        esac
        sleep 0.1
        n=$((n + 1))
        if ip neigh show to "$vip" | grep -q lladdr; then break; fi
done
for address in $all; do
        ip neigh show to "$address" | sed -n "s/.* lladdr \([0-9a-f:]*\).*/mac $address \1/p"
done
