# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What lay at $paths before hardway came, as it was: after packages, as one that goes takes its configuration along. Whole or not at all; a
# copy that is missing was put back by a reset that was interrupted later.

: "${root?}" "${paths?}"
for path in $paths; do
        copy=$root/var/lib/hardway/before$path path=$root$path
        [ -e "$copy" ] || [ -h "$copy" ] || continue
        mkdir -p -- "${path%/*}"
        rm -f -- "$path.hw-new"
        cp -a -T -- "$copy" "$path.hw-new"
        [ -h "$path.hw-new" ] || sync -- "$path.hw-new"
        mv -f -T -- "$path.hw-new" "$path"
        sync -- "${path%/*}"
done
