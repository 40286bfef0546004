# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes files, and what they need, true on the node. A tar stream follows on standard input; its members lie
# beside their targets, with .hw-new behind their names, until all of them are complete, checked and on the
# disk. The list of digests is the last member: tar is content with a stream that was cut between two
# members.
#
# H_GENERATION   the number that was seen when the node was looked at
# H_FILES        paths of the members' targets, without leading slash, a line each
# H_SYNC         directories that names appear in or go away from
# H_PACKAGES     to install; H_MASKED: units that must not start meanwhile
# H_STAMPS       paths whose stamps are wanted in the end
# H_TAKEN        lines of plan/taken.h, all of them. H_KEEPS: written before anything is replaced; H_GIVES: in the end
# put_...        functions that do the single steps, made of those below

umask 077
# a connection that is lost does not keep us from finishing what is complete
trap '' HUP PIPE
S=var/lib/hardway

# --- what went wrong ---

# why DIRECTORY: has somebody say it who can; a shell's own printf calls everything an I/O error
why() {
        dd if=/dev/zero "of=$1/.hw-new" bs=4096 count=1 status=none || :
        rm -f -- "$1/.hw-new" 2>/dev/null || :
        room "$1"
}

room() {
        stat -f -c 'hardway: %a of %b blocks, %d of %c inodes are free: %n' -- "$@" >&2 || :
}

# --- single steps ---

# what it has made is no news: only what goes wrong
sysusers() {
        SYSTEMD_LOG_LEVEL=notice systemd-sysusers ${H_ROOT:+--root="$H_ROOT"} --inline "$1" >&2
}

# record LINE FILE: once
record() {
        grep -q -x -s -F -e "$1" "$2" || { printf '%s\n' "$1" >>"$2" && sync -- "$2" "${2%/*}"; }
}

# user NAME HOME COMMENT [GROUP...]: one that was there before is nothing that reset may remove
user() {
        name=$1
        getent passwd "$name" >/dev/null || record "$name" "$S/users" || fail io "cannot write /$S/users"
        sysusers "u $1 - \"$3\" $2 /usr/sbin/nologin" ||
                no_user "$1"
        shift 3
        for group; do
                sysusers "m $name $group" ||
                        no_user "$name"
        done
}

no_user() {
        why etc
        fail io "cannot write the user $1 into /etc/passwd and /etc/group"
}

# note KIND OWNER PATH: how a directory was before it is made or changed, once; what is none is for directory() to refuse
note() {
        was=nothing
        if [ -h "$3" ] || grep -q -s -F -e " /$3 " "$S/directories"; then return; fi
        if [ -e "$3" ]; then
                [ -d "$3" ] || return 0
                was=$(stat -c '%a %U:%G' -- "$3") || fail io "cannot look at /$3"
        fi
        noted="$noted$1 /$3 $2 $was
"
}

