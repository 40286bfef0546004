# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Has keepalived let go of $vip, by the file $handover that it tracks. That is cleared however this ends. The second after the
# VIP has left is for the other one: were the file cleared before it has taken over, it might come back.

: "${vip:?}" "${handover:?}"

has() {
        ip -o addr show | grep -F -q " $vip/"
}

trap 'echo 0 >"$handover"' EXIT
trap 'exit 1' HUP INT TERM PIPE
echo 1 >"$handover"
n=0
while has && [ $n -lt 50 ]; do
        sleep 0.1
        n=$((n + 1))
done
sleep 1
if has; then exit 1; fi
