# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway init."""
import os
import shutil
import subprocess

import pytest
import yaml

from conftest import NODES


def test_writes_a_file_that_is_accepted(hardway):
    result = hardway.init()
    assert result.out == "Wrote hardway.yaml. Read it through; then: hardway check\n"
    assert result.err == ""
    assert sorted(os.listdir(hardway.directory)) == [".gitignore", "hardway.yaml"]

    # By another reader of YAML, it says what was asked for.
    tree = yaml.safe_load(hardway.cluster.read_text())
    assert tree["endpoint"] == {"address": "10.77.0.10", "port": 6443}
    assert [n["name"] for n in tree["nodes"]] == ["c0", "c1", "c2", "lb0", "lb1"]
    assert tree["nodes"][0] == {"name": "c0", "address": "10.77.0.20", "roles": ["controller"]}
    assert tree["kubernetes"] == "v1.36.3"
    hardway("plan", "--offline")


def test_every_option(hardway):
    hardway.init("--name", "pi", "--port", "9000", "--vip-name", "k8s.home.lan", "--vip-name", "k8s", "--ssh-user", "pi",
                 "--kubernetes", "v1.37.1", "--arch", "amd64", "--network-profile", "wifi", "--disk-profile", "sdcard",
                 "--key-type", "rsa:2048", "--pods", "10.10.0.0/16", "--services", "10.20.0.0/16", "--domain", "home.lan",
                 "--mirror", "https://mirror.example.com/k8s", "--mirror", "file:///srv/mirror", "--local", "c1")
    tree = yaml.safe_load(hardway.cluster.read_text())
    assert tree["cluster"] == "pi"
    assert tree["kubernetes"] == "v1.37.1"
    assert tree["arch"] == "amd64"
    assert tree["endpoint"] == {"address": "10.77.0.10", "port": 9000, "names": ["k8s.home.lan", "k8s"]}
    assert tree["network"] == {"pods": "10.10.0.0/16", "services": "10.20.0.0/16", "domain": "home.lan"}
    assert tree["ssh"] == {"user": "pi"}
    assert tree["profile"] == {"network": "wifi", "disk": "sdcard"}
    assert tree["certificates"]["key"] == "rsa:2048"
    assert tree["mirrors"] == ["https://mirror.example.com/k8s", "file:///srv/mirror"]
    assert [n.get("local", False) for n in tree["nodes"]] == [False, True, False, False, False]
    hardway("plan", "--offline")


def test_never_overwrites(hardway):
    hardway.cluster.write_text("precious\n")
    result = hardway.init(status=73)
    assert result.err == "hardway: hardway.yaml is there already, and is not overwritten\n"
    assert hardway.cluster.read_text() == "precious\n"
    assert not (hardway.directory / ".gitignore").exists()


def test_makes_the_directory(hardway):
    hardway("-c", "new/lab/hardway.yaml", "init", *NODES)
    assert sorted(os.listdir(hardway.directory / "new" / "lab")) == [".gitignore", "hardway.yaml"]


def test_bad_flags_are_refused_like_a_bad_file(hardway):
    result = hardway("init", "--controller", "c0=10.0.0.300", "--controller", "C1=10.0.0.2", "--loadbalancer", "lb0=10.0.0.10",
                     "--vip", "10.0.0.10", "--port", "http", "--arch", "arm", status=64)
    assert result.err == (
        "hardway: arch: 'arm' is not an architecture (arm64, amd64)\n"
        "hardway: endpoint.address: 10.0.0.10 is the address of a node; the VIP needs its own\n"
        "hardway: endpoint.port: 'http' is not a port number (1 to 65535)\n"
        "hardway: nodes: an even number of etcd members (2) survives no more failures than 1 do: make it 1 or 3 "
        "controllers\n"
        "hardway: nodes.address: '10.0.0.300' is not an IP address\n"
        "hardway: nodes.name: 'C1' is not a name of small letters, digits and inner hyphens, 63 at most\n")
    assert os.listdir(hardway.directory) == []


