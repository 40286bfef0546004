# SPDX-License-Identifier: LGPL-2.1-or-later
"""etcd that has lost its quorum, its data or all its hosts: restored from a snapshot or a survivor, and killed on the way."""
import pytest

from lab import CONTROLLERS, await_true
from test_etcd import await_well, kill_at, maps, members
from test_topologies import external

pytestmark = pytest.mark.long


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


def test_replace_of_a_healthy_member_goes_on_after_a_kill(cluster):
    victim = "controller-2"
    kill_at(cluster, f"{victim}: etcd", "etcd", "replace", victim, "--force", "--yes")
    cluster.hardway("etcd", "replace", victim, "--force", "--yes", "--wait")
    await_well(cluster)
    assert len(members(cluster)["members"]) == 3
