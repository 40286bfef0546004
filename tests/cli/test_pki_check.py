# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway pki check` of the store alone; what nodes have and show is looked at in tests/lab/test_pki_check.py."""
import json
import os
import re

import pytest

from test_pki import HARDWAY, gen, run, snapshot, write_cluster


def check(directory, *options, status=0):
    result = run(HARDWAY, "pki", "check", "--no-nodes", "--json", "-c", f"{directory}/hardway.yaml", *options, check=False)
    assert result.returncode == status, result
    tree = json.loads(result.stdout)
    assert tree["status"] == status
    return {c["id"].removeprefix("store/"): c for c in tree["checks"]}, tree


def bad(checks):
    return {i: (c["state"], c["text"]) for i, c in checks.items() if c["state"] != "ok"}


@pytest.fixture(name="store")
def store_fixture(tmp_path):
    write_cluster(tmp_path)
    gen(tmp_path)
    return tmp_path


def edit(directory, old, new):
    path = directory / "hardway.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_could_be_looked_at(store):
    """Whoever asks for the state is told that there is none, and why."""
    for words, status in ((), 65), (("--warn", "soon"), 64):
        with open(store / "hardway.yaml", "a", encoding="utf-8") as file:
            file.write("junk: 1\n")
        result = run(HARDWAY, "pki", "check", "--no-nodes", "--json", "-c", f"{store}/hardway.yaml", *words, check=False)
        tree = json.loads(result.stdout)
        assert (result.returncode, tree["status"], tree["state"]) == (status, status, "unknown"), result
        assert tree["summary"] == tree["errors"][0]["text"]


def test_well(store):
    before = snapshot(store)
    checks, tree = check(store)
    assert not bad(checks) and tree["critical"] == tree["warning"] == 0
    assert checks["ca"]["seconds_left"] > checks["admin"]["seconds_left"] > 364 * 86400
    assert snapshot(store) == before


def test_nothing_there(tmp_path):
    write_cluster(tmp_path)
    checks, _ = check(tmp_path, status=2)
    assert {c["text"] for c in checks.values()} == {"is missing"}


def test_thresholds(store):
    checks, tree = check(store, "--warn", "366d", status=1)
    assert checks["admin"]["state"] == "warning" and checks["ca"]["state"] == "ok"
    assert [c["state"] for c in tree["checks"]] == sorted((c["state"] for c in tree["checks"]), key=["critical", "warning", "ok"].index)
    check(store, "--warn", "366d", "--critical", "8766h", status=2)
    for options in ["--warn", "30"], ["--warn", "d"], ["--warn", "1w"], ["--warn", "-1d"], ["--warn", "99999999999d"], \
            ["--warn", "1d", "--critical", "2d"]:
        assert run(HARDWAY, "pki", "check", "-c", f"{store}/hardway.yaml", *options, check=False).returncode == 64


def test_short_lives_are_not_warned_of_all_the_time(store):
    """A third of the life and a tenth, where that is less than 30 days and 7."""
    edit(store, "certificates: {", "certificates: { days: 25,")
    for path in [*store.glob("pki/nodes/*/pki/**/*.crt"), *store.glob("pki/nodes/*/*.conf"), *store.glob("*.conf")]:
        path.unlink()
    for path in store.glob("pki/nodes/*/pki/**/*.key"):
        path.unlink()
    gen(store)
    checks, _ = check(store)
    assert not bad(checks) and 24 * 86400 < checks["admin"]["seconds_left"] <= 25 * 86400
    assert {c["state"] for c in check(store, "--warn", "30d", "--critical", "7d", status=1)[0].values()} == {"ok", "warning"}


def test_changed_cluster_file(store):
    edit(store, "k8s.home.lan", "k8s.home.lan, more.home.lan")
    checks, _ = check(store, status=1)
    assert bad(checks) == {f"nodes/c{i}/pki/apiserver": ("warning", "lacks the name more.home.lan") for i in range(3)}


