# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script that takes a node's snapshots, with an etcdctl and an etcdutl that answer as told. Under each shell that may be /bin/sh there."""
import json
import os
import re
import subprocess

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(TOP, "etcd", "scripts", "etcd-snapshot.sh")
STATUS = '{"hash":1,"revision":77,"totalKey":3,"totalSize":9,"version":"3.6.0"}'
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z\.db")


def run(argv, **env):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60,
                          env={"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": "/credentials", **env})


class Member:
    def __init__(self, directory, shell):
        self.shell, self.snapshots, self.programs = shell, directory / "snapshots", directory / "programs"
        self.snapshots.mkdir()
        self.programs.mkdir()
        self.program("etcdctl", f'echo "$@" >{directory}/asked; for a; do :; done; echo data >"$a"')
        self.program("etcdutl", f"echo '{STATUS}'")
        self.asked = directory / "asked"
        self.data = directory / "etcd"
        (self.data / "member" / "snap").mkdir(parents=True)
        with open(self.data / "member" / "snap" / "db", "wb") as file:
            file.truncate(10 << 20)

    def program(self, name, body):
        (self.programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.programs / name).chmod(0o755)

    def argv(self, keep, node="controller-0"):
        return [*self.shell, SCRIPT, str(self.snapshots), str(keep), str(self.programs), node, str(self.data)]

    def run(self, keep, node="controller-0", **env):
        return run(self.argv(keep, node), **env)

    def names(self):
        return sorted(os.listdir(self.snapshots))


@pytest.fixture(name="member", params=SHELLS_HERE, ids=lambda shell: shell[0])
def member_fixture(request, tmp_path):
    return Member(tmp_path, request.param)


def test_one_is_taken_checked_and_told_of(member):
    done = member.run(3)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    name, last, owner = member.names()
    assert owner == "node-controller-0" and NAME.fullmatch(name) and last == "last"
    told = json.loads((member.snapshots / "last").read_text())
    assert told["file"] == name and told["size"] == 5 and told["status"] == json.loads(STATUS)
    # all of it is etcd's alone, but for what the watch has to see
    assert (member.snapshots / name).stat().st_mode & 0o777 == 0o600 and (member.snapshots / "last").stat().st_mode & 0o777 == 0o644
    asked = member.asked.read_text()
    assert "--endpoints=https://127.0.0.1:2379 --cacert=/credentials/ca.crt --cert=/credentials/client.crt --key=/credentials/client.key" in asked


