# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A part of what hardway plan --script writes.

# What was here before, and comes back when the cluster's things go (hardway reset), is written down before any of it is replaced.

# unit_of PATH: the unit that a file is of
unit_of() {
        case $1 in
        /etc/systemd/system/*.d/*) unit=${1#/etc/systemd/system/} && echo "${unit%%.d/*}" ;;
        /etc/systemd/system/*) echo "${1#/etc/systemd/system/}" ;;
        esac
}

# was UNIT: what systemd says of it; nothing, if there is none, or if it has files of the cluster's
was() {
        if [ -z "$1" ] || grep -q -s -F -e " $1 " "$STATE/taken" || grep -q -s -F -e "etc/systemd/system/$1" "$STATE/applied.paths"; then return; fi
        [ "$(systemctl show -p LoadState --value "$1")" != not-found ] || return 0
        state=$(systemctl show -p UnitFileState --value "$1")
        case $(systemctl show -p ActiveState --value "$1") in
        active | activating | reloading) active=active ;;
        *) active=inactive ;;
        esac
        echo " $1 ${state:-none} $active"
}

# keep PATH: as it is, with mode, owner and times; whole, or not at all
keep() {
        copy=$STATE/before$1
        mkdir -p "${copy%/*}"
        rm -f "$copy.hw-new"
        cp -a "$1" "$copy.hw-new" || die "cannot keep $1"
        [ -h "$copy.hw-new" ] || sync "$copy.hw-new"
        mv -f "$copy.hw-new" "$copy"
        find "$STATE/before" -type d -exec sync {} +
        echo "kept what was $1"
}

# take PATH: once; what lies there after that is the cluster's
take() {
        if cut -d ' ' -f 1 "$STATE/taken" 2>/dev/null | grep -q -x -F -e "$1" || grep -q -s -x -F -e "${1#/}" "$STATE/applied.paths"; then return; fi
        kept=nothing
        if [ -e "$1" ] || [ -h "$1" ]; then
                keep "$1"
                kept=kept
        fi
        { cat "$STATE/taken" 2>/dev/null || :; echo "$1 $kept$(was "$(unit_of "$1")")"; } | sort >"$STATE/taken.hw-new"
        sync "$STATE/taken.hw-new"
        mv -f "$STATE/taken.hw-new" "$STATE/taken"
        sync "$STATE"
}
