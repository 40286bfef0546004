# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which members does the data on a node know as started? The script, under each shell that may be /bin/sh on a node."""

import pytest

from node_shell import Place, SHELLS_HERE


def entry(name, *client_urls):
    """As etcd has a member in its database (server/etcdserver/api/membership, Member)."""
    urls = f',"clientURLs":["{client_urls[0]}"]' if client_urls else ""
    return b"\0\7" + f'{{"id":81,"peerURLs":["https://10.0.0.1:2380"],"name":"{name}"{urls}}}'.encode() + b"\xff\0"


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
def test_started(tmp_path, shell):
    place = Place(tmp_path, shell)

    def ask(status=0):
        return place.run("etcd/scripts/etcd-started.sh", status, data=tmp_path / "etcd")

    database = tmp_path / "etcd/member/snap/db"
    database.parent.mkdir(parents=True)
    assert ask() == []
    database.write_bytes(b"\0" * 4096 + entry("c0") + entry("c1") + b"\0" * 4096)
    assert ask() == ["known c0", "known c1"], "they wait for each other, and none was ever of a quorum"
    database.write_bytes(b"\0" * 4096 + entry("c0", "https://10.0.0.1:2379") + entry("c-1.b", "https://x") * 2 + entry("c2") + b"\n" * 9)
    assert ask() == ["known c2", "started c-1.b", "started c0"]
    # one that joins has no name before it was started; and what Kubernetes has names as well
    database.write_bytes(b'{"id":81,"peerURLs":["https://10.0.0.1:2380"],"isLearner":true}\0{"metadata":{"name":"c1","namespace":"x"}}\0')
    assert ask() == []
    database.write_bytes(b'{"id":81,"peerURLs":["https://[fd00::1]:2380"],"isLearner":true,"name":"c1","clientURLs":["https://x"]}' + entry("c2"))
    assert ask() == ["known c2", "started c1"]
    place.stand_in("grep", "echo 'grep: db: Input/output error' >&2; exit 2")
    assert "hardway-error io " in ask(status=1)
