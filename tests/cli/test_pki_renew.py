# SPDX-License-Identifier: LGPL-2.1-or-later
"""pki renew, rotate-ca and rotate-sa as far as no node is asked: what would be done, and what is refused."""
import json
import os

import pytest


@pytest.fixture(name="store")
def store_fixture(cluster):
    """A cluster directory with keys."""
    cluster("pki", "gen")
    return cluster


def last(result):
    """The last event of --json, which has the result."""
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] in ("done", "error") for event in events] == [False] * (len(events) - 1) + [True]
    return events[-1]


def names(result):
    return [entry["name"] for entry in last(result)["entries"]]


def renew(store, *words):
    return names(store("pki", "renew", "--dry-run", "--json", *words))


def files(store):
    return {path: path.read_bytes() for path in store.directory.rglob("*") if path.is_file() and path.name not in (".lock", ".hardway-busy")}


def test_dry_run_names_everything_and_writes_nothing(store):
    before = files(store)
    chosen = renew(store)
    assert files(store) == before
    assert len(chosen) == 35 and {"admin", "super-admin", "nodes/c2/pki/etcd/peer", "nodes/c0/scheduler"} < set(chosen)
    assert not {"ca", "etcd/ca", "front-proxy-ca", "sa", "secrets/identity"} & set(chosen)
    text = store("pki", "renew", "--dry-run").out
    assert "35 renewed, and rolled out one node at a time: c0, c1, c2" in text and "Nothing was written" in text


def test_names_are_taken_as_people_know_them(store):
    everywhere = [f"nodes/c{i}/pki/etcd/server" for i in range(3)]
    assert renew(store, "etcd/server") == renew(store, "etcd-server") == everywhere
    assert renew(store, "nodes/c1/pki/etcd/server") == everywhere[1:2]
    assert renew(store, "--node", "c2", "etcd-server") == everywhere[2:]
    assert renew(store, "admin") == renew(store, "admin.conf") == ["admin"]
    assert renew(store, "--node", "c0", "scheduler.conf") == ["nodes/c0/scheduler"]
    assert sorted(renew(store, "--node", "c0", "scheduler")) == ["nodes/c0/pki/scheduler", "nodes/c0/scheduler"]


def test_nodes(store):
    chosen = renew(store, "--node", "c1")
    assert len(chosen) == 11 and all(name.startswith("nodes/c1/") for name in chosen)
    assert renew(store, "--node", "lb0") == []


def test_only_what_expires_or_does_not_fit(store):
    assert renew(store, "--expiring", "30d") == renew(store, "--changed") == []
    assert renew(store, "--expiring", "12h") == []
    assert len(renew(store, "--expiring", "366")) == len(renew(store, "--expiring", "8784h")) == 35
    text = store.cluster.read_text()
    store.cluster.write_text(text.replace("  # names: [ k8s.home.lan ]", "  names: [ k8s.home.lan ]"))
    assert store.cluster.read_text() != text
    assert renew(store, "--changed") == renew(store, "--expiring", "30d") == [f"nodes/c{i}/pki/apiserver" for i in range(3)]


@pytest.mark.parametrize("words, status, said", [
    (["apiserve"], 64, "there is no certificate 'apiserve'; did you mean 'apiserver'?"),
    (["ca"], 64, "ca is not renewed but replaced, see: hardway pki rotate-ca --help"),
    (["sa"], 64, "sa is not renewed but replaced, see: hardway pki rotate-sa --help"),
    (["secrets/encryption-key"], 64, "secrets/encryption-key is not renewed but replaced, see: hardway pki rotate-key --help"),
    (["secrets/identity"], 64, "there is no certificate 'secrets/identity'"),
    (["--expiring", "soon"], 64, "--expiring takes a length of time, such as 30d or 12h, not 'soon'"),
    (["--expiring", "-1"], 64, "--expiring takes a length of time"),
    (["--node", "lb0", "apiserver"], 64, "there is no certificate 'apiserver' on lb0"),
    (["--node", "c9"], 64, "c9"),
])
def test_refused(store, words, status, said):
    result = store("pki", "renew", *words, status=status)
    assert said in result.err, result


