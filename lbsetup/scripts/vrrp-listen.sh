# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which virtual routers are advertised on the network of $H_ADDRESS? Lines of "ADDRESS ID" for four seconds (an advert comes
# every second, usually), and "listened" if that was possible. perl is in every Debian (perl-base is essential); constants
# are those of Linux, as its headers are in a package of their own. An advert: RFC 5798, 5.1 and 5.2; with IPv6 no header
# stands before it, and the address is the one it comes from, which is of the link (fe80::).

if ! have perl; then exit 0; fi
# shellcheck disable=SC2016
perl -MSocket=:all -e '
        my $own = shift;
        my ($family, $protocol, $ipv6) = ($own =~ /:/ ? AF_INET6 : AF_INET, 112, 41);
        my $ip = inet_pton($family, $own) // exit 0;
        # the number of the interface that has this address
        sub interface {
                open(my $f, "<", "/proc/net/if_inet6") or exit 0;
                my @found = map { (split)[1] } grep { index($_, unpack("H32", $ip)) == 0 } <$f>;
                exit 0 unless @found;
                return hex($found[0]);
        }
        socket(my $s, $family, SOCK_RAW, $protocol) or exit 0;
        # bound, for what is sent to all; what is sent to this node shall find nobody (vrrp-reach.sh)
        if ($family == AF_INET6) {
                my ($index, $group) = (interface(), inet_pton($family, "ff02::12"));
                setsockopt($s, $ipv6, IPV6_JOIN_GROUP, pack_ipv6_mreq($group, $index)) or exit 0;
                bind($s, pack_sockaddr_in6(0, $group, $index)) or exit 0;
        } else {
                my ($join, $group) = (35, inet_aton("224.0.0.18"));
                setsockopt($s, 0, $join, $group . $ip) or exit 0;
                bind($s, pack_sockaddr_in(0, $group)) or exit 0;
        }
        my ($end, %seen) = (time + 4);
        while ((my $left = $end - time) > 0) {
                my $ready = "";
                vec($ready, fileno($s), 1) = 1;
                next if select($ready, undef, undef, $left) <= 0;
                next unless defined(my $from = recv($s, my $packet, 2048, 0));
                next if $family == AF_INET && length $packet < 20;
                my $header = $family == AF_INET ? 4 * (ord($packet) & 15) : 0;
                next if length $packet < $header + 8;
                my $who = $family == AF_INET ? substr($packet, 12, 4) : (unpack_sockaddr_in6($from))[1];
                my $line = inet_ntop($family, $who) . " " . ord(substr($packet, $header + 1, 1));
                print "$line\n" unless $seen{$line}++ or keys %seen > 100;
        }
        print "listened\n";
' "$H_ADDRESS" || :
