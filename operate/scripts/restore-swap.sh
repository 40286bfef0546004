# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The new data takes the place of the old, which stays aside; then the mark says whose it is.
#
# before-TOKEN says that the old data is out of the way: what lies in member/ after that is of this very restore, by a run that
# was killed before it wrote the mark.

: "${data:?}" "${token:?}" "${mark:?}" "${mark_text:?}"
new=restored-$token old=before-$token
cd "$data" || exit
[ -d "$new/member" ] || fail missing "the data that was unpacked is gone"
if [ -d "$old" ]; then
        rm -rf member
elif [ -d member ]; then
        mv -T member "$old"
else
        mkdir "$old"
        chown --reference=. "$old"
fi
mv -T "$new/member" member
rm -rf "$new"
sync -f .
umask 022
printf '%s' "$mark_text" >"$mark.new"
sync "$mark.new"
mv -f -T "$mark.new" "$mark"
sync "${mark%/*}"
