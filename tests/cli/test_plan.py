# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway plan and hardway kubeconfig; what a plan holds is for tests/golden."""
import json
import os
import stat

import pytest
import yaml


def test_incomplete_plan_says_so(cluster):
    result = cluster("plan", "--offline", "--node", "c0")
    assert result.out.startswith("# c0: ")
    assert "# missing: " in result.out
    assert result.err.startswith("hardway: warning: the plan is not complete: ")
    assert sorted(os.listdir(cluster.directory)) == [".gitignore", "hardway.yaml"]


def test_nodes_in_the_order_of_the_file(cluster):
    def nodes(*words):
        return [line[2:].split(":")[0] for line in cluster("plan", "--offline", *words).out.splitlines() if line.endswith(" items")]

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


def test_git_sees_no_secret(cluster):
    """Also where somebody's own .gitignore says less, as that of the cluster directory."""
    cluster("pki", "gen")
    cluster("plan", "--output", "full", "--secrets")
    assert (cluster.directory / "full" / ".gitignore").read_text() == "*\n"
    cluster("plan", "--output", "full", "--secrets")
    assert not (cluster.directory / "full" / "c0" / ".gitignore").exists()
    own = (cluster.directory / ".gitignore").read_text()
    for _ in range(2):
        cluster("plan", "--output", ".", "--secrets")
        assert (cluster.directory / ".gitignore").read_text() == own
        assert all((cluster.directory / name / ".gitignore").read_text() == "*\n" for name in ("c0", "c1", "c2", "lb0", "lb1"))


def test_git_sees_no_secret_of_a_plan_that_was_stopped(cluster):
    """What was written until then is guarded, also where an earlier run had guarded it."""
    cluster("pki", "gen")
    cluster("plan", "--output", ".", "--secrets")
    (cluster.directory / "c1.items").unlink()
    assert "c1 is there already" in cluster("plan", "--output", ".", "--secrets", status=73).err
    assert (cluster.directory / "c0/etc/kubernetes/pki/apiserver.key").exists()
    assert all((cluster.directory / name / ".gitignore").read_text() == "*\n" for name in ("c0", "c1", "c2", "lb0", "lb1"))


def test_planning_changes_nothing(cluster):
    cluster("pki", "gen")
    before = {path: path.stat().st_mtime_ns for path in cluster.directory.rglob("*")}
    assert cluster("plan", "--offline").out == cluster("plan", "--offline").out
    assert {path: path.stat().st_mtime_ns for path in cluster.directory.rglob("*")} == before


def test_flags_of_the_users_are_shown_as_theirs(cluster):
    with open(cluster.cluster, "a", encoding="utf-8") as f:
        f.write("extra-args:\n  kube-apiserver: { v: 2, audit-log-maxage: 7 }\n")
    line, = (l for l in cluster("plan", "--offline", "--node", "c0").out.splitlines() if "(kube-apiserver/unit)" in l)
    assert " your-flags=--v,--audit-log-maxage " in line


def test_flags_that_others_are_planned_on_are_refused(cluster):
    with open(cluster.cluster, "a", encoding="utf-8") as file:
        file.write("extra-args:\n  kube-apiserver:\n    etcd-servers: https://elsewhere:2379\n")
    assert "extra-args.kube-apiserver.etcd-servers is hardway's to set" in cluster("plan", "--offline", status=65).err


def test_nodes_that_cannot_be_reached_are_named(cluster):
    """The default is to ask the nodes, here through an ssh that knows none of them."""
    bin_directory = cluster.directory / "bin"
    bin_directory.mkdir()
    (bin_directory / "ssh").write_text("#!/bin/sh\necho 'ssh: connect to host nowhere: No route to host' >&2\nexit 255\n")
    (bin_directory / "ssh").chmod(0o755)
    path = {"PATH": f"{bin_directory}:{cluster.environment['PATH']}"}
    result = cluster("plan", "--node", "c1", status=69, env=path)
    assert "hardway: c1: " in result.err
    tree = json.loads(cluster("plan", "--json", "--node", "c1", status=69, env=path).out)
    assert tree["nodes"][0]["outcome"] == "broken" and "c1" in tree["nodes"][0]["error"]
    assert tree["differs"] is None and tree["nodes"][0]["differs"] is None


def test_options_that_contradict(cluster):
    cluster("plan", "--detailed-exitcode", "--offline", status=64)
    cluster("plan", "--json", "--output", "x", status=64)


def test_kubeconfig(cluster):
    missing = cluster("kubeconfig", status=65)
    assert missing.err == "hardway: admin.conf is missing (hardway pki gen makes it)\n"

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

    cluster("kubeconfig", "--output", "home/.kube/config")
    assert stat.S_IMODE((cluster.directory / "home/.kube").stat().st_mode) == 0o700

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
