# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Facts of the node and what lies and runs there. Every section is what some program printed; understanding
# it is left to the asking side (host/look-parse.c). It runs before anything else in every run of hardway,
# also in those that change nothing: so each program is started once for all there is to ask, and what the
# shell or grep can read is not asked of a program.
#
# H_PATHS        files to look at, without the leading slash
# H_UNITS        units
# H_SERVERS      how many of them, the first ones, are services that listen on ports
# H_USERS, H_PACKAGES
# H_SYSCTLS      files below /proc/sys

# a put of a run that was killed may still be at work here; what it changes must not be seen half done
if [ -e var/lib/hardway/put.lock ]; then
        exec 9<var/lib/hardway/put.lock
        flock -s -w 120 -E 75 9 || case $? in
        75) fail temporary "another hardway is writing here, for minutes now" ;;
        *) fail io "cannot lock /var/lib/hardway/put.lock" ;;
        esac
        exec 9<&-
fi

section applied
cat var/lib/hardway/applied.json 2>/dev/null || :

section generation
if [ -r var/lib/hardway/generation ]; then
        read -r generation <var/lib/hardway/generation || :
        printf '%s\n' "$generation"
fi

# what earlier runs have put here and may have to go: a list that is written with applied.json, and directories that they made
section paths
made=
if [ -r var/lib/hardway/directories ]; then
        while read -r _ path _; do
                made="$made ${path#/}"
        done <var/lib/hardway/directories
fi
set -f
# shellcheck disable=SC2046,SC2086
set -- $H_PATHS $(cat var/lib/hardway/applied.paths 2>/dev/null || :) $made
set +f
if [ $# -gt 0 ]; then
        # that a file is missing is no failure; other complaints are for the asking side to read
        stat -c '%f %U:%G %s %.9Y:%.9Z:%i %N' -- "$@" || :
fi

section units
pids=
n_services=0 n_listening=0
if [ -n "$H_UNITS" ]; then
        # shellcheck disable=SC2086
        units=$(systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,Result,MainPID,NRestarts \
                -p NeedDaemonReload,FragmentPath,DropInPaths,Job -- $H_UNITS) ||
                fail unavailable "systemd does not answer"
        printf '%s\n' "$units"
        set -f
        for word in $units; do
                case $word in
                MainPID=0) n_services=$((n_services + 1)) ;;
                MainPID=*)
                        pids="$pids /proc/${word#MainPID=}/environ"
                        n_services=$((n_services + 1))
                        [ "$n_services" -gt "$H_SERVERS" ] || n_listening=$((n_listening + 1))
                        ;;
                esac
        done
        set +f
fi

# what the running processes were started with; words end with a NUL here
section inputs
if [ -n "$pids" ]; then
        # shellcheck disable=SC2086
        grep -a -s -z -H '^HARDWAY_INPUTS=' $pids || :
        echo
fi

# with those that earlier runs have made
section users
users=$H_USERS
if [ -r var/lib/hardway/users ]; then
        while read -r name; do
                case $name in [a-z_]*) users="$users $name" ;; esac
        done <var/lib/hardway/users
fi
set -f
if [ -n "$users" ]; then
        # shellcheck disable=SC2086
        getent passwd $users || :
fi
set +f

# where packages are not dpkg's, a program of the package's name says that it is there
section packages
if have dpkg-query; then
        # shellcheck disable=SC2016,SC2086
        [ -z "$H_PACKAGES" ] ||
                dpkg-query -W -f '${Package} ${db:Status-Status}\n' $H_PACKAGES 2>/dev/null || :
else
        for name in $H_PACKAGES; do
                if have "$name"; then printf '%s installed\n' "$name"; fi
        done
fi

section tools
if have apt-get; then echo apt-get; fi

# the version of systemd is in the name of its library; asking systemd itself takes ten times as long
section systemd
version=
for file in /usr/lib/systemd/libsystemd-shared-*.so /usr/lib/*/systemd/libsystemd-shared-*.so; do
        if [ -e "$file" ]; then
                [ -z "$version" ] || version=several
                [ "$version" = several ] || version=${file##*/libsystemd-shared-}
        fi
done
case $version in
"" | several) systemctl --version ;;
*) printf 'systemd %s\n' "$version" ;;
esac

# each line with the file it is from; *-identity says whose data a component keeps here: of nodes that were
# installed by hand there is no other record
section files
# shellcheck disable=SC2086
grep -a -s -H '' etc/machine-id etc/hosts etc/nsswitch.conf run/hardway/*.loaded \
        /proc/sys/kernel/hostname /proc/meminfo /sys/fs/cgroup/cgroup.controllers \
        var/lib/hardway/*-identity var/lib/hardway/taken var/lib/hardway/directories $H_SYSCTLS || :
grep -a -s -H -m 1 '^flags\|^Features\|^KernelPageSize' /proc/cpuinfo /proc/self/smaps || :

# the kernel's architecture; the first bytes of an ELF file tell that of all programs
section machine
uname -m
od -A n -t x1 -N 20 /bin/sh

section addresses
if have ip; then
        ip -o addr || :
fi

# who holds which port is asked for those that must have one and do not run: it looks at every open file of
# every process
section listening
if { [ "$n_listening" -lt "$H_SERVERS" ] || [ "$H_SERVERS" -eq 0 ]; } && have ss; then
        ss -H -l -t -n -p || :
fi

section disk
stat -f -c '%a %S %n' var/lib opt . 2>/dev/null || :

# timedatectl starts a service of systemd to answer; timesyncd leaves a file once it has the time, and a
# container has the clock of its machine
section clock
if [ -e /run/systemd/timesync/synchronized ] || [ -e /run/systemd/container ]; then
        echo yes
else
        timedatectl show -p NTPSynchronized --value 2>/dev/null || :
fi
date +%s
