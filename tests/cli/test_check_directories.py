# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script that tells who uses directories that flags name (check/scripts/directories.sh), under each shell that may be /bin/sh there."""
import getpass
import os
import subprocess

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(TOP, "check", "scripts", "directories.sh")
ME, OTHER = getpass.getuser(), "daemon"


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=lambda shell: shell[0])
def test_who_uses_it(tmp_path, shell):
    def ask(*words):
        done = subprocess.run([*shell, "-eu", "-c", f'directories="{" ".join(map(str, words))}"; . {SCRIPT}'], capture_output=True, text=True,
                              check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.splitlines()

    directory, file = tmp_path / "audit", tmp_path / "file"
    file.touch()
    assert ask(directory, OTHER) == []
    directory.mkdir()
    # root's, and empty, as somebody makes it for the service; any other user has it for something
    assert ask(directory, OTHER) == ([] if ME == "root" else [f"{directory} {OTHER} . {ME}"])
    (directory / "lost+found").mkdir()
    assert ask(directory, ME) == [] and ask(file, ME) == [f"{file} {ME} . {ME}"]
    (directory / ".hidden file").touch()
    assert ask(directory, ME) == [], "what is the service's may stay"
    wanted = f"{directory} {OTHER} .hidden_file {ME}" if ME == "root" else f"{directory} {OTHER} . {ME}"
    assert ask(tmp_path / "none", ME, directory, OTHER, directory, ME) == [wanted]
