# SPDX-License-Identifier: LGPL-2.1-or-later
"""One directory is one cluster's: a second cluster file beside its keys is found out."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

from conftest import NODES, Program

OTHER = ["--controller", "s0=10.78.0.20"]


@pytest.fixture
def prod(hardway):
    hardway("-c", "prod.yaml", "init", *NODES, "--name", "prod")
    return hardway


def keys(program):
    pki = program.directory / "pki"
    return {path: path.read_bytes() for path in pki.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_second_cluster_file_does_not_share_keys(prod):
    prod("-c", "staging.yaml", "init", *OTHER, "--name", "staging")
    prod("-c", "prod.yaml", "pki", "gen")
    before = keys(prod)
    for words in (["pki", "gen"], ["pki", "list"], ["kubeconfig"], ["plan", "--offline"], ["install"], ["reset", "--yes"],
                  ["backup", "x.backup", "--dry-run"], ["pki", "csr"]):
        refused = prod("-c", "staging.yaml", *words, status=65)
        assert "those of another cluster file than staging.yaml: prod.yaml" in refused.err, words
        assert "directory of its own" in refused.err
    assert keys(prod) == before
    # What needs no key still speaks of it.
    prod("-c", "staging.yaml", "explain", "install")
    prod("-c", "prod.yaml", "pki", "list")


def test_init_refuses_beside_the_keys_of_another(prod):
    prod("-c", "prod.yaml", "pki", "gen")
    refused = prod("-c", "staging.yaml", "init", *OTHER, status=65)
    assert "another cluster file than staging.yaml: prod.yaml" in refused.err
    assert not (prod.directory / "staging.yaml").exists()
    # The file was lost, and is made again: the keys are its own.
    (prod.directory / "prod.yaml").unlink()
    prod("-c", "prod.yaml", "init", *NODES, "--name", "prod")
    assert "nothing to do" in prod("-c", "prod.yaml", "pki", "gen").out


def test_init_refuses_beside_keys_that_nobody_is_known_to_own(prod):
    prod("-c", "prod.yaml", "pki", "gen")
    (prod.directory / "pki/.cluster-file").unlink()
    refused = prod("-c", "staging.yaml", "init", *OTHER, status=65)
    assert "another cluster file than staging.yaml\n" in refused.err


def test_a_renamed_file_says_so_once(prod):
    prod("-c", "prod.yaml", "pki", "gen")
    os.rename(prod.directory / "prod.yaml", prod.directory / "home.yaml")
    refused = prod("-c", "home.yaml", "pki", "gen", status=65)
    command = refused.err.split("another name now: ")[1].splitlines()[0]
    assert os.system(f"cd '{prod.directory}' && {command}") == 0
    assert "nothing to do" in prod("-c", "home.yaml", "pki", "gen").out
    # A link is the same file.
    os.symlink("home.yaml", prod.cluster)
    prod("pki", "list")


def test_a_store_of_before_is_given_its_name(prod):
    prod("-c", "prod.yaml", "pki", "gen")
    record = prod.directory / "pki/.cluster-file"
    record.unlink()
    prod("-c", "prod.yaml", "pki", "list")
    prod("-c", "prod.yaml", "pki", "gen", "--dry-run")
    assert not record.exists()
    prod("-c", "prod.yaml", "pki", "gen")
    assert record.read_text() == "prod.yaml\n"


def test_a_directory_that_was_restored_is_its_own(prod, tmp_path):
    prod("-c", "prod.yaml", "pki", "gen")
    (prod.directory / "word").write_text("correct horse\n")
    prod("-c", "prod.yaml", "backup", "--passphrase-file", "word", "p.backup")
    prod("restore", "--passphrase-file", "word", "--directory", "new", "p.backup")
    prod("-c", "new/prod.yaml", "pki", "gen")
    assert (prod.directory / "new/pki/.cluster-file").read_text() == "prod.yaml\n"
    shutil.copy(prod.directory / "new/prod.yaml", prod.directory / "new/copy.yaml")
    prod("-c", "new/copy.yaml", "pki", "list", status=65)


def test_a_kubeconfig_of_before_an_edit_is_told(cluster):
    cluster("pki", "gen")
    text = cluster.cluster.read_text()
    cluster.cluster.write_text(text.replace("10.77.0.10", "10.77.0.99"))
    told = cluster("kubeconfig")
    assert told.err == ("hardway: warning: admin.conf points at https://10.77.0.10:6443, and hardway.yaml says "
                        "https://10.77.0.99:6443. To have it made anew: hardway pki gen\n")
    assert "10.77.0.10:6443" in told.out
    cluster("pki", "gen")
    assert cluster("kubeconfig").err == ""


@pytest.fixture
def shared():
    """The program in a directory that every user comes to, with a copy of itself there."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        program = Program(pathlib.Path(name))
        program.path = shutil.copy(program.path, os.path.join(name, "hardway"))
        yield program


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as two users")
def test_once_by_sudo(shared):
    """Root has made the keys, and the user goes on without sudo: what has happened is said, and how to mend it."""
    def as_user(*words):
        done = subprocess.run(["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", shared.path, *words], cwd=shared.directory,
                              capture_output=True, text=True, check=False, env={**shared.environment, "HOME": "/"}, timeout=60)
        assert done.returncode != 0 and "Permission denied" in done.stderr, done
        return done.stderr

    shared.init()
    shared("pki", "gen")
    for words in (["pki", "list"], ["pki", "gen"]):
        told = as_user(*words)
        assert "belongs to root: hardway was run by sudo here" in told and 'sudo chown -R "$USER"' in told, told
    shared.cluster.write_text(shared.cluster.read_text().replace("name: c0,", "name: c0, local: true,"))
    assert "one of the nodes is this machine: sudo hardway pki gen" in as_user("pki", "gen")


@pytest.mark.skipif(os.geteuid() != 0, reason="sudo means root")
def test_sudo_where_none_is_needed(hardway, tmp_path):
    daemon = pwd.getpwnam("daemon").pw_uid
    sudo = {"SUDO_USER": "daemon", "SUDO_UID": str(daemon)}
    hardway.init()
    assert not hardway("pki", "gen", env=sudo).err  # the directory is root's own
    os.chown(tmp_path, daemon, -1)
    assert "needs no sudo here" in hardway("pki", "gen", env=sudo).err
    assert not hardway("pki", "list", env=sudo).err  # which makes nothing
    hardway.cluster.write_text(hardway.cluster.read_text().replace("name: c0,", "name: c0, local: true,"))
    assert not hardway("pki", "gen", env=sudo).err
