# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys of CAs under a passphrase: opened only when something has to be issued, never put on a node."""
import glob
import json
import os
import pty
import select
import time

import pytest

from test_pki import HARDWAY, check_briefly, gen, run, snapshot, write_cluster

SECRET = "correct horse, battery"


@pytest.fixture(name="store")
def store_fixture(tmp_path):
    directory = tmp_path / "cluster"
    directory.mkdir()
    write_cluster(directory)
    (tmp_path / "right").write_text(SECRET + "\n")
    (tmp_path / "wrong").write_text("something else\n")
    return directory


def is_protected(path):
    with open(path, encoding="utf-8") as f:
        return f.readline() == "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"


def right(directory):
    return "--passphrase-file", str(directory.parent / "right")


def opens(path, directory):
    return run("openssl", "pkey", "-in", path, "-passin", f"file:{directory.parent}/right", "-noout", check=False).returncode == 0


def test_from_the_start(store):
    gen(store, "--protect", "all", *right(store))
    for ca in "ca", "etcd/ca", "front-proxy-ca":
        key = f"{store}/pki/{ca}.key"
        assert is_protected(key) and opens(key, store)
        text = run("openssl", "asn1parse", "-in", key).stdout
        assert "scrypt" in text and "aes-256-cbc" in text
    check_briefly(store)
    # Nothing to issue: nobody is asked.
    assert "nothing to do" in gen(store).stdout
    listed = {e["name"]: e for e in json.loads(run(HARDWAY, "pki", "list", "--json", "-c", f"{store}/hardway.yaml").stdout)["entries"]}
    assert listed["ca"]["key_is"] == "protected" and listed["ca"]["state"] == "valid" and listed["ca"]["key"] == "ec:p256"
    assert run(HARDWAY, "pki", "check", "--no-nodes", "-c", f"{store}/hardway.yaml").returncode == 0


def test_later_and_one(store, tmp_path):
    gen(store)
    before = snapshot(store)
    assert "under the passphrase" in gen(store, "--protect", "etcd", *right(store)).stdout
    changed = {p for p, c in snapshot(store).items() if before[p] != c}
    assert changed == {f"{store}/pki/etcd/ca.key", f"{store}/pki/history"} and opens(f"{store}/pki/etcd/ca.key", store)
    assert "nothing to do" in gen(store, "--protect", "etcd", *right(store)).stdout
    # The cluster's own still goes to the controllers, which sign with it.
    run(HARDWAY, "plan", "-c", f"{store}/hardway.yaml", "--output", str(tmp_path / "out"), "--secrets")
    assert (tmp_path / "out/c0/etc/kubernetes/pki/ca.key").exists()


def test_never_on_a_node(store, tmp_path):
    gen(store, "--protect", "cluster", *right(store))
    run(HARDWAY, "plan", "-c", f"{store}/hardway.yaml", "--output", str(tmp_path / "out"), "--secrets")
    assert not glob.glob(f"{tmp_path}/out/*/etc/kubernetes/pki/ca.key")
    assert "cluster-signing" not in (tmp_path / "out/c0/etc/systemd/system/kube-controller-manager.service").read_text()


def test_what_is_given(store):
    """A file, a descriptor, standard input; a wrong one, and nobody to ask: nothing is touched."""
    gen(store, "--protect", "all", *right(store))
    certificate = f"{store}/pki/nodes/c0/pki/apiserver.crt"
    for how in "file", "descriptor", "input":
        os.unlink(certificate)
        before = snapshot(store)
        result = gen(store, "--passphrase-file", str(store.parent / "wrong"), check=False)
        assert result.returncode == 77 and "the passphrase in" in result.stderr and "ca.key" in result.stderr, result
        no_terminal = run("setsid", "-w", HARDWAY, "pki", "gen", "-c", f"{store}/hardway.yaml", check=False)
        assert no_terminal.returncode == 64 and "--passphrase-file" in no_terminal.stderr, no_terminal
        assert snapshot(store) == before
        argv = {"file": f"{HARDWAY} pki gen -c {store}/hardway.yaml --passphrase-file {store.parent}/right",
                "descriptor": f"{HARDWAY} pki gen -c {store}/hardway.yaml --passphrase-file /dev/fd/9 9<{store.parent}/right",
                "input": f"{HARDWAY} pki gen -c {store}/hardway.yaml --passphrase-file - <{store.parent}/right"}[how]
        assert "1 reissued" in run("bash", "-c", argv).stdout
    assert SECRET not in "".join(open(p, encoding="utf-8", errors="replace").read() for p in snapshot(store))


