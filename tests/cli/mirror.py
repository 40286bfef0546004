# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mirror that does as it is told (tests/fetch/server.py), and what is looked at after a fetch."""
import hashlib
import io
import json
import os
import pathlib
import random
import ssl
import struct
import subprocess
import sys
import tarfile
import time
import urllib.request

KUBERNETES = "v1.36.3"
ETCD = "v3.6.16"
BINARIES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
MEMBERS = ("etcd", "etcdctl", "etcdutl")
PAPERS = (".sha256", ".sha512", ".sig", ".cert", "SHA256SUMS", "/log", "/forget")
ELF_MACHINE = {"arm64": 183, "amd64": 62}


def program(name, architecture, size=300000):
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, ELF_MACHINE[architecture], 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0)
    head += b"v1.36.3\0constants3.6.16run together"  # as they are stamped
    return head + random.Random(name + architecture).randbytes(size - len(head))


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
        fill(work / "root", ("arm64", "amd64"))
        self.serve(work, work / "root")

    @classmethod
    def of(cls, work, root):
        """What somebody else has filled."""
        self = cls.__new__(cls)
        self.serve(work, root)
        return self

    def serve(self, work, root):
        self.root = root
        self.ca = str(work / "pki" / "ca.crt")
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

    def get(self, path):
        """What the server says of itself: /log, /forget."""
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(self.url(path), context=context) as answer:
            return json.load(answer)

    def sent(self, name="", path=""):
        """Requests for files of that name, without their papers."""
        return [entry for entry in self.get("/log")
                if entry["path"].endswith(name) and path in entry["path"] and not entry["path"].endswith(PAPERS)]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


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
