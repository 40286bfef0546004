# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a node is asked before something is installed there: is a way open? With a bash that says what it says in each case, and with the real
one. How fast is the disk, also where somebody waits for root to write there? Under each shell that may be /bin/sh there."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def function(name):
    with open(os.path.join(TOP, "check", "scripts", "questions.sh"), encoding="utf-8") as file:
        return re.search(rf"^{name}\(\) \{{\n.*?^\}}\n", file.read(), re.M | re.S).group(0)


def way(shell, target, directory=None):
    path = os.environ["PATH"] if directory is None else f"{directory}:{os.environ['PATH']}"
    argv = [shutil.which(shell[0]), *shell[1:], "-c", f"set -eu\n{function('way')}\nway {target}\n"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30, env={"PATH": path, "LC_ALL": "C"})
    assert done.returncode == 0, done
    return done.stdout


# what bash says after "bash: connect: ", with which status, and what is concluded
SAID = [
    ("", 0, "open"),
    ("Connection refused", 1, "refused"),
    ("Connection timed out", 1, "silent"),
    ("", 124, "silent"),
    ("No route to host", 1, "unreachable No route to host"),
    ("Network is unreachable", 1, "unreachable Network is unreachable"),
    # a firewall's "administratively prohibited", by ICMPv6
    ("Permission denied", 1, "unreachable Permission denied"),
    ("Protocol error", 1, "unreachable Protocol error"),
    # a bash that was built without /dev/tcp, and none
    ("No such file or directory", 1, None),
    ("", 127, None),
    ("", 1, None),
]


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
@pytest.mark.parametrize("said, status, found", SAID)
def test_what_is_concluded(shell, said, status, found, tmp_path):
    text = f"echo 'bash: connect: {said}' >&2; echo 'bash: line 1: /dev/tcp/fd00::1/2380: {said}' >&2" if said else ":"
    program = tmp_path / "bash"
    program.write_text(f"#!/bin/sh\n{text}\nexit {status}\n")
    program.chmod(0o755)
    assert way(shell, "fd00::1/2380", tmp_path) == (f"way fd00::1/2380 {found}\n" if found else "")


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
def test_what_the_real_one_says(shell):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        target = f"127.0.0.1/{server.getsockname()[1]}"
        assert way(shell, target) == f"way {target} refused\n"
        server.listen()
        assert way(shell, target) == f"way {target} open\n"


DISK = """set -eu
cd "$1"
[ "$2" = same ] || mount -t tmpfs tmpfs var/lib/etcd
ln -s ../../../secret var/lib/etcd/.hardway-check
ln -s ../../../made var/lib/etcd/.other
chown -hR "$3" var/lib/etcd
chmod "$4" var/lib/etcd
have() { command -v "$1" >/dev/null 2>&1; }
H_SYNC=var/lib/etcd
"""


def measure(shell, root, disk, owner, mode):
    script = DISK + "".join(function(name) for name in ("ours", "choose_place", "sync_latency")) + "sync_latency\n"
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    argv = [*unshare, shutil.which(shell[0]), *shell[1:], "-c", script, "sh", str(root), disk, owner, mode]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
@pytest.mark.parametrize("disk, owner, mode", [("same", "65534:65534", "0700"), ("own", "65534:65534", "0700"), ("same", "0:0", "0777"),
                                               ("own", "0:0", "0777")])
def test_root_writes_through_no_link(shell, disk, owner, mode, tmp_path):
    """Whoever has taken over etcd could have root overwrite any file by it, when somebody checks why etcd is down."""
    if os.geteuid() != 0 and owner != "0:0":
        pytest.skip("another owner takes root")
    os.chmod(tmp_path, 0o755)
    for path in [*tmp_path.parents][:2]:
        if os.stat(path).st_uid == os.geteuid():
            os.chmod(path, 0o755)  # pytest's, which etcd's user could not pass
    (tmp_path / "var" / "lib" / "etcd").mkdir(parents=True)
    (tmp_path / "secret").write_text("root's\n")
    done = measure(shell, tmp_path, disk, owner, mode)
    assert done.returncode == 0 and done.stderr == "", done
    assert (tmp_path / "secret").read_text() == "root's\n"
    assert not (tmp_path / "var" / "lib" / ".hardway-check").exists()
    # on a disk of its own etcd's rights are not enough for what it has linked to: nothing is measured
    assert ("sync 10 " in done.stdout) == (disk == "same"), done


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
def test_a_disk_of_its_own_is_measured(shell, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("another owner takes root")
    os.chmod(tmp_path, 0o755)
    (tmp_path / "var" / "lib" / "etcd").mkdir(parents=True)
    (tmp_path / "secret").write_text("")
    # its own file, as a run that was killed leaves it
    script = DISK.replace("ln -s ../../../secret", "echo >").replace("chown -hR", "test -f var/lib/etcd/.hardway-check; chown -hR")
    script += "".join(function(name) for name in ("ours", "choose_place", "sync_latency")) + "sync_latency; ls -A var/lib/etcd\n"
    argv = ["unshare", "-m", shutil.which(shell[0]), *shell[1:], "-c", script, "sh", str(tmp_path), "own", "65534:65534", "0700"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.startswith("sync 10 ") and done.stdout.endswith("\n.other\n"), done
