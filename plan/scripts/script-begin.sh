# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

usage() {
        cat <<USAGE
usage: sh $0 [OPTION...]

Makes this machine the node $NODE of the cluster $CLUSTER. Run as root, as often as you like: what is as it should be is left alone.

  --secrets DIR    keys and kubeconfigs, as the node will have them: DIR/etc/kubernetes/... , as written by
                   hardway plan --output OUT --secrets --node $NODE in OUT/$NODE
  --binaries DIR   programs by their names (DIR/kubectl), instead of downloading them
  --mirror URL     where to download from, instead of the official addresses; laid out like them
USAGE
        exit "${1-64}"
}

SECRETS='' BINARIES=''
while [ $# -gt 0 ]; do
        case $1 in
        --help) usage 0 ;;
        --secrets) [ $# -gt 1 ] || usage; SECRETS=$2; shift ;;
        --secrets=*) SECRETS=${1#*=} ;;
        --binaries) [ $# -gt 1 ] || usage; BINARIES=$2; shift ;;
        --binaries=*) BINARIES=${1#*=} ;;
        --mirror) [ $# -gt 1 ] || usage; KUBERNETES_URL=$2 ETCD_URL=$2/etcd; shift ;;
        --mirror=*) KUBERNETES_URL=${1#*=} ETCD_URL=${1#*=}/etcd ;;
        *) usage ;;
        esac
        shift
done
export SECRETS BINARIES KUBERNETES_URL ETCD_URL

die() {
        echo "$0: $*" >&2
        exit 1
}

[ "$(id -u)" = 0 ] || die "has to run as root"
[ -d /run/systemd/system ] || die "this machine does not run systemd"
case $(uname -m)-$ARCHITECTURE in
aarch64-arm64 | x86_64-amd64) ;;
*) die "this machine is a $(uname -m), and $NODE is planned as $ARCHITECTURE" ;;
esac

umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C

# sha256 FILE: the digest of its content, or nothing
sha256() {
        if [ -f "$1" ] && [ ! -h "$1" ]; then sha256sum <"$1" | cut -d ' ' -f 1; fi
}

# attributes MODE OWNER PATH
attributes() {
        [ ! -h "$3" ] || die "$3 is a symbolic link, and what that leads to is not given to $2"
        [ "$(stat -c %a "$3")" = "${1#0}" ] || chmod "$1" "$3"
        [ "$(stat -c %U:%G "$3")" = "$2" ] || chown -h "$2" "$3"
}

# publish MODE OWNER PATH: PATH.hw-new is complete, and takes the place of PATH: it is old or new, never half
publish() {
        chmod "$1" "$3.hw-new"
        chown "$2" "$3.hw-new"
        sync "$3.hw-new" 2>/dev/null || sync
        take "$3"
        mv -f "$3.hw-new" "$3"
        echo "wrote $3"
}