def test_nothing_is_made_before_it_can_be_rolled_out(store, tmp_path):
    """No node answers: so nothing is made, and nothing is left behind."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'ssh: connect to host node port 22: Connection refused' >&2\nexit 255\n")
    ssh.chmod(0o755)
    away = {"PATH": f"{ssh.parent}:{os.environ['PATH']}"}
    before = files(store)
    for words in (["renew"], ["renew", "--node", "c0", "apiserver"], ["rotate-ca", "etcd"], ["rotate-sa"], ["rotate-key"]):
        result = store("pki", *words, status=69, env=away)
        assert "c0: ssh: " in result.err, result
        assert files(store) == before


def test_an_empty_store_has_nothing_to_renew(cluster):
    result = cluster("pki", "renew", "--dry-run", status=65)
    assert "is not made yet" in result.err and "hardway pki gen" in result.err


def test_rotation_dry_run(store):
    before = files(store)
    tree = last(store("pki", "rotate-ca", "etcd", "--dry-run", "--json"))
    assert tree["phases"] == ["trust", "reissue", "finish"] and tree["dry_run"] and not tree["begun"]
    assert last(store("pki", "rotate-sa", "--dry-run", "--json"))["name"] == "sa"
    text = store("pki", "rotate-ca", "cluster", "--dry-run").out
    assert [word in text for word in ("trust", "reissue", "finish")] == [True] * 3 and "5 nodes" in text
    text = store("pki", "rotate-ca", "etcd", "--until", "trust", "--dry-run").out
    assert "reissue" not in text
    assert "finish" not in store("pki", "rotate-sa", "--dry-run").out
    assert last(store("pki", "rotate-key", "--dry-run", "--json"))["phases"] == ["trust", "reissue", "finish"]
    text = store("pki", "rotate-key", "--dry-run").out
    assert text.index("reissue") < text.index("Would be written anew: all secrets") < text.index("finish")
    assert "written anew" not in store("pki", "rotate-key", "--until", "reissue", "--dry-run").out
    assert files(store) == before


@pytest.mark.parametrize("words, said", [
    (["rotate-ca"], "no CA is being replaced: say which one is to be, cluster, etcd or front-proxy"),
    (["rotate-ca", "nobody"], "there is no CA 'nobody': cluster, etcd or front-proxy"),
    (["rotate-ca", "etcd", "--until", "then"], "--until takes trust, reissue or finish, not 'then'"),
    (["rotate-sa", "--until", "then"], "--until takes trust, reissue or finish, not 'then'"),
    (["rotate-ca", "cluster"], "--yes"),
    (["rotate-sa", "--until", "finish"], "--yes"),
])
def test_rotation_refused(store, words, said):
    before = files(store)
    result = store("pki", *words, status=64)
    assert said in result.err, result
    assert files(store) == before


def test_only_one_is_under_way(store):
    (store.directory / "pki" / "rotation").mkdir()
    (store.directory / "pki" / "rotation" / "state").write_text('{"name": "etcd/ca", "phase": "trust", "since": 1}')
    for words in (["rotate-sa"], ["rotate-key"], ["rotate-ca", "cluster"]):
        assert "etcd/ca is being replaced (phase trust)" in store("pki", *words, "--dry-run", status=65).err


def test_a_damaged_state_is_named(store):
    path = store.directory / "pki" / "rotation"
    path.mkdir()
    (path / "state").write_text("{")
    for words in (["pki", "gen"], ["pki", "rotate-ca", "etcd", "--dry-run"], ["pki", "renew", "--dry-run"], ["plan"]):
        result = store(*words, status=65)
        assert "pki/rotation/state: is damaged" in result.err, result
