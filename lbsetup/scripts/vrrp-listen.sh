# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which virtual routers are advertised on the network of $H_ADDRESS? Lines of "ADDRESS ID" for four seconds (an advert comes
# every second, usually), and "listened" if that was possible. perl is in every Debian (perl-base is essential); constants
# are those of Linux, as its headers are in a package of their own. An advert: RFC 5798, 5.1 and 5.2.

if ! have perl; then exit 0; fi
# shellcheck disable=SC2016
perl -e '
        my $own = shift;
        my ($protocol, $join) = (112, 35);
        socket(my $s, 2, 3, $protocol) or exit 0;
        setsockopt($s, 0, $join, pack("C4C4", 224, 0, 0, 18, split(/\./, $own))) or exit 0;
        # for what is sent to all; what is sent to this node shall find nobody (vrrp-reach.sh)
        bind($s, pack("S n C4 x8", 2, 0, 224, 0, 0, 18)) or exit 0;
        my ($end, %seen) = (time + 4);
        while ((my $left = $end - time) > 0) {
                my $ready = "";
                vec($ready, fileno($s), 1) = 1;
                next if select($ready, undef, undef, $left) <= 0;
                next unless defined recv($s, my $packet, 2048, 0);
                next if length $packet < 20;
                my $header = 4 * (ord($packet) & 15);
                next if length $packet < $header + 8;
                my $line = join(".", unpack("x12 C4", $packet)) . " " . ord(substr($packet, $header + 1, 1));
                print "$line\n" unless $seen{$line}++ or keys %seen > 100;
        }
        print "listened\n";
' "$H_ADDRESS" || :
