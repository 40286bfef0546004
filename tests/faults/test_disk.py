# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are full or read-only, and files that may not be written, at any write on the node's side: what went wrong is said with node and
path, nothing is half written, and the next run makes up for it. The driving side: test_driving.py."""
import re

import pytest

from world import INSTALL, choose, converges, old_or_new

# errno, what it is called, how many of the calls that it can meet are tried
TROUBLES = [
    ("ENOSPC", "No space left on device|disk is full", 8),
    ("EDQUOT", "quota|disk is full", 4),
    ("EROFS", "Read-only file system", 6),
    # systemd-sysusers does not always say why
    ("once:EACCES", "Permission denied|cannot write the user", 6),
    ("once:EIO", "Input/output error|I/O error|cannot write the user", 5),
]


def told(done, words):
    """One line that says what went wrong on which node, with a path; the details below say how."""
    assert re.search(r"^hardway: c0: .*/\w", done["err"], re.M), done
    assert re.search(words, done["err"]), done


@pytest.mark.parametrize("trouble, words, n", TROUBLES)
def test_node(for_each, undisturbed, trouble, words, n):
    machine_calls = {}

    def count(machine, kind):
        machine.begin(kind)
        machine_calls[kind] = len(machine.struck(-1, "node", trouble, *INSTALL)["calls"])

    def meet(machine, what):
        kind, at = what
        machine.begin(kind)
        struck = machine.struck(at, "node", trouble, *INSTALL)
        found = machine.state()
        old_or_new(found, undisturbed[kind])
        if struck["status"] == 0:  # it could do without that
            assert found == undisturbed[kind]["after"], struck
        else:
            told(struck, words)
            refused.append(at)
        converges(machine, undisturbed[kind], struck)

    refused = []
    for_each(["fresh", "change"], count)
    assert all(calls > 0 for calls in machine_calls.values()), machine_calls
    for_each([(kind, at) for kind, calls in machine_calls.items() for at in choose(calls, n)], meet)
    assert len(refused) >= n, (machine_calls, refused)  # of twice as many; some it can do without


@pytest.mark.parametrize("small", ["size=300k", "size=20m,nr_inodes=60"])
def test_small_disk(for_each, undisturbed, small):
    """A real one, which install would refuse in time, were it not told otherwise."""

    def fill(machine, options):
        machine.fresh(options=options)
        done = machine.run(argv=["hardway", *INSTALL, "--ignore", "disk-space"])
        assert done["status"] == 74, done
        told(done, "No space left on device")
        assert re.search(r"no space \(or no inodes\) left on the disk$", done["err"], re.M), done
        old_or_new(machine.state(), undisturbed["fresh"])
        machine.resize(options="size=200m,nr_inodes=10000")
        converges(machine, undisturbed["fresh"], done)

    for_each([small], fill)


@pytest.mark.parametrize("directory", ["/etc/systemd/system", "/var/lib/hardway"])
def test_read_only_file_system(for_each, undisturbed, directory):
    def protect(machine, path):
        machine.begin("change")
        before = machine.state()
        machine.run(argv=["sh", "-c", f"mount --bind {path} {path} && mount -o remount,ro,bind {path}"])
        done = machine.run(argv=["hardway", *INSTALL])
        assert done["status"] == 74, done
        assert re.search(f"^hardway: c0: {path}.*: the file system is read-only$", done["err"], re.M), done
        assert machine.state() == before
        machine.run(argv=["umount", path])
        converges(machine, undisturbed["change"], done)

    for_each([directory], protect)
