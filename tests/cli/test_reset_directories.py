# SPDX-License-Identifier: LGPL-2.1-or-later
"""What reset takes out of directories in which others may have something: what the service's user owns, and nothing else."""
import os
import pwd
import shutil
import subprocess

import pytest

from node_shell import SHELLS

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(TOP, "operate", "scripts", "reset-directories.sh")
SERVICE, OTHER = pwd.getpwnam("daemon"), pwd.getpwnam("bin")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of other users can be made by root alone")


def put(path, owner=None):
    path.mkdir() if path.suffix == ".d" else path.write_text("x")
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


def run(shell, text):
    done = subprocess.run([shutil.which(shell[0]), *shell[1:], "-euc", text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.splitlines()


def look(top):
    return sorted(f"{path.relative_to(top)} {path.owner()} {path.lstat().st_mode & 0o7777:o}" for path in top.rglob("*"))


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_what_is_not_the_services_stays(tmp_path, shell):
    for name in ("made.d", "mixed.d", "was.d", "elses.d", "left.d"):
        path = put(tmp_path / name, SERVICE)
        path.chmod(0o700)
        put(path / "audit.log", SERVICE)
        put(put(path / "old.d", SERVICE) / "audit-1.log", SERVICE)
    put(put(tmp_path / "mixed.d/photos.d", OTHER) / "1.jpg", OTHER)
    put(tmp_path / "mixed.d/old.d/notes")
    # another has got it since, who has things of the service's user in it
    os.chown(tmp_path / "elses.d", OTHER.pw_uid, OTHER.pw_gid)
    put(tmp_path / "elses.d/theirs", OTHER)
    put(put(tmp_path / "roots.d") / "precious")
    (tmp_path / "link.d").symlink_to(tmp_path / "roots.d")
    user = "daemon:daemon"
    words = [f"sweep {tmp_path}/{name} {user} {was}" for name, was in (
        ("made.d", "- root:root"), ("mixed.d", "- root:root"), ("was.d", "2750 root:bin"), ("elses.d", "755 root:root"),
        ("roots.d", "- root:root"), ("gone.d", "- root:root"), ("link.d", "- root:root"))]
    words += [f"leave {tmp_path}/left.d {user} 711 nobody-has-this-name:root", f"sweep {tmp_path}/roots.d root:root - root:root",
              f"sweep {tmp_path}/roots.d nobody-has-this-name:root - root:root"]
    for _ in range(2):  # again, it finds nothing more
        told = run(shell, f"directories='{' '.join(words)}'\n. {SCRIPT}\n")
        assert set(told) == {f"trouble {tmp_path}/{name}: what others have in it stays" for name in ("mixed.d", "roots.d")}
        seen = look(tmp_path)
        assert [line.split()[0] for line in seen] == [
            "elses.d", "elses.d/theirs", "left.d", "left.d/audit.log", "left.d/old.d", "left.d/old.d/audit-1.log", "link.d", "mixed.d",
            "mixed.d/old.d", "mixed.d/old.d/notes", "mixed.d/photos.d", "mixed.d/photos.d/1.jpg", "roots.d", "roots.d/precious", "was.d"]
        for line in ("mixed.d root 700", "was.d root 2750", "elses.d bin 700", "left.d root 711", "left.d/audit.log daemon 644"):
            assert line in seen, (line, seen)
        assert (tmp_path / "was.d").group() == "bin"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_what_a_restore_has_left_goes(tmp_path, shell):
    """All of the cluster's secrets are in it, and it is root's where it was killed."""
    token = "0123456789abcdef" * 2
    mounted, plain = tmp_path / "mounted.d", tmp_path / "plain.d"
    for path in (mounted, plain):
        put(path, SERVICE)
        for name in (f"restored-{token}", f"before-{token}"):
            (path / name / "member").mkdir(parents=True)
            put(path / name / "member" / "db")
        put(path / "member", SERVICE)
    put(mounted / "before-the-move").chmod(0o600)
    (mounted / "before-upgrade").mkdir()
    (mounted / "restored-abc").symlink_to(tmp_path)
    (plain / "lost+found").mkdir()
    words = f"data {mounted} daemon:daemon - root:root sweep {plain} daemon:daemon - root:root"
    assert run(shell, f"directories='{words}'\n. {SCRIPT}\n") == [f"trouble {path}: what others have in it stays" for path in (mounted, plain)]
    assert sorted(path.name for path in mounted.iterdir()) == ["before-the-move", "before-upgrade", "restored-abc"]
    assert sorted(path.name for path in plain.iterdir()) == [f"before-{token}", "lost+found", f"restored-{token}"]
    # of a disk of its own only that is left, and nothing to tell of; again, also without the user
    for name in ("before-the-move", "restored-abc"):
        (mounted / name).unlink()
    (mounted / "before-upgrade").rename(mounted / "lost+found")
    put(mounted / "keeps")
    for path in plain.iterdir():
        path.rename(mounted / path.name) if path.name != "lost+found" else None
    words = f"data {mounted} nobody-has-this-name:x - root:root data {plain} daemon:daemon - root:root"
    assert run(shell, f"directories='{words}'\n. {SCRIPT}\n") == [f"trouble {mounted}: what others have in it stays"]
    assert sorted(path.name for path in mounted.iterdir()) == ["keeps", "lost+found"]
