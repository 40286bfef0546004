# SPDX-License-Identifier: LGPL-2.1-or-later
"""How reset removes packages that came with hardway (operate/scripts/reset-packages.sh), below a directory, with stand-ins for dpkg and apt-get."""
import os
import shutil
import socket
import subprocess

import pytest

from node_shell import SHELLS

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# as they are after a power cut: nothing goes until dpkg was told to end what it began
PROGRAMS = {
    "dpkg": """case "$*" in *"--configure -a") rm -f "$HOME/cut" ;; esac""",
    "dpkg-query": """shift 3; for name; do case $name in haproxy) echo "half-configured haproxy" ;; gone) echo "not-installed gone" ;;
        *) status=1 ;; esac; done; exit "${status-0}\"""",
    "apt-get": """case "$*" in
        *never*|*gone*) echo "E: Unable to locate package never" >&2; exit 100 ;;
        "-s "*) printf 'Purg haproxy [2.6]\\nPurg liblua [5.3]\\nPurg procps [4]\\n' ;;
        "purge "*) [ ! -e "$HOME/cut" ] || exit 100
                if [ -s "$HOME/busy" ]; then : >"$HOME/busy"; exit 100; fi
                shift 5; echo "$*" >>"$HOME/purged" ;;
        esac""",
}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_after_a_power_cut(tmp_path, shell):
    programs, state, chroot = tmp_path / "bin", tmp_path / "lib/hardway", tmp_path / "chroot"
    for path in (programs, state, chroot / "dev", tmp_path / "theirs"):
        path.mkdir(parents=True)
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (state / "packages").write_text("haproxy\nnever\ngone\n")
    (state / "packages.needed").write_text("liblua\n")
    (tmp_path / "cut").touch()
    (tmp_path / "busy").write_text("once")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(chroot / "dev/socket"))
    (chroot / "dev/log").touch()
    (tmp_path / "theirs/page").touch()
    with open(f"{TOP}/operate/scripts/reset-packages.sh", encoding="utf-8") as file:
        text = file.read().replace("/var/lib/hardway", str(state))
    done = subprocess.run([shutil.which(shell[0]), *shell[1:], "-euc", f"leaves='{chroot} {tmp_path}/theirs {tmp_path}/none'\n{text}"],
                          env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done
    assert (tmp_path / "purged").read_text() == "haproxy liblua\n"
    assert not chroot.exists() and (tmp_path / "theirs/page").exists() and done.stdout == ""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_what_is_mounted_ends_no_reset(tmp_path, shell):
    """Something is mounted on what has to go, as find says then; the rest of the reset follows."""
    programs, state, chroot = tmp_path / "bin", tmp_path / "lib/hardway", tmp_path / "chroot"
    for path in (programs, state, chroot / "dev"):
        path.mkdir(parents=True)
    for name, body in {**PROGRAMS, "find": "echo 'find: cannot delete: Device or resource busy' >&2; exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (state / "packages").write_text("haproxy\n")
    with open(f"{TOP}/operate/scripts/reset-packages.sh", encoding="utf-8") as file:
        text = file.read().replace("/var/lib/hardway", str(state))
    done = subprocess.run([shutil.which(shell[0]), *shell[1:], "-euc", f"leaves={chroot}\n{text}\necho goes on"],
                          env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0 and done.stdout == f"trouble {chroot} could not be cleared\ngoes on\n", done
