# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway backup and restore, as somebody meets them who moves to another machine."""
import os
import pty
import select
import subprocess
import time

import pytest

PASSPHRASE = "correct horse battery"


@pytest.fixture(name="store")
def store_fixture(cluster):
    cluster("pki", "gen")
    (cluster.directory / "passphrase").write_text(PASSPHRASE + "\n")
    return cluster


def backup(program, *words, status=0):
    return program("backup", "pi.backup", "--passphrase-file", "passphrase", *words, status=status)


def restore(program, directory, *words, status=0):
    return program("restore", "pi.backup", "--directory", str(directory), "--passphrase-file", "passphrase", *words,
                   status=status)


def tree(directory):
    """What belongs to a cluster, with modes and bytes."""
    result = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if name.split("/")[0] not in ("pki", "secrets", "hardway.yaml", "hardway.lock", "admin.conf", "super-admin.conf",
                                      ".gitignore"):
            continue
        if path.is_file() and not path.name.startswith(".") or name == ".gitignore":
            if name != "secrets/backup":
                result[name] = (oct(path.stat().st_mode), path.read_bytes())
    return result


def test_another_machine(store, tmp_path):
    other = tmp_path / "other"
    assert "Wrote pi.backup" in backup(store).out
    assert (store.directory / "pi.backup").stat().st_mode & 0o7777 == 0o600
    assert "Restored" in restore(store, other).out
    assert tree(other) == tree(store.directory)
    assert "already, as in the backup: nothing to do" in restore(store, other).out
    assert "nothing to do" in store("pki", "gen", cwd=other).out
    assert (other / "pki").stat().st_mode & 0o7777 == 0o700


def test_nothing_is_readable_in_it(store):
    backup(store)
    data = (store.directory / "pi.backup").read_bytes()
    assert data.startswith(b"hardway-backup\n")
    for word in b"PRIVATE", b"kubernetes", b"ustar", b"pki/":
        assert word not in data


def test_dry_run(store, tmp_path):
    names = backup(store, "--dry-run").out.splitlines()
    assert {"hardway.yaml", "pki/ca.key", "secrets/identity", "admin.conf", ".gitignore"} <= set(names)
    assert not (store.directory / "pi.backup").exists()
    backup(store)
    assert restore(store, tmp_path / "other", "--dry-run").out.splitlines() == names
    assert not (tmp_path / "other").exists()


def test_replaces_nothing(store, tmp_path):
    backup(store)
    assert "will not replace it" in backup(store, status=73).err
    backup(store, "--force")
    other = tmp_path / "other"
    other.mkdir()
    (other / "hardway.yaml").write_text("cluster: another\n")
    assert "hardway.yaml: exists and differs" in restore(store, other, status=73).err
    assert [p.name for p in other.iterdir()] == ["hardway.yaml"]


def test_one_file_comes_back(store, tmp_path):
    """As is advised where another key for secrets would be rolled out: beside the directory, since nothing is replaced in it."""
    key = store.directory / "secrets" / "encryption-key"
    before = key.read_text()
    backup(store)
    key.write_text("b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIhISE=\n")
    assert "secrets/encryption-key: exists and differs" in restore(store, store.directory, status=73).err
    restore(store, tmp_path / "before")
    assert (tmp_path / "before" / "secrets" / "encryption-key").read_text() == before


def test_wrong_passphrase_and_damage(store, tmp_path):
    backup(store)
    other = tmp_path / "other"
    (store.directory / "passphrase").write_text("another passphrase\n")
    assert "this is not its passphrase" in restore(store, other, status=77).err
    (store.directory / "passphrase").write_text(PASSPHRASE)

    path = store.directory / "pi.backup"
    whole = path.read_bytes()
    for damaged, why in ((whole[:-1], "is cut off"), (whole + b"x", "1 bytes too many"), (b"x" + whole[1:], "is not a backup"),
                         (whole[:500] + b"xyz" + whole[503:], "is damaged"), (b"", "is not a backup")):
        path.write_bytes(damaged)
        assert why in restore(store, other, status=65).err
        assert not other.exists()


@pytest.mark.parametrize("text, why", [("", "holds no passphrase"), ("short\n", "shorter than 8"),
                                       ("two long\nlines of it\n", "one line"), ("x" * 2000, "larger than")])
def test_bad_passphrase_files(store, text, why):
    (store.directory / "passphrase").write_text(text)
    assert why in backup(store, status=74 if why == "larger than" else 64).err
    assert not (store.directory / "pi.backup").exists()


def test_nothing_to_back_up(cluster):
    (cluster.directory / "passphrase").write_text(PASSPHRASE)
    assert "nothing to lose" in backup(cluster, status=65).err


def test_no_terminal(store):
    done = subprocess.run([store.path, "backup", "pi.backup"], cwd=store.directory, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, start_new_session=True, check=False)
    assert done.returncode != 0
    assert "--passphrase-file" in done.stderr


def converse(program, words, answers):
    """Runs the program on a terminal of its own and answers its questions; returns its status and all it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(program.directory)
        os.execve(program.path, [program.path, *words], program.environment)
    shown = b""
    deadline = time.monotonic() + 60
    answers = list(answers)
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if shown.endswith(b": ") and answers:
            os.write(fd, answers.pop(0).encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_asked_at_the_terminal(store, tmp_path):
    status, shown = converse(store, ["backup", "pi.backup"], [PASSPHRASE, "something else"])
    assert status == 64 and "the two passphrases differ" in shown
    assert not (store.directory / "pi.backup").exists()
    status, shown = converse(store, ["backup", "pi.backup"], [PASSPHRASE, PASSPHRASE])
    assert status == 0 and PASSPHRASE not in shown
    other = tmp_path / "other"
    status, shown = converse(store, ["restore", "pi.backup", "--directory", str(other)], [PASSPHRASE])
    assert status == 0 and PASSPHRASE not in shown
    assert tree(other) == tree(store.directory)
