# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the node saved of its member, in directories that somebody chose ($places): names that we gave go (etcd-snapshot.sh).

: "${places?}"
for d in $places; do
        [ -d "$d" ] || continue
        rm -f -- "$d"/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db \
                "$d"/last "$d"/last.new "$d"/new.part "$d"/new.part.*
        for mark in "$d"/node-*; do
                if [ -f "$mark" ] && ! [ -s "$mark" ]; then rm -f -- "$mark"; fi
        done
done
