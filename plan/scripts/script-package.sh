# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# unmask [UNIT...]: nothing where none is masked, which a run that was killed may have left so
unmask() {
        for masked; do
                if [ -h "/run/systemd/system/$masked" ]; then systemctl unmask --quiet --runtime "$masked"; fi
        done
}

# fetch_package NAME [UNIT...]: its units are masked meanwhile, or they would start before all is there that they need
fetch_package() (
        name=$1
        shift
        if [ $# -gt 0 ]; then
                trap 'unmask "$@"' EXIT
                trap 'exit 1' HUP INT TERM
                systemctl mask --runtime "$@"
        fi
        # what came with the cluster may go with it
        record "$name" "$STATE/packages"
        apt-cache show "$name" >/dev/null 2>&1 || apt-get -q -y update
        apt-get -s -q -y --no-install-recommends install "$name" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
                while read -r needed; do record "$needed" "$STATE/packages.needed"; done
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef \
                -o Dpkg::Options::=--force-confold install "$name" </dev/null || die "cannot install $name"
)

# package NAME [UNIT...]
package() {
        name=$1
        shift
        unmask "$@"
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ]; then return; fi
        command -v apt-get >/dev/null || die "there is no apt-get here: install $name by hand"
        fetch_package "$name" "$@"
        echo "installed $name"
}
