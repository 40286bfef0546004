# SPDX-License-Identifier: LGPL-2.1-or-later
"""The next minor version of Kubernetes, and of etcd, on a cluster that serves: what is refused before, under load, killed half-way, and back to the data of before."""
import json
import os
import signal

import pytest

from lab import CONTROLLERS, await_true, edit
from serving import aside, assert_undisturbed
from test_etcd import await_well, maps, members

pytestmark = pytest.mark.long

OLD, NEW = "v1.36.3", "v1.37.2"


def set_version(lab, version):
    edit(lab, r"kubernetes: v[\d.]+", f"kubernetes: {version}")


def refused(lab, *arguments, status):
    """What is said to `hardway install`, which touches nothing."""
    result = lab.hardway("install", *arguments, check=False)
    assert result.status == status, result
    return result.err


def running(cluster):
    """What each apiserver that answers says."""
    found = {name: cluster.version(address) for name, address in CONTROLLERS.items()}
    return {name: answer["gitVersion"] for name, answer in found.items() if answer}


def test_next_minor_version(cluster, mirror_of_next, tmp_path):
    def node(verb):
        old = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-0"}, "status": {"nodeInfo": {
            name: "v1.33.1" if name == "kubeletVersion" else "" for name in (
                "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
                "kubeProxyVersion", "operatingSystem", "architecture")}}}
        cluster.kubectl("--kubeconfig", "super-admin.conf", verb, "-f", "-", text_input=json.dumps(old))

    cluster.kubectl("create", "configmap", "before")
    set_version(cluster, NEW)
    cluster.hardway("fetch", env={"HARDWAY_MIRROR": mirror_of_next} if mirror_of_next else None)
    node("create")
    said = refused(cluster, status=65)
    assert "v1.37 serves kubelets from v1.34 on, and older are those of: worker-0 (v1.33.1)" in said
    node("delete")
    for node in ([], ["--node", "controller-0"]):
        found = {check["id"]: check for check in cluster.hardway("check", *node, "--json").json["checks"]}
        assert found["versions/controller-0"]["text"] == f"another minor version: Kubernetes {OLD} to {NEW}, etcd v3.6.16 to v3.7.3"
    assert set(running(cluster).values()) == {OLD}

    with cluster.client() as seen:
        cluster.hardway("install", "--node", "controller-1")  # one alone, which may be one step ahead
        assert {name for name, version in running(cluster).items() if version == NEW} == {"controller-1"}
        killed = cluster.start("install")
        await_true("another one has it", lambda: list(running(cluster).values()).count(NEW) == 2, 240)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        cluster.hardway("install")
    assert_undisturbed(cluster, seen, writes_refused=2)
    assert set(running(cluster).values()) == {NEW} and not any(aside(cluster).values())
    await_well(cluster)
    assert {m["version"] for m in members(cluster)["members"]} == {"3.7.3"}
    snapshots = os.path.join(cluster.directory, "snapshots")
    before = os.path.join(snapshots, sorted(os.listdir(snapshots))[0])
    cluster.verify()
    assert "nothing to change" in cluster.hardway("install").out

    # no way back but to the data of before; that of after is not for the old version
    later = str(tmp_path / "later.db")
    cluster.hardway("etcd", "snapshot", later)
    cluster.kubectl("create", "configmap", "after")
    set_version(cluster, OLD)
    for command in (["install"], ["install", "--dry-run"], ["plan"], ["plan", "--node", "controller-0"]):
        assert f"has Kubernetes {NEW}, and {OLD} is an earlier minor version" in cluster.hardway(*command, check=65).err
    result = cluster.hardway("etcd", "restore", later, "--yes", check=False)
    assert result.status == 65 and "it is a snapshot of etcd v3.7, which v3.6.16 cannot read" in result.err, result
    assert set(running(cluster).values()) == {NEW}, "nothing was stopped"
    cluster.hardway("etcd", "restore", before, "--yes")
    assert set(running(cluster).values()) == {OLD}
    assert "configmap/before" in maps(cluster) and "configmap/after" not in maps(cluster)
    await_well(cluster)
    assert {m["version"] for m in members(cluster)["members"]} == {"3.6.16"}
    assert "nothing to change" in cluster.hardway("install").out
