# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which users a reset deletes (operate/scripts/reset-users.sh), with stand-ins for what knows and deletes them."""
import os
import shutil
import subprocess

import pytest

from node_shell import SHELLS

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = {
    "getent": """case "$1 $2" in "passwd gone" | "group gone" | "group kube-proxy") exit 2 ;; esac; echo "$2:x:1:" """,
    "userdel": 'echo "$0 $*" | sed "s,.*/,," >>"$HOME/deleted"; [ ! -e "$HOME/busy" ]',
    "groupdel": 'echo "$0 $*" | sed "s,.*/,," >>"$HOME/deleted"',
}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_those_that_came_with_hardway_go(tmp_path, shell):
    programs, record = tmp_path / "bin", tmp_path / "lib/hardway/users"
    for path in (programs, record.parent):
        path.mkdir(parents=True)
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    with open(f"{TOP}/operate/scripts/reset-users.sh", encoding="utf-8") as file:
        text = file.read().replace("/var/lib/hardway", str(record.parent))

    def run(keep):
        return subprocess.run([shutil.which(shell[0]), *shell[1:], "-euc", f"keep='{keep}'\n{text}\necho goes on"], capture_output=True, text=True,
                              env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}, check=False, timeout=60)

    assert run("").stdout == "goes on\n", "there is no record"
    record.write_text("etcd\nkube-apiserver\ngone\nkube-proxy\n\n-r\na b\n$(reboot)\n../x\n")
    (tmp_path / "busy").touch()
    assert run("etcd").returncode != 0 and "kube-apiserver\n" in record.read_text(), "it is tried again"
    (tmp_path / "busy").unlink()
    (tmp_path / "deleted").unlink()
    for _ in range(2):
        done = run("store etcd")
        assert done.returncode == 0 and done.stdout == "goes on\n" and done.stderr == "", done
        assert (tmp_path / "deleted").read_text() == "userdel kube-apiserver\ngroupdel kube-apiserver\nuserdel kube-proxy\n"
        assert record.read_text() == "etcd\n\n-r\na b\n$(reboot)\n../x\n"
