# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Is what listens on port $H_PORT of loopback healthy? Prints what its /healthz says, or why there is nothing. /proc/net/tcp is cheap and says
# whether it is worth to start kubectl at all.

: "${H_PORT:?}" "${H_KUBECTL:?}" "${H_KUBECONFIG:?}"
grep -q " 0100007F:$(printf %04X "$H_PORT") 00000000:0000 0A " /proc/net/tcp || {
        echo does not listen yet
        exit 0
}
timeout 20 "$H_KUBECTL" --kubeconfig="$H_KUBECONFIG" --server="https://127.0.0.1:$H_PORT" get --raw=/healthz 2>&1 </dev/null || :
