# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway check` from outside, without nodes: its command line, and that the manual knows every check."""
import os
import re

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def test_no_cluster_file(hardway):
    assert "hardway init" in hardway("check", status=65).err


def test_names_that_no_check_has(cluster):
    for words in (["check"], ["install"]):
        result = cluster(*words, "--ignore", "machine-id", status=64)
        assert "there is no check 'machine-id'; did you mean 'machine-ids'?" in result.err


def test_what_cannot_be_ignored(cluster):
    assert "'ssh' cannot be ignored" in cluster("check", "--ignore", "ssh", status=64).err
    assert "hardway(1) lists them" in cluster("check", "--ignore", "qqqqqqqq", status=64).err


def test_only_what_can_be_ignored_is_offered(cluster, tmp_path):
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    ssh.chmod(0o755)
    result = cluster("check", status=77, env={"PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    assert "keep install from going on" in result.out and "--ignore" not in result.out
    assert "hardway init --trust-hosts" in result.out and "accept-new" not in result.out


def test_the_manual_has_every_check():
    rules = set(re.findall(r'^ +\{ "([a-z-]+)", ERROR_', read("check", "table.c"), re.M))
    assert len(rules) > 20
    for file in ("etcd/internal.h", "lbsetup/internal.h"):
        rules |= set(re.findall(r'#define \w+_PREFLIGHT "([a-z-]+)"', read(*file.split("/"))))
    section = read("man", "hardway.1.scd").split("## hardway check\n")[1].split("\n## ")[0]
    assert set(re.findall(r"\*([a-z-]+)\*", section)) >= rules | {"ssh"}
