# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Does VRRP (IP protocol 112) get from $H_ADDRESS to $H_PEERS, on which no keepalived runs yet? A host that nobody listens
# on for a protocol says so (ICMP, protocol unreachable; RFC 1122, 3.2.2.1): then the way is open, as "connection refused"
# tells of a port. Each is asked four times in two seconds. Prints lines of "ADDRESS open|silent|denied|unreachable", and
# "asked" if that was possible: it takes perl, which every Debian has (perl-base), and IPv4. Constants are those of Linux.
#
# What is sent has a header of our own, on a socket that hears nothing: one that hears VRRP would take the question of the
# peer, who asks at the same time, and there would be no answer. It is no advert: its version is none.

if ! have perl; then exit 0; fi
# shellcheck disable=SC2016,SC2086
perl -e '
        my ($own, @peers) = @ARGV;
        my ($inet, $raw_socket, $raw, $icmp, $vrrp) = (2, 3, 255, 1, 112);
        exit 0 if grep { !/^[0-9.]+$/ } $own, @peers;
        socket(my $out, $inet, $raw_socket, $raw) or exit 0;
        socket(my $in, $inet, $raw_socket, $icmp) or exit 0;
        my ($packet, %state) = ("", map { $_ => "silent" } @peers);
        sub ask {
                my ($to) = @_;
                my @to = split(/\./, $to);
                my $question = pack("C C n n n C C n C4 C4 x8", 0x45, 0xc0, 28, 0, 0, 255, $vrrp, 0, split(/\./, $own), @to);
                defined send($out, $question, 0, pack("S n C4 x8", $inet, 0, @to)) or $state{$to} = $! == 1 ? "denied" : "unreachable";
        }
        # destination unreachable, and of what the beginning of the packet in it tells
        sub hear {
                return if length $_[0] < 20;
                my $error = substr($_[0], 4 * (ord($_[0]) & 15));
                return if length $error < 28 or ord($error) != 3 or ord(substr($error, 17, 1)) != $vrrp;
                my ($code, $of) = (ord(substr($error, 1, 1)), join(".", unpack("x24 C4", $error)));
                $state{$of} = $code == 2 ? "open" : $code < 2 ? "unreachable" : "denied" if exists $state{$of};
        }
        for (1 .. 4) {
                ask($_) for grep { $state{$_} eq "silent" } @peers;
                for (1 .. 1000) {
                        last unless grep { $_ eq "silent" } values %state;
                        my $ready = "";
                        vec($ready, fileno($in), 1) = 1;
                        last if select($ready, undef, undef, 0.5) <= 0;
                        hear($packet) if defined recv($in, $packet, 2048, 0);
                }
        }
        print "$_ $state{$_}\n" for @peers;
        print "asked\n";
' "$H_ADDRESS" $H_PEERS || :
