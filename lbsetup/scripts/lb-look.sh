# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How the load balancer on this node is; what the lines mean is for the asking side to know (lbsetup/look.c). It is the
# distribution's haproxy that is asked, by bash, which every Debian has; a page that does not come is an answer, too.

page() {
        # shellcheck disable=SC2016
        timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8405 && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 && cat <&3' \
                bash "$1" 2>/dev/null || :
}

# One line, whatever is in the file: keepalived's user writes one of them, and more lines would pass for what root has found.
value() {
        printf '%s %s\n' "$1" "$(head -c 64 "$2" 2>/dev/null | tr '\r' '\n' | head -n 1)"
}

if [ -e /etc/systemd/system/haproxy.service.d/50-hardway.conf ]; then
        echo installed
        sed -n -e '/unicast_peer {/,/}/s/^[[:space:]]*\([0-9a-f][0-9a-f.:]*\)$/peer \1/p' \
                -e '/virtual_ipaddress {/,/}/s,^[[:space:]]*\([0-9a-f][0-9a-f.:]*\)/[0-9]* dev .*,vip \1,p' \
                /etc/keepalived/keepalived.conf 2>/dev/null || :
fi
for unit in haproxy keepalived; do
        printf '%s %s\n' "$unit" "$(systemctl show -p ActiveState --value "$unit.service" 2>/dev/null || :)"
done
pid=$(systemctl show -p MainPID --value keepalived.service 2>/dev/null || :)
printf 'router %s\n' "$(tr '\0' '\n' 2>/dev/null <"/proc/${pid:-0}/environ" | sed -n 's,^HARDWAY_RESTART_FOR=.*/,,p')"
# One that is stopped (SIGSTOP) keeps the VIP, and says nothing to the others.
for process in $pid $(cat "/proc/${pid:-0}/task/${pid:-0}/children" 2>/dev/null); do
        sed -n 's/.*) [Tt] .*/stopped/p' "/proc/$process/stat" 2>/dev/null || :
done
value down /run/hardway/haproxy.down
value handover /run/hardway/handover
value aside /run/hardway/haproxy.aside
value vrrp /run/hardway/keepalived.state
printf 'now %s\n' "$(date +%s)"
status=$(page /haproxy_ready | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p')
if [ -n "$status" ]; then
        printf 'page %s\n' "$status"
        page '/stats;csv' | sed -n -e 's/^apiservers,/server &/p' -e 's/^checks,/check &/p' |
                sed 's/ [^,]*,/ /' | cut -d , -f 1,17,36,56 || :
fi
ip -o addr show | sed -n 's/.* inet6* \([^ ]*\) .*/address \1/p'
