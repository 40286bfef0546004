# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Are there configurations that somebody wrote for haproxy or keepalived, and that would be replaced? Prints their paths: those that are neither
# ours ($record lists our files) nor as the package has them; behind "?" where that cannot be told. Where they lie elsewhere, it prints the file that
# says so, which hardway's units do not read.

: "${root?}" "${record:?}"
# as_packaged PACKAGE PATH FILE: 0 if it is, 1 if not, 2 if nobody knows
as_packaged() {
        if have dpkg-query; then
                sum=$(dpkg-query -W -f '${Conffiles}\n' "$1" 2>/dev/null | sed -n "s,^ $2 \([0-9a-f]*\).*,\1,p" || :)
                [ "$sum" = "$(md5sum <"$3" | cut -d ' ' -f 1)" ]
        elif have rpm; then
                # it names what differs; a file of no package is named, too
                ! rpm -Vf "$2" 2>&1 | grep -q -F " $2"
        else
                return 2
        fi
}
# names_another FILE: 0 if the units of the distributions, which read it, take a configuration from another place for it
names_another() {
        grep -E -s "^[[:space:]]*CONFIG=" "$1" | grep -E -q -v "=[\"']?/etc/haproxy/haproxy.cfg[\"']?[[:space:]]*$" ||
                grep -E -q -s "^[[:space:]]*(EXTRAOPTS|DAEMON_ARGS)=(.*[[:space:]])?[\"']?(-f|--use-file)" "$1"
}
for entry in haproxy:/etc/haproxy/haproxy.cfg keepalived:/etc/keepalived/keepalived.conf; do
        path=${entry#*:} file=$root${entry#*:}
        if grep -q -s -x -F "${path#/}" "$record" || { [ -s "$file" ] && head -n 1 "$file" | grep -q '^# Written by hardway'; }; then
                continue
        fi
        if names_another "$root/etc/default/${entry%%:*}"; then
                printf '%s\n' "/etc/default/${entry%%:*}"
        fi
        [ -s "$file" ] || continue
        as_packaged "${entry%%:*}" "$path" "$file" && r=0 || r=$?
        case $r in
        0) : ;;
        2) printf '? %s\n' "$path" ;;
        *) printf '%s\n' "$path" ;;
        esac
done
