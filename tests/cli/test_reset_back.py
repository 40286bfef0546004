# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was on a node before hardway came: what the script of `plan --script` keeps of it, and what reset puts back."""
import os
import shutil
import subprocess

import pytest

from node_shell import SHELLS

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# systemd, as far as it is asked: one unit that is enabled and runs, one that does not start, and others that are not there
SYSTEMCTL = """#!/bin/sh
case $* in
"show -p LoadState --value old.service") echo loaded ;;
"show -p LoadState --value "*) echo not-found ;;
"show -p UnitFileState --value "*) echo enabled ;;
"show -p ActiveState --value "*) echo active ;;
"start -- broken.service") exit 1 ;;
*) echo "$*" >>"$LOG" ;;
esac
"""


@pytest.fixture(name="node", params=SHELLS, ids=lambda shell: shell[0])
def node_fixture(request, tmp_path):
    """Runs commands behind parts of scripts, on a node whose root is tmp_path."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin" / "systemctl").chmod(0o755)
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib/hardway").mkdir(parents=True)

    def run(text):
        environment = {"PATH": f"{tmp_path}/bin:" + os.environ["PATH"], "LC_ALL": "C", "LOG": f"{tmp_path}/log"}
        return subprocess.run([shutil.which(request.param[0]), *request.param[1:], "-euc", f"umask 077\n{text}"], env=environment,
                              capture_output=True, text=True, check=False, timeout=60)

    run.root = tmp_path
    return run


def part(node, commands):
    """The part of plan --script, where /var/lib/hardway is below the node's root, and paths are taken as they come."""
    text = ""
    for name in ("record", "taken"):
        with open(os.path.join(TOP, "plan", "scripts", f"script-{name}.sh"), encoding="utf-8") as file:
            text += file.read().replace("STATE=/var", f"STATE={node.root}/var").replace("/etc/systemd/system/", f"{node.root}/units/")
    return node(f"die() {{ echo \"$*\" >&2; exit 1; }}\n{text}\n{commands}")


def state(path):
    st = path.lstat()
    return path.read_bytes(), oct(st.st_mode), st.st_uid, st.st_mtime_ns


def test_the_script_keeps_what_it_replaces(node):
    config, copy = node.root / "etc/a.conf", node.root / f"var/lib/hardway/before{node.root}/etc/a.conf"
    config.write_text("theirs")
    config.chmod(0o640)
    before = state(config)
    done = part(node, f"take {config}; echo ours >{config}; take {config}; take {node.root}/etc/new; take {node.root}/units/old.service.d/50-hardway.conf")
    assert done.returncode == 0 and done.stdout == f"kept what was {config}\n", done
    assert state(copy) == before
    assert (node.root / "var/lib/hardway/before").stat().st_mode & 0o777 == 0o700
    lines = (node.root / "var/lib/hardway/taken").read_text().splitlines()
    assert lines == sorted([f"{config} kept", f"{node.root}/etc/new nothing",
                            f"{node.root}/units/old.service.d/50-hardway.conf nothing old.service enabled active"])
    # again, and of a unit that is ours by then: nothing is kept or asked any more
    done = part(node, f"take {config}; take {node.root}/units/old.service; take {node.root}/units/none.service")
    assert done.returncode == 0 and done.stdout == "", done
    assert state(copy) == before
    lines = (node.root / "var/lib/hardway/taken").read_text().splitlines()
    assert f"{node.root}/units/old.service nothing" in lines and f"{node.root}/units/none.service nothing" in lines
    # what install has recorded is ours
    (node.root / "var/lib/hardway/applied.paths").write_text(f"{str(node.root)[1:]}/etc/recorded\n")
    (node.root / "etc/recorded").write_text("ours")
    part(node, f"take {node.root}/etc/recorded")
    assert "recorded" not in (node.root / "var/lib/hardway/taken").read_text()


def test_the_script_replaces_nothing_that_it_cannot_keep(node):
    (node.root / "etc/a.conf").write_text("theirs")
    (node.root / "bin/cp").write_text("#!/bin/sh\nexit 1\n")
    (node.root / "bin/cp").chmod(0o755)
    done = part(node, f"take {node.root}/etc/a.conf; echo ours >{node.root}/etc/a.conf")
    assert done.returncode == 1 and "cannot keep" in done.stderr, done
    assert (node.root / "etc/a.conf").read_text() == "theirs" and not (node.root / "var/lib/hardway/taken").exists()


def test_reset_puts_files_back(node):
    before = node.root / "var/lib/hardway/before/etc"
    (before / "gone").mkdir(parents=True)
    (before / "a.conf").write_text("theirs")
    (before / "a.conf").chmod(0o600)
    (before / "gone/b.conf").write_text("b")
    (before / "link").symlink_to("/nowhere")
    (node.root / "etc/a.conf").write_text("ours")
    (node.root / "etc/back").write_text("was put back by a reset that was interrupted, and edited since")
    wanted = state(before / "a.conf")
    text = f"root={node.root} paths='/etc/a.conf /etc/gone/b.conf /etc/link /etc/back'\n. {TOP}/operate/scripts/reset-files-back.sh\n"
    for _ in range(2):
        done = node(text)
        assert done.returncode == 0 and done.stdout + done.stderr == "", done
        assert state(node.root / "etc/a.conf") == wanted
        assert (node.root / "etc/gone/b.conf").read_text() == "b" and os.readlink(node.root / "etc/link") == "/nowhere"
        assert "edited since" in (node.root / "etc/back").read_text()
        assert not list((node.root / "etc").rglob("*.hw-new"))


def test_reset_puts_units_back(node):
    done = node("units='a.service enabled active b.service disabled active broken.service enabled active c.service masked inactive'\n"
                f". {TOP}/operate/scripts/reset-units-back.sh\n")
    assert done.returncode == 0 and done.stdout == "trouble broken.service ran before, and does not start\n", done
    assert (node.root / "log").read_text().splitlines() == [
        "enable --quiet -- a.service", "start -- a.service", "start -- b.service", "enable --quiet -- broken.service",
        "mask --quiet -- c.service"]