def converse(argv, *answers):
    """Runs a program on a terminal, and answers each question that ends with a colon. What it showed, and its status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    shown, answers, deadline = "", list(answers), time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            data = os.read(fd, 4096).decode()
        except OSError:
            break
        shown += data
        if answers and shown.endswith(": "):
            os.write(fd, (answers.pop(0) + "\n").encode())
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_on_a_terminal(store):
    argv = [HARDWAY, "pki", "gen", "-c", f"{store}/hardway.yaml"]
    shown, status = converse([*argv, "--protect", "all"], SECRET, "something else")
    assert status == 64 and "differ" in shown and not glob.glob(f"{store}/pki/*.key")
    shown, status = converse([*argv, "--protect", "all"], SECRET, SECRET)
    assert status == 0 and opens(f"{store}/pki/ca.key", store) and SECRET not in shown
    os.unlink(f"{store}/pki/nodes/c0/pki/apiserver.crt")
    shown, status = converse(argv, "wrong", SECRET)
    assert status == 0 and "ca.key: the passphrase is wrong" in shown and "1 reissued" in shown
    os.unlink(f"{store}/pki/nodes/c0/pki/apiserver.crt")
    shown, status = converse(argv, "wrong", "wrong", "wrong")
    assert status == 77


@pytest.mark.parametrize("how", [["-scrypt"], ["-v2", "aes-256-cbc"]])
def test_imported(store, tmp_path, how):
    """A key that comes under a passphrase stays under it, whatever made it so."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{tmp_path}/plain.key", "-out",
        f"{tmp_path}/own.crt", "-subj", "/CN=own", "-days", "900", "-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    run("openssl", "pkcs8", "-topk8", *how, "-in", f"{tmp_path}/plain.key", "-out", f"{tmp_path}/own.key", "-passout", f"file:{tmp_path}/right")
    command = [HARDWAY, "pki", "import-ca", "-c", f"{store}/hardway.yaml", "--cert", f"{tmp_path}/own.crt", "--key", f"{tmp_path}/own.key"]
    assert run(*command, "--passphrase-file", f"{tmp_path}/wrong", check=False).returncode == 77
    assert not os.path.exists(store / "pki/ca.crt")
    run(*command, *right(store))
    assert is_protected(store / "pki/ca.key") and opens(f"{store}/pki/ca.key", store)
    gen(store, *right(store))
    check_briefly(store)


def test_killed_with_a_lone_key(store):
    """A first run that was cut short after the protected key: the next one makes the certificate for it."""
    gen(store, "--protect", "all", *right(store))
    kept = (store / "pki/ca.key").read_bytes()
    run("rm", "-rf", f"{store}/pki/nodes", f"{store}/pki/ca.crt", *glob.glob(f"{store}/*.conf"))
    gen(store, *right(store))
    assert (store / "pki/ca.key").read_bytes() == kept
    check_briefly(store)


def test_damaged(store):
    gen(store, "--protect", "etcd", *right(store))
    key = store / "pki/etcd/ca.key"
    good = key.read_text()
    os.unlink(f"{store}/pki/nodes/c0/pki/etcd/peer.crt")
    lines = good.splitlines(keepends=True)
    for text, words in ((good[:200], "is cut off"), (good.replace("\n", "\r\n"), "CR LF"), (good + good, "one PEM block"),
                        (lines[0] + "".join(lines[2:]), "damaged")):
        key.write_text(text)
        before = snapshot(store)
        result = gen(store, *right(store), check=False)
        assert result.returncode == 65 and words in result.stderr and "etcd/ca.key" in result.stderr, (words, result)
        assert snapshot(store) == before
