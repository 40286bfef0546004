# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway pki check` on a cluster that serves: the store, the files, what is shown, the clocks."""
import os
import re
import shutil
import urllib.request

import pytest

from lab import CONTROLLERS, TOP, edit, run


@pytest.fixture(name="store")
def store_fixture(cluster, tmp_path):
    """The cluster's directory, as it was, after the test."""
    kept = tmp_path / "kept"
    shutil.copytree(cluster.directory, kept)
    yield cluster.directory
    shutil.rmtree(os.path.join(cluster.directory, "pki"))
    shutil.copytree(kept / "pki", os.path.join(cluster.directory, "pki"))
    shutil.copy(kept / "hardway.yaml", cluster.directory)


def check(lab, *options):
    result = lab.hardway("pki", "check", "--json", *options, check=False)
    tree = result.json
    assert tree["status"] == result.status, result
    states = [c["state"] for c in tree["checks"]]
    assert states == sorted(states, key=["critical", "warning", "ok"].index)
    assert {s: states.count(s) for s in ("ok", "warning", "critical")} == {s: tree[s] for s in ("ok", "warning", "critical")}
    return tree, {c["id"]: c for c in tree["checks"]}


def bad(tree):
    return {c["id"]: c["state"] for c in tree["checks"] if c["state"] != "ok"}


def test_all_is_well(cluster):
    tree, checks = check(cluster)
    assert tree["status"] == 0 and not bad(tree), bad(tree)
    for node in CONTROLLERS:
        for port in "etcd:2379", "etcd:2380", "kube-apiserver:6443", "kube-controller-manager:10257", "kube-scheduler:10259":
            served = checks[f"served/{node}/{port}"]
            assert "the certificate of the store" in served["text"] and served["seconds_left"] > 300 * 86400
        assert checks[f"files/{node}"]["state"] == "ok"
        assert abs(checks[f"clock/{node}"]["offset_seconds"]) <= 2
    text = cluster.hardway("pki", "check").out
    assert text.startswith("OK - all of ")


def test_thresholds(cluster):
    tree, _ = check(cluster, "--warn", "400d")
    assert tree["status"] == 1 and tree["critical"] == 0
    tree, _ = check(cluster, "--warn", "400d", "--critical", "399d")
    assert tree["status"] == 2


def test_a_file_is_another(cluster):
    path = "/etc/kubernetes/pki/apiserver.crt"
    cluster.sh("controller-1", f"cp -p {path} /root/kept; cat /etc/kubernetes/pki/etcd/peer.crt > {path}; "
               "chmod 0640 /etc/kubernetes/pki/sa.key; chmod 0755 /etc/kubernetes/pki")
    try:
        tree, _ = check(cluster)
        assert bad(tree) == {f"file/controller-1{path}": "critical", "file/controller-1/etc/kubernetes/pki/sa.key": "critical",
                             "file/controller-1/etc/kubernetes/pki": "critical"}
        assert tree["status"] == 2
    finally:
        cluster.sh("controller-1", f"cp -p /root/kept {path}; chmod 0600 /etc/kubernetes/pki/sa.key; chmod 0700 /etc/kubernetes/pki")
    assert not bad(check(cluster)[0])


def test_another_is_served(cluster, store):
    """What was made anew and not brought there yet: each server is found out, by what it shows."""
    for name in "apiserver", "etcd/server", "etcd/peer", "scheduler", "controller-manager":
        os.unlink(f"{store}/pki/nodes/controller-0/pki/{name}.crt")
        os.unlink(f"{store}/pki/nodes/controller-0/pki/{name}.key")
    cluster.hardway("pki", "gen")
    tree, checks = check(cluster)
    served = {i: s for i, s in bad(tree).items() if i.startswith("served/")}
    assert served == {f"served/controller-0/{p}": "warning" for p in
                      ("etcd:2379", "etcd:2380", "kube-apiserver:6443", "kube-controller-manager:10257", "kube-scheduler:10259")}
    for i in served:
        assert "another certificate than the store has" in checks[i]["text"]
    assert "file/controller-0/etc/kubernetes/pki/apiserver.crt" in bad(tree)


