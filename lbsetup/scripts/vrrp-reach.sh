# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Does VRRP (IP protocol 112) get from $H_ADDRESS to $H_PEERS, on which no keepalived runs yet? A host that nobody listens
# on for a protocol says so (ICMP, protocol unreachable: RFC 1122, 3.2.2.1; ICMPv6, unrecognized next header: RFC 4443, 3.4):
# then the way is open, as "connection refused" tells of a port. Each is asked four times in two seconds. Prints lines of
# "ADDRESS open|silent|denied|unreachable", and "asked" if that was possible: it takes perl, which every Debian has
# (perl-base). Constants are those of Linux.
#
# What is sent has a header of our own, on a socket that hears nothing: one that hears VRRP would take the question of the
# peer, who asks at the same time, and there would be no answer. It is no advert: its version is none.

if ! have perl; then exit 0; fi
# shellcheck disable=SC2016,SC2086
perl -MSocket=:all -e '
        my ($own, @peers) = @ARGV;
        my ($raw, $icmp, $icmp6, $vrrp) = (255, 1, 58, 112);
        my $six = $own =~ /:/;
        my $family = $six ? AF_INET6 : AF_INET;
        my %ip = map { $_ => inet_pton($family, $_) // exit 0 } $own, @peers;
        socket(my $out, $family, SOCK_RAW, $raw) or exit 0;
        socket(my $in, $family, SOCK_RAW, $six ? $icmp6 : $icmp) or exit 0;
        my ($packet, %state) = ("", map { $ip{$_} => "silent" } @peers);
        # RFC 8200, 8.1: Linux rejects nothing with a sum that is wrong; the one of IPv4 is that of zeros
        sub checksum {
                my $sum = unpack("%32n*", pack("a16 a16 N N", $ip{$own}, $_[0], 8, $vrrp));
                $sum = ($sum & 0xffff) + ($sum >> 16) while $sum > 0xffff;
                return 0xffff - $sum;
        }
        sub ask {
                my ($to) = @_;
                my $question = $six ? pack("N n C C a16 a16 x6 n", 0x60000000, 8, $vrrp, 255, $ip{$own}, $to, checksum($to)) :
                                      pack("C C n n n C C n a4 a4 x8", 0x45, 0xc0, 28, 0, 0, 255, $vrrp, 0, $ip{$own}, $to);
                defined send($out, $question, 0, $six ? pack_sockaddr_in6(0, $to) : pack_sockaddr_in(0, $to)) or
                        $state{$to} = $! == 1 ? "denied" : "unreachable";
        }
        # what an error tells (its type and code), and of which packet
        sub told {
                my ($type, $code) = @_;
                return $type != 3 ? "" : $code == 2 ? "open" : $code < 2 ? "unreachable" : "denied" unless $six;
                return $type == 4 && $code == 1 ? "open" : $type != 1 ? "" : $code == 0 || $code == 3 ? "unreachable" : "denied";
        }
        sub hear {
                my ($error) = @_;
                return if !$six && length $error < 20;
                $error = substr($error, 4 * (ord($error) & 15)) unless $six;
                return if length $error < ($six ? 48 : 28);
                my ($of, $protocol) = $six ? (substr($error, 32, 16), substr($error, 14, 1)) : (substr($error, 24, 4), substr($error, 17, 1));
                my $state = told(unpack("C C", $error));
                $state{$of} = $state if $state && ord($protocol) == $vrrp && exists $state{$of};
        }
        for (1 .. 4) {
                ask($_) for grep { $state{$_} eq "silent" } keys %state;
                for (1 .. 1000) {
                        last unless grep { $_ eq "silent" } values %state;
                        my $ready = "";
                        vec($ready, fileno($in), 1) = 1;
                        last if select($ready, undef, undef, 0.5) <= 0;
                        hear($packet) if defined recv($in, $packet, 2048, 0);
                }
        }
        print "$_ $state{$ip{$_}}\n" for @peers;
        print "asked\n";
' "$H_ADDRESS" $H_PEERS || :
