# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other shapes of clusters than three controllers behind a pair: each is installed, loses something that matters, and answers."""
import json
import os
import re
import time

import pytest

from lab import BALANCERS, CONTROLLERS, VIP, await_true, edit
from serving import moments, starved
from test_etcd import members as etcd_members
from test_failover import drill, findings

FIVE = {**CONTROLLERS, "controller-3": "10.77.0.23", "controller-4": "10.77.0.24"}

# What somebody else's load balancer needs to know: TCP passes through, and only where /readyz answers 200.
FOREIGN = """
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen kubernetes
  bind *:6443
  option httpchk GET /readyz
  option redispatch 1
  default-server check check-ssl verify none inter 500ms fall 2 rise 2
"""


def nodes_of(option, nodes):
    return [word for name, address in nodes.items() for word in (f"--{option}", f"{name}={address}")]


def install(lab, *words):
    lab.hardway("init", *words, "--ssh-user", "pi", "--arch", "amd64")
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    return lab.hardway("install")


def write(lab, name):
    """Is a write acknowledged where the kubeconfig points at?"""
    return lab.kubectl("--request-timeout=2s", "-n", "default", "create", "configmap", name, check=False).status == 0


def leader_of(lab):
    checks = lab.hardway("status", "--json").json["checks"]
    return next(check["text"] for check in checks if check["id"] == "etcd.leader").removesuffix(" leads")


def await_well(lab):
    end = time.monotonic() + 60
    while (found := lab.hardway("verify", check=False)).status != 0:
        assert time.monotonic() < end, found
    assert "nothing to change" in lab.hardway("install").out


@pytest.mark.long
def test_five_behind_a_load_balancer_that_is_not_ours(make_lab):
    """Two of five are lost, the leader of etcd among them."""
    lab = make_lab("foreign", {**FIVE, "balancer": "10.77.0.30:preinstalled"})
    result = install(lab, *nodes_of("controller", FIVE), "--endpoint", "balancer")
    assert "balancer:6443 does not answer yet; the load balancer there is not hardway's" in result.err
    failed = lab.hardway("verify", check=76)
    assert "not hardway's" in failed.out and "controller-4" in failed.out

    servers = "".join(f"  server {name} {address}:6443\n" for name, address in FIVE.items())
    lab.enter("sh", "-c", "cat > /etc/haproxy/haproxy.cfg && systemctl restart haproxy", host="balancer", text_input=FOREIGN + servers)
    await_true("the endpoint answers", lambda: lab.version("balancer"))
    assert "https://balancer:6443 is not hardway's, and is not looked at" in lab.hardway("verify").out
    assert "server: https://balancer:6443" in lab.read("admin.conf").replace('"', "")

    # measured through it, whatever it does
    found = drill(lab, "apiserver")["apiserver"]
    assert found["reads"]["answered"] > 20 and found["healthy"] > 0 and found["aim"] == {}

    leader = leader_of(lab)
    lost = [leader, next(name for name in FIVE if name != leader)]
    for host in lost:
        lab.tool("power", "cut", host)
    await_true("a write is acknowledged", lambda: write(lab, "lost-two"), seconds=20)
    assert all(host in lab.hardway("verify", check=76).out for host in lost)
    for host in lost:
        lab.tool("power", "on", host)
    await_well(lab)


def holders(lab, hosts=CONTROLLERS):
    """The controllers, or these hosts, that hold the VIP; those that are off hold nothing."""
    return [host for host in hosts if f" {VIP}/" in lab.sh(host, "ip -o addr show 2>/dev/null", check=False).out]


# Who holds the VIP, ten times a second: "WHEN LENGTH", by each host's own word
SAMPLER = f'while :; do a=$(ip -o addr show to {VIP}); echo "$EPOCHREALTIME ${{#a}}"; sleep 0.1; done >/run/held\n'


