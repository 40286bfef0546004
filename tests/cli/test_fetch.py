# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway fetch, from a file:// mirror with the official layout."""
import hashlib
import io
import json
import re
import struct
import tarfile

import pytest

KUBERNETES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"]
ETCD = ["etcd", "etcdctl", "etcdutl"]


def program(name, machine=183):
    """A 64-bit ELF header (machine 183: arm64, 62: amd64), and something to tell programs apart."""
    header = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000, 64, 0, 0, 64, 56, 0, 64, 0, 0)
    return header + name.encode() * 1000 + b"v1.36.3\0constants3.6.16run together"


@pytest.fixture
def mirror(tmp_path):
    top = tmp_path / "mirror"
    binaries = top / "release" / "v1.36.3" / "bin" / "linux" / "arm64"
    binaries.mkdir(parents=True)
    for name in KUBERNETES:
        (binaries / name).write_bytes(program(name))
        (binaries / (name + ".sha256")).write_text(hashlib.sha256(program(name)).hexdigest())

    etcd = top / "etcd" / "v3.6.16"
    etcd.mkdir(parents=True)
    folder = "etcd-v3.6.16-linux-arm64"
    with tarfile.open(etcd / (folder + ".tar.gz"), "w:gz") as archive:
        for name in ETCD:
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode = len(program(name)), 0o755
            archive.addfile(member, io.BytesIO(program(name)))
    digest = hashlib.sha256((etcd / (folder + ".tar.gz")).read_bytes()).hexdigest()
    (etcd / "SHA256SUMS").write_text(f"{digest}  {folder}.tar.gz\n")
    return top


def without_times(out):
    return re.sub(r"(?m)^\d{4}-\S+Z ", "", out)


def test_fetch_pins_and_fills_the_cache(cluster, mirror):
    result = cluster("fetch", "--accept-mirror", "--mirror", f"file://{mirror}")
    assert result.err == ""
    assert "kube-apiserver arm64: " in result.out
    assert "7 binaries, " in result.out.splitlines()[-1]
    assert result.out.endswith("fetched and verified. Next: hardway install\n")
    assert "\033" not in result.out

    lock = (cluster.directory / "hardway.lock").read_text()
    assert json.loads(lock)
    for name in KUBERNETES + ETCD:
        assert hashlib.sha256(program(name)).hexdigest() in lock, name

    # The second time nobody is asked, and a plan is complete as far as binaries go.
    again = cluster("fetch", "--mirror", "file:///nowhere")
    assert again.out.endswith("7 binaries: all in the cache and as hardway.lock says.\n")
    assert (cluster.directory / "hardway.lock").read_text() == lock
    assert without_times(cluster("fetch", "--offline", "--deep").out) == without_times(again.out)
    cluster("pki", "gen")
    assert "missing" not in cluster("plan", "--offline").err


def test_mirror_of_the_environment_and_of_the_file(cluster, mirror):
    text = cluster.cluster.read_text()
    cluster.cluster.write_text(text + "mirrors: [ file:///nowhere ]\n")
    cluster("fetch", status=69)
    cluster("fetch", "--accept-mirror", env={"HARDWAY_MIRROR": f"file:///nowhere file://{mirror}"})

    other = cluster.directory / "other"
    other.mkdir()
    cluster.environment["XDG_CACHE_HOME"] = str(other / "cache")
    (other / "hardway.yaml").write_text(text + f"mirrors: [ file://{mirror} ]\n")
    cluster("-c", "other/hardway.yaml", "fetch", "--accept-mirror")
    assert (other / "hardway.lock").read_text() == (cluster.directory / "hardway.lock").read_text()


def test_quiet(cluster, mirror):
    result = cluster("fetch", "--quiet", "--accept-mirror", "--mirror", f"file://{mirror}")
    assert result.out == "" and result.err == ""


def test_a_changed_binary_is_refused(cluster, mirror):
    cluster("fetch", "--accept-mirror", "--mirror", f"file://{mirror}")
    lock = (cluster.directory / "hardway.lock").read_text()
    cluster.environment["XDG_CACHE_HOME"] = str(cluster.directory / "empty")

    victim = mirror / "release" / "v1.36.3" / "bin" / "linux" / "arm64" / "kubectl"
    changed = victim.read_bytes()[:-1] + b"!"
    victim.write_bytes(changed)
    assert "kubectl" in cluster("fetch", "--accept-mirror", "--mirror", f"file://{mirror}", status=76).err

    # ... also when the mirror says that it is right.
    (victim.parent / "kubectl.sha256").write_text(hashlib.sha256(changed).hexdigest())
    result = cluster("fetch", "--accept-mirror", "--mirror", f"file://{mirror}", status=76)
    assert "kubectl" in result.err and "hardway.lock" in result.err
    assert (cluster.directory / "hardway.lock").read_text() == lock


@pytest.mark.parametrize("url", ["http://mirror.example.com", "ftp://x", "file://relative", "mirror"])
def test_bad_mirror(cluster, url):
    assert url in cluster("fetch", "--mirror", url, status=64).err
    assert not (cluster.directory / "hardway.lock").exists()


def test_offline_without_a_cache(cluster):
    said = cluster("fetch", "--offline", status=69).err
    assert "not in the cache" in said and said.count("hardway fetch --from FILE") == 1


def test_json_of_what_is_not_fetched(cluster):
    listed = json.loads(cluster("fetch", "--list", "--json").out)
    assert {"kube-apiserver", "etcd"} <= {e["name"] for e in listed}
    assert all(e["needed"] and not e["cached"] and e["sha256"] is None for e in listed)
    last = json.loads(cluster("fetch", "--json", "--offline", status=69).out.splitlines()[-1])
    assert last["event"] == "error" and "not in the cache" in last["text"]


def test_no_login_in_the_lock(cluster):
    """Addresses end up in a file that is committed: they must not carry a password there, nor into a message."""
    result = cluster("fetch", "--mirror", "https://me:secret@mirror.example.com", status=64)
    assert "login" in result.err and "secret" not in result.err


def test_contradictions(cluster):
    assert "--offline" in cluster("fetch", "--update-lock", "--offline", status=64).err
    assert "--list" in cluster("fetch", "--list", "--prune", status=64).err
    assert "--prune" in cluster("fetch", "--dry-run", status=64).err
    assert "64 hex digits" in cluster("fetch", "--sha256", "kubectl=12", status=64).err