def test_files(store):
    pki = store / "pki"
    os.chmod(pki / "nodes/c0/pki/apiserver.key", 0o640)
    (pki / "nodes/c1/pki/scheduler.key").write_bytes((pki / "nodes/c2/pki/scheduler.key").read_bytes())
    (pki / "nodes/c1/pki/etcd/peer.crt").unlink()
    (pki / "sa.pub").write_text("junk\n")
    checks, _ = check(store, status=2)
    found = bad(checks)
    assert found["nodes/c0/pki/apiserver"] == ("critical", "others may read it: its mode was 0640")
    assert "does not belong to" in found["nodes/c1/pki/scheduler"][1] and found["nodes/c1/pki/scheduler"][0] == "critical"
    assert found["nodes/c1/pki/etcd/peer"] == ("critical", "its certificate was missing")
    assert "sa.pub" in found["sa"][1] and found["sa"][0] == "critical"
    assert len(found) == 4


@pytest.mark.parametrize("file, name", [("pki/ca.crt", "ca"), ("secrets/encryption-key", "secrets/encryption-key"), ("pki/sa.key", "sa")])
def test_what_cannot_be_made_again_is_not_to_be_removed(store, file, name):
    (store / file).write_text((store / file).read_text()[:20])
    checks, _ = check(store, status=2)
    assert "backup" in checks[name]["advice"] and "remove" not in checks[name]["advice"], checks[name]


def test_another_ca(store, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_cluster(other)
    gen(other)
    for ending in "crt", "key":
        (store / f"pki/etcd/ca.{ending}").write_bytes((other / f"pki/etcd/ca.{ending}").read_bytes())
    checks, _ = check(store, status=2)
    assert set(bad(checks)) == {f"nodes/c{i}/pki/{n}" for i in range(3) for n in
                                ("etcd/server", "etcd/peer", "etcd/healthcheck-client", "apiserver-etcd-client")}
    assert all(re.match("is not issued by the CA|its signature", text) for _, text in bad(checks).values())


def test_for_monitoring(store):
    """The first line says it all, as plugins' do; the table has the worst first."""
    edit(store, "k8s.home.lan", "other.home.lan")
    os.unlink(store / "pki/nodes/c2/scheduler.conf")
    result = run(HARDWAY, "pki", "check", "--no-nodes", "-c", f"{store}/hardway.yaml", check=False)
    lines = result.stdout.splitlines()
    assert result.returncode == 2
    assert re.fullmatch(r"CRITICAL - 1 critical, 3 warnings of \d+ checks: c2: nodes/c2/scheduler: is missing", lines[0])
    assert [line.split()[0] for line in lines[2:7]] == ["critical", "warning", "warning", "warning", "ok"]
    quiet = run(HARDWAY, "pki", "check", "-q", "--no-nodes", "-c", f"{store}/hardway.yaml", check=False).stdout
    assert len(quiet.splitlines()) == 6


def test_bad_cluster_file(tmp_path):
    (tmp_path / "hardway.yaml").write_text("cluster: x\nbogus: 1\n")
    assert run(HARDWAY, "pki", "check", "-c", f"{tmp_path}/hardway.yaml", check=False).returncode == 65


def test_a_node_that_is_away_is_told_once(store, tmp_path):
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'Connection refused' >&2\nexit 255\n")
    ssh.chmod(0o755)
    result = run(HARDWAY, "pki", "check", "-c", f"{store}/hardway.yaml", "--node", "lb-0", check=False,
                 env={**os.environ, "PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    assert result.returncode == 1, result
    first = result.stdout.splitlines()[0]
    assert first.startswith("WARNING - 0 critical, 1 warning of ") and ": lb-0: ssh: " in first and "ssh: ssh:" not in first, first
    assert "refuses the connection" in first


def test_the_public_half_of_a_key_is_lost(hardway):
    """It can be made of the key, which is what tokens are signed with: nobody is sent to replace that."""
    hardway.init()
    hardway("pki", "gen")
    key = (hardway.directory / "pki/sa.key").read_bytes()
    public = hardway.directory / "pki/sa.pub"
    before = public.read_bytes()
    public.unlink()
    told = hardway("pki", "check", "--no-nodes", status=1)
    assert "its public half was missing" in told.out and "hardway pki gen writes it again from the key" in told.out, told
    assert "renew sa" not in told.out and "rotate-sa" not in told.out
    made = hardway("pki", "gen").out
    assert "mended    sa" in made and "reissued  sa" not in made, made
    assert public.read_bytes() == before and (hardway.directory / "pki/sa.key").read_bytes() == key
    assert hardway("pki", "check", "--no-nodes").status == 0
