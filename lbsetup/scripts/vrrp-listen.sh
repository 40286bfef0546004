# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who else is there? On the network of $H_ADDRESS: asks it who has $H_ALL (the VIP, and the load balancers), or nobody, and listens for
# $H_SECONDS (an advert comes every second, usually). Prints lines of "mac ADDRESS MAC" for all that is answered for and for this node
# itself, "vrrp ADDRESS ID" for the virtual routers that are heard, and "listened" if all of that was possible: it takes perl, which every
# Debian has (perl-base). Constants are those of Linux, as its headers are in a package of their own. It is asked on a socket of our own:
# the neighbour table of the kernel has room for one answer only, and none for its own addresses.
#
# With IPv4: ARP, as a probe (RFC 5227, 2.1.1: from 0.0.0.0, so that nobody's table changes). With IPv6: neighbour solicitations (RFC 4861,
# 4.3 and 4.4) from an address of ours, as one from :: would take an address away from whoever is about to assign it (RFC 4862, 5.4.3). An
# advert: RFC 5798, 5.1 and 5.2; with IPv6 no header stands before it, and the address is the one it comes from, which is of the link
# (fe80::). Where nobody is asked for, before an installation, what is sent to all is heard alone: what is sent to this node shall find
# nobody (vrrp-reach.sh).

: "${H_ADDRESS:?}" "${H_SECONDS:?}" "${H_ALL?}"
interface=$(ip -o address show to "$H_ADDRESS" 2>/dev/null | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p')
if ! have perl || ! [ -e "/sys/class/net/${interface:=none}/ifindex" ]; then exit 0; fi
printf 'mac %s %s\n' "$H_ADDRESS" "$(cat "/sys/class/net/$interface/address")"
# shellcheck disable=SC2016,SC2086
perl -MTime::HiRes=time -MSocket=:all -e '
        my ($own, $seconds, $index, $mac, @all) = @ARGV;
        my ($family, $packet, $vrrp, $icmp6, $ipv6) = ($own =~ /:/ ? AF_INET6 : AF_INET, 17, 112, 58, 41);
        my $group = inet_pton($family, $family == AF_INET6 ? "ff02::12" : "224.0.0.18");
        my $sender = pack("H12", $mac =~ s/://gr);
        my @ip = map { inet_pton($family, $_) // exit 0 } @all;
        sub open_arp {
                my $arp = 0x0806;
                socket(my $s, $packet, SOCK_DGRAM, unpack("S", pack("n", $arp))) or exit 0;
                my $to = pack("S n i S C C a8", $packet, $arp, $index, 0, 0, 6, "\xff" x 6);
                return ($s, sub {
                        send($s, pack("n n C C n a6 a4 a6 a4", 1, 0x0800, 6, 4, 1, $sender, "\0" x 4, "\0" x 6, $_), 0, $to) for @ip;
                });
        }
        sub open_neighbours {
                socket(my $s, $family, SOCK_RAW, $icmp6) or exit 0;
                setsockopt($s, $ipv6, IPV6_MULTICAST_IF, pack("i", $index)) or exit 0;
                setsockopt($s, $ipv6, IPV6_MULTICAST_HOPS, pack("i", 255)) or exit 0;
                my $solicited = substr(inet_pton($family, "ff02::1:ff00:0"), 0, 13);
                return ($s, sub {
                        send($s, pack("C C n N a16 C C a6", 135, 0, 0, 0, $_, 1, 1, $sender), 0,
                             pack_sockaddr_in6(0, $solicited . substr($_, 13), $index)) for @ip;
                });
        }
        sub open_vrrp {
                socket(my $s, $family, SOCK_RAW, $vrrp) or exit 0;
                my @join = $family == AF_INET ? (0, 35, pack("a4 a4 i", $group, "", $index)) :
                                                ($ipv6, IPV6_JOIN_GROUP, pack_ipv6_mreq($group, $index));
                setsockopt($s, $join[0], $join[1], $join[2]) or exit 0;
                return $s if @ip;
                bind($s, $family == AF_INET ? pack_sockaddr_in(0, $group) : pack_sockaddr_in6(0, $group, $index)) or exit 0;
                return $s;
        }
        sub told {
                my ($ip, $mac) = @_;
                return join(" ", "mac", inet_ntop($family, $ip), join(":", unpack("(A2)6", unpack("H12", $mac))));
        }
        sub heard_arp {
                return if length $_[0] < 28 or unpack("x6 n", $_[0]) != 2;
                return told(substr($_[0], 14, 4), substr($_[0], 8, 6));
        }
        # a neighbour advertisement, and in it the option that has the address of the link
        sub heard_neighbour {
                return if length $_[0] < 24 or ord($_[0]) != 136;
                my ($ip, $options) = unpack("x8 a16 a*", $_[0]);
                while (length $options >= 8) {
                        my ($type, $length) = unpack("C C", $options);
                        return told($ip, substr($options, 2, 6)) if $type == 2 && $length == 1;
                        return if $length == 0 || 8 * $length > length $options;
                        $options = substr($options, 8 * $length);
                }
                return;
        }
        sub heard_vrrp {
                my ($advert, $from) = @_;
                my $header = $family == AF_INET6 ? 0 : length $advert < 20 ? return : 4 * (ord($advert) & 15);
                return if length $advert < $header + 8;
                my $ip = $family == AF_INET6 ? (unpack_sockaddr_in6($from))[1] : substr($advert, 12, 4);
                return join(" ", "vrrp", inet_ntop($family, $ip), ord(substr($advert, $header + 1, 1)));
        }
        my ($n, $ask) = !@ip ? () : $family == AF_INET6 ? open_neighbours() : open_arp();
        my $v = open_vrrp();
        my ($again, $end, %seen) = (time + 0.4, time + $seconds);
        $ask ? $ask->() : ($again = 0);
        while ((my $left = $end - time) > 0) {
                my $ready = "";
                vec($ready, fileno($_), 1) = 1 for grep { $_ } $n, $v;
                if ($again && time > $again) { $ask->(); $again = 0; }
                next if select($ready, undef, undef, $again && $left > 0.2 ? 0.2 : $left) <= 0;
                for my $s (grep { $_ } $n, $v) {
                        next unless vec($ready, fileno($s), 1) && defined(my $from = recv($s, my $got, 2048, 0));
                        my $line = $s == $v ? heard_vrrp($got, $from) : $family == AF_INET6 ? heard_neighbour($got) : heard_arp($got);
                        print "$line\n" if $line && !$seen{$line}++ && keys %seen < 100;
                }
        }
        print "listened\n";
' "$H_ADDRESS" "$H_SECONDS" "$(cat "/sys/class/net/$interface/ifindex")" "$(cat "/sys/class/net/$interface/address")" $H_ALL || :
