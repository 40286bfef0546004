# SPDX-License-Identifier: LGPL-2.1-or-later
"""Offline bundles, the cache's upkeep, and what is shown: fetch --bundle, --from, --list, --prune, --json, and the lock's changes."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from mirror import BINARIES, KUBERNETES, MEMBERS, Mirror, cached, complete, lock, program


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    m = Mirror(tmp_path_factory.mktemp("mirror"))
    yield m
    m.stop()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def other_side(hardway):
    """A machine that has the cluster file and reaches nobody."""
    there = hardway.directory / "there"
    there.mkdir()
    shutil.copy(hardway.cluster, there)
    cache = str(there / "cache")

    def run(*words, status=0):
        return hardway(*words, status=status, cwd=there, env={"XDG_CACHE_HOME": cache, "https_proxy": "https://127.0.0.1:1"})

    run.directory = there
    return run


def members(path):
    with tarfile.open(path) as archive:
        return [(member.name, member.size, member.mtime, member.uid, member.gid, member.mode, archive.extractfile(member).read())
                for member in archive.getmembers()]


def write(path, entries):
    """A tar file of (name, data), or (TarInfo, data)."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in entries:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def test_there_and_back(cluster, mirror):
    result = cluster("fetch", "--bundle", "all.tar", *mirror.options())
    assert "all.tar holds all of it; on the other side: hardway fetch --from all.tar --accept-mirror\n" in result.out
    bundle = cluster.directory / "all.tar"
    names = [member[0] for member in members(bundle)]
    assert names[0] == "hardway.lock" and names[1:] == sorted(names[1:]) and len(names) == 1 + len(BINARIES) + len(MEMBERS)

    there = other_side(cluster)
    assert "another build" in there("fetch", "--from", "../all.tar", status=76).err  # of kubectl, which hardway knows
    assert not (there.directory / "hardway.lock").exists()
    assert not list((there.directory / "cache" / "hardway").glob("sha256/*/*"))
    assert "7 binaries from ../all.tar, verified" in there("fetch", "--from", "../all.tar", "--accept-mirror").out
    there("fetch", "--offline", "--deep")
    entries = {entry["name"]: entry for entry in json.loads((there.directory / "hardway.lock").read_text())["artifacts"]}
    assert {name: entry["sha256"] for name, entry in entries.items()} == {name: entry["sha256"] for name, entry in lock(cluster).items()}
    assert entries["kubectl"]["proof"] == "accepted"

    # The same again, from there: the same file.
    there("fetch", "--offline", "--bundle", "again.tar")
    assert digest(there.directory / "again.tar") == digest(bundle)
    # What is there already is not taken again, but still compared.
    there("fetch", "--from", "again.tar")


def test_its_own_word_is_not_enough(cluster, mirror):
    """Neither a signature nor a digest that is known: what would be "verified" is only what somebody says of themselves."""
    def refused(run, *words):
        result = run("fetch", *words, status=76)
        assert not (run.directory / "hardway.lock").exists() or "kube-" not in (run.directory / "hardway.lock").read_text()
        assert not [name for name in cached(run) if name == hashlib.sha256(program("kube-apiserver", "arm64")).hexdigest()]
        return result.err

    source = [word for word in mirror.options() if word != "--accept-mirror"]
    said = refused(cluster, *source)
    assert "nobody but the mirror vouches for it" in said and "hardway fetch --accept-mirror" in said and "kube-apiserver.sig" in said
    cluster("fetch", "--bundle", "all.tar", *mirror.options())
    there = other_side(cluster)
    kubectl = f"kubectl={hashlib.sha256(program('kubectl', 'arm64')).hexdigest()}"  # its digest is known, and another
    said = refused(there, "--from", "../all.tar", "--sha256", kubectl)
    assert "kube-apiserver v1.36.3 arm64: nobody but the bundle vouches for it" in said and "--from FILE --accept-mirror" in said
    by_hand = [f"--sha256={name}={hashlib.sha256(program(name, 'arm64')).hexdigest()}" for name in BINARIES]
    assert "3 of them were checked against the bundle's own list only" in there("fetch", "--from", "../all.tar", *by_hand).out  # etcd's


def test_by_whose_word(cluster, mirror):
    """Where nobody but a mirror has vouched for bytes, "verified" is not all that is said."""
    cluster("fetch", *mirror.options())
    path = cluster.directory / "hardway.lock"
    text = path.read_text()
    assert text.count('"accepted"') > 1
    assert "own checksums" not in cluster("fetch", "--offline").out
    path.write_text(text.replace('"accepted"', '"mirror"', 2))
    assert "2 of them were checked against a mirror's own checksums only." in cluster("fetch", "--offline").out
    path.write_text(text.replace('"accepted"', '"bundle"', 2))
    assert "2 of them were checked against the bundle's own list only" in cluster("fetch", "--offline").out


