# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway verify --failover` from outside, without nodes: what it refuses, and that the manual knows every drill."""
import os
import re

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(name="ready")
def ready_fixture(cluster):
    """With keys and a lock file, which is all that verify wants before it asks the nodes."""
    cluster("pki", "gen")
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    return cluster


def test_unknown_drill(ready):
    result = ready("verify", "--failover", "--yes", "--drill", "etcd-leeder", status=64)
    assert "there is no drill 'etcd-leeder'; did you mean 'etcd-leader'?" in result.err
    assert "haproxy-hung" in ready("verify", "--failover", "--drill", "x", status=64).err


def test_nobody_can_be_asked(ready):
    result = ready("verify", "--failover", status=64)
    assert "--yes" in result.err
    assert "etcd is killed where it leads" in result.out and "loses its power" not in result.out
    assert "loses its power" in ready("verify", "--failover", "--power", "plug", status=64).out


def test_nothing_is_broken_beside_what_is_broken_still(ready):
    """What an interrupted drill has left comes first; if it cannot be put back, that is all."""
    pending = ready.directory / "failover.pending"
    pending.write_text('{"drill": "owner-link", "node": "lb0", "since": "2026-11-28T12:00:00Z", "power": "false", "directory": "/"}')
    refused = ready("verify", "--failover", "--yes", "--drill", "haproxy", status=69)
    assert "the owner of the VIP loses its network (lb0, since 2026-11-28T12:00:00Z)" in refused.err
    assert "could not be put back: --power: 'env -C / false up lb0' ended with status 1" in refused.err
    assert pending.exists()


def test_one_controller(hardway):
    """Whatever is broken there is an outage, and shows nothing."""
    hardway("init", "--controller", "c0=10.77.0.20")
    hardway("pki", "gen")
    (hardway.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    refused = hardway("verify", "--failover", "--yes", status=64)
    assert "there is nothing that could be tried out in this cluster" in refused.err
    assert "haproxy: there is no haproxy here" in refused.err
    assert "etcd-leader: etcd runs on 1 node: nobody could take over, it would only be an outage" in refused.err


def test_a_load_balancer_that_is_not_ours(hardway):
    """What cannot be had is not announced; asked for by name, it is refused, and nobody has to be reached for that."""
    hardway("init", *(word for i in range(3) for word in ("--controller", f"c{i}=10.77.0.2{i}")), "--endpoint", "k8s.example.com")
    hardway("pki", "gen")
    (hardway.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    asked = hardway("verify", "--failover", status=64)
    assert "etcd is killed where it leads" in asked.out and "haproxy" not in asked.out and "owner of the VIP" not in asked.out
    assert "drill haproxy: the load balancer is not hardway's" in hardway("verify", "--failover", "--yes", "--drill", "haproxy", status=64).err
    assert "drill controller-power: needs --power" in hardway("verify", "--failover", "--yes", "--drill", "controller-power", status=64).err


def test_options_that_belong_to_failover(ready):
    for words in (["--drill", "haproxy"], ["--power", "plug"]):
        assert "belong to --failover" in ready("verify", *words, status=64).err


def test_the_manual_has_every_drill():
    drills = set(re.findall(r'^ +\{ "([a-z-]+)", "', read("operate", "drill-table.c"), re.M))
    assert len(drills) == 14
    section = read("man", "hardway.1.scd").split("## hardway verify\n")[1].split("\n## ")[0]
    assert set(re.findall(r"\*([a-z-]+)\*", section)) >= drills
