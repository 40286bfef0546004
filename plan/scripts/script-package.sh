# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# record LINE FILE: once
record() {
        grep -q -x -s -F -e "$1" "$2" || printf '%s\n' "$1" >>"$2"
}

# package NAME [UNIT...]: its units are masked meanwhile, or they would start before all is there that they need
package() {
        name=$1
        shift
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ]; then return; fi
        command -v apt-get >/dev/null || die "there is no apt-get here: install $name by hand"
        [ $# -eq 0 ] || systemctl mask --runtime "$@"
        # what came with the cluster may go with it
        record "$name" /var/lib/hardway/packages
        apt-cache show "$name" >/dev/null 2>&1 || apt-get -q -y update
        apt-get -s -q -y --no-install-recommends install "$name" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
                while read -r needed; do record "$needed" /var/lib/hardway/packages.needed; done
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef \
                -o Dpkg::Options::=--force-confold install "$name" </dev/null || die "cannot install $name"
        [ $# -eq 0 ] || systemctl unmask --runtime "$@"
        echo "installed $name"
}
