# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other people's tools on what hardway has installed."""
import os
import re
import shutil
import urllib.request

import pytest

from lab import CONTROLLERS, TOP, run

VERSION = "v1.36.3"


@pytest.fixture(scope="module", name="kubeadm")
def kubeadm_fixture(tmp_path_factory):
    """kubeadm, from the official site, or built by the lab from its Go module."""
    url = run([os.path.join(TOP, "lab", "mirror", "get"), "--arch", "amd64", "--program", "kubeadm"], timeout=3600).out.strip()
    name = f"{url or 'https://dl.k8s.io'}/release/{VERSION}/bin/linux/amd64/kubeadm"
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