def times_held_by_two(lab, hosts=CONTROLLERS):
    """The times at which one held the VIP while another one did just before and just after."""
    held = {}
    for host in hosts:
        rows = [line.split() for line in lab.sh(host, "cat /run/held").out.splitlines()]
        held[host] = [(float(row[0]), row[1] != "0") for row in rows if len(row) == 2]
        assert held[host], host
    found = []
    for host, samples in held.items():
        for other in set(held) - {host}:
            for (start, before), (end, after) in zip(held[other], held[other][1:]):
                found += [when for when, holds in samples if holds and before and after and start <= when <= end]
    return sorted(found)


@pytest.mark.long
def test_vip_on_controllers_that_come_and_go(make_lab):
    """One controller becomes three that hold the VIP between them, then it is one's again: at no time do two hold it."""
    lab = make_lab("grows", CONTROLLERS)
    install(lab, "--controller", "controller-0=10.77.0.20", "--vip", VIP)
    assert holders(lab) == ["controller-0"]
    for host in CONTROLLERS:
        lab.enter("sh", "-c", "cat >/run/sampler && systemd-run --quiet --unit=sampler bash /run/sampler", host=host, text_input=SAMPLER)

    first = next(line for line in lab.read("hardway.yaml").splitlines() if "name: controller-0" in line)
    lines = [first.replace("controller-0", name).replace("10.77.0.20", address) for name, address in CONTROLLERS.items()]
    edit(lab, re.escape(first), "\n".join(lines))
    lab.hardway("pki", "gen")
    refused = lab.hardway("install", "--node", "controller-1", check=65)
    assert "controller-0 runs, does not know of this load balancer yet" in refused.err, refused
    before = lab.pids("controller-0", ["haproxy", "keepalived"])
    with lab.client() as seen:
        lab.hardway("install")
    assert not seen["lost"] and seen["gap"] < 3, seen
    assert lab.pids("controller-0", ["haproxy", "keepalived"]) == before
    await_well(lab)
    assert len(holders(lab)) == 1 and len(times_held_by_two(lab)) < 5, times_held_by_two(lab)

    # who has the VIP is the one that loses the role
    for host in ("controller-0", "controller-2"):
        lab.sh(host, "systemctl stop haproxy")
    await_true("controller-1 has the VIP", lambda: holders(lab) == ["controller-1"], seconds=20)
    for host in ("controller-0", "controller-2"):
        lab.sh(host, "systemctl start haproxy")
    await_well(lab)
    for line in lines[1:]:
        edit(lab, re.escape(line), line.replace(", loadbalancer]", "]"))
    refused = lab.hardway("install", "--node", "controller-0", check=65)
    assert "controller-1 is a load balancer no more, runs still" in refused.err, refused
    lab.hardway("install")
    await_well(lab)
    assert holders(lab) == ["controller-0"] and len(times_held_by_two(lab)) < 10, times_held_by_two(lab)


