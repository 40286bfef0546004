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


def test_the_manual_has_every_check():
    rules = set(re.findall(r'^ +\{ "([a-z-]+)", ERROR_', read("check", "table.c"), re.M))
    assert len(rules) > 20
    for file in ("etcd/internal.h", "lbsetup/pair.h"):
        rules |= set(re.findall(r'#define \w+_PREFLIGHT "([a-z-]+)"', read(*file.split("/"))))
    section = read("man", "hardway.1.scd").split("## hardway check\n")[1].split("\n## ")[0]
    assert set(re.findall(r"\*([a-z-]+)\*", section)) >= rules | {"ssh"}