def test_another_ca_is_served(cluster, store):
    shutil.rmtree(f"{store}/pki/nodes")
    for name in "ca", "etcd/ca", "front-proxy-ca":
        os.unlink(f"{store}/pki/{name}.crt")
        os.unlink(f"{store}/pki/{name}.key")
    for conf in "admin.conf", "super-admin.conf":
        os.rename(f"{store}/{conf}", f"{store}/{conf}.kept")
    try:
        cluster.hardway("pki", "gen")
        tree, checks = check(cluster)
    finally:
        for conf in "admin.conf", "super-admin.conf":
            os.rename(f"{store}/{conf}.kept", f"{store}/{conf}")
    for node in CONTROLLERS:
        assert bad(tree)[f"served/{node}/kube-apiserver:6443"] == "critical"
        assert "is not issued by the CA" in checks[f"served/{node}/kube-apiserver:6443"]["text"]
        assert bad(tree)[f"served/{node}/kube-scheduler:10259"] == "critical"


def test_a_name_more(cluster, store):
    edit(cluster, "^  ca_days:", "  extra_sans: [other.home.lan]\n  ca_days:")
    tree, checks = check(cluster)
    names = {f"store/nodes/{n}/pki/apiserver" for n in CONTROLLERS}
    assert set(bad(tree)) == names and tree["status"] == 1
    assert all("lacks the name other.home.lan" in checks[i]["text"] for i in names)


def test_what_is_down_is_a_warning(cluster):
    cluster.sh("controller-2", "systemctl stop kube-scheduler")
    try:
        tree, checks = check(cluster)
        assert bad(tree) == {"served/controller-2/kube-scheduler:10259": "warning"}
        assert "does not run" in checks["served/controller-2/kube-scheduler:10259"]["text"]
    finally:
        cluster.sh("controller-2", "systemctl start kube-scheduler")


def test_no_nodes_connects_to_nobody(cluster):
    ids = [c["id"] for c in check(cluster, "--no-nodes")[0]["checks"]]
    assert ids and all(i.startswith("store/") for i in ids)
    ids = [c["id"] for c in check(cluster, "--node", "controller-1")[0]["checks"]]
    assert any(i.startswith("served/controller-1/") for i in ids)
    assert not any("controller-0" in i for i in ids)


@pytest.fixture(scope="module", name="kubeadm")
def kubeadm_fixture(tmp_path_factory):
    """kubeadm, from the official site, or built by the lab from its Go module."""
    url = run([os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64", "--program", "kubeadm"], timeout=3600).out.strip()
    name = f"{url or 'https://dl.k8s.io'}/release/v1.36.3/bin/linux/amd64/kubeadm"
    path = tmp_path_factory.mktemp("kubeadm") / "kubeadm"
    with urllib.request.urlopen(name) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)
    path.chmod(0o755)
    return path


def test_kubeadm_reads_what_is_there(cluster, kubeadm):
    """Of what kubeadm looks for, a node has all but the administrator's kubeconfigs, which stay on the driving machine."""
    node = next(iter(CONTROLLERS))
    cluster.enter("sh", "-c", f"ssh {node} 'cat >/tmp/kubeadm; chmod 755 /tmp/kubeadm' <{kubeadm}", timeout=120)
    out = cluster.sh(node, "/tmp/kubeadm certs check-expiration 2>&1").out
    missing = set(re.findall(r"^!MISSING! (\S+)", out, re.MULTILINE))
    there = set(re.findall(r"^(\S+)\s+[A-Z][a-z]{2} \d\d, \d{4} \d\d:\d\d UTC", out, re.MULTILINE))
    assert missing == {"admin.conf", "super-admin.conf"}, out
    assert there == {
        "apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "controller-manager.conf", "etcd-healthcheck-client", "etcd-peer",
        "etcd-server", "front-proxy-client", "scheduler.conf", "ca", "etcd-ca", "front-proxy-ca"}, out
