# SPDX-License-Identifier: LGPL-2.1-or-later
"""What reset takes out of directories that somebody chose for a service to write to: what its user owns, and nothing else."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(TOP, "operate", "scripts", "reset-chosen.sh")
SERVICE, OTHER = 61001, 61002

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of other users can be made by root alone")


def put(path, owner):
    path.mkdir() if path.suffix == ".d" else path.write_text("x")
    os.chown(path, owner, owner)


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"], ["bash", "--posix"]])
def test_what_is_not_the_services_stays(tmp_path, shell):
    ours, mixed = tmp_path / "ours.d", tmp_path / "mixed.d"
    for path in (ours, mixed):
        put(path, SERVICE)
        put(path / "audit.log", SERVICE)
        put(path / "old.d", SERVICE)
        put(path / "old.d" / "audit-1.log", SERVICE)
    put(mixed / "photos.d", OTHER)
    put(mixed / "photos.d" / "1.jpg", OTHER)
    put(mixed / "old.d" / "notes", 0)
    roots = tmp_path / "roots.d"
    put(roots, 0)
    put(roots / "precious", 0)
    text = f"chosen='{ours} {mixed} {roots} {tmp_path}/gone.d'\n. {SCRIPT}\n"
    for _ in range(2):  # again, it finds nothing more
        done = subprocess.run([shutil.which(shell[0]), *shell[1:], "-euc", text], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done
        left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
        assert left == ["mixed.d", "mixed.d/old.d", "mixed.d/old.d/notes", "mixed.d/photos.d", "mixed.d/photos.d/1.jpg",
                        "roots.d", "roots.d/precious"]
        assert mixed.stat().st_uid == 0
