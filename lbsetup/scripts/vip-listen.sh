# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who else is there? Asks the network of keepalived's interface who has $all (the VIP, and the load balancers), and listens
# for a second and a bit: an advert comes every second, usually. Prints lines of "mac ADDRESS MAC" for all that is answered
# for and for this node itself, "vrrp ADDRESS ID" for the virtual routers that are heard, and "listened" if all of that was
# possible: it takes perl, which every Debian has (perl-base), and IPv4. Constants are those of Linux, as its headers are in
# a package of their own. ARP is asked as a probe (RFC 5227, 2.1.1: from 0.0.0.0, so that nobody's table changes) and on a
# socket of our own: the neighbour table of the kernel has room for one answer only, and none for its own addresses.

: "${own:?}" "${all:?}"
interface=$(sed -n 's/^[[:space:]]*interface[[:space:]][[:space:]]*//p' /etc/keepalived/keepalived.conf 2>/dev/null | head -n 1)
if ! have perl || ! [ -e "/sys/class/net/${interface:=none}/ifindex" ]; then exit 0; fi
printf 'mac %s %s\n' "$own" "$(cat "/sys/class/net/$interface/address")"
# shellcheck disable=SC2016,SC2086
perl -MTime::HiRes=time -e '
        my ($own, $index, $mac, @all) = @ARGV;
        my ($inet, $packet, $raw, $dgram, $arp, $vrrp, $join) = (2, 17, 3, 2, 0x0806, 112, 35);
        exit 0 if grep { !/^[0-9.]+$/ } $own, @all;
        socket(my $a, $packet, $dgram, unpack("S", pack("n", $arp))) or exit 0;
        socket(my $v, $inet, $raw, $vrrp) or exit 0;
        setsockopt($v, 0, $join, pack("C4 C4 i", 224, 0, 0, 18, 0, 0, 0, 0, $index)) or exit 0;
        my $to = pack("S n i S C C a8", $packet, $arp, $index, 0, 0, 6, "\xff" x 6);
        my $sender = pack("H12", $mac =~ s/://gr);
        sub ask {
                send($a, pack("n n C C n a6 a4 a6 C4", 1, 0x0800, 6, 4, 1, $sender, "\0" x 4, "\0" x 6, split(/\./)), 0, $to) for @all;
        }
        sub heard_arp {
                return if length $_[0] < 28 or unpack("x6 n", $_[0]) != 2;
                my ($who, @ip) = unpack("x8 H12 C4", $_[0]);
                return join(" ", "mac", join(".", @ip), join(":", unpack("(A2)6", $who)));
        }
        sub heard_vrrp {
                return if length $_[0] < 20;
                my $header = 4 * (ord($_[0]) & 15);
                return if length $_[0] < $header + 8;
                return join(" ", "vrrp", join(".", unpack("x12 C4", $_[0])), ord(substr($_[0], $header + 1, 1)));
        }
        my ($again, $end, %seen) = (time + 0.4, time + 1.25);
        ask();
        while ((my $left = $end - time) > 0) {
                my $ready = "";
                vec($ready, fileno($_), 1) = 1 for $a, $v;
                if ($again && time > $again) { ask(); $again = 0; }
                next if select($ready, undef, undef, $again && $left > 0.2 ? 0.2 : $left) <= 0;
                for my $s ($a, $v) {
                        next unless vec($ready, fileno($s), 1) && defined recv($s, my $got, 2048, 0);
                        my $line = $s == $a ? heard_arp($got) : heard_vrrp($got);
                        print "$line\n" if $line && !$seen{$line}++ && keys %seen < 100;
                }
        }
        print "listened\n";
' "$own" "$(cat "/sys/class/net/$interface/ifindex")" "$(cat "/sys/class/net/$interface/address")" $all || :
