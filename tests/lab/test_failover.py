# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with the VIP is seen by verify and status, with what to do; and what clients notice of failures is measured, and all put back."""
import contextlib
import os
import re
import signal
import time

import pytest

from lab import BALANCERS, CONTROLLERS, TOP, VIP, await_true, edit
from mishaps import is_reached
from serving import servers

STRANGER = "controller-1"  # a machine on the same network that is no load balancer


def findings(lab, verb="verify"):
    """What is not well, by its id."""
    checks = lab.hardway(verb, "--json", check=False).json["checks"]
    return {check["id"]: check for check in checks if check["state"] != "ok"}


@contextlib.contextmanager
def dropped(lab, *rules):
    """The switch lets these packets not through."""
    lab.enter("nft", "add table bridge test; add chain bridge test forward { type filter hook forward priority 0; };"
              + "".join(f" add rule bridge test forward {rule} drop;" for rule in rules))
    try:
        yield
    finally:
        lab.enter("nft", "delete table bridge test")


def no_vrrp(lab):
    return dropped(lab, "ip protocol 112")


def blind(lab, *balancers):
    """These load balancers do not see an apiserver any more."""
    return dropped(lab, *(f"ip saddr {BALANCERS[lb]} ip daddr {{ {', '.join(CONTROLLERS.values())} }} tcp dport 6443" for lb in balancers))


def sees_nothing(lab, balancer):
    return all(state.startswith("DOWN") for state in servers(lab, balancer).values())


def test_both_hold_the_vip(cluster):
    with no_vrrp(cluster):
        await_true("both hold it", lambda: len(cluster.holder()) == 2, 30)
        found = findings(cluster)["lb.vip"]
        assert found["state"] == "failed" and "lb-0 and lb-1 at the same time" in found["text"]
        assert "IP protocol 112" in found["advice"]
        assert "at the same time" in cluster.hardway("status").out
    cluster.await_green()
    assert len(cluster.holder()) == 1


def test_a_stopped_keepalived_is_named(cluster):
    """It keeps the VIP, and the other one takes it as well: it is not the network."""
    [owner] = cluster.holder()
    try:
        cluster.sh(owner, "systemctl kill --signal STOP keepalived")
        await_true("both hold it", lambda: len(cluster.holder()) == 2, 30)
        found = findings(cluster)
        assert f"keepalived on {owner} is stopped" in found["lb.vip"]["advice"]
        assert found[f"lb.keepalived/{owner}"]["state"] == "failed"
    finally:
        cluster.sh(owner, "systemctl restart keepalived")  # as the advice says
    cluster.await_green()
    assert len(cluster.holder()) == 1


def test_who_sees_no_apiserver_gives_the_vip_to_who_does(cluster):
    [owner] = cluster.holder()
    [other] = [lb for lb in BALANCERS if lb != owner]
    with blind(cluster, owner):
        begin = time.monotonic()
        await_true("the other has it", lambda: cluster.holder() == [other], 20)
        needed = time.monotonic() - begin
        await_true("it answers", cluster.version, 20)
        assert sees_nothing(cluster, owner)
    cluster.await_green()
    assert cluster.holder() == [other], "it does not come back by itself"

    # nothing is won where both are blind; seen for longer than one alone has taken to give it up
    with blind(cluster, *BALANCERS):
        await_true("both are blind", lambda: all(sees_nothing(cluster, lb) for lb in BALANCERS), 20)
        begin = time.monotonic()
        while time.monotonic() < begin + 1.5 * needed:
            assert cluster.holder() == [other]
    cluster.await_green()
    assert len(cluster.holder()) == 1


def test_nobody_holds_the_vip(cluster):
    try:
        for lb in BALANCERS:
            cluster.sh(lb, "echo 1 >/run/hardway/handover")
        await_true("nobody holds it", lambda: not cluster.holder(), 30)
        found = findings(cluster, "status")
        assert found["lb.vip"]["text"] == f"nobody holds {VIP}" and "keepalived" in found["lb.vip"]["advice"]
        assert "/run/hardway/handover" in found["lb.keepalived/lb-0"]["text"]
    finally:
        for lb in BALANCERS:
            cluster.sh(lb, "echo 0 >/run/hardway/handover")
    cluster.await_green()