def test_two_architectures(cluster, mirror):
    text = cluster.cluster.read_text()
    cluster.cluster.write_text(text.replace("name: c0,", "name: c0, arch: amd64,"))
    assert "amd64" in cluster.cluster.read_text()
    cluster("fetch", "--bundle", "all.tar", *mirror.options())
    sums = {member[0] for member in members(cluster.directory / "all.tar")}
    for architecture in ("arm64", "amd64"):
        for name in BINARIES + MEMBERS:
            assert "sha256/" + hashlib.sha256(program(name, architecture)).hexdigest() in sums
    complete_names = json.loads((cluster.directory / "hardway.lock").read_text())["artifacts"]
    assert len(complete_names) == 14
    # A bare name would be of either.
    hexes = "0" * 64
    assert "say which, as in kubectl/amd64=" in cluster("fetch", "--sha256", f"kubectl={hexes}", status=64).err


def test_reproducible(cluster, mirror, tmp_path):
    """From another mirror, into another cache, at another time: the same bytes."""
    cluster("fetch", "--bundle", "a.tar", *mirror.options())
    shutil.rmtree(cluster.directory / "cache")
    (cluster.directory / "hardway.lock").unlink()
    cluster("fetch", "--bundle", "b.tar", "--mirror", f"file://{mirror.root}", "--accept-mirror")
    assert digest(cluster.directory / "a.tar") == digest(cluster.directory / "b.tar")


@pytest.fixture
def bundle(cluster, mirror):
    cluster("fetch", "--bundle", "all.tar", *mirror.options())
    return [(member[0], member[6]) for member in members(cluster.directory / "all.tar")]


def link(name):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member, b""


@pytest.mark.parametrize("change, words", [
    (lambda b: b[1:], "it has no member 'hardway.lock'"),
    (lambda b: b[:-1], "it has no member 'sha256/"),
    (lambda b: b[:2] + [(b[2][0], b[2][1][:-1] + b"!")] + b[3:], "wrong digest: member 'sha256/"),
    (lambda b: b[:2] + [(b[2][0], b[3][1])] + b[3:], "wrong digest: member 'sha256/"),
    (lambda b: b + [b[2]], "is there twice"),
    (lambda b: b + [("../evil", b"x")], "member '../evil' has '..' in its name"),
    (lambda b: b + [("/evil", b"x")], "member '/evil' has an absolute name"),
    (lambda b: b + [link("evil")], "member 'evil' is a link"),
    (lambda b: [(b[0][0], b"{}")] + b[1:], "hardway.lock: not a lock file"),
    (lambda b: [(b[0][0], b[0][1] + b" " * (1 << 20))] + b[1:], "member 'hardway.lock': larger than"),
    (lambda b: [(b[0][0], b'{"format": 1, "artifacts": []}')] + b[1:], "is not in it"),
])
def test_hostile(cluster, bundle, change, words):
    write(cluster.directory / "bad.tar", change(bundle))
    there = other_side(cluster)
    result = there("fetch", "--from", "../bad.tar", "--accept-mirror", status=65 if "not a lock" in words else 69 if "is not in it" in words else 76)
    assert words in result.err and "bad.tar" in result.err
    assert not (there.directory / "hardway.lock").exists()
    assert not list((there.directory / "cache" / "hardway").glob("*/*/*"))
    there("fetch", "--from", "../all.tar", "--accept-mirror")


