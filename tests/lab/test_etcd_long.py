# SPDX-License-Identifier: LGPL-2.1-or-later
"""The long ones of etcd's life: a cluster that grows and shrinks under its clients, moves, and one that is lost with all its hosts."""
import os
import re

from lab import BALANCERS, CONTROLLERS, VIP, await_true, edit
from test_etcd import await_well, kill_at, maps, members
from test_rollout import assert_unnoticed
from test_topologies import external

MORE = {"controller-3": "10.77.0.23", "controller-4": "10.77.0.24"}


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
    assert_unnoticed(lab, seen, writes_refused=1)
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
    lab = make_lab("etcd-grow", {**CONTROLLERS, **MORE, **BALANCERS})
    lab.init(controllers={"controller-0": CONTROLLERS["controller-0"]})
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
    lab.kubectl("create", "configmap", "from-the-start")
    three, five = list(CONTROLLERS), [*CONTROLLERS, *MORE]
    change(lab, three)
    refused_to_join(lab, five)
    change(lab, five)
    change(lab, three)
    # back with the data of a member that was taken out: that says so itself, and the advice works as it stands
    set_controllers(lab, {**CONTROLLERS, **MORE})
    refused = lab.hardway("install", check=65).err
    first, second = MORE
    assert f"hardway etcd replace {first}; or hardway reset --node {first}, and hardway install" in refused
    lab.hardway("reset", "--node", first, "--node", second, "--yes")
    change(lab, five)
    change(lab, three)
    assert "configmap/from-the-start" in maps(lab)
    await_true("verify is green", lambda: lab.hardway("verify", check=False).status == 0, 90)


def test_lost_members_go_before_one_that_works_is_stopped(make_lab):
    """Two of five are gone for good, and out of the cluster file; the same run restarts etcd on those that stay."""
    lab = make_lab("etcd-gone", {**CONTROLLERS, **MORE, **BALANCERS})
    lab.init(controllers={**CONTROLLERS, **MORE})
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
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


def test_total_loss(make_lab, tmp_path):
    lab = make_lab("etcd-loss")
    lab.init()
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
    lab.kubectl("create", "configmap", "remembered")
    lab.kubectl("create", "secret", "generic", "remembered", "--from-literal=a=b")
    path = str(tmp_path / "a.db")
    lab.hardway("etcd", "snapshot", path)
    lab.down()
    lab.up()
    lab.hardway("etcd", "restore", path, "--yes", timeout=1500)
    assert "configmap/remembered" in maps(lab)
    assert lab.kubectl("get", "secret", "remembered", "-o", "jsonpath={.data.a}").out == "Yg=="
    await_well(lab)


def test_restore(cluster, tmp_path):
    path = str(tmp_path / "a.db")
    cluster.kubectl("create", "configmap", "before")
    cluster.hardway("etcd", "snapshot", path)
    cluster.kubectl("create", "configmap", "after")
    old = {m["id"] for m in members(cluster)["members"]}
    seen = cluster.hardway("etcd", "restore", path, "--yes", "--json").json
    assert seen["members"] == 3 and seen["revision"] > 1000000000
    assert "configmap/before" in maps(cluster) and "configmap/after" not in maps(cluster)
    assert not old & {m["id"] for m in members(cluster)["members"]}, "a member of before could join again"
    cluster.kubectl("delete", "configmap", "before")
    await_well(cluster)


def test_restore_that_fails_before_the_swap_starts_all_again(cluster, tmp_path):
    path, tool = str(tmp_path / "a.db"), "/opt/hardway/etcd-v3.6.16/etcdutl"
    cluster.hardway("etcd", "snapshot", path)
    cluster.kubectl("create", "configmap", "stays")
    units = "etcd kube-apiserver kube-controller-manager kube-scheduler"
    old = {m["id"] for m in members(cluster)["members"]}
    cluster.sh("controller-1", f"mv {tool} {tool}.kept; printf '#!/bin/sh\necho torn >&2\nexit 1\n' >{tool}; chmod 755 {tool}")
    try:
        failed = cluster.hardway("etcd", "restore", path, "--yes", check=False)
    finally:
        cluster.sh("controller-1", f"mv {tool}.kept {tool}")
    assert failed.status != 0 and "torn" in failed.err
    assert "started again on controller-0, controller-1, controller-2" in failed.err and f"hardway etcd restore {path}\n" in failed.err
    await_well(cluster)
    assert {m["id"] for m in members(cluster)["members"]} == old and "configmap/stays" in maps(cluster)
    for host in CONTROLLERS:
        assert cluster.sh(host, f"ls /var/lib/etcd; systemctl is-enabled {units}").out == "member\n" + 4 * "enabled\n"
    assert "nothing to change" in cluster.hardway("install").out
    cluster.hardway("etcd", "restore", path, "--yes")
    assert "configmap/stays" not in maps(cluster)
    await_well(cluster)