def test_a_stranger_answers_for_the_vip(cluster):
    mac = cluster.sh(STRANGER, "cat /sys/class/net/host0/address").out.strip()
    cluster.sh(STRANGER, f"ip addr add {VIP}/32 dev host0")
    try:
        found = findings(cluster)["lb.vip-foreign"]
        assert found["state"] == "failed" and mac in found["text"] and "take the address off it" in found["advice"]
    finally:
        cluster.sh(STRANGER, f"ip addr del {VIP}/32 dev host0")
    cluster.await_green()


ADVERTISE = """socket(my $s, 2, 3, 112) or die;
while (1) {
        send($s, pack("C12", 0x31, ID, 100, 1, 0, 100, 0, 0, 10, 77, 0, 99), 0, pack("S n C4 x8", 2, 0, 224, 0, 0, 18)) or die $!;
        select(undef, undef, undef, 0.2);
}"""


def test_a_stranger_uses_the_virtual_router_id(cluster):
    number = cluster.sh("lb-0", "sed -n 's/.*virtual_router_id //p' /etc/keepalived/keepalived.conf").out.strip()
    cluster.sh(STRANGER, f"systemd-run -q --unit=stranger --property=RuntimeMaxSec=600 perl -e '{ADVERTISE.replace('ID', number)}'")
    try:
        found = findings(cluster)["lb.vrrp-id"]
        assert found["state"] == "warning" and "used by 10.77.0.21, too" in found["text"] and "endpoint.vrrp_id" in found["advice"]
        assert "used by 10.77.0.21, too" in cluster.hardway("status").out
        # what it says helps: while the first has the new number, and the second the old one, both hold the VIP
        edit(cluster, "  # vrrp_id: .*", "  vrrp_id: 77")
        with cluster.client() as seen:
            cluster.hardway("install")
        assert seen["gap"] < 5 and not seen["lost"], seen
        assert "lb.vrrp-id" not in findings(cluster) and len(cluster.holder()) == 1
    finally:
        cluster.sh(STRANGER, "systemctl stop stranger")
    cluster.await_green()
    assert "lb.vrrp-id" not in findings(cluster)


def drill(lab, *names, more=()):
    """The report of these drills, by name."""
    arguments = [word for name in names for word in ("--drill", name)]
    for _ in range(3):
        done = lab.hardway("verify", "--failover", "--yes", "--json", *arguments, *more, timeout=600, check=False)
        if done.status == 0 or "not healthy" not in done.out + done.err:
            break
        lab.await_green()  # an apiserver answered haproxy too late, say
    assert done.status == 0, done
    report = done.json
    assert [found["drill"] for found in report["drills"]] == list(names)
    return {found["drill"]: found for found in report["drills"]}


def pid(lab, host, unit):
    return lab.pids(host, [unit])[0]


def test_drills_measure_and_put_back(cluster):
    """The bounds are those of a busy machine: how long it takes on an idle one is bench/failover's matter."""
    owner = cluster.holder()[0]
    before = {unit: pid(cluster, owner, unit) for unit in ("haproxy", "keepalived")}
    found = drill(cluster, "haproxy-hung", "keepalived", "apiserver", "etcd-leader")
    for name, result in found.items():
        assert result["reads"]["answered"] > 20 and result["writes"]["answered"] > 10, (name, result)
        assert result["healthy"] > 0, (name, result)
        assert result["reads"]["gap"] < (6 if name == "haproxy-hung" else 5) and result["writes"]["gap"] < 10, (name, result)
    # the VIP has gone to the other one and, with keepalived, come back
    assert found["haproxy-hung"]["node"] == owner and found["haproxy-hung"]["leader"] != owner
    assert found["keepalived"]["node"] != owner and found["keepalived"]["leader"] == owner
    assert found["haproxy-hung"]["reads"]["failed"] > 0, "clients of a haproxy that hangs get no answer"
    assert found["etcd-leader"]["leader"] not in ("", found["etcd-leader"]["node"])
    # really killed, really only frozen
    assert pid(cluster, owner, "haproxy") == before["haproxy"]
    assert pid(cluster, found["keepalived"]["node"], "keepalived") > 0
    assert cluster.kubectl("-n", "kube-system", "get", "configmap", "hardway-failover", check=False).status != 0
    cluster.await_green()
    assert "nothing to change" in cluster.hardway("install").out
    worst = max(found, key=lambda name: found[name]["reads"]["gap"])
    assert re.search(rf"failover.*4 drills on .*longest gap in reads .* \({worst}\)", cluster.hardway("status").out)


