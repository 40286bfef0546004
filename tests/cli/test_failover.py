# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hardway verify --failover` from outside, without nodes: what it refuses, and that the manual knows every drill."""
import json
import os
import pty
import re
import select

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(name="ready")
def ready_fixture(cluster):
    """With keys and a lock file, which is all that verify wants before it asks the nodes."""
    cluster("pki", "gen")
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    return cluster


@pytest.fixture(name="alone")
def alone_fixture(ready):
    """Without a network, where it takes no time to find that no node can be reached."""
    script = ready.directory / "alone"
    script.write_text(f'#!/bin/sh\nexec unshare {"-n" if os.geteuid() == 0 else "-rn"} {ready.path} "$@"\n')
    script.chmod(0o755)
    ready.path = str(script)
    return ready


def leave(ready, power, drill="owner-link"):
    """As a drill does that was killed with all that could put back."""
    pending = ready.directory / "secrets" / "failover.pending"
    pending.write_text(json.dumps({"drill": drill, "node": "lb0", "since": "2026-11-28T12:00:00Z", "power": power, "directory": "/"}))
    pending.chmod(0o600)
    return pending


def test_unknown_drill(ready):
    result = ready("verify", "--failover", "--yes", "--drill", "etcd-leeder", status=64)
    assert "there is no drill 'etcd-leeder'; did you mean 'etcd-leader'?" in result.err
    assert "haproxy-hung" in ready("verify", "--failover", "--drill", "x", status=64).err


def test_nobody_can_be_asked(ready):
    result = ready("verify", "--failover", status=64)
    assert "--yes" in result.err
    assert "etcd is killed where it leads" in result.out and "loses its power" not in result.out
    assert "loses its power" in ready("verify", "--failover", "--power", "plug", status=64).out


def test_nothing_is_broken_beside_what_is_broken_still(ready):
    """What an interrupted drill has left comes first; if it cannot be put back, that is all."""
    pending = leave(ready, "false")
    refused = ready("verify", "--failover", "--yes", "--drill", "haproxy", "--power", "false", status=69)
    assert "the owner of the VIP loses its network (lb0, since 2026-11-28T12:00:00Z)" in refused.err
    assert "could not be put back: --power: 'false up lb0' ended with status 1" in refused.err
    assert pending.exists()


def verify_at_a_terminal(program, answer):
    """Answers its question; returns all that it has shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(program.directory)
        os.execve(program.path, [program.path, "verify", "--yes"], program.environment)
    shown = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        shown += piece
        if piece.endswith(b"[y/N] "):
            os.write(fd, answer.encode() + b"\n")
    os.close(fd)
    os.waitpid(pid, 0)
    return shown.decode()


def test_a_file_runs_no_command(alone):
    """It may have come with the directory: what it says is run only where somebody has seen it and says yes."""
    done = alone.directory / "done"
    pending = leave(alone, f"touch {done}")
    for words in (["verify"], ["verify", "--yes"], ["verify", "--failover", "--yes"], ["install", "--yes"]):
        said = alone(*words, status=None)
        assert f"'env -C / touch {done} up lb0'" in said.out + said.err
        assert "run only where somebody can be asked" in said.out + said.err and "hardway verify --power COMMAND" in said.out + said.err
        assert not done.exists() and pending.exists()
    for answer in "no", "":
        shown = verify_at_a_terminal(alone, answer)
        assert f"'env -C / touch {done} up lb0'. Run that command? [y/N]" in shown and "not confirmed" in shown
        assert not done.exists() and pending.exists()
    shown = verify_at_a_terminal(alone, "y")
    assert "all is put back now" in shown and done.exists()

    # that of the command line is the user's own; it is run where that was typed
    pending = leave(alone, "touch /nowhere/x")
    assert "all is put back now" in alone("verify", "--power", "touch here", status=76).out
    assert (alone.directory / "here").exists() and (alone.directory / "up").exists()
    assert "drill" not in pending.read_text()


@pytest.mark.parametrize("how", ["writable", "link", "foreign", "beside"])
def test_a_file_of_somebody_else_is_not_believed(alone, how):
    pending = leave(alone, "true", drill="haproxy-hung")
    if how == "writable":
        pending.chmod(0o666)
    elif how == "link":
        pending.rename(alone.directory / "elsewhere")
        pending.symlink_to(alone.directory / "elsewhere")
    elif how == "beside":
        pending.rename(alone.directory / "failover.pending")
    elif os.geteuid() == 0:
        os.chown(pending, 65534, 65534)
    else:
        pytest.skip("only root can give a file away")
    said = alone("verify", status=76).out
    if how == "beside":
        assert "a drill" not in said
    else:
        assert {"writable": "can be written by others", "link": "is a symbolic link", "foreign": "belongs to another user"}[how] in said
        assert "a drill was interrupted: " in said and "put back now" not in said


def test_one_controller(hardway):
    """Whatever is broken there is an outage, and shows nothing."""
    hardway("init", "--controller", "c0=10.77.0.20")
    hardway("pki", "gen")
    (hardway.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    refused = hardway("verify", "--failover", "--yes", status=64)
    assert "there is nothing that could be tried out in this cluster" in refused.err
    assert "haproxy: there is no haproxy here" in refused.err
    assert "etcd-leader: etcd runs on 1 node: nobody could take over, it would only be an outage" in refused.err


def test_a_load_balancer_that_is_not_ours(hardway):
    """What cannot be had is not announced; asked for by name, it is refused, and nobody has to be reached for that."""
    hardway("init", *(word for i in range(3) for word in ("--controller", f"c{i}=10.77.0.2{i}")), "--endpoint", "k8s.example.com")
    hardway("pki", "gen")
    (hardway.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    asked = hardway("verify", "--failover", status=64)
    assert "etcd is killed where it leads" in asked.out and "haproxy" not in asked.out and "owner of the VIP" not in asked.out
    assert "drill haproxy: the load balancer is not hardway's" in hardway("verify", "--failover", "--yes", "--drill", "haproxy", status=64).err
    assert "drill controller-power: needs --power" in hardway("verify", "--failover", "--yes", "--drill", "controller-power", status=64).err


def test_options_that_belong_to_failover(ready):
    for words in (["--drill", "haproxy"], ["--power", "plug"]):
        assert "belong to --failover" in ready("verify", *words, status=64).err


def test_the_manual_has_every_drill():
    drills = set(re.findall(r'^ +\{ "([a-z-]+)", "', read("operate", "drill-table.c"), re.M))
    assert len(drills) == 14
    section = read("man", "hardway.1.scd").split("## hardway verify\n")[1].split("\n## ")[0]
    assert set(re.findall(r"\*([a-z-]+)\*", section)) >= drills
