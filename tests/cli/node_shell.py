# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shells that may be /bin/sh on a node; and a script of ours under one of them, below a root of its own."""
import os
import shutil
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]
# Who runs the tests on a machine of their own need not have them all.
SHELLS_HERE = [shell for shell in SHELLS if os.environ.get("CI") or shutil.which(shell[0])]


class Place:
    def __init__(self, root, shell):
        self.root, self.shell = root, shell
        (root / "bin").mkdir()

    def stand_in(self, name, body):
        """A program that the script finds in place of the machine's."""
        (self.root / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.root / "bin" / name).chmod(0o755)

    def run(self, script, status=0, **variables):
        """What a script of this path in the sources prints, a list of lines; or, if it is to fail, says of why."""
        text = ""
        for part in ("host/scripts/prelude.sh", script):
            with open(os.path.join(TOP, part), encoding="utf-8") as file:
                text += file.read()
        done = subprocess.run([*self.shell, "-c", text], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": os.environ["PATH"], "H_ROOT": str(self.root), **{name: str(value) for name, value in variables.items()}})
        assert done.returncode == status, done
        return done.stderr if status else done.stdout.splitlines()