def test_drills_are_for_a_healthy_cluster_only(cluster):
    cluster.sh("lb-0", "systemctl stop haproxy")
    try:
        refused = cluster.hardway("verify", "--failover", "--yes", "--drill", "haproxy", check=76)
        assert "not healthy" in refused.err and "lb-0" in refused.err
    finally:
        cluster.sh("lb-0", "systemctl start haproxy")
    cluster.await_green()


def frozen(lab, host, unit):
    return "T" in lab.sh(host, f"ps -o stat= -p {pid(lab, host, unit)}").out


def begin_drill(lab, name, sign, has_come, more=()):
    """The process of a hardway that is at this drill. Begun anew where it had looked and found the cluster ill for a moment."""
    for _ in range(3):
        process = lab.start("verify", "--failover", "--yes", "--drill", name, *more)
        await_true(sign, lambda: has_come() or process.poll() is not None, 90)
        if process.poll() is None:
            assert os.path.realpath(f"/proc/{process.pid}/exe") == lab.program
            return process
        lab.await_green()
    raise AssertionError(f"{name} does not begin")


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_drill_puts_back(cluster, with_signal):
    """By Ctrl-C at once; killed, by the node itself."""
    owner = cluster.holder()[0]
    process = begin_drill(cluster, "haproxy-hung", "haproxy hangs", lambda: frozen(cluster, owner, "haproxy"))
    process.send_signal(with_signal)
    process.wait(60)
    await_true("haproxy goes on", lambda: not frozen(cluster, owner, "haproxy"), 5 if with_signal == signal.SIGINT else 45)
    cluster.await_green()
    assert cluster.sh(owner, "systemctl list-units --all --no-legend 'hardway-drill*'").out.strip() == ""


def power(lab):
    return ("--power", f"{os.path.join(TOP, 'lab', 'plug')} --name {lab.name}")


def test_killed_drill_gives_the_host_back(cluster):
    owner = cluster.holder()[0]
    process = begin_drill(cluster, "owner-link", "the owner is cut off", lambda: not is_reached(cluster, owner), power(cluster))
    process.kill()
    process.wait(60)
    await_true("it is back", lambda: is_reached(cluster, owner), 60)
    cluster.await_green()


def end_with_all(lab, driver):
    """As if the driving machine lost its power: hardway, which is stopped, and all that it has started end at once."""
    for child in lab.enter("pgrep", "-P", str(driver), check=False).out.split():
        os.kill(int(child), signal.SIGKILL)
    os.kill(driver, signal.SIGKILL)


@pytest.mark.parametrize("verb", ["verify", pytest.param("install", marks=pytest.mark.long)])
def test_next_command_puts_back(cluster, verb):
    """What nobody is left for to put back: the next command does, and says so; a host by its own --power, or where somebody is asked."""
    owner = cluster.holder()[0]
    process = begin_drill(cluster, "owner-link", "the owner is cut off", lambda: not is_reached(cluster, owner), power(cluster))
    driver = process.pid
    os.kill(driver, signal.SIGSTOP)  # or the drill would be over before what follows
    running = findings(cluster, "status")["failover.pending"]
    assert running["state"] == "warning" and f"loses its network ({owner}, since " in running["text"]
    if verb == "verify":
        assert "a drill is under way" in findings(cluster)["failover.pending"]["text"] and not is_reached(cluster, owner)
    end_with_all(cluster, driver)
    process.wait(60)
    assert "was interrupted" in findings(cluster, "status")["failover.pending"]["text"] and not is_reached(cluster, owner)
    if verb == "install":
        left = cluster.hardway(verb, check=False)
        assert "is run only where somebody can be asked" in left.err and not is_reached(cluster, owner), left
    done = cluster.hardway("verify", *power(cluster), check=False)
    assert f"a drill was interrupted: the owner of the VIP loses its network ({owner}, since" in done.out + done.err, done
    assert is_reached(cluster, owner)
    cluster.await_green()
    assert "failover.pending" not in findings(cluster, "status")
    assert cluster.kubectl("-n", "kube-system", "get", "configmap", "hardway-failover", check=False).status != 0


def test_drill_with_a_power_cut(cluster):
    owner = cluster.holder()[0]
    found = drill(cluster, "owner-power", more=power(cluster))["owner-power"]
    assert found["node"] == owner and found["leader"] != owner and found["healthy"] > 0
    assert found["reads"]["gap"] < 6
    cluster.await_green()