def test_restore_goes_on_after_a_kill_at_every_stage(cluster, tmp_path):
    path = str(tmp_path / "a.db")
    cluster.kubectl("create", "configmap", "before")
    cluster.hardway("etcd", "snapshot", path)
    for stage in ("looked at", "control plane stopped", "snapshot", "unpacked", "data swapped", "facts", "1 file", "units", "etcd",
                  "kube-apiserver"):
        cluster.kubectl("create", "configmap", "after")
        kill_at(cluster, f": {stage}", "etcd", "restore", path, "--yes")
        cluster.hardway("etcd", "restore", path, "--yes", "--wait")
        assert "configmap/before" in maps(cluster) and "configmap/after" not in maps(cluster), stage
    await_well(cluster)


def test_survivor_is_restored_and_the_others_are_replaced(cluster):
    cluster.kubectl("create", "configmap", "survives")
    cluster.tool("power", "cut", "controller-1", "controller-2")
    cluster.sh("controller-0", "systemctl kill -s KILL etcd")
    cluster.hardway("etcd", "restore", "--survivor", "controller-0", "--without", "controller-1", "--without", "controller-2", "--yes")
    assert "configmap/survives" in maps(cluster)
    cluster.tool("power", "on", "controller-1", "controller-2")
    refused = cluster.hardway("install", check=65).err
    assert "not that of the last restore" in refused and "hardway etcd replace controller-1" in refused
    for name in ("controller-1", "controller-2"):
        cluster.hardway("etcd", "replace", name, "--yes")
    await_well(cluster)
    assert "configmap/survives" in maps(cluster)
    cluster.kubectl("delete", "configmap", "survives")


def test_old_members_that_come_back_are_not_the_cluster(cluster):
    """The last controller is the survivor. The two others come back with their disks, and are a quorum by themselves: nobody takes them for the cluster,
    and nobody is sent to them."""
    others, states = ("controller-0", "controller-1"), 2 * ["of another cluster"] + ["healthy"]
    cluster.kubectl("create", "configmap", "survives")
    await_true("the survivor has it", lambda: cluster.sh("controller-2", "grep -q -a survives /var/lib/etcd/member/snap/db", check=False).status == 0, 30)
    cluster.tool("power", "cut", *others)
    try:
        without = [word for name in others for word in ("--without", name)]
        warned = cluster.hardway("etcd", "restore", "--survivor", "controller-2", *without, "--yes").err
        assert all(f"hardway etcd replace {name}" in warned for name in others)
        cluster.kubectl("create", "configmap", "of-now")
        cluster.tool("power", "on", *others)
        await_true("they are a quorum of their own", lambda: [m["state"] for m in members(cluster)["members"]] == states, 60)
        seen = members(cluster)
        assert seen["quorum"] and seen["voters"] == 1 and [m["role"] for m in seen["members"]] == ["no member", "no member", "leader"]
        assert all(f"hardway etcd replace {name}" in m["why"] for name, m in zip(others, seen["members"]))
        assert cluster.hardway("status").out.count("or of before a restore: it must not serve") == 2
        report = cluster.hardway("verify", check=76).out
        assert all(f"hardway etcd replace {name}" in report for name in others) and "gets no requests until it is replaced" in report
        await_true("their apiservers are ready", lambda: all(cluster.ready(CONTROLLERS[name]) for name in others), 60)
        for _ in range(12):
            assert "configmap/of-now" in maps(cluster), "the VIP leads to an apiserver with the data of before"
        for name in others:
            cluster.hardway("etcd", "replace", name, "--yes")
    finally:
        cluster.tool("power", "on", *others, check=False)
    await_well(cluster)
    assert {"configmap/survives", "configmap/of-now"} <= maps(cluster) and "nothing to change" in cluster.hardway("install").out
    cluster.kubectl("delete", "configmap", "survives", "of-now")


