# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway fetch, against a mirror that does as it is told (tests/fetch/server.py); all the ways to fail are in the unit tests."""
import hashlib
import io
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tarfile
import time

import pytest

KUBERNETES = "v1.36.3"
ETCD = "v3.6.16"
BINARIES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
MEMBERS = ("etcd", "etcdctl", "etcdutl")
ELF_MACHINE = {"arm64": 183, "amd64": 62}


def program(name, architecture, size=300000):
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, ELF_MACHINE[architecture], 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0)
    return head + b"v1.36.3\0constants3.6.16run together" + random.Random(name + architecture).randbytes(size - len(head))


def fill(root, architectures=("arm64",)):
    sums = []
    etcd = root / "etcd" / ETCD
    etcd.mkdir(parents=True)
    for architecture in architectures:
        folder = root / "release" / KUBERNETES / "bin" / "linux" / architecture
        folder.mkdir(parents=True)
        for name in BINARIES:
            data = program(name, architecture)
            (folder / name).write_bytes(data)
            (folder / f"{name}.sha256").write_text(hashlib.sha256(data).hexdigest())
        top = f"etcd-{ETCD}-linux-{architecture}"
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name in MEMBERS:
                member = tarfile.TarInfo(f"{top}/{name}")
                data = program(name, architecture)
                member.size = len(data)
                member.mode = 0o755
                archive.addfile(member, io.BytesIO(data))
        (etcd / f"{top}.tar.gz").write_bytes(buffer.getvalue())
        sums.append(f"{hashlib.sha256(buffer.getvalue()).hexdigest()}  {top}.tar.gz")
    (etcd / "SHA256SUMS").write_text("\n".join(sums))


class Mirror:
    def __init__(self, work):
        self.root = work / "root"
        self.ca = str(work / "pki" / "ca.crt")
        fill(self.root, ("arm64", "amd64"))
        script = pathlib.Path(__file__).resolve().parent.parent / "fetch" / "server.py"
        self.process = subprocess.Popen([sys.executable, script, work / "pki", self.root], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.ports = {}
        for line in self.process.stdout:
            name, port = line.split()
            if name == "ready":
                break
            self.ports[name] = port

    def url(self, faults="", port="good"):
        return f"https://127.0.0.1:{self.ports[port]}{faults}"

    def options(self, faults="", port="good"):
        """What is served was built by somebody else, which is to be said of kubectl, whose digest hardway knows."""
        return ["--mirror", self.url(faults, port), "--ca-bundle", self.ca, "--accept-mirror"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    m = Mirror(tmp_path_factory.mktemp("mirror"))
    yield m
    m.stop()


def lock(hardway):
    return {entry["name"]: entry for entry in json.loads((hardway.directory / "hardway.lock").read_text())["artifacts"]}


def cached(hardway):
    """The names in the cache, each of which must be the file's digest."""
    names = []
    for path in (hardway.directory / "cache" / "hardway" / "sha256").glob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert path.stat().st_mode & 0o7777 == 0o755
        names.append(path.name)
    return sorted(names)


def complete(hardway):
    """Everything that is locked is in the cache, and nothing else is."""
    assert sorted(entry["sha256"] for entry in lock(hardway).values()) == cached(hardway)
    assert not list((hardway.directory / "cache" / "hardway" / "partial").iterdir())


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


def start(hardway, *words):
    return subprocess.Popen([hardway.path, *words], cwd=hardway.directory, env=hardway.environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_bytes(hardway):
    """Until a download has begun."""
    partial = hardway.directory / "cache" / "hardway" / "partial"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if partial.is_dir() and any(os.path.exists(p) and p.stat().st_size > 1000 for p in partial.iterdir()):
            return
        time.sleep(0.01)
    raise AssertionError("no download began")


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
    assert time.monotonic() - begin < 3
    assert process.returncode not in (0, -signal.SIGKILL), errors
    cluster("fetch", *mirror.options())
    complete(cluster)


def test_amd64(hardway, mirror):
    hardway.init("--arch", "amd64")
    hardway("fetch", *mirror.options())
    complete(hardway)
    assert all(entry["architecture"] == "amd64" for entry in lock(hardway).values())
