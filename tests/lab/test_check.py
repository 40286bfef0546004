# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway check`: nothing on fresh hosts, and each fault that is put there, by name, with what to do; install refuses for the same reasons."""
import os
import re
import subprocess

import pytest

from lab import BALANCERS, CONTROLLERS, TOP, VIP, await_true, run

# The lab's hosts share one kernel, whose memory controller belongs to the machine.
OF_THE_LAB = {"cgroup"}


@pytest.fixture(scope="module", name="lab")
def lab_fixture(make_shared_lab):
    lab = make_shared_lab("check", image="bookworm")
    lab.init()
    return lab


def findings(lab, *arguments, status=0):
    report = lab.hardway("check", "--json", *arguments, check=status).json
    found = {finding["id"]: finding for finding in report["checks"]}
    assert len(found) == len(report["checks"])
    return {key: value for key, value in found.items() if value["subject"] not in OF_THE_LAB}


def not_well(found):
    """But for what is measured of this machine's disk, which all hosts share and others are busy with."""
    return {key: value for key, value in found.items() if value["state"] != "ok" and value["subject"] != "disk-sync"}


def test_fresh_hosts_are_well_before_anything_was_made(lab):
    assert not os.path.exists(os.path.join(lab.directory, "pki"))
    found = findings(lab)
    assert not not_well(found), not_well(found)
    for host in {**CONTROLLERS, **BALANCERS}:
        assert {f"architecture/{host}", f"reach/{host}", f"leftovers/{host}"} <= set(found)
    assert re.search(r"[\d.]+ ms on average, [\d.]+ ms in the worst batch", found["disk-sync/controller-0"]["text"])
    assert VIP in found["vip-network/lb-0"]["text"]
    assert found["vrrp-reach/lb-0"]["text"] == found["vrrp-reach/lb-1"]["text"] == "VRRP gets to the others"
    # people see one line for what is the same everywhere
    out = lab.hardway("check", "--ignore", "cgroup", "--ignore", "disk-sync").out
    assert re.search(r"^ok +architecture +all nodes +amd64, 64-bit$", out, re.M), out
    assert "all is well" in out
    # and nothing was left behind
    for host in CONTROLLERS:
        assert lab.sh(host, "find / -xdev -name '*hardway*'").out == ""


# In front of the system's own. The first is its name, the second what it does with its arguments.
PROGRAM = "printf '#!/bin/sh\\n%s \"$@\"\\n' '{1}' >/usr/local/bin/{0}; chmod 755 /usr/local/bin/{0}"