def test_it_is_on_the_disk_before_it_counts(member):
    """After a power cut a name may be there whose content is not."""
    log = member.snapshots.parent / "synced"
    member.program("sync", f'echo "$* of: $(ls | tr "\\n" " ")" >>{log}')
    done = member.run(3, PATH=f"{member.programs}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    [name] = [name for name in member.names() if NAME.fullmatch(name)]
    assert log.read_text().splitlines() == ["-- new.part of: new.part node-controller-0 ", f"-- last.new of: {name} last.new node-controller-0 ",
                                            f"-- . of: {name} last node-controller-0 "]


def test_the_newest_stay(member):
    old = [f"2001-01-0{n}T000000Z.db" for n in range(1, 6)]
    theirs = ["mine.db", "2019-photos.db", "2026-01-01.db", "2026-01-01T000000Z.db.gz", "download.part"]
    for name in [*old, *theirs]:
        (member.snapshots / name).write_text("old")
    assert member.run(3).returncode == 0
    names = [name for name in member.names() if NAME.fullmatch(name)]
    assert names[:2] == old[3:] and len(names) == 3
    assert set(theirs) <= set(member.names()), "what it has not made is not its to remove"


@pytest.mark.parametrize("program", ["etcdctl", "etcdutl"])
def test_one_that_fails_changes_nothing_that_counts(member, program):
    assert member.run(2).returncode == 0
    before, told = member.names(), (member.snapshots / "last").read_text()
    kept = (member.programs / program).read_text()
    member.program(program, 'for a; do :; done; echo half >new.part; echo "no room" >&2; exit 1')
    done = member.run(2)
    assert done.returncode != 0 and "no room" in done.stderr
    assert [name for name in member.names() if name != "new.part"] == before and (member.snapshots / "last").read_text() == told
    # and the next one clears up
    member.program(program, kept.split("\n", 1)[1])
    assert member.run(9).returncode == 0
    assert "new.part" not in member.names()


def test_a_clock_that_was_ahead_does_not_cost_the_one_just_taken(member):
    wrong = [f"2099-01-0{n}T000000Z.db" for n in range(1, 4)]
    for name in [*wrong, "2001-01-01T000000Z.db"]:
        (member.snapshots / name).write_text("old")
    assert member.run(3).returncode == 0
    told = json.loads((member.snapshots / "last").read_text())["file"]
    names = [name for name in member.names() if NAME.fullmatch(name)]
    assert told in names and len(names) == 3
    assert names == ["2001-01-01T000000Z.db", told, wrong[2]], "what is named after now goes first"


@pytest.mark.parametrize("keep", [1, 2])
def test_a_clock_that_is_behind_does_not_either(member, keep):
    member.program("date", """case "$*" in *%Y*) echo 1970-01-01T000000Z ;; *) echo 5 ;; esac""")
    os.environ["PATH"], path = f"{member.programs}:{os.environ['PATH']}", os.environ["PATH"]
    try:
        (member.snapshots / "2026-01-01T000000Z.db").write_text("good")
        (member.snapshots / "2026-01-02T000000Z.db").write_text("good")
        done = member.run(keep)
    finally:
        os.environ["PATH"] = path
    assert done.returncode == 0, done.stderr
    names = [name for name in member.names() if NAME.fullmatch(name)]
    assert names == ["1970-01-01T000000Z.db", "2026-01-02T000000Z.db"][:keep]


def test_nodes_that_share_a_directory_are_told_so_and_remove_nothing(member):
    assert member.run(1).returncode == 0
    before = (member.snapshots / "last").read_text()
    (member.snapshots / "new.part").write_text("of the other")
    done = member.run(1, node="controller-1")
    assert done.returncode == 1
    assert "holds the snapshots of controller-0, too: each node needs a directory of its own" in done.stderr
    assert (member.snapshots / "new.part").read_text() == "of the other" and (member.snapshots / "last").read_text() == before
    assert json.loads(before)["file"] in member.names()
    # a node that has another name by now does as it was told
    (member.snapshots / "node-controller-0").unlink()
    assert member.run(1, node="controller-1").returncode == 0


# A disk that the snapshots share with etcd, or have for themselves; how it was and what is left is told around what the script says.
DISK = """
set -eu
where=$1 size=$2 old=$3
shift 3
mount -t tmpfs -o "size=$size" tmpfs "$where"
mkdir -p "$where/etcd/member/snap" "$where/snapshots"
truncate -s 10M "$where/etcd/member/snap/db"
for name in $old; do head -c 15M /dev/zero >"$where/snapshots/$name"; done
if [ -n "$old" ]; then printf '{"file":"%s","time":1}\n' "$name" >"$where/snapshots/last"; fi
r=0
"$@" || r=$?
ls "$where/snapshots"
df -Pm "$where" | awk 'NR == 2 { print "free", $4 }'
exit "$r"
"""
OLD = [f"2001-01-0{n}T000000Z.db" for n in range(1, 4)]


def on_a_disk(member, tmp_path, size, old, shared=True):
    where = tmp_path / "disk"
    where.mkdir()
    member.snapshots = where / "snapshots"
    if shared:
        member.data = where / "etcd"
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = run([*unshare, "sh", "-c", DISK, "sh", str(where), size, " ".join(old), *member.argv(6)])
    names = done.stdout.split()
    return done, [name for name in names if NAME.fullmatch(name)], int(names[-1])


def test_the_older_ones_make_room_on_etcds_disk(member, tmp_path):
    done, names, _ = on_a_disk(member, tmp_path, "562M", OLD)  # 10 + 512 are needed, 517 are free without two, 532 without three
    assert done.returncode == 0, done.stderr
    assert names[0] == OLD[1] and names[1] == OLD[2] and len(names) == 3
    (tmp_path / "disk").rmdir()
    done, names, _ = on_a_disk(member, tmp_path, "547M", OLD)
    assert done.returncode == 0, done.stderr
    assert names[0] == OLD[2] and len(names) == 2


def test_none_is_taken_that_would_leave_etcd_no_room(member, tmp_path):
    member.program("etcdctl", "echo asked >&2; exit 1")
    done, names, free = on_a_disk(member, tmp_path, "530M", OLD)
    assert done.returncode == 1 and "asked" not in done.stderr
    assert "522 MB are needed for a snapshot, 512 MB of them to be left over, and 48" in done.stderr and "snapshots.directory" in done.stderr
    assert names == OLD and free > 480, "nothing goes where that would not do, and the last one never"


def test_a_disk_of_their_own_may_be_small(member, tmp_path):
    done, names, _ = on_a_disk(member, tmp_path, "48M", OLD[:1], shared=False)
    assert done.returncode == 0 and len(names) == 2, done.stderr
    (tmp_path / "disk").rmdir()
    done, names, _ = on_a_disk(member, tmp_path, "40M", OLD[:1], shared=False)
    assert done.returncode == 1 and names == OLD[:1] and "26 MB are needed for a snapshot, 16 MB of them" in done.stderr


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
def test_what_is_told_of_the_last_one_need_not_be_a_file(tmp_path, shell):
    """Who runs as etcd may have left anything under that name: root neither waits for a FIFO nor reads a file of its own by a link."""
    script = os.path.join(TOP, "etcd", "scripts", "etcd-scheduled.sh")

    def asked():
        done = subprocess.run([*shell, script], capture_output=True, text=True, check=False, timeout=30,
                              env={"PATH": os.environ["PATH"], "directory": str(tmp_path), "service": "x", "timer": "x"})
        assert done.returncode == 0, done
        return done.stdout.splitlines()[4:]

    (tmp_path / "last").write_text('{"file":"x.db","time":1}\n')
    assert asked() == ['{"file":"x.db","time":1}']
    (tmp_path / "last").rename(tmp_path / "elsewhere")
    (tmp_path / "last").symlink_to("elsewhere")
    assert asked() == [""]
    (tmp_path / "last").unlink()
    os.mkfifo(tmp_path / "last")
    assert asked() == [""]
