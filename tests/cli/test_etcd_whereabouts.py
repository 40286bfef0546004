# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where does the data on a node have its member? The script, under each shell that may be /bin/sh on a node."""
import shutil

import pytest

from node_shell import Place, SHELLS_HERE


def entry(name, *urls, learner=""):
    """As etcd has a member in its database (server/etcdserver/api/membership, Member)."""
    listed = ",".join(f'"{url}"' for url in urls)
    return b"\0\7" + f'{{"id":81,"peerURLs":[{listed}],{learner}"name":"{name}","clientURLs":["https://x"]}}'.encode() + b"\xff\0"


def said(name, *urls, learner=""):
    return "member " + entry(name, *urls, learner=learner).decode("latin1").split(":81,")[1].split(',"client')[0]


class Node(Place):
    def __init__(self, root, shell):
        super().__init__(root, shell)
        self.database = root / "etcd/member/snap/db"
        self.database.parent.mkdir(parents=True)

    def ask(self, status=0):
        return self.run("etcd/scripts/etcd-whereabouts.sh", status, data=self.root / "etcd", name="c0")


@pytest.fixture(name="place", params=SHELLS_HERE, ids=lambda shell: shell[0])
def place_fixture(request, tmp_path):
    return Node(tmp_path, request.param)


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