# name, host, how, undone by, id of the finding, its state, words in its text, words in its advice
FAULTS = [
    ("controller-1", "cp /etc/machine-id /root/; echo COPY >/etc/machine-id", "cp /root/machine-id /etc/",
     "machine-ids/controller-1", "failed", "same machine-id as controller-0", "systemd-machine-id-setup"),
    ("controller-2", "hostname controller-0", "hostname controller-2",
     "hostnames/controller-2", "warning", "same hostname as controller-0", "hostnamectl"),
    ("controller-0", "systemd-run -q --unit=squatter perl -e 'use Socket; socket(S, 2, 1, 6); bind(S, sockaddr_in(6443, INADDR_ANY));"
     " listen(S, 100); sleep 600'", "systemctl stop squatter",
     "ports-free/controller-0", "failed", "port 6443, which kube-apiserver needs, is taken by perl", "ss -ltnp"),
    ("controller-2", "mkdir -p /etc/kubernetes/manifests; touch /etc/kubernetes/manifests/etcd.yaml", "rm -r /etc/kubernetes",
     "leftovers/controller-2", "failed", "kubeadm was here: /etc/kubernetes/manifests/etcd.yaml", "kubeadm reset"),
    ("controller-1", "mkdir -p /var/lib/etcd/member", "rm -r /var/lib/etcd",
     "etcd-data/controller-1", "failed", "that hardway did not put there", "a reset leaves it"),
    ("controller-2", "mkdir -p /var/log/kubernetes; touch /var/log/kubernetes/old-audit.log", "rm -r /var/log/kubernetes",
     "directories/controller-2", "failed", "/var/log/kubernetes is in use: old-audit.log is there, which belongs to root", "kubeadm reset leaves"),
    ("controller-2", "mkdir /var/lib/etcd-snapshots; touch /var/lib/etcd-snapshots/2019-photos.db", "rm -r /var/lib/etcd-snapshots",
     "snapshots-directory/controller-2", "failed", "/var/lib/etcd-snapshots is in use: 2019-photos.db is there", "snapshots.directory in "),
    ("controller-0", "systemd-run -q --unit=etcd sleep 600; mkdir -p /var/lib/etcd/default", "systemctl stop etcd; rm -r /var/lib/etcd",
     "services/controller-0", "failed", "etcd.service: runs, and is not hardway's", "systemctl cat etcd.service"),
    ("controller-2", "cp /bin/true /usr/local/bin/kubectl", "rm /usr/local/bin/kubectl",
     "programs/controller-2", "failed", "/usr/local/bin/kubectl: is there, and is not hardway's", "sudo rm /usr/local/bin/kubectl"),
    ("controller-2", "mkdir -p /opt; mount -t tmpfs -o size=20M tmpfs /opt", "umount /opt",
     "disk-space/controller-2", "failed", "20 MB are free", "/opt"),
    ("controller-0", "cp /etc/hosts /root/; echo 10.77.0.99 controller-1 >>/etc/hosts", "cp /root/hosts /etc/",
     "names/controller-0", "warning", "controller-1 to 10.77.0.99", "/etc/hosts"),
    ("controller-1", "cp /etc/hosts /root/; sed -i /127.0.1.1/d /etc/hosts", "cp /root/hosts /etc/",
     "name/controller-1", "warning", "its own name does not resolve", "echo '127.0.1.1 controller-1'"),
    ("lb-1", "echo nameserver 10.77.0.99 >/etc/resolv.conf", ": >/etc/resolv.conf",
     "names/lb-1", "warning", "takes more than 4 s to find controller-0, controller-1, controller-2, lb-0", "resolv.conf"),
    ("lb-0", "echo 2 >/proc/sys/net/ipv4/conf/all/arp_ignore", "echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore",
     "sysctls/lb-0", "failed", "arp_ignore is 2", "/etc/sysctl.d"),
    ("lb-1", "mv /etc/apt/sources.list /root/", "mv /root/sources.list /etc/apt/",
     "packages/lb-1", "failed", "apt knows no package haproxy, keepalived", "apt-get update"),
    ("lb-1", "mkdir /etc/keepalived; echo 'vrrp_instance theirs' >/etc/keepalived/keepalived.conf", "rm -r /etc/keepalived",
     "lb-config/lb-1", "failed", "/etc/keepalived/keepalived.conf: written by somebody else", "move it away"),
    # all hosts and this machine share one clock
    ("controller-1", PROGRAM.format("date", "exec /usr/bin/date --date=1hour"), "rm /usr/local/bin/date",
     "clock/controller-1", "failed", " s ahead of ours", "timedatectl set-time"),
    ("lb-0", "mv /run/systemd/container /root/; " + PROGRAM.format("timedatectl", "echo no #"),
     "mv /root/container /run/systemd/; rm /usr/local/bin/timedatectl",
     "clock-sync/lb-0", "warning", "its clock is not synchronised", "apt-get install systemd-timesyncd"),
    ("lb-0", "systemd-run -q --unit=k3s sleep 600", "systemctl stop k3s",
     "leftovers/lb-0", "failed", "k3s was here: k3s.service", "k3s-uninstall.sh"),
]

# The switch drops what one controller sends to another's peer port, what one load balancer tells the other by VRRP, and what this machine
# sends to an apiserver.
FILTER = """
table bridge faults {
        chain forward { type filter hook forward priority 0;
                ip saddr 10.77.0.20 ip daddr 10.77.0.21 tcp dport 2380 drop
                ip saddr 10.77.0.11 ip daddr 10.77.0.12 ip protocol 112 drop
        }
        chain output { type filter hook output priority 0;
                ip daddr 10.77.0.20 tcp dport 2380 drop
                ip daddr 10.77.0.22 tcp dport 6443 drop
        }
}
"""

# Twice a second, until its input ends.
ADVERTS = """
import select, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))
while not select.select([sys.stdin], [], [], 0.5)[0]:
    s.sendto(struct.pack("!BBBBHH4s", 0x31, int(sys.argv[1]), 100, 1, 100, 0, socket.inet_aton("10.77.0.50")), ("224.0.0.18", 0))
"""