@pytest.mark.parametrize("words", [
    [], ["--vip", "10.0.0.1"], ["--controller", "c0=10.0.0.1", "--controller", "c1=10.0.0.2", "--controller", "c2=10.0.0.3"],
    ["--controller", "c0=10.0.0.1", "--vip", "10.0.0.9", "--endpoint", "k8s.home.lan"], ["--vip", "10.0.0.9", "--controller", "c0"],
    ["--vip", "10.0.0.9", "--controller", "=10.0.0.1"], ["--vip", "10.0.0.9", "--controller", "c0="],
    [*NODES, "--local", "c7"], [*NODES, "surplus"],
])
def test_usage(hardway, words):
    hardway("init", *words, status=64)
    assert os.listdir(hardway.directory) == []


THREE = ["--controller", "c0=10.0.0.1", "--controller", "c1=10.0.0.2", "--controller", "c2=10.0.0.3"]


def test_what_several_controllers_lack_is_said(hardway):
    said = hardway("init", *THREE, status=64).err
    assert "3 controllers need one address for all: --vip ADDRESS" in said and "--loadbalancer" in said and "--endpoint" in said


@pytest.mark.parametrize("words, server, written", [
    ([*THREE, "--endpoint", "k8s.home.lan", "--port", "443"], "https://k8s.home.lan:443", "names: [ k8s.home.lan ]"),
    ([*THREE, "--endpoint", "10.0.0.200", "--vip-name", "k8s"], "https://10.0.0.200:6443", "address: 10.0.0.200"),
    (["--controller", "c0=10.0.0.1"], "https://10.0.0.1:6443", "No endpoint"),
    (["--controller", "c0=10.0.0.1", "--vip-name", "k8s", "--port", "9443"], "https://10.0.0.1:9443", "address: 10.0.0.1"),
])
def test_other_endpoints(hardway, words, server, written):
    """A load balancer that is not ours, by name or address; and one controller, with and without a name."""
    hardway("init", *words)
    assert written in (hardway.directory / "hardway.yaml").read_text(encoding="utf-8")
    hardway("pki", "gen")
    assert f"server: {server}\n" in (hardway.directory / "admin.conf").read_text(encoding="utf-8").replace('"', "")
    names = subprocess.run(["openssl", "x509", "-in", "pki/nodes/c0/pki/apiserver.crt", "-noout", "-ext", "subjectAltName"],
                           cwd=hardway.directory, capture_output=True, text=True, check=True).stdout
    host = server.split("/")[2].split(":")[0]
    assert f"IP Address:{host}" in names or f"DNS:{host}" in names
    assert "name: haproxy" not in hardway("plan", "--offline").out and "keepalived" not in hardway("plan", "--offline").out


def test_the_controllers_hold_the_vip_if_nobody_else_does(hardway):
    hardway("init", *THREE, "--vip", "10.0.0.9")
    text = (hardway.directory / "hardway.yaml").read_text(encoding="utf-8")
    assert text.count("roles: [controller, loadbalancer]") == 3 and "the controllers hold this address" in text
    assert "haproxy" in hardway("plan", "--offline", "--node", "c2").out


def test_etcd_on_its_own_hosts(hardway):
    """Its number is what has to be odd then; the controllers have no member, and a client's certificate."""
    hardway("init", *THREE[:4], "--etcd", "e0=10.0.0.31", "--etcd", "e1=10.0.0.32", "--vip", "10.0.0.9", status=64)
    hardway("init", *THREE[:4], "--etcd", "e0=10.0.0.31", "--etcd", "e1=10.0.0.32", "--etcd", "e2=10.0.0.33", "--vip", "10.0.0.9")
    hardway("pki", "gen")
    nodes = hardway.directory / "pki" / "nodes"
    assert (nodes / "e0/pki/etcd/server.crt").exists() and not (nodes / "c0/pki/etcd").exists()
    assert (nodes / "c0/pki/apiserver-etcd-client.crt").exists() and not (nodes / "e0/pki/apiserver-etcd-client.crt").exists()
    hardway("plan", "--output", "out", "--node", "c0")
    unit = (hardway.directory / "out/c0/etc/systemd/system/kube-apiserver.service").read_text(encoding="utf-8")
    assert "--etcd-servers=https://10.0.0.31:2379,https://10.0.0.32:2379,https://10.0.0.33:2379 " in unit


