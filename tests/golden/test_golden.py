# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans as trees: what `hardway plan --output` must give for a cluster file, byte for byte.

A case is a folder tests/golden/CASE with

    hardway.yaml    the cluster file
    hardway.lock    digests of binaries, if the case has some
    nodes           names of the nodes to plan, one a line; without it: all
    expected/       the trees, and the .items lists

Keys are missing on purpose: what would differ from run to run has placeholders. After an intended change run
tests/golden/update and read the difference.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/hardway.yaml"))


def plan(case, directory):
    """Plans the case in a folder of its own and returns the folder of the trees."""
    for name in ("hardway.yaml", "hardway.lock"):
        if (case / name).exists():
            shutil.copy(case / name, directory / name)
    command = [os.path.realpath(os.environ["HARDWAY"]), "plan", "--output", "out"]
    if (case / "nodes").exists():
        for node in (case / "nodes").read_text(encoding="utf-8").split():
            command += ["--node", node]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return directory / "out"


def content(path):
    if path.is_symlink():
        return "-> " + os.readlink(path)
    return path.read_bytes().decode("utf-8")


def tree(directory):
    """All files and links below directory, by path; git knows no empty directories, so neither do we."""
    return {
        str(path.relative_to(directory)): content(path)
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tree(case, tmp_path):
    found, expected = tree(plan(case, tmp_path)), tree(case / "expected")

    assert sorted(found) == sorted(expected)
    for path, text in expected.items():
        assert found[path] == text, path


def test_is_the_same_every_time(tmp_path):
    trees = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        trees.append(tree(plan(HERE / "default", tmp_path / name)))
    assert trees[0] == trees[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_null(case):
    for path, text in tree(case / "expected").items():
        assert "(null)" not in text, path


def test_there_are_cases():
    assert len(CASES) >= 6