def test_each_fault_is_told(lab):
    machine_id = lab.sh("controller-0", "cat /etc/machine-id").out.strip()
    number = re.search(r"virtual router (\d+)", findings(lab)["vrrp-id/lb-0"]["text"]).group(1)
    argv = [os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", "/usr/bin/python3", "-c", ADVERTS, number]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as adverts:
        try:
            lab.enter("nft", "-f", "-", text_input=FILTER)
            for host, how, *_ in FAULTS:
                lab.sh(host, how.replace("COPY", machine_id))
            await_true("the squatter listens", lambda: "6443" in lab.sh("controller-0", "ss -Hltn").out)
            found = findings(lab, status=65)
            text = lab.hardway("check", check=65).out
        finally:
            adverts.stdin.close()
            lab.enter("nft", "delete", "table", "bridge", "faults", check=False)
            for host, _, undo, *_ in FAULTS:
                lab.sh(host, undo, check=False)
    wanted = [row[3:] for row in FAULTS] + [
        ("etcd-data/controller-0", "failed", "there is default in /var/lib/etcd that hardway did not put there", "move or remove it"),
        ("clock-spread", "failed", " s behind that of controller-1", "until they are synchronised"),
        ("name/controller-2", "warning", "its own name does not resolve", "127.0.1.1 controller-0"),
        ("reach/controller-0", "failed", "controller-1:2380 does not answer", "etcd's members"),
        ("reach", "failed", "from this machine controller-0:2380 does not answer, controller-2:6443 does not answer", "which certificates they show"),
        ("vrrp-reach/lb-0", "failed", "VRRP (IP protocol 112): lb-1 does not answer", "ip saddr 10.77.0.11 meta l4proto 112 accept"),
        ("vrrp-id/lb-0", "warning", f"virtual router {number} is advertised by 10.77.0.1, too", "endpoint.vrrp_id"),
        ("vrrp-id/lb-1", "warning", "is advertised by 10.77.0.1", "endpoint.vrrp_id"),
    ]
    for name, state, words, advice in wanted:
        assert found[name]["state"] == state, found[name]
        assert words in found[name]["text"] and advice in found[name]["advice"], found[name]
        assert words in text and advice in text
    # and nothing else
    assert set(not_well(found)) == {row[0] for row in wanted}
    found = findings(lab)
    assert not not_well(found), not_well(found)


def test_all_clocks_are_of_a_day_before_the_build(lab, program, monkeypatch):
    """So that none is far from another."""
    hours = 96000
    library = os.path.join(os.path.dirname(program), "tests", "lab", "libearlier.so")
    hosts = {**CONTROLLERS, **BALANCERS}
    monkeypatch.setattr(lab, "wrapper", ["env", f"LD_PRELOAD={library}", f"HARDWAY_TEST_HOURS={hours}"])
    try:
        for host in hosts:
            lab.sh(host, PROGRAM.format("date", f"exec /usr/bin/date --date=-{hours}hours"))
        found = findings(lab, status=65)
    finally:
        for host in hosts:
            lab.sh(host, "rm -f /usr/local/bin/date")
    assert set(not_well(found)) == {f"clock/{host}" for host in hosts}
    for host in hosts:
        finding = found[f"clock/{host}"]
        assert finding["state"] == "failed" and "did not exist yet" in finding["text"] and "Ours says the same" in finding["advice"], finding


def test_the_vip_is_answered(lab):
    lab.sh("controller-2", f"ip addr add {VIP}/32 dev host0")
    try:
        found = findings(lab, status=65)
    finally:
        lab.sh("controller-2", f"ip addr del {VIP}/32 dev host0")
    assert set(not_well(found)) == {"vip/lb-0", "vip/lb-1"}
    assert "is answered by another machine (MAC address " in found["vip/lb-0"]["text"]


def test_a_load_balancer_has_the_vip_by_hand(lab):
    lab.sh("lb-0", f"ip addr add {VIP}/24 dev host0")
    try:
        found = findings(lab, status=65)
    finally:
        lab.sh("lb-0", f"ip addr del {VIP}/24 dev host0")
    assert set(not_well(found)) == {"vip/lb-0", "vip/lb-1"}
    assert "lb-0 has the VIP" in found["vip/lb-1"]["text"] and "network configuration" in found["vip/lb-1"]["advice"]


def test_nodes_that_cannot_be_looked_at(lab):
    """Each says why; the others are looked at all the same, and nobody waits for those that are off."""
    lab.sh("lb-1", "for f in $(grep -rl NOPASSWD /etc/sudoers /etc/sudoers.d); do sed -i.saved 's/NOPASSWD://' $f; done")
    lab.sh("controller-1", "systemctl stop ssh")
    try:
        found = findings(lab, status=69)
        assert findings(lab, "--node", "lb-1", status=77)
    finally:
        lab.sh("controller-1", "systemctl start ssh")
        lab.sh("lb-1", "for f in /etc/sudoers.saved /etc/sudoers.d/*.saved; do [ ! -e $f ] || mv $f ${f%.saved}; done")
    assert set(not_well(found)) == {"ssh/controller-1", "ssh/lb-1", "lb-told/lb-0"}, "lb-0 would be set up while lb-1 cannot be told of it"
    assert "refuses" in found["ssh/controller-1"]["text"] and "sudo" in found["ssh/lb-1"]["text"]
    assert found["reach/controller-0"]["state"] == "ok"


def test_install_refuses_for_the_same_reasons(lab):
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    lab.enter("nft", "-f", "-", text_input=FILTER)
    lab.sh("lb-0", "mkdir -p /var/snap/microk8s")
    try:
        result = lab.hardway("install", check=69)
        assert "lb-0: MicroK8s was here" in result.err and "controller-0: controller-1:2380 does not answer" in result.err
        assert "from this machine controller-0:2380" in result.err and "controller-2:6443" in result.err and "lb-0: VRRP (IP protocol 112): lb-1 does not answer" in result.err
        for host in CONTROLLERS:
            assert lab.sh(host, "ls -d /etc/kubernetes /opt/hardway 2>/dev/null", check=False).out == ""
        lab.hardway("check", "--ignore", "reach", "--ignore", "vrrp-reach", "--ignore", "leftovers")
        result = lab.hardway("install", "--ignore", "leftoverz", check=64)
        assert "did you mean 'leftovers'?" in result.err
    finally:
        lab.enter("nft", "delete", "table", "bridge", "faults")
    lab.hardway("install", "--ignore", "leftovers")
    lab.sh("lb-0", "rmdir /var/snap/microk8s")
    # on a cluster that serves
    found = findings(lab)
    assert not not_well(found), not_well(found)
    assert "held by lb-" in found["vip/lb-0"]["text"] and "as etcd runs" in found["disk-sync/controller-0"]["text"]


# The same where nothing but IPv6 is: of one controller the way to a peer port is forbidden by a filter of its own, which says so (ICMPv6), to
# another's all is dropped; VRRP to one is dropped, and what this machine sends to an apiserver.
FORBIDS = """
table ip6 faults {
        chain input { type filter hook input priority 0;
                ip6 saddr fd77::20 tcp dport 2380 reject with icmpv6 type admin-prohibited
        }
}
"""
DROPS = """
table bridge faults {
        chain forward { type filter hook forward priority 0;
                ip6 saddr fd77::20 ip6 daddr fd77::22 tcp dport 2380 drop
                ip6 saddr fd77::22 ip6 daddr fd77::20 tcp dport 2379 drop
                ip6 saddr fd77::20 ip6 daddr fd77::21 meta l4proto 112 drop
        }
        chain output { type filter hook output priority 0;
                ip6 daddr fd77::22 tcp dport 6443 drop
        }
}
"""


def nft_in(lab, host, rules):
    """With the host's network, and this machine's nft: hosts have none."""
    script = ('here=$1; . "$here/lib/common"; . "$here/lib/state"; lab_select "$2"; exec nsenter --target "$(host_init "$3")" --net nft -f -')
    result = run(["bash", "-euc", script, "bash", os.path.join(TOP, "lab"), lab.name, host], text_input=rules)
    assert result.status == 0, result


@pytest.mark.long
def test_packet_filter_for_ipv6(make_lab):
    """Which port of which host, from where, whether the filter answers or not; and nothing once it is gone."""
    hosts = {name: address.replace("10.77.0.", "fd77::") for name, address in CONTROLLERS.items()}
    lab = make_lab("check6", {name: f"[{address}]" for name, address in hosts.items()})
    words = [word for name, address in hosts.items() for word in ("--controller", f"{name}={address}")]
    lab.hardway("init", *words, "--vip", "fd77::10", "--ssh-user", "pi", "--arch", "amd64")
    found = findings(lab)
    assert not not_well(found), str(not_well(found))
    nft_in(lab, "controller-1", FORBIDS)
    lab.enter("nft", "-f", "-", text_input=DROPS)
    found = findings(lab, status=69)
    text = lab.hardway("check", check=69).out
    lab.enter("nft", "delete", "table", "bridge", "faults")
    nft_in(lab, "controller-1", "delete table ip6 faults")
    wanted = [
        ("reach/controller-0", "controller-1:2380: Permission denied", "etcd's members"),
        ("reach/controller-0", "controller-2:2380 does not answer", "etcd's members"),
        ("reach/controller-2", "controller-0:2379 does not answer", "the watch on the nodes"),
        ("reach", "from this machine controller-2:6443 does not answer", "apiservers"),
        ("vrrp-reach/controller-0", "VRRP (IP protocol 112): controller-1 does not answer", "ip6 saddr fd77::20 meta l4proto 112 accept"),
    ]
    for name, words, advice in wanted:
        assert found[name]["state"] == "failed", found[name]
        assert words in found[name]["text"] and advice in found[name]["advice"], found[name]
        assert words in text and advice in text
    assert set(not_well(found)) == {name for name, *_ in wanted}
    assert not not_well(findings(lab))