# the list so far. One that is begun before there is anything else of hardway's names all that it will have made
made() {
        if [ -e "$S/directories" ]; then
                cat -- "$S/directories"
                return
        fi
        for record in "$S"/applied.* "$S"/taken "$S"/*-identity; do
                [ ! -e "$record" ] || return 0
        done
        echo complete
}

# on the disk before the first of them is touched: reset could not tell what a run that is killed after it has made
note_directories() {
        noted=
        put_notes
        [ -n "$noted" ] || return 0
        if ! made >"$S/directories.hw-new" ||
                ! printf %s "$noted" >>"$S/directories.hw-new" || ! sync -- "$S/directories.hw-new" ||
                ! mv -f -T -- "$S/directories.hw-new" "$S/directories" || ! sync -- "$S"; then
                why "$S"
                fail io "cannot write /$S/directories"
        fi
}

# directory MODE OWNER PATH
directory() {
        [ ! -h "$3" ] || fail refused "/$3 is a symbolic link, which nothing is made through: mount there what it leads to"
        umask 022
        mkdir -p -- "$3" || fail io "cannot make the directory /$3"
        umask 077
        attributes "$@"
}

# attributes MODE OWNER PATH: the mode first, as it may be about closing a file
attributes() {
        [ ! -h "$3" ] || fail refused "/$3 is a symbolic link, and what that leads to is not given to $2"
        chmod -- "$1" "$3" || fail io "cannot set the mode of /$3"
        owner "$2" "$3"
}

# owner OWNER PATH...
owner() {
        owner=$1
        shift
        chown -h -- "$owner" "$@" || fail io "cannot give files to $owner"
}

# check PATH COMMAND: COMMAND finds the file as $1
check() {
        if ! sh -c "$2" sh "$1" >&2; then
                fail verify "/${1%.hw-new} is not accepted by: $2"
        fi
}

# link TARGET PATH
link() {
        rm -f -- "$2.hw-new"
        if ! ln -s -- "$1" "$2.hw-new" || ! mv -f -T -- "$2.hw-new" "$2"; then
                fail io "cannot make the link /$2"
        fi
}

# removal DIGEST PATH
removal() {
        case $1 in
        link:*) [ "link:$(readlink -- "$2")" = "$1" ] || return 0 ;;
        *) printf '%s  %s\n' "$1" "$2" | sha256sum --status -c - 2>/dev/null || return 0 ;;
        esac
        rm -f -- "$2" || fail io "cannot remove /$2"
}

# leftover PATH: metrics that an earlier plan's watch has written would be shown for ever; by their first line, as their bytes change.
# Whose directory it is may have put anything there: nothing is waited for, nor read by a link
leftover() {
        case $(dd if="$1" iflag=nonblock,nofollow bs=64 count=1 status=none 2>/dev/null | head -n 1) in
        '# TYPE hardway_'*) { rm -f -- "$1" && sync -- "${1%/*}"; } || fail io "cannot remove /$1" ;;
        esac
}

# sysctl PATH VALUE
sysctl() {
        printf '%s\n' "$2" >"$1" || fail io "cannot set the sysctl /$1"
}

# --- the state of the put itself ---

advance() {
        generation=$((generation + 1))
        if ! printf '%s\n' "$generation" >"$S/generation.new" ||
                ! mv -f -- "$S/generation.new" "$S/generation"; then
                why "$S"
                fail io "cannot write /$S/generation"
        fi
}

# what is staged now, or was by a put that did not come to its end
forget() {
        if [ -s "$S/staged" ]; then
                xargs rm -f -- <"$S/staged"
        fi
        rm -f -- "$S/staged" "$S/manifest"
}

# runs at the end, whatever it is
clean() {
        status=$?
        trap '' INT TERM
        set +e
        # what went wrong has been said; that the same disk lets nothing be removed would drown it
        forget 2>/dev/null
        unmask
        exit "$status"
}

unmask() {
        if [ -n "$masked" ]; then
                # shellcheck disable=SC2086
                systemctl unmask --runtime $masked >/dev/null 2>&1
        fi
        masked=
}

# --- what was there before hardway came ---

# duplicate PATH TARGET: as it is, with mode, owner and times; there as a whole, or not at all
duplicate() {
        rm -f -- "$2.hw-new"
        cp -a -T -- "$1" "$2.hw-new" && { [ -h "$2.hw-new" ] || sync -- "$2.hw-new"; } && mv -f -T -- "$2.hw-new" "$2"
}

# keep PATH
keep() {
        copy=$S/before/$1
        [ -e "$1" ] || [ -h "$1" ] || fail stale "/$1 has gone in the meantime"
        if ! mkdir -p -- "${copy%/*}" || ! duplicate "$1" "$copy"; then
                why "$S"
                fail io "cannot keep /$1 in /$S/before"
        fi
}

# back WAS PATH: ours is there no more, or is of a run that was killed
back() {
        if [ "$1" = nothing ]; then
                [ -d "$2" ] || rm -f -- "$2" || fail io "cannot remove /$2"
        elif [ -e "$S/before/$2" ] || [ -h "$S/before/$2" ]; then
                duplicate "$S/before/$2" "$2" || fail io "cannot put /$2 back"
        fi
}

# unit_back NAME FILE_STATE ACTIVE
unit_back() {
        case $2 in
        enabled) systemctl enable --quiet -- "$1" ;;
        masked) systemctl mask --quiet -- "$1" ;;
        esac || echo "$1 is not $2 any more" >&2
        [ "$3" != active ] || systemctl start --no-block -- "$1" || echo "$1 ran before, and does not start" >&2
}

list_taken() {
        if ! printf %s "$H_TAKEN" >"$S/taken.hw-new" || ! sync -- "$S/taken.hw-new" ||
                ! mv -f -T -- "$S/taken.hw-new" "$S/taken" || ! sync -- "$S"; then
                why "$S"
                fail io "cannot write /$S/taken"
        fi
}

# once, and before the first of them is replaced: a run that is killed after it leaves files of ours, which are no originals
take() {
        put_keeps
        [ ! -d "$S/before" ] || find "$S/before" -type d -exec sync -- {} + || fail io "what is kept did not get to the disk"
        list_taken
}

# copies go last: one without a line means nothing, and a line without its copy would take what came back for ours
sweep() {
        [ -d "$S/before" ] || return 0
        find "$S/before" ! -type d | while read -r copy; do
                grep -q -F -e "/${copy#"$S/before/"} kept" "$S/taken" || rm -f -- "$copy"
        done
        find "$S/before" -depth -type d -empty -delete
}

# --- files ---

# what a rename would stumble over, before there is anything to rename
foresee() {
        set -f
        for name in $H_FILES; do
                if [ -d "$name" ] && ! [ -h "$name" ]; then
                        fail refused "/$name is a directory, where a file has to be"
                fi
        done
        set +f
}

receive() {
        if ! printf '%s\n' "$H_FILES" | sed 's/$/.hw-new/' >"$S/staged" || ! sync -- "$S/staged"; then
                why "$S"
                fail io "cannot write /$S/staged"
        fi
        # -m: the time of a unit file tells systemd that it is a new one. -b: GNU's takes as much at a time as a
        # pipe holds, which is half the work
        if ! TAR_OPTIONS="-b 128" tar -x -p -m -f - --numeric-owner <&3; then
                room etc opt var
                fail io "the files did not arrive"
        fi
        [ -f "$S/manifest" ] || fail cut "the connection broke off before all files had arrived"
        exec 3<&-
}

# To the disk and back to the eyes at the same time. sync(1) takes what it is given file by file.
verify() {
        xargs sync <"$S/staged" &
        sha256sum --quiet --strict -c "$S/manifest" >&2 || fail verify "files arrived damaged"
        wait "$!" || fail io "files did not get to the disk"
}

publish() {
        while read -r name; do
                mv -f -T -- "$name" "${name%.hw-new}" || fail io "cannot replace /${name%.hw-new}"
        done <"$S/staged"
        rm -f -- "$S/staged" "$S/manifest"
}

# --- packages ---

# 8 is our lock, which nothing that is started there and stays may hold
apt_get() {
        apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
                -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >&2 8>&-
}

# the lock of the lists has no timeout of its own, and a node that was just switched on is updating them
apt_update() {
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
                if apt_get update; then return; fi
                sleep 10
        done
        fail unavailable "apt-get update failed"
}

# what these packages bring along goes with them, too, if nobody needs it by then
record_needed() {
        # shellcheck disable=SC2086
        apt-get -s -q -y --no-install-recommends install $H_PACKAGES 2>/dev/null 8>&- | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
                while read -r name; do
                        record "$name" "$S/packages.needed"
                done
}

install() {
        export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1
        have apt-get || fail unavailable "has no apt-get: install these packages there by hand: $H_PACKAGES"
        # shellcheck disable=SC2086
        if [ -n "$H_MASKED" ]; then
                masked=$H_MASKED
                systemctl mask --runtime $masked >&2 || fail unavailable "cannot mask $masked"
        fi
        # what came with hardway may go with it (reset); what was there before stays
        for name in $H_PACKAGES; do
                record "$name" "$S/packages"
        done
        # a power cut may have left dpkg in the middle of something
        dpkg --force-confdef --force-confold --configure -a >&2 8>&- || :
        for name in $H_PACKAGES; do
                if ! apt-cache show -- "$name" >/dev/null 2>&1; then
                        apt_update
                        break
                fi
        done
        record_needed
        # shellcheck disable=SC2086
        apt_get install $H_PACKAGES || {
                # the lists may name versions that the server has no more
                apt_update
                record_needed
                apt_get install $H_PACKAGES || fail unavailable "apt-get could not install $H_PACKAGES"
        }
}

# --- all of it ---

# nothing but tar shall read what comes for tar
exec 3<&0 </dev/null
masked='' generation=0
mkdir -p -- "$S" || fail io "cannot make the directory /$S"
exec 8>>"$S/put.lock" || fail io "cannot write /$S/put.lock"
flock -w 600 8 || fail temporary "another hardway is writing here, for minutes now"
if [ -r "$S/generation" ]; then
        read -r generation <"$S/generation" || :
fi
[ "${generation:-0}" = "$H_GENERATION" ] ||
        fail stale "another hardway has changed something here in the meantime"
forget
trap clean EXIT
trap 'exit 143' INT TERM
advance

put_users
note_directories
put_directories
if [ -n "$H_FILES" ]; then
        foresee
        receive
        put_owners
        put_checks
        verify
fi
[ -z "$H_KEEPS" ] || take
# before the record of this plan is there: a run that is killed does it again
put_leftovers
[ -z "$H_FILES" ] || publish
put_links
put_attributes
put_removals
put_backs
put_sysctls
# shellcheck disable=SC2086
[ -z "$H_SYNC" ] || sync -- $H_SYNC || fail io "directories did not get to the disk"
if [ -n "$H_PACKAGES" ]; then
        install
        put_late_checks
        unmask
fi
if [ -n "$H_GIVES" ]; then
        systemctl daemon-reload || :
        put_units_back
        list_taken
        sweep
fi
advance
sync -- "$S" "$S/generation"

section stamps
set -f
# shellcheck disable=SC2046,SC2086
[ -z "$H_STAMPS" ] || stat -c '%s:%.9Y:%.9Z:%i %n' -- $H_STAMPS
