# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway kubeconfig --user: what it certifies, as the openssl command sees it, and whom it refuses."""
import glob
import json
import os
import re
import stat
import subprocess
import time

import pytest

from test_pki import run, same_key, split_kubeconfig, verify


def files(directory):
    return {path: os.stat(path).st_mtime_ns for path in glob.glob(f"{directory}/**", recursive=True, include_hidden=True)
            if os.path.isfile(path) and not path.endswith("-data")}


@pytest.fixture(name="made")
def made_fixture(cluster):
    cluster("pki", "gen")
    return cluster


def subject(certificate):
    text = run("openssl", "x509", "-in", certificate, "-noout", "-subject", "-nameopt", "RFC2253,sep_multiline").stdout
    return sorted(line.strip() for line in text.splitlines()[1:])


def test_openssl_reads_what_was_asked_for(made, tmp_path):
    before = files(made.directory)
    told = made("kubeconfig", "--user", "alice", "--group", "dev", "--group", "ops", "--output", "alice.conf")
    assert re.search(r"^Wrote alice.conf: the way into the cluster kubernetes as alice, until \d{4}-\d\d-\d\dT", told.out)
    assert "--kubeconfig admin.conf create clusterrolebinding NAME --clusterrole=view --user='alice'" in told.out
    conf = made.directory / "alice.conf"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o600

    ca, certificate, key = split_kubeconfig(conf, tmp_path)
    pki = made.directory / "pki"
    assert (pki / "ca.crt").read_text() in open(ca, encoding="utf-8").read()
    assert verify(f"{pki}/ca.crt", certificate, "-purpose", "sslclient")
    assert not verify(f"{pki}/ca.crt", certificate, "-purpose", "sslserver")
    assert same_key(certificate, key)
    assert subject(certificate) == ["CN=alice", "O=dev", "O=ops"]
    seconds = 7 * 86400
    assert subprocess.run(["openssl", "x509", "-in", certificate, "-checkend", str(seconds - 600)], check=False).returncode == 0
    assert subprocess.run(["openssl", "x509", "-in", certificate, "-checkend", str(seconds + 600)], check=False).returncode == 1

    # Nothing of it stays, and nothing in the store is another.
    after = files(made.directory)
    assert {path for path in after if path not in before} == {str(conf)}
    assert all(after[path] == before[path] for path in before if not path.endswith((".hardway-busy", ".lock")))
    assert "nothing to do" in made("pki", "gen").out


@pytest.mark.parametrize("words", [["--group", "hardway:cluster-admins"], ["--group", "system:masters", "--system-masters"]])
def test_an_administrator_is_called_one(made, words):
    told = made("kubeconfig", "--user", "bob", *words, "--days", "3650", "--output", "bob.conf").out
    assert "Whoever has it may do everything until then" in told and "role bindings" not in told


def test_each_is_another_and_stands_alone_on_standard_output(made, tmp_path):
    first = made("kubeconfig", "--user", "bob", "--days", "1")
    second = made("kubeconfig", "--user", "bob", "--days", "1")
    assert first.err == "" and first.out != second.out
    (made.directory / "bob.conf").write_text(first.out)
    _, certificate, _ = split_kubeconfig(made.directory / "bob.conf", tmp_path)
    assert subject(certificate) == ["CN=bob"]
    assert "server: " in first.out and "https://10.77.0.10:6443" in first.out
    assert subprocess.run(["openssl", "x509", "-in", certificate, "-checkend", "90000"], check=False).returncode == 1


