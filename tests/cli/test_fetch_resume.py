# SPDX-License-Identifier: LGPL-2.1-or-later
"""Downloads that were cut off or killed: the next run goes on where they ended, and no byte comes twice; unless the file is another."""
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess

import pytest

from mirror import ETCD, KUBERNETES, Mirror, cached, complete, lock, program, start

SIZE = 300000
NAME = "kube-apiserver"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    m = Mirror(tmp_path_factory.mktemp("mirror"))
    yield m
    m.stop()


@pytest.fixture(autouse=True)
def forget(request):
    if "mirror" in request.fixturenames:
        request.getfixturevalue("mirror").get("/forget")


def partial(hardway):
    return hardway.directory / "cache" / "hardway" / "partial"


def left(hardway):
    """How much there is of the apiserver."""
    return (partial(hardway) / f"{NAME}-{KUBERNETES}-arm64").stat().st_size


@pytest.mark.parametrize("size", [1, 64, 16384, 123456, SIZE - 1])
def test_goes_on(cluster, mirror, size):
    mirror.get("/forget")
    result = cluster("fetch", *mirror.options(f"/only={NAME},flakycut:1:{size}"))
    complete(cluster)
    requests = mirror.sent(NAME)
    assert sum(entry["sent"] for entry in requests) == SIZE
    assert requests[1]["range"] == f"bytes={size}-"
    assert requests[1]["if-range"].startswith('"')
    assert "trying again" in result.out


def killed(hardway, mirror, faults="/rate:1000000"):
    """A run that is killed when a part of everything is there; how much there was."""
    process = start(hardway, "fetch", *mirror.options(faults))
    while not any(path.name == f"{NAME}-{KUBERNETES}-arm64" and path.stat().st_size > 50000
                  for path in (partial(hardway).iterdir() if partial(hardway).is_dir() else [])):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return left(hardway)


def test_goes_on_after_a_kill(cluster, mirror):
    size = killed(cluster, mirror)
    mirror.get("/forget")
    result = cluster("fetch", *mirror.options("/rate:1000000"))
    complete(cluster)
    assert [(entry["range"], entry["sent"]) for entry in mirror.sent(NAME)] == [(f"bytes={size}-", SIZE - size)]
    assert f"{NAME} arm64: {SIZE // 1000} kB, of which {size // 1000} kB were there; verified" in result.out


def test_goes_on_at_another_mirror(cluster, mirror):
    """What it should become is known by its digest, so it does not matter who sends it."""
    size = killed(cluster, mirror)
    mirror.get("/forget")
    cluster("fetch", *mirror.options())
    complete(cluster)
    entry, = mirror.sent(NAME)
    assert entry["range"] == f"bytes={size}-" and entry["if-range"] is None and entry["sent"] == SIZE - size


def test_killed_while_it_wrote_where_bytes_came_from(cluster, mirror):
    partial(cluster).mkdir(parents=True)
    (partial(cluster) / f".#{NAME}-{KUBERNETES}-arm64.from.0badcafe").write_text("half")
    cluster("fetch", *mirror.options())
    complete(cluster)


@pytest.mark.parametrize("kind", ["date", "weak", "none"])
def test_validators(cluster, mirror, kind):
    faults = f"/etag:{kind}/rate:1000000"
    size = killed(cluster, mirror, faults)
    mirror.get("/forget")
    cluster("fetch", *mirror.options(faults))
    complete(cluster)
    entry, = mirror.sent(NAME)
    assert entry["range"] == f"bytes={size}-" and entry["sent"] == SIZE - size
    assert entry["if-range"] == ("Wed, 01 Jan 2025 00:00:00 GMT" if kind == "date" else None)


@pytest.mark.parametrize("fault, statuses", [
    ("/no-range", 1),  # 200 instead of 206
    ("/other-part", 2),  # 206, of another file
    ("/other-place", 2),  # 206, from somewhere else
])
def test_a_server_that_cannot(cluster, mirror, fault, statuses):
    """Asked for the rest it sends something else: then all of it, once."""
    result = cluster("fetch", *mirror.options(f"/only={NAME},flakycut:1:100000{fault}"))
    complete(cluster)
    requests = mirror.sent(NAME)
    assert requests[1]["range"] == "bytes=100000-"
    assert len(requests) == 1 + statuses and requests[-1]["sent"] == SIZE
    assert (requests[-1]["range"] is None) == (statuses == 2)
    assert "trying again" in result.out


