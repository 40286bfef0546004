# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway plan and hardway kubeconfig; what a plan holds is for tests/golden."""
import os
import stat

import pytest
import yaml


def test_incomplete_plan_says_so(cluster):
    result = cluster("plan", "--node", "c0")
    assert result.out.startswith("# c0: ")
    assert "# missing: " in result.out
    assert result.err.startswith("hardway: warning: the plan is not complete: ")
    assert sorted(os.listdir(cluster.directory)) == [".gitignore", "hardway.yaml"]


def test_nodes_in_the_order_of_the_file(cluster):
    def nodes(*words):
        return [line[2:].split(":")[0] for line in cluster("plan", *words).out.splitlines() if line.endswith(" items")]

    assert nodes() == ["c0", "c1", "c2", "lb0", "lb1"]
    assert nodes("--node", "lb0", "--node", "c1", "--node", "lb0") == ["c1", "lb0"]


def test_output_holds_no_secrets_unless_told(cluster):
    cluster("pki", "gen")
    for words, wanted in ((["--output", "plain"], False), (["--output", "full", "--secrets"], True)):
        result = cluster("plan", *words)
        assert result.out == f"Wrote the plan of 5 nodes to {words[1]}.\n"
        found = False
        for folder, _, files in os.walk(cluster.directory / words[1]):
            for path in (os.path.join(folder, name) for name in files):
                if not os.path.islink(path):
                    with open(path, "rb") as f:
                        found = found or b"PRIVATE KEY" in f.read()
        assert found == wanted
    assert stat.S_IMODE(os.stat(cluster.directory / "full/c0/etc/kubernetes/pki/apiserver.key").st_mode) == 0o600


def test_planning_changes_nothing(cluster):
    cluster("pki", "gen")
    before = {path: path.stat().st_mtime_ns for path in cluster.directory.rglob("*")}
    assert cluster("plan").out == cluster("plan").out
    assert {path: path.stat().st_mtime_ns for path in cluster.directory.rglob("*")} == before


def test_kubeconfig(cluster):
    missing = cluster("kubeconfig", status=65)
    assert missing.err.endswith("  It is made by: hardway pki gen\n")

    cluster("pki", "gen")
    text = cluster("kubeconfig").out
    tree = yaml.safe_load(text)
    assert tree["clusters"][0]["cluster"]["server"] == "https://10.77.0.10:6443"
    assert text == (cluster.directory / "admin.conf").read_text()


def test_kubeconfig_into_a_file(cluster):
    cluster("pki", "gen")
    os.umask(0)
    cluster("kubeconfig", "--output", "config")
    target = cluster.directory / "config"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text() == (cluster.directory / "admin.conf").read_text()

    target.write_text("another cluster's\n")
    refused = cluster("kubeconfig", "--output", "config", status=73)
    assert "--force" in refused.err
    assert target.read_text() == "another cluster's\n"
    cluster("kubeconfig", "--output", "config", "--force")
    assert target.read_text() == (cluster.directory / "admin.conf").read_text()


@pytest.fixture(autouse=True)
def keep_umask():
    old = os.umask(0o022)
    yield
    os.umask(old)
