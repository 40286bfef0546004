# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directory for scheduled snapshots: whose it is, asked before anything is written there, and what a reset takes out of it. Under each
shell that may be /bin/sh on a node."""
import json
import os
import subprocess

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
STATUS = '{"hash":1,"revision":77,"totalKey":3,"totalSize":9,"version":"3.6.0"}'


class Place:
    def __init__(self, directory, shell):
        self.shell, self.path, self.record, self.programs = shell, directory / "place", directory / "applied.json", directory / "programs"
        self.programs.mkdir()
        for name, body in (("etcdctl", 'for a; do :; done; echo data >"$a"'), ("etcdutl", f"echo '{STATUS}'"), ("chown", f'echo "$@" >{directory}/given')):
            (self.programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.programs / name).chmod(0o755)
        self.given = directory / "given"

    def script(self, name, *arguments, **variables):
        # as on a node, after the prelude of all scripts
        with open(os.path.join(TOP, *name), encoding="utf-8") as file:
            text = "set -eu\n" + "".join(f"{key}='{value}'\n" for key, value in variables.items()) + file.read() + "\necho end >&2\n"
        path = f"{self.programs}:{os.environ['PATH']}"
        done = subprocess.run([*self.shell, "-c", text, "sh", *arguments], capture_output=True, text=True, check=False,
                              env={"PATH": path, "CREDENTIALS_DIRECTORY": "/credentials"}, timeout=60)
        assert done.returncode == 0 and done.stderr.endswith("end\n"), done
        return done.stdout.strip()

    def whose(self):
        return self.script(("etcd", "scripts", "etcd-place.sh"), directory=self.path, record=self.record)

    def snapshot(self):
        self.script(("etcd", "scripts", "etcd-snapshot.sh"), str(self.path), "3", str(self.programs), "controller-0")

    def reset(self):
        self.script(("operate", "scripts", "reset-snapshots.sh"), places=self.path)
        owner = f"{self.path.owner()}:{self.path.group()}" if self.path.exists() else "etcd:etcd"
        self.script(("operate", "scripts", "reset-directories.sh"), directories=f"leave {self.path} {owner} - root:root")


@pytest.fixture(name="place", params=SHELLS_HERE, ids=lambda shell: shell[0])
def place_fixture(request, tmp_path):
    return Place(tmp_path, request.param)


def test_what_is_not_there_or_empty_is_free(place):
    assert place.whose() == "free"
    place.path.mkdir()
    assert place.whose() == "free"
    (place.path / "lost+found").mkdir()
    assert place.whose() == "free", "a disk of its own"


@pytest.mark.parametrize("name", ["2019-photos.db", "PG_VERSION", ".hidden", "..odd", "with space", "node-exporter"])
def test_what_is_in_use_is_not(place, name):
    place.path.mkdir()
    (place.path / name).write_text("somebody's")
    assert place.whose() == f"foreign {name}"
    # an earlier run has made it ours: what somebody puts there since is no reason to stop
    place.record.write_text(json.dumps({"traces": [f"directory {place.path} root:root", f"directory {place.path}/x etcd:etcd"]}))
    assert place.whose() == f"foreign {name}"
    place.record.write_text(json.dumps({"traces": [f"directory {place.path} etcd:etcd"]}))
    assert place.whose() == "ours"


def test_a_link_that_leads_nowhere_is_something(place):
    place.path.mkdir()
    (place.path / "data").symlink_to("/nowhere")
    assert place.whose() == "foreign data"


def test_where_snapshots_were_taken_is_ours(place):
    place.path.mkdir()
    place.snapshot()
    (place.path / "notes").write_text("somebody's")
    assert place.whose() == "ours"


def test_snapshots_that_were_brought_there_are_no_hindrance(place):
    place.path.mkdir()
    (place.path / "2026-01-01T000000Z.db").write_text("old")
    assert place.whose() == "free"


def test_reset_takes_all_that_is_ours(place):
    place.path.mkdir()
    place.snapshot()
    for left in ("new.part", "new.part.part", "new.part.lock", "last.new"):
        (place.path / left).write_text("of one that was cut off")
    place.reset()
    assert not place.path.exists() and not place.given.exists()
    place.reset()


def test_reset_leaves_what_is_not(place):
    place.path.mkdir()
    place.snapshot()
    theirs = ["2019-photos.db", "2026-01-01.db", "mine.db", "download.part", "node-exporter"]
    for name in theirs:
        (place.path / name).write_text("somebody's")
    (place.path / "node-modules").mkdir()
    place.reset()
    assert sorted(os.listdir(place.path)) == sorted([*theirs, "node-modules"])
    assert place.given.read_text() == f"-- root:root {place.path}\n"
    assert place.whose().startswith("foreign ")
