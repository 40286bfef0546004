# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is worth knowing of a node before something is installed there; lines of "KIND WORDS", understood by
# check/answers.c. Nothing is changed here but for one small file that is written to again and again.
#
# H_INTERFACE    carries the node's address
# H_WAYS         ADDRESS/PORT: is the way there open?
# H_NAMES        do they resolve, to what, and how long does it take?
# H_LEFTOVERS    patterns of paths without the leading slash
# H_SERVICES     units that must not run
# H_PACKAGES     that the package manager has to have
# H_SYNC         directory whose disk is measured, or nothing
# H_THOROUGH     yes: also what takes its time

# first_line KIND FILE: some of these end with a NUL, some without anything
first_line() {
        if [ -r "$2" ]; then
                printf '%s %s\n' "$1" "$(head -c 4096 "$2" 2>/dev/null | tr '\0\n' '  ' || :)"
        fi
}

machine() {
        if [ -e run/systemd/container ]; then
                echo container
        else
                first_line product /sys/class/dmi/id/product_uuid
                first_line product /sys/firmware/devicetree/base/serial-number
        fi
        first_line model /sys/firmware/devicetree/base/model
        first_line mac "/sys/class/net/$H_INTERFACE/address"
        first_line arp-ignore /proc/sys/net/ipv4/conf/all/arp_ignore
        first_line arp-ignore "/proc/sys/net/ipv4/conf/$H_INTERFACE/arp_ignore"
        first_line cmdline /proc/cmdline
        for file in boot/firmware/cmdline.txt boot/cmdline.txt; do
                if [ -f "$file" ]; then
                        printf 'cmdline-file /%s\n' "$file"
                        first_line cmdline-next "$file"
                        break
                fi
        done
        if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo cgroup2; fi
        sed -n '2,$s/^\([^ ]*\).*/swap \1/p' /proc/swaps 2>/dev/null || :
}

leftovers() {
        # the patterns are meant to be expanded
        for path in $H_LEFTOVERS; do
                if [ -e "$path" ]; then printf 'leftover /%s\n' "$path"; fi
        done
        for unit in $H_SERVICES; do
                if systemctl -q is-active "$unit" 2>/dev/null; then printf 'leftover %s\n' "$unit"; fi
        done
}

# way ADDRESS/PORT: bash can connect, and every Debian has it. Refused means that the way is open; whatever else bash says of the
# connection, such as "Permission denied" where a firewall prohibits it by ICMPv6, that it is not. No bash, or one that cannot: nothing.
way() {
        # shellcheck disable=SC2016
        error=$(timeout 4 bash -c 'exec 3<>"/dev/tcp/$1"' bash "$1" 2>&1) && r=0 || r=$?
        case "$r $error" in
        0*) printf 'way %s open\n' "$1" ;;
        124*) printf 'way %s silent\n' "$1" ;;
        *"Connection refused"*) printf 'way %s refused\n' "$1" ;;
        *"timed out"*) printf 'way %s silent\n' "$1" ;;
        12[67]* | *"No such file or directory"*) : ;;
        *": "*) printf 'way %s unreachable %s\n' "$1" "${error##*: }" ;;
        *) : ;;
        esac
}

resolve() {
        found=$(timeout 4 getent ahosts "$1" 2>/dev/null) && r=0 || r=$?
        if [ "$r" = 124 ]; then
                printf 'name %s slow\n' "$1"
        else
                printf 'name %s %s\n' "$1" "$(printf '%s\n' "$found" | cut -d ' ' -f 1 | sort -u | tr '\n' ' ')"
        fi
}

# candidate PACKAGE [OPTION...]: the version that apt would install, or nothing
candidate() {
        package=$1
        shift
        apt-cache "$@" policy "$package" 2>/dev/null | sed -n 's/^  Candidate: \([^(].*\)/\1/p'
}

# What the lists on the node do not have, fresh ones may: they are fetched to a place of their own.
packages() {
        lists=
        for name in $H_PACKAGES; do
                version=$(candidate "$name")
                if [ -z "$version" ] && [ "$H_THOROUGH" = yes ]; then
                        if [ -z "$lists" ]; then
                                lists=$(mktemp -d)
                                trap 'rm -rf "$lists"' EXIT
                                mkdir -p "$lists/partial"
                                timeout 90 apt-get -qq -o "Dir::State::Lists=$lists" -o APT::Sandbox::User=root \
                                        -o Acquire::Retries=0 -o Acquire::http::Timeout=15 \
                                        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= update \
                                        >/dev/null 2>&1 </dev/null || :
                        fi
                        version=$(candidate "$name" -o "Dir::State::Lists=$lists" -o Dir::Cache::pkgcache= \
                                -o Dir::Cache::srcpkgcache=)
                fi
                if [ -n "$version" ] || [ "$H_THOROUGH" = yes ]; then
                        printf 'package %s %s\n' "$name" "$version"
                fi
        done
        if [ -n "$lists" ]; then rm -rf "$lists"; fi
}

# ours DIRECTORY: nobody else can make anything in it
ours() {
        [ -n "$(find -H "$1" -maxdepth 0 -uid "$(id -u)" ! -perm /022)" ]
}

# Who runs as etcd can leave a link to any file in etcd's directory, under the name that is about to be written to: so it is done
# in the one above, if that is on the same disk, else with no more rights than etcd's. Sets H_SYNC, and as: who does it.
choose_place() {
        as=
        while [ ! -d "$H_SYNC" ]; do H_SYNC=${H_SYNC%/*}; done
        above=${H_SYNC%/*}
        if ours "$H_SYNC"; then
                return 0
        elif ours "$above" && [ "$(stat -L -c %d "$above")" = "$(stat -L -c %d "$H_SYNC")" ]; then
                H_SYNC=$above
        else
                as=$(stat -L -c 'setpriv --reuid=%u --regid=%g --clear-groups' "$H_SYNC")
                case $as in *=0\ --reg*) return 1 ;; *) have setpriv ;; esac
        fi
}

# Twenty batches of ten writes that each wait for the disk, of the size that etcd's are, into a file that has its
# space already; for three seconds at most.
sync_latency() {
        choose_place || return 0
        file=$H_SYNC/.hardway-check
        trap 'rm -f "$file"' EXIT
        # shellcheck disable=SC2086
        $as dd if=/dev/zero "of=$file" bs=2300 count=10 conv=fsync 2>/dev/null || return 0
        begin=$(date +%s) batch=0
        while [ $batch -lt 20 ] && [ $(($(date +%s) - begin)) -lt 3 ]; do
                # shellcheck disable=SC2086
                $as dd if=/dev/zero "of=$file" bs=2300 count=10 conv=notrunc oflag=dsync 2>&1 |
                        sed -n 's/^23000 bytes.*copied, \([0-9.e-]*\) s.*/sync 10 \1/p' || :
                batch=$((batch + 1))
        done
        rm -f "$file"
}

for target in $H_WAYS; do way "$target" & done
for name in $H_NAMES; do resolve "$name" & done
machine
leftovers
if [ -n "$H_PACKAGES" ] && have apt-cache; then packages; fi
if [ -n "$H_SYNC" ] && [ "$H_THOROUGH" = yes ]; then sync_latency; fi
wait
