# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are full or read-only, and files that may not be written, at any write on the node's side: what went wrong is said with node and
path, nothing is half written, and the next run makes up for it. The driving side: test_driving.py."""
import re

import pytest

from world import NODES, choose, converges, install, old_or_new

# errno, what it is called, how many of the calls that it can meet are tried on each node
TROUBLES = [
    ("ENOSPC", "No space left on device|disk is full", {"c0": 8, "lb0": 3}),
    ("EDQUOT", "quota|disk is full", {"c0": 4, "lb0": 2}),
    ("EROFS", "Read-only file system", {"c0": 6, "lb0": 3}),
    # systemd-sysusers does not always say why
    ("once:EACCES", "Permission denied|cannot write the user", {"c0": 6, "lb0": 3}),
    ("once:EIO", "Input/output error|I/O error|cannot write the user", {"c0": 5, "lb0": 2}),
]


def told(done, node, words):
    """One line that says what went wrong on which node, with a path, or with the packages that it was about; the details below say how."""
    assert re.search(rf"^hardway: {node}: (.*/\w|apt-get could not install haproxy keepalived)", done["err"], re.M), done
    assert re.search(words, done["err"]), done


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("trouble, words, tried", TROUBLES)
def test_node(for_each, undisturbed, trouble, words, tried, node):
    errno = trouble.split(":")[-1]
    machine_calls = {what: sum(errno in errnos for errnos in undisturbed[node, what]["node"]) for what in ("fresh", "change")}

    def meet(machine, strike):
        what, at = strike
        machine.begin(node, what)
        struck = machine.struck(at, "node", trouble, *install(node))
        found = machine.state()
        old_or_new(found, undisturbed[node, what])
        if struck["status"] == 0:  # it could do without that
            assert found == undisturbed[node, what]["after"], struck
        else:
            told(struck, node, words)
            refused.append(at)
        converges(machine, node, undisturbed[node, what], struck)

    n, refused = tried[node], []
    assert all(calls > 0 for calls in machine_calls.values()), machine_calls
    for_each([(what, at) for what, calls in machine_calls.items() for at in choose(calls, n)], meet)
    assert len(refused) >= n, (machine_calls, refused)  # of twice as many; some it can do without


@pytest.mark.parametrize("small", ["size=300k", "size=20m,nr_inodes=60"])
def test_small_disk(for_each, undisturbed, small):
    """A real one, which install would refuse in time, were it not told otherwise."""

    def fill(machine, options):
        machine.begin("c0", "fresh", options)
        done = machine.run(argv=["hardway", *install("c0"), "--ignore", "disk-space"])
        assert done["status"] == 74, done
        told(done, "c0", "No space left on device")
        assert re.search(r"no space \(or no inodes\) left on the disk$", done["err"], re.M), done
        old_or_new(machine.state(), undisturbed["c0", "fresh"])
        machine.resize(options="size=200m,nr_inodes=10000")
        converges(machine, "c0", undisturbed["c0", "fresh"], done)

    for_each([small], fill)


@pytest.mark.parametrize("directory", ["/etc/systemd/system", "/var/lib/hardway"])
def test_read_only_file_system(for_each, undisturbed, directory):
    def protect(machine, path):
        machine.begin("c0", "change")
        before = machine.state()
        machine.run(argv=["sh", "-c", f"mount --bind {path} {path} && mount -o remount,ro,bind {path}"])
        done = machine.run(argv=["hardway", *install("c0")])
        assert done["status"] == 74, done
        assert re.search(f"^hardway: c0: {path}.*: the file system is read-only$", done["err"], re.M), done
        assert machine.state() == before
        machine.run(argv=["umount", path])
        converges(machine, "c0", undisturbed["c0", "change"], done)

    for_each([directory], protect)
