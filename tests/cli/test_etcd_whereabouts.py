# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where does the data on a node have its member? The script, under each shell that may be /bin/sh on a node."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]


def entry(name, *urls, learner=""):
    """As etcd has a member in its database (server/etcdserver/api/membership, Member)."""
    listed = ",".join(f'"{url}"' for url in urls)
    return b"\0\7" + f'{{"id":81,"peerURLs":[{listed}],{learner}"name":"{name}","clientURLs":["https://x"]}}'.encode() + b"\xff\0"


def said(name, *urls, learner=""):
    return "member " + entry(name, *urls, learner=learner).decode("latin1").split(":81,")[1].split(',"client')[0]


class Place:
    def __init__(self, root, shell):
        self.root, self.shell, self.database = root, shell, root / "etcd/member/snap/db"
        self.database.parent.mkdir(parents=True)
        (root / "bin").mkdir()

    def stand_in(self, name, body):
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.root / "bin" / name).chmod(0o755)

    def ask(self, status=0):
        text = ""
        for part in ("host/scripts/prelude.sh", "etcd/scripts/etcd-whereabouts.sh"):
            with open(os.path.join(TOP, part), encoding="utf-8") as file:
                text += file.read()
        done = subprocess.run([*self.shell, "-c", text], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": os.environ["PATH"], "H_ROOT": str(self.root), "data": str(self.root / "etcd"), "name": "c0"})
        assert done.returncode == status, done
        return done.stderr if status else done.stdout.splitlines()


@pytest.fixture(name="place", params=SHELLS, ids=lambda shell: shell[0])
def place_fixture(request, tmp_path):
    return Place(tmp_path, request.param)


def test_entries(place):
    assert place.ask() == [], "there is no database yet"
    place.database.write_bytes(b"\0" * 4096 + entry("c1", "https://10.0.0.2:2380") + b"\n" * 9)
    assert place.ask() == []
    was, both = "https://10.0.0.1:2380", ("https://10.9.0.1:2380", "https://[fd00::1]:2380")
    place.database.write_bytes(b"\0" * 4096 + entry("c0", *both) + entry("c1", was) + entry("c0", was, learner='"isLearner":true,') + entry("c0", *both))
    assert place.ask() == [said("c0", was, learner='"isLearner":true,'), said("c0", *both)]


def test_a_line_as_long_as_the_database(place):
    """Of one value after another: what stands in the way of memory is no line."""
    place.database.write_bytes(b"value\0" * (1 << 22) + entry("c0", "https://10.0.0.1:2380"))
    place.stand_in("grep", f"ulimit -v 16384; exec {shutil.which('grep')} \"$@\"")
    assert place.ask() == [said("c0", "https://10.0.0.1:2380")]


@pytest.mark.parametrize("body", ["echo 'grep: db: Input/output error' >&2; exit 2", "kill -KILL $$", "echo '\"peerURLs\":[],\"name\":\"c0\"'; exit 124"],
                         ids=["broken", "killed", "late"])
def test_what_cannot_be_read_is_not_none(place, body):
    place.database.write_bytes(entry("c0", "https://10.0.0.1:2380"))
    place.stand_in("grep", body)
    assert "hardway-error io " in place.ask(status=1)
