# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Takes an apiserver out of haproxy's rotation for planned work (verb=set-aside server=NAME), or puts back what was taken
# out (verb=bring-back, or verb=try-back, which prints "busy" where there are connections still), on haproxy's admin
# socket, which is root's alone. It is spoken to by Perl, which every Debian has.
#
# Set aside, a server gets no new connections and is not checked: so its old ones last as long as it lets them, and are not
# cut off as soon as it says that it is about to go. A file keeps the name; and the record of what haproxy has loaded is
# laid away (under a name that no look reads), as that is not what it does now. So a run that was killed in between is found
# out: the next one puts the server back, or has haproxy load its configuration again, which forgets all this.

: "${verb:?}" "${server?}"
socket=/run/haproxy/admin.sock backend=apiservers
aside=/run/hardway/haproxy.aside loaded=/run/hardway/haproxy.service.loaded

# ask COMMAND: what haproxy answers
ask() {
        # shellcheck disable=SC2016
        if have perl; then
                timeout 5 perl -MIO::Socket::UNIX -e \
                        '$s = IO::Socket::UNIX->new(shift) or die "$!\n"; print $s shift, "\n"; print while <$s>' \
                        "$socket" "$1"
        elif have socat; then
                printf '%s\n' "$1" | timeout 5 socat -t 5 - "UNIX-CONNECT:$socket"
        else
                fail missing "has neither perl nor socat, by one of which haproxy is told to spare an apiserver"
        fi || fail unavailable "haproxy does not answer on $socket"
}

# tell COMMANDS: all goes well if it has nothing to say
tell() {
        answer=$(ask "$1") || exit 1
        case $(printf '%s\n' "$answer" | grep . || :) in
        '') ;;
        'No such server.'*) return 1 ;;
        *) fail unavailable "haproxy says: $answer" ;;
        esac
}

# The servers track those of another backend; a configuration of before that has not been replaced yet checks them itself.
checked_by() {
        if ask "show stat checks 4 -1" | grep -q '^checks,'; then echo checks; else echo "$backend"; fi
}

# connections SERVER
connections() {
        ask "show stat $backend 4 -1" | sed -n "s/^$backend,$1,[^,]*,[^,]*,\([0-9]*\),.*/\1/p"
}

set_aside() {
        printf '%s\n' "$server" >>"$aside"
        if [ -e "$loaded" ]; then mv -f -- "$loaded" "$aside.record"; fi
        checks=$(checked_by)
        tell "set server $backend/$server state drain; disable health $checks/$server" ||
                fail unavailable "haproxy does not know $server"
}

# One without connections has been restarted: it counts as down until two checks have found it well, and then gets its
# share bit by bit. One that has some was left as it was, and they are to stay.
put_back() {
        checks=$(checked_by)
        if [ "$(connections "$1")" = 0 ]; then tell "set server $checks/$1 health down" || :; fi
        tell "enable health $checks/$1; set server $backend/$1 state ready" || :
}

bring_back() {
        [ -e "$aside" ] || return 0
        # a new record is of a haproxy that has begun anew since
        if [ ! -e "$loaded" ] && systemctl -q is-active haproxy.service; then
                if [ "$verb" = try-back ] && [ "$(connections "$server")" != 0 ]; then
                        echo busy
                        return 0
                fi
                while read -r name; do put_back "$name"; done <"$aside"
                if [ -e "$aside.record" ]; then mv -f -- "$aside.record" "$loaded"; fi
        fi
        rm -f -- "$aside" "$aside.record"
}

case $verb in
set-aside) set_aside ;;
*-back) bring_back ;;
esac