@pytest.mark.parametrize("words, said", [
    (["--user", "system:kube-scheduler"], "of the control plane's own"),
    (["--user", "kube-apiserver-kubelet-client"], "apiserver-kubelet-client names"),
    (["--user", "kubernetes-admin"], "is whom admin names"),
    (["--user", ""], "1 to 64 characters"),
    (["--user", "x" * 65], "1 to 64 characters"),
    (["--user", "a\nb"], "1 to 64 characters"),
    (["--user", "alice", "--group", "system:nodes"], "of the control plane's own"),
    (["--user", "alice", "--group", "system:masters"], "--system-masters"),
    (["--user", "alice", "--group", "system:nodes", "--system-masters"], "of the control plane's own"),
    (["--user", "alice", "--days", "0"], "not a number of days"),
    (["--group", "dev"], "about whom --user names"),
])
def test_names_of_others_are_refused(made, words, said):
    refused = made("kubeconfig", *words, "--output", "x.conf", status=64)
    assert said in refused.err
    assert not (made.directory / "x.conf").exists()


def test_masters_by_a_clear_word(made, tmp_path):
    made("kubeconfig", "--user", "eve", "--group", "system:masters", "--system-masters", "--output", "eve.conf")
    _, certificate, _ = split_kubeconfig(made.directory / "eve.conf", tmp_path)
    assert subject(certificate) == ["CN=eve", "O=system:masters"]


def test_without_a_ca_and_over_another_file(cluster):
    assert "pki/ca.crt is missing" in cluster("kubeconfig", "--user", "alice", status=65).err
    cluster("pki", "gen")
    (cluster.directory / "mine.conf").write_text("another cluster's\n")
    refused = cluster("kubeconfig", "--user", "alice", "--output", "mine.conf", status=73)
    assert "KUBECONFIG=mine.conf:OTHER" in refused.err and "--force" in refused.err
    assert (cluster.directory / "mine.conf").read_text() == "another cluster's\n"
    cluster("kubeconfig", "--user", "alice", "--output", "mine.conf", "--force")


def test_a_key_under_a_passphrase(cluster, tmp_path):
    (tmp_path / "right").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("battery\n")
    cluster("pki", "gen", "--protect", "cluster", "--passphrase-file", "right")
    assert "wrong" in cluster("kubeconfig", "--user", "alice", "--passphrase-file", "wrong", status=77).err
    text = cluster("kubeconfig", "--user", "alice", "--passphrase-file", "right").out
    (tmp_path / "alice.conf").write_text(text)
    _, certificate, key = split_kubeconfig(tmp_path / "alice.conf", tmp_path)
    assert same_key(certificate, key)


def test_a_ca_whose_key_is_elsewhere(cluster, tmp_path):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "400", "-subj", "/CN=ours",
        "-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign", "-keyout", tmp_path / "own.key", "-out", tmp_path / "own.crt")
    cluster("pki", "import-ca", "--cert", "own.crt")
    refused = cluster("kubeconfig", "--user", "alice", status=65)
    assert "key of this CA is kept elsewhere" in refused.err and "hardway explain kubeconfig" in refused.err
    assert "openssl req -new -key USER.key" in cluster("explain", "kubeconfig").out


def test_while_the_ca_is_replaced(made, tmp_path):
    """All that is to be trusted is in it, and the one that issues now has issued it."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=kubernetes",
        "-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign", "-keyout", tmp_path / "new.key", "-out", tmp_path / "new.crt")
    rotation = made.directory / "pki/rotation"
    rotation.mkdir()
    for ending in ("key", "crt"):
        (rotation / f"old.{ending}").write_bytes((made.directory / f"pki/ca.{ending}").read_bytes())
        (rotation / f"new.{ending}").write_bytes((tmp_path / f"new.{ending}").read_bytes())
    (rotation / "state").write_text(json.dumps({"name": "ca", "phase": "reissue", "since": int(time.time())}))
    (tmp_path / "alice.conf").write_text(made("kubeconfig", "--user", "alice").out)
    ca, certificate, _ = split_kubeconfig(tmp_path / "alice.conf", tmp_path)
    assert open(ca, encoding="utf-8").read().count("BEGIN CERTIFICATE") == 2
    assert verify(tmp_path / "new.crt", certificate)