@pytest.mark.long
def test_a_balancer_that_was_not_told_of_another(make_lab):
    """One is off while another is added, and comes back with the list of peers that it had: it hears nothing of the other, and takes the VIP beside it.
    That is seen, before and after it shows, and mended by the next installation first."""
    balancers = {**BALANCERS, "lb-2": "10.77.0.13"}
    lab = make_lab("untold", {"controller-0": CONTROLLERS["controller-0"], **balancers})
    install(lab, "--controller", "controller-0=10.77.0.20", *nodes_of("loadbalancer", BALANCERS), "--vip", VIP)
    lab.tool("power", "cut", "lb-1")
    line = next(line for line in lab.read("hardway.yaml").splitlines() if "name: lb-1" in line)
    edit(lab, re.escape(line), line + "\n" + line.replace("lb-1", "lb-2").replace(BALANCERS["lb-1"], balancers["lb-2"]))
    lab.hardway("pki", "gen")
    warned = lab.hardway("install", "--node", "controller-0", "--node", "lb-0", "--node", "lb-2")
    assert "lb-1 cannot be asked whether it knows of this load balancer" in warned.err and "hardway install --node lb-1" in warned.err

    lab.tool("power", "on", "lb-1")
    if holders(lab, balancers) == ["lb-0"]:
        assert "was not told of lb-2" in findings(lab)["lb.told/lb-1"]["text"]
    lab.sh("lb-0", "systemctl stop haproxy")
    await_true("two hold the VIP", lambda: holders(lab, balancers) == ["lb-1", "lb-2"], seconds=30)
    lab.sh("lb-0", "systemctl start haproxy")
    found = findings(lab)
    assert "was not told of lb-2" in found["lb.told/lb-1"]["text"]
    assert "at the same time" in found["lb.vip"]["text"] and found["lb.vip"]["advice"] == "lb-1 was not told of lb-2; mended by: hardway install --node lb-1"
    assert "was not told of lb-2" in lab.hardway("status").out

    # also by an installation that has to restart something else
    edit(lab, "^# extra-args:\n.*$", "extra-args:\n  kube-apiserver: { audit-log-maxage: 7 }")
    lab.hardway("install")
    assert len(holders(lab, balancers)) == 1
    await_well(lab)


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "both", "namespace": "default"},
           "spec": {"ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}}


def assert_dual_stack(lab):
    """A Service may have an address of each family."""
    lab.kubectl("create", "-f", "-", text_input=json.dumps(SERVICE))
    found = lab.kubectl("get", "service", "both", "-n", "default", "-o", "jsonpath={.spec.clusterIPs}").json
    assert found[0].startswith("10.96.") and found[1].startswith("fd00:10:96::"), found


def test_vip_on_the_controllers(make_lab):
    """The cluster is dual-stack as well. The VIP goes with its owner's power, with its haproxy, and before planned work; not with its apiserver, as the others' will do."""
    lab = make_lab("shared", CONTROLLERS, image="bookworm")
    install(lab, *nodes_of("controller", CONTROLLERS), "--vip", VIP, "--pods", "10.244.0.0/16,fd00:10:244::/48",
            "--services", "10.96.0.0/16,fd00:10:96::/112")
    lab.verify()
    assert_dual_stack(lab)
    assert lab.version(timeout=5) and all(lab.version(address, timeout=5) for address in CONTROLLERS.values())

    [owner] = holders(lab)
    lab.sh(owner, "systemctl kill -s KILL kube-apiserver")
    await_true("the API answers", lab.version, seconds=20)
    await_true("the apiserver is back", lambda: lab.ready(CONTROLLERS[owner]))
    assert holders(lab) == [owner]

    edit(lab, "^# extra-args:\n.*$", "extra-args:\n  kube-apiserver: { audit-log-maxage: 7 }")
    with lab.client() as seen:
        lab.hardway("install")
    # What is on its way at the very moment at which the VIP goes to another host has no end there. It goes away once or twice: to a
    # controller that has had its turn, or to one that has yet to come.
    assert not seen["lost"] and seen["gap"] < 5, seen
    assert moments([failure for failure in seen["failures"] if failure["who"] != "writer"]) <= 2, seen
    await_true("one holds the VIP", lambda: len(holders(lab)) == 1)
    [owner] = holders(lab)

    lab.sh(owner, "systemctl stop haproxy")
    await_true("another has the VIP", lambda: holders(lab) not in ([], [owner]), seconds=30)
    lab.sh(owner, "systemctl start haproxy")
    await_well(lab)

    # the same drills as with a pair, on whichever of the three
    [owner] = holders(lab)
    found = drill(lab, "keepalived", "apiserver")
    assert found["keepalived"]["node"] == owner and found["keepalived"]["leader"] in set(CONTROLLERS) - {owner}
    assert found["apiserver"]["node"] in CONTROLLERS and all(one["healthy"] > 0 for one in found.values())

    [owner] = holders(lab)
    lab.tool("power", "cut", owner)
    await_true("the API answers", lab.version, seconds=20)
    await_true("a write is acknowledged", lambda: write(lab, "lost-one"), seconds=20)
    assert len(holders(lab)) == 1 and owner in lab.hardway("verify", check=76).out
    lab.tool("power", "on", owner)
    await_well(lab)


def external(make_lab, name):
    """A lab with a cluster whose etcd has hosts of its own; its controllers and its members."""
    members = {"etcd-0": "10.77.0.40", "etcd-1": "10.77.0.41", "etcd-2": "10.77.0.42"}
    controllers = {host: CONTROLLERS[host] for host in ("controller-0", "controller-1")}
    lab = make_lab(name, {**controllers, **members})
    install(lab, *nodes_of("controller", controllers), *nodes_of("etcd", members), "--vip", VIP)
    return lab, controllers, members


def test_etcd_on_its_own_hosts(make_lab):
    """Two controllers suffice then. The members are changed one by one, the loss of the leader's host costs a moment, and where two are lost one that
    comes back is enough."""
    lab, controllers, members = external(make_lab, "external")
    lab.verify()
    lab.hardway("check")
    assert lab.sh("controller-0", "test ! -e /etc/systemd/system/etcd.service && ls /etc/kubernetes/pki/etcd").out == "ca.crt\n"
    assert lab.sh("etcd-0", "ls /etc/kubernetes").out == "pki\n"

    edit(lab, "^# extra-args:\n.*$", "extra-args:\n  etcd: { max-request-bytes: 2000000 }")
    with lab.client() as seen:
        lab.hardway("install")
    failed = [failure for failure in seen["failures"] if failure["who"] != "writer"]
    assert not seen["lost"] and (not failed or starved(lab, seen["since"], balancers=controllers)), seen
    await_well(lab)

    leader = leader_of(lab)
    found = drill(lab, "apiserver", "etcd-leader")
    assert found["etcd-leader"]["node"] == leader and found["etcd-leader"]["leader"] in set(members) - {leader}
    assert found["apiserver"]["node"] in controllers and all(one["healthy"] > 0 for one in found.values())

    leader = leader_of(lab)
    assert leader in members
    lab.tool("power", "cut", leader)
    await_true("a write is acknowledged", lambda: write(lab, "without-leader"), seconds=30)
    assert leader in lab.hardway("verify", check=76).out
    lab.tool("power", "on", leader)
    await_well(lab)

    lab.tool("power", "cut", "etcd-0", "etcd-1")
    seen = etcd_members(lab)
    assert not seen["quorum"] and "one of etcd-0 and etcd-1 has to come back" in seen["advice"]
    assert not write(lab, "without-quorum") and "quorum is lost" in lab.hardway("verify", check=76).out
    lab.tool("power", "on", "etcd-0")
    lab.hardway(*re.search(r"hardway (install --node NAME)", seen["advice"])[1].replace("NAME", "etcd-0").split())
    await_true("a write is acknowledged", lambda: write(lab, "with-one-back"), seconds=30)
    lab.tool("power", "on", "etcd-1")
    await_well(lab)

    lab.hardway("reset", "--yes", "--force")
    assert not lab.sh("etcd-1", "ls /var/lib/etcd /etc/systemd/system/etcd.service /etc/kubernetes 2>/dev/null", check=False).out


ADVERTISE6 = """use Socket qw(:all);
socket(my $s, AF_INET6, SOCK_RAW, 112) or die;
open(my $f, "<", "/sys/class/net/host0/ifindex") or die;
my $to = pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::12"), int(<$f>));
while (send($s, pack("C8 a16", 0x31, ID, 100, 1, 0, 100, 0, 0, inet_pton(AF_INET6, "fd77::50")), 0, $to)) {
        select(undef, undef, undef, 0.2);
}"""


def assert_strangers_are_seen(lab):
    """One that answers for the VIP, and is a virtual router of the same number: by verify and by check."""
    number = lab.sh("controller-0", "sed -n 's/.*virtual_router_id //p' /etc/keepalived/keepalived.conf").out.strip()
    mac = lab.sh("stranger", "cat /sys/class/net/host0/address").out.strip()
    lab.sh("stranger", "ip addr add fd77::10/128 dev host0 nodad;"
           f" systemd-run -q --unit=stranger --property=RuntimeMaxSec=600 perl -e '{ADVERTISE6.replace('ID', number)}'")
    found = findings(lab)
    assert found["lb.vip-foreign"]["state"] == "failed" and mac in found["lb.vip-foreign"]["text"], found
    assert re.search(r"used by fe80::\S+, too", found["lb.vrrp-id"]["text"]), found
    checks = {one["id"]: one for one in lab.hardway("check", "--json", check=False).json["checks"]}
    assert re.search(rf"virtual router {number} is advertised by fe80::\S+, too", checks["vrrp-id/controller-0"]["text"]), checks
    lab.sh("stranger", "systemctl stop stranger; ip addr del fd77::10/128 dev host0")
    assert not [name for name in findings(lab) if name.startswith("lb.")]


def test_ipv6(make_lab):
    """Nothing but IPv6, and the VIP on the controllers: found, held, lost with its owner's power and found again."""
    controllers = {name: address.replace("10.77.0.", "fd77::") for name, address in CONTROLLERS.items()}
    lab = make_lab("ipv6", {name: f"[{address}]" for name, address in {**controllers, "stranger": "fd77::30"}.items()})
    lab.hardway("init", *nodes_of("controller", controllers), "--vip", "fd77::10", "--ssh-user", "pi", "--arch", "amd64")
    checks = {one["id"]: one for one in lab.hardway("check", "--json").json["checks"]}
    assert checks["vrrp-reach/controller-0"]["text"] == "VRRP gets to the others"
    assert "no other virtual router" in checks["vrrp-id/controller-0"]["text"]
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.hardway("install")
    lab.hardway("check")
    lab.verify()
    assert_strangers_are_seen(lab)
    assert "server: https://[fd77::10]:6443" in lab.read("admin.conf").replace('"', "")
    assert lab.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}").out == "fd00:10:96::1"
    await_true("the endpoints are there", lambda: all(f'"{address}"' in lab.kubectl("get", "endpointslices", "-o", "json").out
                                                     for address in controllers.values()), seconds=30)

    def owners():
        return [host for host in controllers if " fd77::10/" in lab.sh(host, "ip -o addr show 2>/dev/null", check=False).out]

    [owner] = owners()
    lab.tool("power", "cut", owner)
    await_true("the API answers", lambda: lab.version("[fd77::10]"), seconds=30)
    await_true("a write is acknowledged", lambda: write(lab, "lost-one"), seconds=30)
    assert len(owners()) == 1
    lab.tool("power", "on", owner)
    await_well(lab)


