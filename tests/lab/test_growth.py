# SPDX-License-Identifier: LGPL-2.1-or-later
"""Controllers that come and go under the running clients, with the load balancers' pair before them and with the VIP on them."""
import os
import re

import pytest

from lab import BALANCERS, CONTROLLERS, VIP, await_true, edit
from serving import assert_undisturbed
from test_etcd import await_well, maps, members
from test_topologies import SAMPLER, holders, install, nodes_of, times_held_by_two
from test_topologies import await_well as await_as_planned

pytestmark = pytest.mark.long

MORE = {"controller-3": "10.77.0.23", "controller-4": "10.77.0.24"}


def installed(make_lab, name, more, controllers=None, arguments=()):
    """A cluster behind the pair; more: hosts that are no part of it yet; arguments: of hardway init."""
    controllers = controllers or CONTROLLERS
    lab = make_lab(name, {**controllers, **BALANCERS, **more})
    lab.init(*arguments, controllers=controllers)
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
    lab.kubectl("create", "configmap", "from-before")
    return lab


def node_line(name, address):
    return f"  - {{ name: {name}, address: {address}, roles: [controller] }}\n"


def set_controllers(lab, wanted):
    """Rewrites the list of controllers in the cluster file."""
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    first = next(i for i, line in enumerate(lines) if "name: controller-" in line)
    lines = [line for line in lines if "name: controller-" not in line]
    lines[first:first] = [node_line(name, {**CONTROLLERS, **MORE}[name]) for name in wanted]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)


def change(lab, wanted):
    set_controllers(lab, wanted)
    lab.hardway("pki", "gen")
    with lab.client() as seen:
        lab.hardway("install", "--yes")
    # the leader may be one of those that go: a write or so meets that
    assert_undisturbed(lab, seen)
    found = {m["name"] for m in members(lab)["members"] if m["role"] in ("leader", "voter") and m["healthy"]}
    assert found == set(wanted)


def refused_to_join(lab, wanted):
    """A firewall before one that joins, and another installer's work on it: told before anything is written, as for the first nodes."""
    set_controllers(lab, wanted)
    lab.hardway("pki", "gen")
    lab.enter("nft", "-f", "-", text_input="table bridge faults { chain forward { type filter hook forward priority 0;"
              " ip saddr 10.77.0.21 ip daddr 10.77.0.23 tcp dport 2380 drop; }; }")
    lab.sh("controller-4", "mkdir -p /var/snap/microk8s")
    try:
        refused = lab.hardway("install", check=69).err
    finally:
        lab.enter("nft", "delete", "table", "bridge", "faults")
        lab.sh("controller-4", "rmdir /var/snap/microk8s")
    assert "controller-1: controller-3:2380 does not answer" in refused and "controller-4: MicroK8s was here" in refused
    assert {m["name"] for m in members(lab)["members"] if m["role"] != "no member"} == set(CONTROLLERS)


def test_one_three_five_three(make_lab):
    lab = installed(make_lab, "etcd-grow", {**CONTROLLERS, **MORE}, {"controller-0": CONTROLLERS["controller-0"]})
    three, five = list(CONTROLLERS), [*CONTROLLERS, *MORE]
    change(lab, three)
    refused_to_join(lab, five)
    change(lab, five)
    change(lab, three)
    # back with the data of a member that was taken out: that says so itself, and the advice works as it stands
    set_controllers(lab, five)
    lab.hardway("pki", "gen")
    refused = lab.hardway("install", check=65).err
    first, second = MORE
    assert f"hardway etcd replace {first}; or hardway reset --node {first}, and hardway install" in refused
    lab.hardway("reset", "--node", first, "--node", second, "--yes")
    change(lab, five)
    change(lab, three)
    assert "configmap/from-before" in maps(lab)
    await_true("verify is green", lambda: lab.hardway("verify", check=False).status == 0, 90)


