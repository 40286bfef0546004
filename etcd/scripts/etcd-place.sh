# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Is the directory for snapshots free? Prints "ours" where snapshots were taken before, or a plan made it; "free" where nothing is; else the
# name of something that is not ours.

: "${directory:?}" "${record:?}"
ours() {
        grep -q -s -F "\"directory $directory etcd:etcd\"" "$record" && return 0
        # the mark of whoever takes snapshots there, which is empty (etcd-snapshot.sh)
        for mark in "$directory"/node-*; do
                if [ -f "$mark" ] && ! [ -s "$mark" ]; then return 0; fi
        done
        return 1
}
foreign() {
        for path in "$directory"/* "$directory"/.[!.]* "$directory"/..?*; do
                [ -e "$path" ] || [ -L "$path" ] || continue
                name=${path##*/}
                case $name in
                        lost+found | last | last.new | new.part | new.part.*) ;;
                        [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db) ;;
                        *)
                                printf 'foreign %s\n' "$name"
                                return 0
                                ;;
                esac
        done
        return 1
}
if ours; then
        echo ours
else
        foreign || echo free
fi
