# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose is the configuration of haproxy and keepalived on a machine that is to be a load balancer? With package managers that answer as told,
under each shell that may be /bin/sh there."""
import hashlib
import os
import shutil
import subprocess

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
HAPROXY, KEEPALIVED = "/etc/haproxy/haproxy.cfg", "/etc/keepalived/keepalived.conf"
DEFAULT = "global\n\tdaemon\n"


class Machine:
    def __init__(self, directory, shell):
        self.shell, self.root, self.record, self.programs = shell, directory / "root", directory / "applied.paths", directory / "programs"
        self.programs.mkdir()
        for name in ("cut", "grep", "head", "md5sum", "sed"):
            (self.programs / name).symlink_to(shutil.which(name))

    def program(self, name, body):
        (self.programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.programs / name).chmod(0o755)

    def dpkg(self):
        """Debian's haproxy has a configuration, its keepalived has none."""
        digest = hashlib.md5(DEFAULT.encode()).hexdigest()
        self.program("dpkg-query", f'[ "$4" != haproxy ] || printf "\\n {HAPROXY} {digest}\\n /etc/default/haproxy 0123\\n"')

    def write(self, path, text):
        file = self.root / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def ask(self):
        text = f"set -eu\nroot='{self.root}'\nrecord='{self.record}'\n"
        for name in (("host", "scripts", "prelude.sh"), ("lbsetup", "scripts", "lb-configs.sh")):
            with open(os.path.join(TOP, *name), encoding="utf-8") as file:
                lines = file.read()
            # of the prelude only what scripts ask for programs with
            text += lines if name[0] == "lbsetup" else lines[lines.index("have() {"):].split("\n}\n")[0] + "\n}\n"
        done = subprocess.run([shutil.which(self.shell[0]), *self.shell[1:], "-c", text + "echo end\n"], capture_output=True, text=True, check=False,
                              env={"PATH": str(self.programs)}, timeout=60)
        assert done.returncode == 0 and not done.stderr and done.stdout.endswith("end\n"), done
        return done.stdout.splitlines()[:-1]


@pytest.fixture(name="machine", params=SHELLS_HERE, ids=lambda shell: shell[0])
def machine_fixture(request, tmp_path):
    return Machine(tmp_path, request.param)


def test_none_or_the_packages_own(machine):
    machine.dpkg()
    assert machine.ask() == []
    machine.write(HAPROXY, DEFAULT)
    machine.write(KEEPALIVED, "")
    assert machine.ask() == []


def test_somebody_elses(machine):
    machine.dpkg()
    machine.write(HAPROXY, DEFAULT + "listen www\n")
    assert machine.ask() == [HAPROXY]
    machine.write(KEEPALIVED, "vrrp_instance theirs {\n}\n")
    assert machine.ask() == [HAPROXY, KEEPALIVED]


def test_ours_is_ours_also_edited_and_also_before_it_is_recorded(machine):
    machine.dpkg()
    machine.write(HAPROXY, "# Written by hardway, which replaces what is changed here.\nglobal\n")
    machine.write(KEEPALIVED, "edited {\n}\n")
    assert machine.ask() == [KEEPALIVED]
    machine.record.write_text(f"etc/hosts\n{KEEPALIVED[1:]}\n")
    assert machine.ask() == []


@pytest.mark.parametrize("name, line, told", [
    ("haproxy", '#CONFIG="/srv/haproxy.cfg"', False),
    ("haproxy", 'CONFIG="/etc/haproxy/haproxy.cfg"', False),
    ("haproxy", "CONFIG=/srv/haproxy.cfg", True),
    ("haproxy", 'EXTRAOPTS="-de -m 16"', False),
    ("haproxy", 'EXTRAOPTS="-S /run/haproxy-master.sock -f /srv/more.cfg"', True),
    ("keepalived", 'DAEMON_ARGS=""', False),
    ("keepalived", 'DAEMON_ARGS="-D"', False),
    ("keepalived", 'DAEMON_ARGS="-f /srv/keepalived.conf"', True),
    ("keepalived", "DAEMON_ARGS='-D --use-file=/srv/keepalived.conf'", True),
])
def test_elsewhere(machine, name, line, told):
    """What the distributions' units read from /etc/default, and hardway's do not."""
    machine.dpkg()
    machine.write(HAPROXY, DEFAULT)
    machine.write(f"/etc/default/{name}", f"# Defaults\n{line}\n")
    assert machine.ask() == ([f"/etc/default/{name}"] if told else [])
    machine.record.write_text(f"{HAPROXY[1:]}\n{KEEPALIVED[1:]}\n")
    assert machine.ask() == []


def test_with_rpm(machine):
    machine.write(HAPROXY, DEFAULT)
    machine.program("rpm", "exit 0")
    assert machine.ask() == []
    machine.program("rpm", f"echo 'S.5....T.  c {HAPROXY}'; exit 1")
    assert machine.ask() == [HAPROXY]
    machine.program("rpm", f"echo 'file {HAPROXY} is not owned by any package' >&2; exit 1")
    assert machine.ask() == [HAPROXY]


def test_where_nobody_knows(machine):
    machine.write(HAPROXY, DEFAULT)
    assert machine.ask() == [f"? {HAPROXY}"]
