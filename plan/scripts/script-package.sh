# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# unmask [UNIT...]: nothing where none is masked, which a run that was killed may have left so
unmask() {
        for masked; do
                if [ -h "/run/systemd/system/$masked" ]; then systemctl unmask --quiet --runtime "$masked"; fi
        done
}

# a node that was just switched on is updating its lists, and their lock has no timeout of its own
update_lists() {
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
                if apt-get -q -y update </dev/null; then return; fi
                sleep 10
        done
        die "apt-get update failed"
}

# a power cut may have left dpkg in the middle of something
end_dpkg() {
        DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a </dev/null || :
}

# add_package NAME: what it brings along goes with it, too
add_package() {
        apt-get -s -q -y --no-install-recommends install "$1" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
                while read -r needed; do record "$needed" "$STATE/packages.needed"; done
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
                -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$1" </dev/null
}

# fetch_package NAME [UNIT...]: its units are masked meanwhile, or they would start before all is there that they need. What is started here
# and stays does not keep the lock
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
        end_dpkg
        apt-cache show "$name" >/dev/null 2>&1 || update_lists
        add_package "$name" || {
                # the lists may name versions that the server has no more
                update_lists
                end_dpkg
                add_package "$name" || die "cannot install $name"
        }
) 9>&-

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
