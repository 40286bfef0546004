# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# package NAME [UNIT...]: its units are masked meanwhile, or they would start before all is there that they need
package() {
        name=$1
        shift
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ]; then return; fi
        command -v apt-get >/dev/null || die "there is no apt-get here: install $name by hand"
        [ $# -eq 0 ] || systemctl mask --runtime "$@"
        # what came with the cluster may go with it
        grep -q -x -s -F -e "$name" /var/lib/hardway/packages || printf '%s\n' "$name" >>/var/lib/hardway/packages
        apt-cache show "$name" >/dev/null 2>&1 || apt-get -q -y update
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef \
                -o Dpkg::Options::=--force-confold install "$name" </dev/null || die "cannot install $name"
        [ $# -eq 0 ] || systemctl unmask --runtime "$@"
        echo "installed $name"
}