def test_lost_quorum_of_etcd_on_its_own_hosts(make_lab, tmp_path):
    """Two of three hosts of etcd are gone: the data of the third, or a snapshot, becomes the cluster's. The two come back with their disks, and are a
    quorum by themselves: no apiserver asks them before they are replaced."""
    lab, _, _ = external(make_lab, "etcd-lost")
    path, lost = str(tmp_path / "a.db"), ("etcd-0", "etcd-1")
    without = [word for name in lost for word in ("--without", name)]
    lab.kubectl("create", "configmap", "before")
    lab.hardway("etcd", "snapshot", path)
    lab.kubectl("create", "configmap", "survives")
    await_true("the survivor has it", lambda: lab.sh("etcd-2", "grep -q -a survives /var/lib/etcd/member/snap/db", check=False).status == 0, 30)
    for source, kept in ((["--survivor", "etcd-2"], {"configmap/before", "configmap/survives"}), ([path], {"configmap/before"})):
        lab.tool("power", "cut", *lost)
        assert "hardway etcd restore" in members(lab)["advice"]
        lab.hardway("etcd", "restore", *source, *without, "--yes")
        assert maps(lab) - {"configmap/kube-root-ca.crt"} == kept
        lab.kubectl("create", "configmap", "of-now")
        lab.tool("power", "on", *lost)
        await_true("they are a quorum of their own", lambda: [m["state"] for m in members(lab)["members"]] == 2 * ["of another cluster"] + ["healthy"], 60)
        for _ in range(12):
            assert "configmap/of-now" in maps(lab), "an apiserver asks members with the data of before"
        refused = lab.hardway("install", check=65).err
        for name in lost:
            assert f"hardway etcd replace {name}" in refused
            lab.hardway("etcd", "replace", name, "--yes")
        await_well(lab)
        assert maps(lab) - {"configmap/kube-root-ca.crt"} == kept | {"configmap/of-now"} and "nothing to change" in lab.hardway("install").out
        lab.kubectl("delete", "configmap", "of-now")


def installed(make_lab, name, more):
    lab = make_lab(name, {**CONTROLLERS, **BALANCERS, **more})
    lab.init()
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
    lab.kubectl("create", "configmap", "from-before")
    return lab


def test_replace_at_a_new_address(make_lab):
    """The machine is gone for good; another one, with another address, takes its place under the running client."""
    lab = make_lab("etcd-move", {**CONTROLLERS, **BALANCERS, "spare": MORE["controller-3"]})
    lab.init()
    for verb in (("pki", "gen"), ("fetch",), ("install",)):
        lab.hardway(*verb)
    lab.kubectl("create", "configmap", "from-before")
    victim, address = "controller-1", MORE["controller-3"]
    lab.tool("power", "cut", victim)
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(f"address: {CONTROLLERS[victim]},", f"address: {address},"))
    lab.hardway("pki", "gen")
    with lab.client() as seen:
        lab.hardway("etcd", "replace", victim, "--yes")
    assert_unnoticed(lab, seen, writes_refused=1)
    assert {m["name"]: m["role"] != "learner" and m["healthy"] for m in members(lab)["members"]} == dict.fromkeys(CONTROLLERS, True)
    assert lab.ready(address)
    await_well(lab)
    assert "nothing to change" in lab.hardway("install").out
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


def test_replace_of_a_healthy_member_goes_on_after_a_kill(cluster):
    victim = "controller-2"
    kill_at(cluster, f"{victim}: etcd", "etcd", "replace", victim, "--force", "--yes")
    cluster.hardway("etcd", "replace", victim, "--force", "--yes", "--wait")
    await_well(cluster)
    assert len(members(cluster)["members"]) == 3
