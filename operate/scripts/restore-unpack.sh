# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unpacks the snapshot beside the member's data, as that of a new cluster. The revision is raised by so much; etcd's
# documentation: more than writes a week makes, and no less than the revisions that the snapshot may be behind.

: "${data:?}" "${snapshot:?}" "${token:?}" "${etcdutl:?}" "${name:?}" "${members:?}" "${url:?}" "${skip_hash_check?}"
new=$data/restored-$token
mkdir -p "$data"
rm -rf -- "$new"
if ! "$etcdutl" snapshot restore "$snapshot" --name="$name" --data-dir="$new" --initial-cluster="$members" \
        --initial-cluster-token="$token" --initial-advertise-peer-urls="$url" --bump-revision=1000000000 \
        --mark-compacted ${skip_hash_check:+--skip-hash-check} >&2; then
        rm -rf -- "$new" "$snapshot"
        exit 1
fi
rm -f -- "$snapshot"
chown -R etcd:etcd "$new"
sync -f "$new"
