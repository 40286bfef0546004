# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates of a cluster that serves: renewed and rotated while a client reads and writes, and none of its requests fails."""
import contextlib
import glob
import json
import os
import re
import signal
import subprocess

from lab import CONTROLLERS, TOP, await_true, edit

# Where a node fails its requests may: those that are under way when its apiserver goes.
IN_FLIGHT = 2

PORTS = [6443, 2379, 2380]
BREAK = "/run/systemd/system/kube-apiserver.service.d/test.conf"


def served(lab):
    return {(host, port): lab.served(address, port) for host, address in CONTROLLERS.items() for port in PORTS}


def serials(lab):
    return {key: shown["serial"] for key, shown in served(lab).items()}


def assert_undisturbed(seen):
    assert seen["failures"] == [] and seen["lost"] == [], seen
    assert seen["answers"] > 100 and seen["writes"] > 50, seen


def assert_settled(lab):
    """All is as after an installation: nothing is left over, nothing differs, everything is well."""
    assert not os.path.exists(os.path.join(lab.directory, "pki", ".previous"))
    assert "nothing to change" in lab.hardway("install").out
    lab.hardway("verify")


def turn(lab):
    """The controllers in the order of a rollout: etcd's leader comes last."""
    out = lab.sh("controller-0", "etcdctl --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
                 " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key --endpoints=https://127.0.0.1:2379 endpoint status --cluster -w json").out
    leads = {re.search("//([0-9.]+):", row["Endpoint"]).group(1) for row in json.loads(out)
             if row["Status"]["leader"] == row["Status"]["header"]["member_id"]}
    return sorted(CONTROLLERS, key=lambda host: (CONTROLLERS[host] in leads, host))


def test_everything_is_renewed(cluster):
    before = serials(cluster)
    keys = cluster.sh("controller-1", "cat /etc/kubernetes/pki/apiserver.key /etc/kubernetes/pki/etcd/peer.key | sha256sum").out
    conf = cluster.enter("cat", "super-admin.conf").out
    with cluster.readwrite() as seen:
        result = cluster.hardway("pki", "renew")
    assert_undisturbed(seen)
    after = serials(cluster)
    assert not set(before.values()) & set(after.values()), "each port shows a certificate of a new serial"
    assert len(set(after.values())) == 9
    assert keys != cluster.sh("controller-1", "cat /etc/kubernetes/pki/apiserver.key /etc/kubernetes/pki/etcd/peer.key | sha256sum").out
    assert conf != cluster.enter("cat", "super-admin.conf").out
    assert "35 renewed; 3 nodes" in result.out, result
    assert_settled(cluster)


def test_a_failure_on_the_second_leaves_all_three_serving(cluster):
    first, second, third = turn(cluster)
    before = serials(cluster)
    # an apiserver that starts with its old certificate only
    cluster.sh(second, f"cp /etc/kubernetes/pki/apiserver.crt /root/old.crt; mkdir -p {os.path.dirname(BREAK)}; printf '[Service]\\nExecStartPre="
               f"+/usr/bin/cmp /etc/kubernetes/pki/apiserver.crt /root/old.crt\\n' >{BREAK}; systemctl daemon-reload")
    with cluster.readwrite() as seen:
        result = cluster.hardway("pki", "renew", check=69)
    assert seen["lost"] == [] and len(seen["failures"]) <= IN_FLIGHT, seen
    assert f"{second}: " in result.err and f"{second} was given back what it had before, and works again" in result.err, result
    assert f"not touched: {third}" in result.err, result
    after = serials(cluster)
    for (host, port), serial in after.items():
        assert (serial == before[(host, port)]) == (host != first), (host, port)
    assert_settled(cluster)

    cluster.sh(second, f"rm {BREAK}; systemctl daemon-reload")
    cluster.hardway("pki", "renew", "--node", second, "--node", third)
    last = serials(cluster)
    for (host, port), serial in last.items():
        assert (serial == after[(host, port)]) == (host == first), (host, port)
    assert_settled(cluster)


def unproven(lab):
    """The nodes whose old certificates are still kept."""
    return {path.split("/nodes/")[1].split("/")[0] for path in
            glob.glob(os.path.join(lab.directory, "pki", ".previous", "nodes", "**", "*.*"), recursive=True)}


@contextlib.contextmanager
def killed(lab, *arguments):
    """A hardway that is killed, with all its children, when the body is done."""
    process = subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", lab.program, *arguments], cwd=lab.directory,
                               env=lab.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        yield process
        assert process.poll() is None, "it was still at work"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_it_is_finished_by_the_next(cluster):
    before = serials(cluster)
    first = turn(cluster)[0]
    with killed(cluster, "pki", "renew"):
        await_true("the first node is about to be changed", lambda: first in unproven(cluster), 60)
        await_true("the first node is proven", lambda: first not in unproven(cluster), 120)
    done = cluster.served(CONTROLLERS[first], 6443)["serial"]
    assert done != before[(first, 6443)]
    cluster.hardway("pki", "renew", "--wait")
    after = serials(cluster)
    assert not set(before.values()) & set(after.values())
    assert after[(first, 6443)] == done, "what was proven is not made again"
    assert_settled(cluster)


def test_a_changed_name_reissues_exactly_what_has_it(cluster):
    before = serials(cluster)
    edit(cluster, r"^endpoint:\n", "endpoint:\n  names: [k8s.lab.example]\n")
    result = cluster.hardway("pki", "renew", "--changed", "--json").json
    assert sorted(entry["name"] for entry in result["entries"] if entry["outcome"] == "reissued") == \
        [f"nodes/{host}/pki/apiserver" for host in CONTROLLERS]
    for (host, port), shown in served(cluster).items():
        assert (shown["serial"] != before[(host, port)]) == (port == 6443)
        assert ("DNS:k8s.lab.example" in shown["text"]) == (port == 6443)
    assert_settled(cluster)
