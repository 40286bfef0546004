# SPDX-License-Identifier: LGPL-2.1-or-later
"""Members that get another address: on another machine, lost or planned, one or all after one another; and all hosts at once, with their data."""
import os
import re

import pytest

from lab import BALANCERS, CONTROLLERS, VIP, edit
from serving import assert_undisturbed
from test_etcd import await_well, kill_at, maps, members
from test_growth import MORE, installed

pytestmark = pytest.mark.long


def move(lab, name, address):
    """Its new address, in the cluster file and its certificates."""
    edit(lab, rf"(name: {name}, address: )[0-9.]+\b", rf"\g<1>{address}")
    lab.hardway("pki", "gen")


def assert_moved(lab, name, address):
    """All who have to know where a member is know it, and nobody looks for it where it was."""
    member = next(m for m in members(lab)["members"] if m["name"] == name)
    assert member["role"] != "learner" and member["healthy"], member
    assert lab.ready(address)
    for balancer in BALANCERS:
        assert re.search(rf"server {name} {address}:6443 ", lab.sh(balancer, "cat /etc/haproxy/haproxy.cfg").out), balancer
    for port in (2379, 2380, 6443):
        assert f"IP Address:{address}" in lab.served(address, port)["text"]
    assert not os.path.exists(os.path.join(lab.directory, "pki", "former", "nodes", name, "pki", "etcd", "server.crt"))
    await_well(lab)
    assert "nothing to change" in lab.hardway("install").out


def test_replace_at_a_new_address(make_lab):
    """The machine is gone for good; another one, with another address, takes its place under the running client."""
    victim, address = "controller-1", MORE["controller-3"]
    lab = installed(make_lab, "etcd-move", {"spare": address})
    lab.tool("power", "cut", victim)
    move(lab, victim, address)
    with lab.client() as seen:
        lab.hardway("etcd", "replace", victim, "--yes")
    assert_undisturbed(lab, seen)
    assert_moved(lab, victim, address)
    assert "configmap/from-before" in maps(lab)


def test_a_move_goes_on_after_a_kill(make_lab):
    """To another machine and back, and killed where the list of members does not tell any more that it is a move: the same command tells the others."""
    victim, there = "controller-1", MORE["controller-3"]
    lab = installed(make_lab, "etcd-moves", {"spare": there})
    here, there = ("spare", there), (victim, CONTROLLERS[victim])
    for stage in ("old member out", "units", "kube-apiserver"):
        lab.tool("power", "cut", there[0])
        move(lab, victim, here[1])
        kill_at(lab, f"{victim}: {stage}", "etcd", "replace", victim, "--yes")
        lab.hardway("etcd", "replace", victim, "--yes", "--wait")
        assert_moved(lab, victim, here[1])
        assert "there is nothing to replace" in lab.hardway("etcd", "replace", victim, "--yes", check=65).err
        here, there = there, here
        lab.tool("power", "on", here[0])
        # the member that it has is of before
        lab.sh(here[0], "systemctl disable --now kube-scheduler kube-controller-manager kube-apiserver etcd", check=False)
    assert "configmap/from-before" in maps(lab)


def assert_move_unnoticed(lab, seen, name):
    """Eight hosts are many for a small machine: where haproxy takes another server for dead than the one that moves, what that cuts off is not the
    move's doing."""
    assert seen["gap"] < 3, seen
    assert_undisturbed(lab, seen, but=name)


def test_all_move_one_after_another(make_lab):
    """Every controller gets another machine with another address, planned, by an edit at a time, under the running client, who notices nothing of it:
    what runs where a member was is stopped in good order. Eight hosts on one machine are checked as patiently as those behind a radio."""
    units = "etcd kube-apiserver kube-controller-manager kube-scheduler"
    moves = {name: address.replace("10.77.0.2", "10.77.0.5") for name, address in CONTROLLERS.items()}
    lab = installed(make_lab, "etcd-all-move", {f"new-{name}": address for name, address in moves.items()},
                    arguments=("--network-profile", "wifi"))
    for name, address in moves.items():
        move(lab, name, address)
        with lab.client() as seen:
            lab.hardway("etcd", "replace", name, "--yes")
        assert_move_unnoticed(lab, seen, name)
        left = lab.sh(name, f"systemctl is-active {units}; systemctl is-enabled {units}", check=False).out.split()
        assert len(left) == 8 and not {"active", "enabled"} & set(left), left
        lab.tool("power", "cut", name)
        assert_moved(lab, name, address)
    endpoints = lab.kubectl("get", "endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes", "-o", "json").out
    assert all(f'"{address}"' in endpoints for address in moves.values())
    for host in [*BALANCERS, *(f"new-{name}" for name in moves)]:
        left = lab.sh(host, "grep -r -l -E '10[.]77[.]0[.]2[0-2]' /etc/haproxy /etc/keepalived /etc/kubernetes /etc/systemd/system", check=False).out
        assert not left, left
    assert "configmap/from-before" in maps(lab)


def renumber(lab, moves):
    """All hosts get other addresses, with what is on their disks, as from a new router: off and on again. moves: new by old."""
    for host, (old, new) in moves.items():
        lab.sh(host, f"sed -i 's/^Address={old}/Address={new}/' /etc/systemd/network/10-host0.network && sync")
    lab.tool("power", "off", *moves)
    state = os.path.join(os.environ.get("HARDWAY_LAB_STATE", "/var/lib/hardway-lab"), lab.name)
    for name in ("hosts.extra", "ssh/known_hosts", "ssh/config", "ssh/config.outside", *(f"hosts/{host}/address" for host in moves)):
        with open(os.path.join(state, name), encoding="utf-8") as file:
            text = file.read()
        for old, new in moves.values():
            text = re.sub(rf"(?<![0-9.]){re.escape(old)}(?![0-9])", new, text)
        with open(os.path.join(state, name), "w", encoding="utf-8") as file:
            file.write(text)
    lab.tool("power", "on", *moves)


def test_all_hosts_are_renumbered(make_lab):
    """A new router, other addresses for all, the VIP too: members do not find each other any more. What install says is the way on."""
    lab = installed(make_lab, "etcd-renumber", {})
    moves = {host: (old, old.replace("10.77.0.", "10.77.0.1")) for host, old in {**CONTROLLERS, **BALANCERS}.items()}
    renumber(lab, moves)
    for old, new in [*moves.values(), (VIP, "10.77.0.110")]:
        edit(lab, rf"address: {re.escape(old)}\b", f"address: {new}")
    lab.hardway("pki", "gen")
    refused = lab.hardway("install", check=65).err
    for host in CONTROLLERS:
        old, new = moves[host]
        assert f"{host}: the etcd data in /var/lib/etcd is of a member at https://{old}:2380, by the cluster file it is at https://{new}:2380" in refused
    assert "no member answers" in lab.hardway("check", check=65).out
    assert all(lab.sh(host, "grep -c 10.77.0.2 /etc/systemd/system/etcd.service").out != "0\n" for host in CONTROLLERS), "something was changed"
    lab.hardway(*re.search(r"hardway (etcd restore --survivor [a-z0-9-]+)", refused)[1].split(), "--yes")
    assert "configmap/from-before" in maps(lab)
    await_well(lab)
    assert lab.version("10.77.0.110") and "nothing to change" in lab.hardway("install").out
    for host, (_, new) in moves.items():
        if host in CONTROLLERS:
            assert lab.ready(new)
    assert "there is nothing to replace" in lab.hardway("etcd", "replace", "controller-1", "--yes", check=65).err
