# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may be changed on a cluster that lives, and what not: hardway.yaml(5), CHANGES."""
import pytest

from lab import CONTROLLERS, edit

pytestmark = pytest.mark.long


def test_a_service_network_and_an_issuer_that_would_break_the_workloads(cluster):
    """Nothing is changed then; a second network may come."""
    edit(cluster, "  services: .*", "  services: 10.112.0.0/16")
    edit(cluster, "  pods: .*", "  pods: 10.10.0.0/16")
    edit(cluster, "  domain: .*", "  domain: home.lan")
    cluster.hardway("pki", "gen")
    before = {host: cluster.pids(host, ["kube-apiserver", "kube-controller-manager"]) for host in CONTROLLERS}
    refused = cluster.hardway("install", check=65).err
    for text in ("10.96.0.0/16, and would be given 10.112.0.0/16 (network.services)", "10.244.0.0/16, and would be given 10.10.0.0/16",
                 "https://kubernetes.default.svc.cluster.local, and would be given https://kubernetes.default.svc.home.lan"):
        assert refused.count(text) == len(CONTROLLERS), refused
    found = {check["id"] for check in cluster.hardway("check", "--json", check=65).json["checks"] if check["state"] == "failed"}
    assert found == {f"{name}/{host}" for name in ("service-network", "pod-network", "issuer") for host in CONTROLLERS}
    assert {host: cluster.pids(host, ["kube-apiserver", "kube-controller-manager"]) for host in CONTROLLERS} == before

    edit(cluster, "  services: .*", "  services: [ 10.96.0.0/16, 'fd00:10:96::/112' ]")
    edit(cluster, "  pods: .*", "  pods: [ 10.244.0.0/16, 'fd00:10:244::/48' ]")
    edit(cluster, "  domain: .*", "  domain: cluster.local")
    cluster.hardway("pki", "gen")
    cluster.hardway("install")
    cluster.verify()