def test_cut_short(cluster, bundle):
    whole = (cluster.directory / "all.tar").read_bytes()
    there = other_side(cluster)
    for size in (0, 100, 5000, len(whole) // 2, len(whole) - 11000):
        (cluster.directory / "cut.tar").write_bytes(whole[:size])
        assert "cut.tar" in there("fetch", "--from", "../cut.tar", "--accept-mirror", status=76).err
    assert not (there.directory / "hardway.lock").exists()


def test_our_lock_comes_first(cluster, bundle, mirror):
    there = other_side(cluster)
    text = (cluster.directory / "hardway.lock").read_text().replace(lock(cluster)["kube-scheduler"]["sha256"], "0" * 64)
    (there.directory / "hardway.lock").write_text(text)
    result = there("fetch", "--from", "../all.tar", status=76)
    assert "kube-scheduler" in result.err and "hardway.lock and the bundle say different things" in result.err
    assert (there.directory / "hardway.lock").read_text() == text
    result = there("fetch", "--from", "../all.tar", "--update-lock", "--accept-mirror")
    assert "hardway.lock changes:\n-kube-scheduler" in result.out and "\n+kube-scheduler" in result.out


def test_a_lock_made_elsewhere(cluster, mirror):
    """Without a word from the mirror: the lock is enough."""
    cluster("fetch", *mirror.options())
    there = other_side(cluster)
    shutil.copy(cluster.directory / "hardway.lock", there.directory)
    there("fetch", "--mirror", f"file://{mirror.root}")
    assert (there.directory / "hardway.lock").read_text() == (cluster.directory / "hardway.lock").read_text()


def test_bundle_of_what_is_damaged(cluster, mirror):
    cluster("fetch", *mirror.options())
    entry = lock(cluster)["kubectl"]["sha256"]
    path = cluster.directory / "cache" / "hardway" / "sha256" / entry[:2] / entry
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert "damaged" in cluster("fetch", "--offline", "--bundle", "all.tar", status=76).err
    assert not list(cluster.directory.glob("all.tar*"))


def test_signatures_out_of_reach(cluster, mirror, tmp_path):
    """A cache of before, without signatures, and nobody who has them: a bundle is made, and who needs what is said."""
    cluster("fetch", *mirror.options())
    path = cluster.directory / "hardway.lock"
    path.write_text(path.read_text().replace('"accepted"', '"signature"'))
    result = cluster("fetch", "--bundle", "all.tar", "--mirror", f"file://{tmp_path}")
    assert "kube-apiserver.sig" in result.out and "goes without a signature of it: the other side needs --accept-mirror" in result.out
    assert "hardway fetch --from all.tar --accept-mirror\n" in result.out
    other_side(cluster)("fetch", "--from", "../all.tar", "--accept-mirror")


def test_list(cluster, mirror):
    assert "not fetched yet" in cluster("fetch", "--list").out
    cluster("fetch", *mirror.options(), "--sha256", f"kube-scheduler={hashlib.sha256(program('kube-scheduler', 'arm64')).hexdigest().upper()}")
    out = cluster("fetch", "--list").out
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert "a mirror's or bundle's word, accepted" in rows["kubectl"]
    assert "pinned by hand" in rows["kube-scheduler"]
    assert lock(cluster)["etcd"]["sha256"] in rows["etcd"]
    entries = {entry["name"]: entry for entry in json.loads(cluster("fetch", "--list", "--json").out)}
    assert entries["kubectl"]["cached"] and entries["kubectl"]["needed"] and entries["kubectl"]["proof"] == "accepted"
    shutil.rmtree(cluster.directory / "cache")
    entries = {entry["name"]: entry for entry in json.loads(cluster("fetch", "--list", "--json").out)}
    assert not entries["kubectl"]["cached"]


def test_prune(cluster, mirror):
    """What any lock names that ever used the cache stays; unfinished downloads and the rest go."""
    cluster("fetch", *mirror.options())
    before = cached(cluster)
    other = cluster.directory / "other"
    other.mkdir()
    (other / "hardway.yaml").write_text(cluster.cluster.read_text().replace("arch: arm64", "arch: amd64"))
    cluster("fetch", *mirror.options(), cwd=other)
    assert len(cached(cluster)) == 2 * len(before)
    partial = cluster.directory / "cache" / "hardway" / "partial"
    (partial / "something").write_bytes(bytes(1000))

    assert "1 files, 1.0 kB: would be removed" in cluster("fetch", "--prune", "--dry-run").out
    assert (partial / "something").exists()
    assert "1 files, 1.0 kB: removed" in cluster("fetch", "--prune").out
    assert not (partial / "something").exists() and len(cached(cluster)) == 2 * len(before)

    shutil.rmtree(other)
    assert "7 files" in cluster("fetch", "--prune").out
    assert cached(cluster) == before
    complete(cluster)

    # A lock that cannot be read is no reason to throw things away.
    (cluster.directory / "hardway.lock").write_text("{")
    assert "hardway.lock" in cluster("fetch", "--prune", status=65).err
    assert cached(cluster) == before


def test_prune_waits_its_turn(cluster, mirror):
    cluster("fetch", *mirror.options())
    holder = subprocess.Popen(["flock", "--shared", cluster.directory / "cache" / "hardway" / "busy", "sh", "-c", "echo; read x"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    assert "in use by another hardway" in cluster("fetch", "--prune", status=75).err
    holder.communicate()
    cluster("fetch", "--prune")


def test_json(cluster, mirror):
    result = cluster("fetch", "--json", "--mirror", "https://127.0.0.1:1", *mirror.options("/rate:400000"))
    events = [json.loads(line) for line in result.out.splitlines()]
    kinds = {event["event"] for event in events}
    assert all(event["time"].endswith("Z") for event in events)
    assert kinds == {"note", "progress", "file", "done"}
    assert any("connection refused" in event.get("text", "") and "trying the next mirror" in event["text"] for event in events)
    files = {event["name"]: event for event in events if event["event"] == "file"}
    assert set(files) == set(BINARIES) | {"etcd"} and not any(event["cached"] for event in files.values())
    progress = [event for event in events if event["event"] == "progress"]
    assert all(0 <= event["done"] <= event["total"] for event in progress)
    assert events[-1]["event"] == "done" and events[-1]["binaries"] == 7 and events[-1]["fetched"] == 5
    again = [json.loads(line) for line in cluster("fetch", "--json").out.splitlines()]
    assert all(event["cached"] for event in again if event["event"] == "file") and again[-1]["fetched"] == 0


def test_update_lock(cluster, mirror, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(mirror.root, root)
    here = ["--mirror", f"file://{root}", "--accept-mirror"]
    cluster("fetch", *here)
    before = (cluster.directory / "hardway.lock").read_text()
    changed = program("kube-scheduler", "arm64")[:-1] + b"!"
    path = root / "release" / KUBERNETES / "bin" / "linux" / "arm64" / "kube-scheduler"
    path.write_bytes(changed)
    (path.parent / "kube-scheduler.sha256").write_text(hashlib.sha256(changed).hexdigest())

    # In the cache and as the lock says: nobody is asked.
    cluster("fetch", *here)
    assert (cluster.directory / "hardway.lock").read_text() == before
    result = cluster("fetch", "--update-lock", *here)
    old, new = (hashlib.sha256(data).hexdigest() for data in (program("kube-scheduler", "arm64"), changed))
    assert f"\n-kube-scheduler v1.36.3 arm64: sha256 {old}" in result.out
    assert f"\n+kube-scheduler v1.36.3 arm64: sha256 {new}" in result.out
    assert lock(cluster)["kube-scheduler"]["sha256"] == new
    assert (cluster.directory / "hardway.lock").read_text().replace(new, old) == before


def test_proxy(cluster, mirror):
    """As curl takes them from the environment: a tunnel, through which the server's own certificate is verified."""
    mirror.get("/forget")
    proxy = f"http://127.0.0.1:{mirror.ports['proxy']}"
    cluster("fetch", *mirror.options(), env={"https_proxy": proxy})
    complete(cluster)
    assert any(entry["path"] == f"CONNECT 127.0.0.1:{mirror.ports['good']}" for entry in mirror.get("/log"))
    shutil.rmtree(cluster.directory / "cache")
    closed = {"https_proxy": f"http://127.0.0.1:{mirror.ports['proxy-closed']}"}
    assert "the proxy (environment variable https_proxy) does not connect us: HTTP status 403" in cluster("fetch", *mirror.options(), env=closed, status=69).err
    cluster("fetch", *mirror.options(), env={**closed, "no_proxy": "127.0.0.1"})
    assert "proxy" in cluster("fetch", "--deep", "--update-lock", *mirror.options(), env={"https_proxy": "http://a..b:1"}, status=69).err


def test_room(cluster, mirror):
    """A lock that names more than the disk has: nothing is begun."""
    cluster("fetch", *mirror.options())
    shutil.rmtree(cluster.directory / "cache")
    path = cluster.directory / "hardway.lock"
    tree = json.loads(path.read_text())
    for entry in tree["artifacts"]:
        if entry["name"] == "kubectl":
            entry["size"] = 1 << 60
    path.write_text(json.dumps(tree))
    mirror.get("/forget")
    result = cluster("fetch", *mirror.options(), status=74)
    assert "the disk is full" in result.err and "are to come, and there is room for" in result.err
    assert mirror.sent() == []


def test_memory(hardway, mirror, tmp_path):
    """Not more than 16 MiB above `hardway --version`, whatever the size."""
    if "ASAN_OPTIONS" in os.environ:
        return  # sanitizers have memory of their own
    root = tmp_path / "root"
    folder = root / "release" / KUBERNETES / "bin" / "linux" / "arm64"
    folder.mkdir(parents=True)
    for name in BINARIES:
        data = program(name, "arm64") + bytes(30_000_000)
        (folder / name).write_bytes(data)
        (folder / f"{name}.sha256").write_text(hashlib.sha256(data).hexdigest())
    shutil.copytree(mirror.root / "etcd", root / "etcd")
    big = Mirror.of(tmp_path, root)
    hardway.init()

    def peak(*words):
        script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);" \
                 "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        done = subprocess.run(["python3", "-c", script, hardway.path, *words], cwd=hardway.directory, env=hardway.environment,
                              capture_output=True, text=True, check=True)
        return int(done.stdout)

    base = peak("--version")
    used = peak("fetch", *big.options())
    big.stop()
    assert used - base <= 16 * 1024, f"{used} KiB, {base} KiB of it at rest"