def test_lost_members_go_before_one_that_works_is_stopped(make_lab):
    """Two of five are gone for good, and out of the cluster file; the same run restarts etcd on those that stay."""
    lab = installed(make_lab, "etcd-gone", {}, {**CONTROLLERS, **MORE})
    lab.tool("power", "cut", *MORE)
    with open(os.path.join(lab.directory, "hardway.yaml"), "a", encoding="utf-8") as file:
        file.write("\nextra-args:\n  etcd: { snapshot-count: 9001 }\n")
    assert "is not healthy" in lab.hardway("install", "--node", "controller-0", check=69).err
    set_controllers(lab, CONTROLLERS)
    refused = lab.hardway("install", "--node", "controller-0", check=69).err  # a part of the nodes takes nobody out
    assert "2 of 5 voters would be healthy, and quorum needs 3" in refused and "controller-3 (not in the cluster file)" in refused
    with lab.client() as seen:
        result = lab.hardway("install")
    assert not seen["lost"] and seen["gap"] < 5, seen
    assert "controller-4 is not in the cluster file, and no member any more" in result.out + result.err
    assert {m["name"] for m in members(lab)["members"] if m["healthy"]} == set(CONTROLLERS)
    await_well(lab)


def test_vip_on_the_controllers_three_five_three(make_lab):
    """Two more controllers, which hold the VIP with the others, come and go under the running client: at no time do two hold it."""
    five = {**CONTROLLERS, **MORE}
    lab = make_lab("grows-five", five)
    install(lab, *nodes_of("controller", CONTROLLERS), "--vip", VIP)
    for host in five:
        lab.enter("sh", "-c", "cat >/run/sampler && systemd-run --quiet --unit=sampler bash /run/sampler", host=host, text_input=SAMPLER)
    last = next(line for line in lab.read("hardway.yaml").splitlines() if "name: controller-2" in line)
    more = [last.replace("controller-2", name).replace(CONTROLLERS["controller-2"], address) for name, address in MORE.items()]
    edit(lab, re.escape(last), "\n".join([last, *more]))
    lab.hardway("pki", "gen")
    before = {host: lab.pids(host, ["haproxy", "keepalived"]) for host in CONTROLLERS}
    with lab.client() as seen:
        lab.hardway("install")
    assert not seen["lost"] and seen["gap"] < 3, seen
    assert {host: lab.pids(host, ["haproxy", "keepalived"]) for host in CONTROLLERS} == before
    await_as_planned(lab)
    assert len(holders(lab, five)) == 1 and not times_held_by_two(lab, five), times_held_by_two(lab, five)

    # who has the VIP is one of those that go
    for host in CONTROLLERS:
        lab.sh(host, "systemctl stop haproxy")
    await_true("a new one has the VIP", lambda: set(holders(lab, five)) & set(MORE), seconds=20)
    for host in CONTROLLERS:
        lab.sh(host, "systemctl start haproxy")
    await_as_planned(lab)
    kept = lab.read("hardway.yaml")
    edit(lab, "\n" + re.escape("\n".join(more)), "")
    refused = lab.hardway("install", "--yes", check=65).err
    assert "hardway reset" in refused, refused
    wanted = lab.read("hardway.yaml")
    with open(os.path.join(lab.directory, "hardway.yaml"), "w", encoding="utf-8") as file:
        file.write(kept)
    with lab.client() as seen:
        lab.hardway("reset", *(word for name in MORE for word in ("--node", name)), "--yes")
    assert not seen["lost"] and seen["gap"] < 3, seen
    with open(os.path.join(lab.directory, "hardway.yaml"), "w", encoding="utf-8") as file:
        file.write(wanted)
    with lab.client() as seen:
        lab.hardway("install", "--yes")
    assert not seen["lost"] and seen["gap"] < 3, seen
    await_as_planned(lab)
    assert len(holders(lab, five)) == 1 and not times_held_by_two(lab, five), times_held_by_two(lab, five)
    assert {m["name"] for m in members(lab)["members"] if m["healthy"]} == set(CONTROLLERS)
