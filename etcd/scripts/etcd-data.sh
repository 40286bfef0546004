# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whose etcd data is here? Prints "member" if a member's is there, "other NAME" for what hardway puts nowhere, "aside TOKEN" for data
# that a restore has put aside, "replaced" for that of a member which was replaced; then "mark LINE" for each line of the mark that
# says whose it is, "began" where a member has served, and "end" when all was seen (etcd/data.c). What cannot be looked into is not nothing: then it fails. Changes nothing.

: "${data:?}" "${mark:?}" "${began:?}"

# is_there PATH: false only where nothing has that name, and not where that cannot be told, as of a disk that is broken
is_there() {
        if said=$(ls -d -- "$1" 2>&1); then return 0; fi
        case $said in
                *'No such file or directory'*) return 1 ;;
        esac
        fail io "$said"
}

look_at_data() {
        if ! [ -d "$data" ]; then fail io "$data is no directory that can be read"; fi
        ls -A -- "$data" >/dev/null || fail io "$data cannot be read"
        for path in "$data"/*; do
                name=${path##*/}
                case $name in
                        member)
                                if [ -d "$path" ]; then
                                        echo member
                                elif [ -e "$path" ]; then
                                        echo "other $name"
                                else
                                        fail io "$path cannot be looked into"
                                fi
                                ;;
                        replaced) if [ -d "$path" ]; then echo replaced; fi ;;
                        before-*) if [ -d "$path" ]; then printf 'aside %s\n' "$(one_line "${name#before-}")"; fi ;;
                        '*' | lost+found | restored-*) ;;
                        *) printf 'other %s\n' "$(one_line "$name")" ;;
                esac
        done
}

# a name may be anything, and is to say nothing but itself
one_line() {
        printf '%s' "$1" | tr '\n' '?'
}

if is_there "$data"; then look_at_data; fi
if is_there "$mark"; then
        text=$(head -c 4096 -- "$mark") || fail io "$mark cannot be read"
        printf '%s\n' "$text" | sed 's/^/mark /'
fi
if [ -e "$began" ]; then echo began; fi
echo end