def replace(mirror, data):
    path = mirror.root / "release" / KUBERNETES / "bin" / "linux" / "arm64" / NAME
    path.write_bytes(data)
    (path.parent / (NAME + ".sha256")).write_text(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("size", [SIZE, SIZE + 77, 60000])
def test_a_file_that_has_changed(cluster, mirror, size):
    """The rest of it is asked for, and refused: it starts over."""
    killed(cluster, mirror)
    before = program(NAME, "arm64")
    replace(mirror, program(NAME, "arm64", size)[:-4] + b"new!")
    try:
        mirror.get("/forget")
        cluster("fetch", *mirror.options("/rate:1000000"))
        complete(cluster)
        assert sum(entry["sent"] for entry in mirror.sent(NAME)) == size
    finally:
        replace(mirror, before)


def test_damaged_on_the_disk(cluster, mirror):
    """What power failure leaves: the right length, and zeros in it. It is begun anew, once, and that is said."""
    size = killed(cluster, mirror)
    path = partial(cluster) / f"{NAME}-{KUBERNETES}-arm64"
    path.write_bytes(path.read_bytes()[:1000] + bytes(size - 1000))
    mirror.get("/forget")
    result = cluster("fetch", *mirror.options("/rate:1000000"))
    complete(cluster)
    assert [entry["range"] for entry in mirror.sent(NAME)] == [f"bytes={size}-", None]
    assert "begun anew" in result.out


def test_without_its_origin(cluster, mirror):
    killed(cluster, mirror)
    for path in partial(cluster).glob("*.from"):
        path.write_text("{}")
    mirror.get("/forget")
    cluster("fetch", *mirror.options())
    complete(cluster)
    assert [entry["range"] for entry in mirror.sent(NAME)] == [None]


def test_killed_behind_the_last_byte(cluster, mirror):
    """Nothing is left to be asked for but the papers."""
    cluster("fetch", *mirror.options())
    entry = lock(cluster)[NAME]
    cache = cluster.directory / "cache" / "hardway"
    path = partial(cluster) / f"{NAME}-{KUBERNETES}-arm64"
    shutil.move(cache / "sha256" / entry["sha256"][:2] / entry["sha256"], path)
    (partial(cluster) / (path.name + ".from")).write_text(
        f'{{"url": "{entry["url"]}", "sha256": "{entry["sha256"]}", "size": {SIZE}}}')
    mirror.get("/forget")
    cluster("fetch", *mirror.options())
    complete(cluster)
    assert mirror.sent(NAME) == []


def test_wrong_bytes_are_not_kept(cluster, mirror):
    cluster("fetch", *mirror.options(f"/only={NAME},flip:1000"), status=76)
    assert not list(partial(cluster).iterdir())


def test_killed_again_and_again(cluster, mirror):
    """Whenever it is killed: nothing comes twice but what was on its way, and the last run completes."""
    moments = random.Random(5)
    kills = 12
    for _ in range(kills):
        process = start(cluster, "fetch", "--parallel", "3", *mirror.options("/rate:300000"))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moments.uniform(0.02, 0.6))
        process.kill()
        process.communicate()
        cached(cluster)
    cluster("fetch", *mirror.options("/rate:300000"))
    complete(cluster)
    files = mirror.sent()
    whole = sum(len(program(name, "arm64")) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"))
    whole += (mirror.root / "etcd" / ETCD / f"etcd-{ETCD}-linux-arm64.tar.gz").stat().st_size
    assert sum(entry["sent"] for entry in files) - whole <= kills * 150000


def test_deadline(cluster, mirror):
    result = cluster("fetch", "--deadline", "2", *mirror.options("/rate:50000"), status=69)
    assert "not done within 2.0 s" in result.err
    size = left(cluster)
    assert size > 0
    mirror.get("/forget")
    cluster("fetch", *mirror.options("/rate:10000000"))
    complete(cluster)
    assert [entry["sent"] for entry in mirror.sent(NAME)] == [SIZE - size]


def test_not_writable(cluster, mirror):
    if os.geteuid() == 0:
        (cluster.directory / "cache").write_text("a file")
        assert "cache" in cluster("fetch", *mirror.options(), status=73).err
        return
    (cluster.directory / "cache").mkdir(mode=0o500)
    assert "Permission denied" in cluster("fetch", *mirror.options(), status=77).err
