#!/bin/sh
# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# etcd-snapshot DIRECTORY KEEP PROGRAMS NODE [DATA]: saves this node's member, whose data is in DATA, to DIRECTORY, has etcdutl walk
# through the result, and keeps the newest KEEP of them. Only one that was found whole gets a name that counts, and is told of in
# DIRECTORY/last.
set -eu
export LC_ALL=C
umask 077

directory=$1 keep=$2 programs=$3 node=$4 data=${5:-/var/lib/etcd}
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

# etcd ends when its disk is full, and all members have such a disk and such a timer: a snapshot leaves that much beside itself, in MB.
# It is as large as the database, of which what was deleted is a part until it is defragmented.
mb() { echo $((($1 + 1048575) / 1048576)); }
free_mb() { df -Pk . | awk 'NR == 2 { print int($4 / 1024) }'; }
reserve=16
if [ "$(stat -c %d .)" = "$(stat -c %d "$data")" ]; then reserve=512; fi
need=$(($(mb "$(stat -c %s "$data/member/snap/db" 2>/dev/null || echo 0)") + reserve)) free=$(free_mb)
if [ "$free" -lt "$need" ]; then
        # The older ones go first then, if that is enough; the last good one stays.
        stays=$(sed -n 's/^{"file":"\([^"/]*\)".*/\1/p' last 2>/dev/null || :) old=0
        set -- [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db
        if [ -z "$stays" ] || ! [ -f "$stays" ]; then
                for stays; do :; done
        fi
        for file; do
                if [ -f "$file" ] && [ "$file" != "$stays" ]; then old=$((old + $(stat -c %s "$file") / 1048576)); fi
        done
        for file; do
                if [ "$free" -ge "$need" ] || [ $((free + old)) -lt "$need" ]; then break; fi
                if [ -f "$file" ] && [ "$file" != "$stays" ]; then
                        old=$((old - $(stat -c %s "$file") / 1048576))
                        rm -f -- "$file"
                        free=$(free_mb)
                fi
        done
        if [ "$free" -lt "$need" ]; then
                echo "$directory: $need MB are needed for a snapshot, $reserve MB of them to be left over, and $free MB are free: none is" \
                        "taken. Make room, or give snapshots.directory in the cluster file a disk of its own" >&2
                exit 1
        fi
fi

name=$(date -u +%Y-%m-%dT%H%M%SZ).db
"$programs/etcdctl" --endpoints=https://127.0.0.1:2379 --cacert="$CREDENTIALS_DIRECTORY/ca.crt" \
        --cert="$CREDENTIALS_DIRECTORY/client.crt" --key="$CREDENTIALS_DIRECTORY/client.key" \
        --command-timeout=10m snapshot save new.part >/dev/null
status=$("$programs/etcdutl" snapshot status new.part --write-out=json)
size=$(stat -c %s new.part)
# first: a name may be on the disk before what it names, and would count after a power cut
sync -- new.part
mv -- new.part "$name"
printf '{"file":"%s","time":%s,"size":%s,"status":%s}\n' "$name" "$(date +%s)" "$size" "$status" >last.new
# no secret, and the watch, which is neither etcd nor almighty, has to see it
chmod 0644 last.new
sync -- last.new
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
