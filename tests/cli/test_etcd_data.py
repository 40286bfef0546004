# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose etcd data lies on a node? What cannot be looked into is never taken for nothing. The script, below a root of its own, under each
shell that may be /bin/sh on a node."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]


class Place:
    def __init__(self, root, shell):
        self.root, self.shell = root, shell
        self.data, self.mark = root / "var/lib/etcd", root / "var/lib/hardway/etcd-identity"
        (root / "var/lib").mkdir(parents=True)
        (root / "bin").mkdir()

    def stand_in(self, name, body):
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.root / "bin" / name).chmod(0o755)

    def ask(self, status=0):
        text = ""
        for part in ("host/scripts/prelude.sh", "etcd/scripts/etcd-data.sh"):
            with open(os.path.join(TOP, part), encoding="utf-8") as file:
                text += file.read()
        done = subprocess.run([*self.shell, "-c", text], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": os.environ["PATH"], "H_ROOT": str(self.root), "data": str(self.data), "mark": str(self.mark)})
        assert done.returncode == status, done
        return done.stderr if status else done.stdout.splitlines()


@pytest.fixture(name="place", params=SHELLS, ids=lambda shell: shell[0])
def place_fixture(request, tmp_path):
    return Place(tmp_path, request.param)


def test_nothing_is_there(place):
    assert place.ask() == ["end"]
    (place.data / "lost+found").mkdir(parents=True)
    place.mark.parent.mkdir()
    assert place.ask() == ["end"]


def test_all_that_may_be_there(place):
    for name in ("member", "replaced", "before-ab02", "before-cd03", "restored-ef01", "lost+found"):
        (place.data / name).mkdir(parents=True)
    place.mark.parent.mkdir()
    place.mark.write_text("abcd\nef01\n")
    assert place.ask() == ["aside ab02", "aside cd03", "member", "replaced", "mark abcd", "mark ef01", "end"]


def test_what_is_somebody_elses(place):
    place.data.mkdir()
    (place.data / "default").mkdir()
    (place.data / "member").write_text("no directory")
    # a name says nothing but itself
    (place.data / "x\nmember\nmark abcd\nend").write_text("")
    assert place.ask() == ["other default", "other member", "other x?member?mark abcd?end", "end"]


def test_a_disk_that_is_elsewhere_is_followed(place):
    (place.root / "disk/member").mkdir(parents=True)
    place.data.symlink_to(place.root / "disk")
    assert place.ask() == ["member", "end"]


@pytest.mark.parametrize("what", ["data", "member", "mark"])
def test_a_link_to_a_disk_that_is_not_there_is_not_nothing(place, what):
    path = {"data": place.data, "member": place.data / "member", "mark": place.mark}[what]
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(place.root / "not-mounted")
    assert "hardway-error io " in place.ask(status=1)


def test_a_directory_that_gives_no_answer_is_not_nothing(place):
    broken = 'for last; do :; done\ncase $last in {0}) echo "ls: {0}: Input/output error" >&2; exit 2 ;; esac\nexec /bin/ls "$@"'
    place.stand_in("ls", broken.format(place.data))
    assert "Input/output error" in place.ask(status=1)
    (place.data / "member").mkdir(parents=True)
    assert "Input/output error" in place.ask(status=1)
    place.stand_in("ls", broken.format(place.mark))
    assert "Input/output error" in place.ask(status=1)


def test_a_directory_that_cannot_be_listed_is_not_nothing(place):
    place.data.mkdir()
    place.stand_in("ls", 'case $1 in -A) echo "ls: reading: Input/output error" >&2; exit 2 ;; esac\nexec /bin/ls "$@"')
    assert "cannot be read" in place.ask(status=1)


def test_a_mark_that_cannot_be_read_is_not_nothing(place):
    (place.data / "member").mkdir(parents=True)
    place.mark.parent.mkdir()
    place.mark.write_text("abcd\n")
    place.stand_in("head", 'echo "head: Input/output error" >&2; exit 1')
    assert "cannot be read" in place.ask(status=1)