def test_text_in_flags_cannot_become_keys(hardway):
    result = hardway.init("--name", "x\narch: amd64", status=64)
    assert result.err.startswith("hardway: cluster: 'x arch: amd64' is not a name")


def test_secrets_are_ignored_by_git(hardway):
    (hardway.directory / ".gitignore").write_text("*.swp\n/secrets/")
    hardway.init()
    text = (hardway.directory / ".gitignore").read_text()
    assert text.startswith("*.swp\n/secrets/\n")
    assert text.count("/secrets/") == 1
    assert "\n/*.hardway\n" in text
    hardway("pki", "gen")
    hardway("plan", "--output", "out", "--secrets")
    (hardway.directory / "failover.json").write_text("{}")

    subprocess.run(["git", "init", "-q", "."], cwd=hardway.directory, check=True)
    subprocess.run(["git", "add", "."], cwd=hardway.directory, check=True)
    added = subprocess.run(["git", "ls-files"], cwd=hardway.directory, check=True, capture_output=True,
                           text=True).stdout.split()
    assert "hardway.yaml" in added and "pki/ca.crt" in added and "failover.json" not in added
    assert "pki/history" not in added  # it goes with the keys
    for name in added:
        content = (hardway.directory / name).read_bytes()
        assert b"PRIVATE KEY" not in content, name
        assert b"client-key-data" not in content, name
        assert not name.startswith("secrets/"), name


FAKE_KEYSCAN = """#!/bin/sh
# Answers for all but 10.77.0.12, and says more than it is asked for.
echo "# 10.77.0.20:22 SSH-2.0-OpenSSH_9.2p1" >&2
for address; do
        case $address in
        10.77.0.12) [ -z "$SILENT" ] || continue ;;
        10.*) ;;
        *) continue ;;
        esac
        echo "$address ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"
        echo "$address ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2QTp3xOnUvTf+5cMTNbF0tyxP1Xk0WmbtnJkOt6o0x"
done
"""


@pytest.fixture
def keyscan(hardway):
    folder = hardway.directory / "bin"
    folder.mkdir()
    (folder / "ssh-keyscan").write_text(FAKE_KEYSCAN)
    (folder / "ssh-keyscan").chmod(0o755)
    hardway.environment["PATH"] = f"{folder}:{hardway.environment['PATH']}"
    return hardway


def test_trust_hosts(keyscan):
    result = keyscan.init("--trust-hosts", "--local", "lb0")
    tree = yaml.safe_load(keyscan.cluster.read_text())
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2QTp3xOnUvTf+5cMTNbF0tyxP1Xk0WmbtnJkOt6o0x"
    assert [n.get("ssh") for n in tree["nodes"]] == [{"host_key": key}] * 3 + [None] + [{"host_key": key}]
    keyscan("plan", "--offline")

    # The fingerprint is the one that OpenSSH itself would show.
    if shutil.which("ssh-keygen"):
        (keyscan.directory / "key.pub").write_text(key + "\n")
        shown = subprocess.run(["ssh-keygen", "-lf", "key.pub"], cwd=keyscan.directory, check=True, capture_output=True,
                               text=True).stdout.split()[1]
        assert result.out.count(shown) == 4


def test_trust_hosts_wants_all_of_them(keyscan):
    keyscan.environment["SILENT"] = "1"
    result = keyscan.init("--trust-hosts", status=69)
    assert result.err == "hardway: node lb1: no ssh server told its host key on 10.77.0.12, port 22\n"
    assert not keyscan.cluster.exists()


@pytest.mark.parametrize("words, message", [
    (["--pods", "10.244.0.0/16", "--pods", "fd00:10:244::/48"], "--pods is given twice: two networks are one value, with a comma between them"),
    (["--name", "a", "--name", "a"], "--name is given twice"),
])
def test_one_value_given_twice(hardway, words, message):
    result = hardway.init(*words, status=64)
    assert message in result.err and not hardway.cluster.exists()