def test_one_controller(make_lab):
    """It is changed like any other cluster, with a word of warning; and it comes back by itself when the power does. Its etcd goes to
    a host of its own with a snapshot only: by an edit alone an empty one would take its place."""
    lab = make_lab("one", {"controller-0": "10.77.0.20", "etcd-0": "10.77.0.40"})
    result = install(lab, "--controller", "controller-0=10.77.0.20", "--vip-name", "k8s")
    assert "interrupted" not in result.err
    assert "there is none: clients use the only controller, https://10.77.0.20:6443" in lab.hardway("verify").out
    assert lab.enter("curl", "-s", "--cacert", "pki/ca.crt", "--resolve", "k8s:6443:10.77.0.20", "https://k8s:6443/readyz").out == "ok"
    assert write(lab, "before")

    edit(lab, "^# extra-args:\n.*$", "extra-args:\n  kube-apiserver: { audit-log-maxage: 7 }")
    warning = "controller-0: no other node runs kube-apiserver: what it serves is interrupted for some seconds by the restart"
    assert warning in lab.hardway("install", "--dry-run").err
    assert warning in lab.hardway("install").err
    await_well(lab)

    lab.hardway("backup", "--passphrase-file", "-", "all.backup", text_input="long enough a passphrase\n")
    path, key = os.path.join(lab.directory, "secrets", "encryption-key"), lab.read("secrets/encryption-key")
    with open(path, "w", encoding="ascii") as file:
        file.write("b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIhISE=\n")
    refused = lab.hardway("install", check=65).err
    assert "none of them could be read any more" in refused
    assert "hardway restore FILE --directory DIR, then cp DIR/secrets/encryption-key secrets/" in refused
    lab.hardway("restore", "--passphrase-file", "-", "all.backup", "--directory", "before", text_input="long enough a passphrase\n")
    lab.enter("cp", "before/secrets/encryption-key", "secrets/")
    assert lab.read("secrets/encryption-key") == key
    assert "nothing to change" in lab.hardway("install").out

    # the power goes and comes back, without the disk that the data is on: nothing begins anew in its place
    lab.sh("controller-0", "systemctl stop etcd; mkdir /var/lib/disk; mv /var/lib/etcd/member /var/lib/disk")
    lab.tool("power", "cut", "controller-0")
    assert not lab.version("10.77.0.20")
    lab.tool("power", "on", "controller-0")
    await_true("etcd was to start", lambda: lab.sh("controller-0", "systemctl show -P AssertResult etcd", check=False).out == "no\n")
    refused = lab.hardway("install", check=65).err
    assert "the cluster has served, and the data of its only member is gone from /var/lib/etcd" in refused and "mount it" in refused
    assert lab.sh("controller-0", "ls /var/lib/etcd; systemctl is-active etcd", check=False).out == "inactive\n"
    lab.sh("controller-0", "mv /var/lib/disk/member /var/lib/etcd; rmdir /var/lib/disk")
    lab.hardway("install")
    assert lab.kubectl("-n", "default", "get", "configmap", "before", "-o", "name").out == "configmap/before\n"

    lab.tool("power", "cut", "controller-0")
    assert not lab.version("10.77.0.20")
    lab.tool("power", "on", "controller-0")
    await_true("the API answers", lambda: lab.ready("10.77.0.20"))
    assert lab.kubectl("-n", "default", "get", "configmap", "before", "-o", "name").out == "configmap/before\n"
    await_well(lab)

    # another address alone: there an empty one would begin
    edit(lab, r"(name: controller-0, address: )10\.77\.0\.20\b", r"\g<1>10.77.0.40")
    lab.hardway("pki", "gen")
    for words in (["install"], ["install", "--dry-run"], ["plan"]):
        assert "etcd of this cluster serves on controller-0 at 10.77.0.20:2379, which is not its address" in lab.hardway(*words, check=69).err
    assert "etcd of this cluster serves on controller-0 at 10.77.0.20:2379" in lab.hardway("check", check=False).out
    assert not lab.sh("etcd-0", "ls -d /var/lib/etcd /etc/kubernetes 2>/dev/null", check=False).out
    edit(lab, r"(name: controller-0, address: )10\.77\.0\.40\b", r"\g<1>10.77.0.20")
    lab.hardway("pki", "gen")
    lab.hardway("install")

    lab.hardway("etcd", "snapshot", "move.db")
    edit(lab, r"^( *- \{ name: controller-0,.*)$", r"\1\n  - { name: etcd-0, address: 10.77.0.40, roles: [etcd] }")
    lab.hardway("pki", "gen")
    for refused in (lab.hardway("install", check=69), lab.hardway("install", "--node", "controller-0", check=69)):
        assert "etcd of this cluster serves on controller-0" in refused.err and "hardway etcd restore" in refused.err
    assert "etcd of this cluster serves on controller-0" in lab.hardway("check", check=65).out
    for words in (["plan"], ["install", "--dry-run"]):
        foreseen = lab.hardway(*words, check=69)
        assert "etcd of this cluster serves on controller-0" in foreseen.err and "/etc/systemd/system/etcd.service" in foreseen.out
    assert write(lab, "untouched")
    assert not lab.sh("etcd-0", "ls -d /var/lib/etcd /etc/kubernetes 2>/dev/null", check=False).out
    lab.hardway("etcd", "restore", "move.db", "--yes")
    assert lab.kubectl("-n", "default", "get", "configmap", "before", "-o", "name").out == "configmap/before\n"
    assert not lab.sh("controller-0", "ls /etc/systemd/system/etcd.service 2>/dev/null", check=False).out
    await_well(lab)
