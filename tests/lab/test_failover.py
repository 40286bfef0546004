# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with the VIP is seen by verify and status, with what to do."""
import contextlib

from lab import BALANCERS, VIP, await_true

STRANGER = "controller-1"  # a machine on the same network that is no load balancer


def findings(lab, verb="verify"):
    """What is not well, by its id."""
    checks = lab.hardway(verb, "--json", check=False).json["checks"]
    return {check["id"]: check for check in checks if check["state"] != "ok"}


def await_green(lab, seconds=90):
    await_true("verify is green", lambda: lab.hardway("verify", check=False).status == 0, seconds)


@contextlib.contextmanager
def no_vrrp(lab):
    """The switch lets no VRRP through."""
    lab.enter("nft", "add table bridge test; add chain bridge test forward { type filter hook forward priority 0; };"
              " add rule bridge test forward ip protocol 112 drop")
    try:
        yield
    finally:
        lab.enter("nft", "delete table bridge test")


def test_both_hold_the_vip(cluster):
    with no_vrrp(cluster):
        await_true("both hold it", lambda: len(cluster.holder()) == 2, 10)
        found = findings(cluster)["lb.vip"]
        assert found["state"] == "failed" and "lb-0 and lb-1 at the same time" in found["text"]
        assert "IP protocol 112" in found["advice"]
        assert "at the same time" in cluster.hardway("status").out
    await_green(cluster)
    assert len(cluster.holder()) == 1


def test_nobody_holds_the_vip(cluster):
    try:
        for lb in BALANCERS:
            cluster.sh(lb, "echo 1 >/run/hardway/handover")
        await_true("nobody holds it", lambda: not cluster.holder(), 10)
        found = findings(cluster, "status")
        assert found["lb.vip"]["text"] == f"nobody holds {VIP}" and "keepalived" in found["lb.vip"]["advice"]
        assert "/run/hardway/handover" in found["lb.keepalived/lb-0"]["text"]
    finally:
        for lb in BALANCERS:
            cluster.sh(lb, "echo 0 >/run/hardway/handover")
    await_green(cluster)


def test_a_stranger_answers_for_the_vip(cluster):
    mac = cluster.sh(STRANGER, "cat /sys/class/net/host0/address").out.strip()
    cluster.sh(STRANGER, f"ip addr add {VIP}/32 dev host0")
    try:
        found = findings(cluster)["lb.vip-foreign"]
        assert found["state"] == "failed" and mac in found["text"] and "take the address off it" in found["advice"]
    finally:
        cluster.sh(STRANGER, f"ip addr del {VIP}/32 dev host0")
    await_green(cluster)


ADVERTISE = """socket(my $s, 2, 3, 112) or die;
for (1 .. 100) {
        send($s, pack("C12", 0x31, ID, 100, 1, 0, 100, 0, 0, 10, 77, 0, 99), 0, pack("S n C4 x8", 2, 0, 224, 0, 0, 18)) or die $!;
        select(undef, undef, undef, 0.2);
}"""


def test_a_stranger_uses_the_virtual_router_id(cluster):
    number = cluster.sh("lb-0", "sed -n 's/.*virtual_router_id //p' /etc/keepalived/keepalived.conf").out.strip()
    cluster.sh(STRANGER, f"systemd-run -q --unit=stranger perl -e '{ADVERTISE.replace('ID', number)}'")
    try:
        found = findings(cluster)["lb.vrrp-id"]
        assert found["state"] == "warning" and "used by 10.77.0.21, too" in found["text"] and "endpoint.vrrp_id" in found["advice"]
        assert "used by 10.77.0.21, too" in cluster.hardway("status").out
    finally:
        cluster.sh(STRANGER, "systemctl stop stranger")
    await_green(cluster)
    assert "lb.vrrp-id" not in findings(cluster)
