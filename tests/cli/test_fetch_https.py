# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway fetch, against a mirror that does as it is told (tests/fetch/server.py); all the ways to fail are in the unit tests."""
import hashlib
import json
import signal
import subprocess
import time

import pytest

from mirror import BINARIES, Mirror, await_bytes, cached, complete, lock, program, start

@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    m = Mirror(tmp_path_factory.mktemp("mirror"))
    yield m
    m.stop()


def test_fetch(cluster, mirror):
    first = cluster("fetch", *mirror.options())
    complete(cluster)
    entries = lock(cluster)
    assert set(BINARIES) < set(entries) and {"etcd"} < set(entries)
    assert all(entry["architecture"] == "arm64" for entry in entries.values())
    assert entries["kubectl"]["sha256"] == hashlib.sha256(program("kubectl", "arm64")).hexdigest()
    assert "kube-apiserver" in first.out + first.err

    # Again, from nowhere: all is there.
    before = (cluster.directory / "hardway.lock").stat().st_mtime_ns
    cluster("fetch", "--mirror", "https://127.0.0.1:1")
    cluster("fetch", "--offline", "--deep")
    assert (cluster.directory / "hardway.lock").stat().st_mtime_ns == before


@pytest.mark.parametrize("faults, port, status, words", [
    ("/flip:1000", "good", 76, "wrong digest"),
    ("/cut:1000", "good", 69, "cut off after 4000 of"),
    ("/status:404", "good", 69, "HTTP status 404 (not found)"),
    ("/status:403", "good", 77, "HTTP status 403 (not allowed)"),
    ("/to-http", "good", 76, "only https:// is followed"),
    ("", "expired", 76, "has expired"),
    ("", "unknown-ca", 76, "not of a CA that is trusted here"),
    ("", "wrong-name", 76, "not for this name"),
])
def test_failures(cluster, mirror, faults, port, status, words):
    result = cluster("fetch", *mirror.options(faults, port), status=status)
    assert words in result.err
    assert mirror.url("", port) in result.err
    assert cached(cluster) == []
    cluster("fetch", *mirror.options())
    complete(cluster)


def test_refused(cluster):
    result = cluster("fetch", "--mirror", "https://127.0.0.1:1", status=69)
    assert "https://127.0.0.1:1/" in result.err and "connection refused" in result.err


def test_second_mirror(cluster, mirror):
    result = cluster("fetch", "--mirror", "https://127.0.0.1:1", *mirror.options())
    complete(cluster)
    assert "trying the next mirror" in result.out + result.err


def test_the_lock_holds(cluster, mirror):
    cluster("fetch", *mirror.options())
    before = (cluster.directory / "hardway.lock").read_text()
    subprocess.run(["rm", "-rf", cluster.directory / "cache"], check=True)
    result = cluster("fetch", *mirror.options("/only=kubectl,all-flip:3"), status=76)
    assert "kubectl" in result.err and "wrong digest" in result.err
    for what in ("hardway.lock: ", "published: ", "the file: "):
        assert what in result.err
    assert (cluster.directory / "hardway.lock").read_text() == before
    assert lock(cluster)["kubectl"]["sha256"] not in cached(cluster)
    # All the others were right, and are kept.
    assert len(cached(cluster)) == len(lock(cluster)) - 1


def test_broken_lock(cluster, mirror):
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": [{"name": "x", "nmae": "y"}]}')
    result = cluster("fetch", *mirror.options(), status=65)
    assert "hardway.lock" in result.err and "unknown key 'nmae'" in result.err


def test_killed(cluster, mirror):
    for _ in range(3):
        process = start(cluster, "fetch", *mirror.options("/rate:200000"))
        await_bytes(cluster)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cached(cluster)
    cluster("fetch", *mirror.options())
    complete(cluster)


def test_interrupted(cluster, mirror):
    process = start(cluster, "fetch", *mirror.options("/rate:50000"))
    await_bytes(cluster)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - begin < 5
    assert process.returncode not in (0, -signal.SIGKILL), errors
    cluster("fetch", *mirror.options())
    complete(cluster)


def test_amd64(hardway, mirror):
    hardway.init("--arch", "amd64")
    hardway("fetch", *mirror.options())
    complete(hardway)
    assert all(entry["architecture"] == "amd64" for entry in lock(hardway).values())
