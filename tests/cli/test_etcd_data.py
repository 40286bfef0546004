# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose etcd data lies on a node? What cannot be looked into is never taken for nothing. The script, below a root of its own, under each
shell that may be /bin/sh on a node."""

import pytest

from node_shell import Place, SHELLS_HERE


class Node(Place):
    def __init__(self, root, shell):
        super().__init__(root, shell)
        self.data, self.mark, self.began = root / "var/lib/etcd", root / "var/lib/hardway/etcd-identity", root / "var/lib/hardway/etcd-began"
        (root / "var/lib").mkdir(parents=True)

    def ask(self, status=0):
        return self.run("etcd/scripts/etcd-data.sh", status, data=self.data, mark=self.mark, began=self.began)


@pytest.fixture(name="place", params=SHELLS_HERE, ids=lambda shell: shell[0])
def place_fixture(request, tmp_path):
    return Node(tmp_path, request.param)


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


def test_a_member_has_served(place):
    place.mark.parent.mkdir()
    place.began.write_text("")
    assert place.ask() == ["began", "end"]


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
