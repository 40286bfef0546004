#!/bin/sh
# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# etcd-snapshot DIRECTORY KEEP PROGRAMS NODE: saves this node's member to DIRECTORY, has etcdutl walk through the result, and keeps
# the newest KEEP of them. Only one that was found whole gets a name that counts, and is told of in DIRECTORY/last.
set -eu
export LC_ALL=C
umask 077

directory=$1 keep=$2 programs=$3 node=$4
cd "$directory"
# Nodes that write to one place would count, and remove, each other's.
: >"node-$node"
for other in node-*; do
        if [ "$other" != "node-$node" ]; then
                echo "$directory holds the snapshots of ${other#node-}, too: each node needs a directory of its own" \
                        "(if it is this node's alone by now: rm $directory/$other)" >&2
                exit 1
        fi
done
# what a run that was cut off left
rm -f -- ./new.part ./new.part.* ./last.new

name=$(date -u +%Y-%m-%dT%H%M%SZ).db
"$programs/etcdctl" --endpoints=https://127.0.0.1:2379 --cacert="$CREDENTIALS_DIRECTORY/ca.crt" \
        --cert="$CREDENTIALS_DIRECTORY/client.crt" --key="$CREDENTIALS_DIRECTORY/client.key" \
        --command-timeout=10m snapshot save new.part >/dev/null
status=$("$programs/etcdutl" snapshot status new.part --write-out=json)
size=$(stat -c %s new.part)
mv -- new.part "$name"
printf '{"file":"%s","time":%s,"size":%s,"status":%s}\n' "$name" "$(date +%s)" "$size" "$status" >last.new
# no secret, and the watch, which is neither etcd nor almighty, has to see it
chmod 0644 last.new
sync -- "$name" last.new
mv -- last.new last
sync -- .

# Names sort by time. What is named later than the one just taken was named by a clock that was wrong, and goes first; then the
# oldest go. The one just taken stays, whatever the clock says. What has another name is not ours.
set -- [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db
excess=$(($# - keep)) later=no
for file; do
        if [ "$file" = "$name" ]; then
                later=yes
        elif [ "$later" = yes ] && [ "$excess" -gt 0 ]; then
                rm -f -- "$file"
                excess=$((excess - 1))
        fi
done
for file; do
        if [ "$file" = "$name" ] || [ "$excess" -le 0 ]; then
                break
        fi
        rm -f -- "$file"
        excess=$((excess - 1))
done
