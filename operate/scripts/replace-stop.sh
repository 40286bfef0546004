# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing of the old member runs, and its data is out of the way, until the new one votes.

: "${data:?}" "${began:?}"
systemctl stop kube-apiserver.service etcd.service 2>/dev/null || :
if systemctl is-active --quiet etcd.service; then fail unavailable "etcd does not stop"; fi
if [ -d "$data/member" ]; then
        rm -rf "$data/replaced"
        mv -T "$data/member" "$data/replaced"
        sync "$data"
fi
# the new one begins without
rm -f "$began"
