# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same job in other surroundings: Debian 13, another port and profile, node after node, a sanitized build, after a reset."""
import os

import pytest

from lab import BALANCERS, CONTROLLERS, whole_job


def test_debian_13(make_lab):
    lab = make_lab("trixie", image="trixie")
    lab.init()
    whole_job(lab)


def test_other_port_profiles_and_keys_by_a_sanitized_build(make_lab):
    program = os.environ.get("HARDWAY_SANITIZED", "")
    if not os.access(program, os.X_OK):
        pytest.skip("HARDWAY_SANITIZED does not name a sanitized build")
    lab = make_lab("port9000")
    lab.program = program
    lab.env |= {"ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    lab.init("--port", "9000", "--network-profile", "wifi", "--disk-profile", "sdcard", "--key-type", "rsa:2048",
             "--vip-name", "k8s.lab.example")
    whole_job(lab, port=9000)
    assert lab.enter("curl", "-s", "--cacert", "pki/ca.crt", "--resolve", "k8s.lab.example:9000:10.77.0.10",
                     "https://k8s.lab.example:9000/readyz").out == "ok"
    lab.hardway("status")
    lab.hardway("kubeconfig")


@pytest.mark.long
def test_one_node_after_the_other(make_lab):
    """install --node is legal at any time, and says what it still waits for."""
    lab = make_lab("single")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    first = lab.hardway("install", "--node", "controller-0")
    assert "1 of 3 members" in first.out + first.err
    for host in ["controller-1", "controller-2", *BALANCERS]:
        lab.hardway("install", "--node", host)
    lab.hardway("install")
    assert lab.version(timeout=5)["gitVersion"] == "v1.36.3"
    lab.verify()


THEIRS = "/var/log/kubernetes /var/lib/etcd /var/lib/kube-controller-manager /etc/haproxy"


def test_first_try_that_failed_can_be_reset(make_lab):
    lab = make_lab("reset", image="bookworm")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    find = ("find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log"
            " -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /root"
            " -o -path /var/lib/ucf -o -path /home \\) -prune -o -print | sort; getent passwd | cut -d: -f1")
    find += f"; find {THEIRS} -printf '%p %m %u:%g\\n' 2>/dev/null | sort"
    lab.sh("controller-0", "useradd --system kube-scheduler")  # somebody's, whatever for
    # a machine that hardway never was on, as by a mistyped address: what lies where its own would be is somebody's
    lab.sh("controller-1", "useradd --system etcd; useradd --system kube-apiserver; mkdir -p /var/lib/etcd/default /var/log/kubernetes"
           " /var/lib/kube-controller-manager /etc/haproxy; touch /var/lib/etcd/default/db /var/log/kubernetes/old-audit.log"
           " /var/log/kubernetes/audit.log; chown -R etcd: /var/lib/etcd; chown kube-apiserver: /var/log/kubernetes/audit.log")
    # what was made for the service, empty
    lab.sh("controller-0", "mkdir -m 0711 /var/log/kubernetes; chgrp adm /var/log/kubernetes")
    lab.sh("lb-0", "apt-mark auto procps")  # what somebody uses and apt thinks nobody needs
    before = {host: lab.sh(host, find).out for host in [*CONTROLLERS, *BALANCERS]}
    told = lab.hardway("reset", "--node", "controller-1", "--dry-run").out
    assert "nothing of hardway's is there" in told and "for d in /" not in told and "\nrmdir /" not in told, told
    lab.hardway("reset", "--yes")
    assert {host: lab.sh(host, find).out for host in before} == before
    refused = lab.hardway("install", "--node", "controller-1", check=65).err
    assert "/var/log/kubernetes is in use: old-audit.log" in refused and "there is default in /var/lib/etcd" in refused, refused
    lab.hardway("install", "--node", "controller-0", "--node", "lb-0")  # a cluster that does not serve: one of three
    lab.hardway("reset", "--yes")
    for host, files in before.items():
        assert set(lab.sh(host, find).out.split("\n")) == set(files.split("\n")), host
    lab.sh("controller-1", "rm -r /var/lib/etcd /var/log/kubernetes /var/lib/kube-controller-manager /etc/haproxy; userdel etcd; userdel kube-apiserver")
    lab.hardway("install")
    lab.verify()
    assert lab.hardway("reset", "--yes", check=False).status == 65, "a cluster that serves is refused"
    assert lab.version(timeout=5)


@pytest.mark.long
def test_backup_brings_the_cluster_directory_back(make_lab, tmp_path):
    lab = make_lab("backup")
    lab.init()
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    assert "backup" in lab.hardway("install").out.lower()
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery staple\n", encoding="utf-8")
    file = str(tmp_path / "cluster.hardway")
    lab.hardway("backup", "--passphrase-file", str(secret), file)
    assert b"PRIVATE KEY" not in open(file, "rb").read()
    elsewhere = tmp_path / "elsewhere"
    lab.hardway("restore", "--passphrase-file", str(secret), "--directory", str(elsewhere), file)
    assert "nothing to change" in lab.hardway("install", cwd=str(elsewhere)).out
    lab.hardway("verify", cwd=str(elsewhere))
