# SPDX-License-Identifier: LGPL-2.1-or-later
"""The next minor version of Kubernetes, and of etcd, on a cluster that serves: what is refused before, under load, killed half-way, and no way back."""
import json
import os
import signal

import pytest

from lab import CONTROLLERS, await_true, edit
from test_etcd import await_well, members
from test_rollout import aside, assert_unnoticed, starved

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


def test_next_minor_version(cluster, mirror_of_next):
    def node(verb):
        old = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-0"}, "status": {"nodeInfo": {
            name: "v1.33.1" if name == "kubeletVersion" else "" for name in (
                "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
                "kubeProxyVersion", "operatingSystem", "architecture")}}}
        cluster.kubectl("--kubeconfig", "super-admin.conf", verb, "-f", "-", text_input=json.dumps(old))

    set_version(cluster, NEW)
    cluster.hardway("fetch", env={"HARDWAY_MIRROR": mirror_of_next} if mirror_of_next else None)
    said = refused(cluster, "--node", "controller-0", status=65)
    assert f"controller-0: goes from Kubernetes {OLD} to {NEW}, another minor version, and controller-1 is not looked at" in said
    node("create")
    said = refused(cluster, status=65)
    assert "v1.37 serves kubelets from v1.34 on; older are those of worker-0 (v1.33.1)" in said
    node("delete")
    found = {check["id"]: check for check in cluster.hardway("check", "--json").json["checks"]}
    assert found["versions/controller-0"]["text"] == f"the next minor version: Kubernetes {OLD} to {NEW}, etcd v3.6.16 to v3.7.3"
    assert set(running(cluster).values()) == {OLD}

    with cluster.client() as seen:
        killed = cluster.start("install")
        await_true("the first one has it", lambda: len(set(running(cluster).values())) == 2, 240)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        # a step for the rest of them is a step yet, and one that is done is none
        said = refused(cluster, "--node", next(name for name, v in running(cluster).items() if v == OLD), status=65)
        assert "another minor version, and" in said
        cluster.hardway("install")
    if not starved(cluster, seen["since"]):
        assert_unnoticed(cluster, seen, writes_refused=2)
    assert set(running(cluster).values()) == {NEW} and not any(aside(cluster).values())
    await_well(cluster)
    assert {m["version"] for m in members(cluster)["members"]} == {"3.7.3"}
    assert os.listdir(os.path.join(cluster.directory, "snapshots")), "taken before"
    cluster.hardway("verify")
    assert "nothing to change" in cluster.hardway("install").out

    set_version(cluster, OLD)
    said = refused(cluster, status=65)
    assert f"runs Kubernetes {NEW}, and {OLD} is an earlier minor version" in said
    set_version(cluster, NEW)
    assert "nothing to change" in cluster.hardway("install").out
