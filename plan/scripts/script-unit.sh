# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# runs UNIT INPUTS: does its process run with just these inputs? Their digest stands in its environment.
runs() {
        pid=$(systemctl show -p MainPID --value "$1")
        [ "${pid:-0}" != 0 ] && tr '\0' '\n' <"/proc/$pid/environ" | grep -q -x "HARDWAY_INPUTS=$2"
}

# loaded UNIT PATH: has it loaded the file as it is? It records the digests of what it has, in /run.
loaded() {
        grep -q -s -x -F -e "$(sha256sum "$2")" "/run/hardway/$1.loaded"
}

# unit NAME INPUTS [PATH...]: starts it at boot and now, nothing is waited for; another PATH than it has loaded needs a reload only
unit() {
        unit=$1 inputs=$2 reload=
        shift 2
        systemctl is-enabled --quiet "$unit" || systemctl enable --quiet "$unit"
        for path; do
                loaded "$unit" "$path" || reload=yes
        done
        if [ "${unit##*.}" != service ]; then
                systemctl is-active --quiet "$unit" || systemctl start --no-block "$unit"
        elif ! runs "$unit" "$inputs"; then
                systemctl reset-failed "$unit" 2>/dev/null || :
                systemctl restart --no-block "$unit"
                echo "started $unit"
        elif [ -n "$reload" ]; then
                systemctl reload "$unit"
                echo "reloaded $unit"
        fi
}
