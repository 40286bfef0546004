#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardway-servers - lays down what haproxy knows of its servers, for the process that a reload is about to start
#
# A new process takes every server for well, and for dead at its first check that fails, which is when it is busiest itself:
# one late answer, and healthy apiservers are out. With this it goes on from where the old one was. The lines are haproxy's
# own ("show servers state"). Who is not among them begins anew:
# - a server that is not checked or was taken out by hand: planned work has it set aside, and a reload forgets that
# - one that haproxy.cfg now has at another address or port: haproxy would go on asking at this port instead
# A start does not come here, and finds nothing (ExecStartPre, and tmpfiles.d): what an ended process knew is too old.
config=/etc/haproxy/haproxy.cfg socket=/run/haproxy/admin.sock file=/run/hardway/haproxy.servers

# shellcheck disable=SC2016
ask() {
        if command -v perl >/dev/null; then
                timeout 5 perl -MIO::Socket::UNIX -e \
                        '$s = IO::Socket::UNIX->new(shift) or exit 1; print $s shift, "\n"; print while <$s>' "$socket" "$1"
        else
                printf '%s\n' "$1" | timeout 5 socat -t 5 - "UNIX-CONNECT:$socket"
        fi
}

# 1 is the version of the format; the fields: haproxy, doc/management.txt, "show servers state". 4 in a check's state: it is on
# shellcheck disable=SC2016
keep() {
        awk 'BEGIN { print 1 }
                part == 1 { if ($1 == "server") known[$2, $3] = 1; next }
                FNR == 1 { if ($0 != "1") exit; next }
                /^[0-9]/ {
                        address = (index($5, ":") ? "[" $5 "]" : $5) ":" $19
                        if ($7 == 0 && int($14 / 4) % 2 == 1 && ($4, address) in known) print
                }' part=1 "$config" part=2 -
}

ask "show servers state checks" 2>/dev/null | keep >"$file.new"
mv -f -- "$file.new" "$file"
