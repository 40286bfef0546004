# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Is there room, in KiB, for the file and for the data that is unpacked from it? They may be on the same disk. What a restore
# that was killed has left there is of no use.

: "${data:?}" "${snapshot:?}" "${data_kib:?}" "${file_kib:?}"
arrives=${snapshot%/*}

room() {
        free=$(df -Pk "$1" | {
                read -r _
                read -r _ _ _ free _
                echo "$free"
        })
        if [ "$free" -lt "$2" ]; then
                fail io "$1: $(($2 / 1024)) MiB are needed for the new data, $((free / 1024)) MiB are free"
        fi
}

mkdir -p "$data" "$arrives"
rm -rf -- "$data"/restored-* "$snapshot"
if [ "$(stat -c %d "$data")" = "$(stat -c %d "$arrives")" ]; then
        data_kib=$((data_kib + file_kib))
        file_kib=0
fi
room "$data" "$data_kib"
room "$arrives" "$file_kib"
